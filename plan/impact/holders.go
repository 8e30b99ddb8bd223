package impact

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
)

// Holder is an object that uses one that is to be deleted, and so keeps it in the cluster.
type Holder struct {
	Object addrs.Object
	// Of is the object of the stack that it is or, by its owners, belongs to; the zero Object
	// where there is none.
	Of addrs.Object
	// Active reports whether it keeps the other already, which a pod does once it has a node.
	Active bool
	// Gone reports whether it goes with the plan's deletions.
	Gone bool
}

// user is an object of a kind that holds others.
type user struct {
	kind *kinds.Kind
	live *unstructured.Unstructured
}

// usersIn are objects that may use what is deleted: those of a kind in a namespace, "" for
// all.
type usersIn struct {
	kind      addrs.GroupKind
	namespace string
}

// usersOf are what has to be listed to find out what uses the deleted objects. The claim of a
// volume is in the volume itself.
func usersOf(toDelete []Deletion) []usersIn {
	var all []usersIn
	for _, d := range toDelete {
		isVolume := d.Object.GroupKind() == kinds.PersistentVolume
		for _, kind := range relations.HoldersOf(d.Object.GroupKind()) {
			of := usersIn{kind, d.Object.Namespace}
			if !slices.Contains(all, of) && !(isVolume && kind == kinds.PersistentVolumeClaim) {
				all = append(all, of)
			}
		}
	}
	return all
}

// using lists objects that may use what is deleted. Where this user may not list them, it
// is not known who does.
func (s *scanner) using(ctx context.Context, of usersIn) error {
	kind, err := s.cluster.Lookup(of.kind.Kind, schema.GroupVersion{Group: of.kind.Group, Version: "v1"}.String())
	if err != nil {
		return err
	}
	found, err := s.cluster.List(ctx, kind, kube.ListOptions{Namespace: of.namespace})
	switch kube.ReasonOf(err) {
	case kube.NotServed, kube.NotFound, kube.NamespaceMissing, kube.Forbidden, kube.Unavailable:
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, live := range found {
		s.deps.users = append(s.deps.users, user{kind, live})
	}
	return err
}

// holders are what uses the object of a deletion, but for what goes already.
func (deps *dependents) holders(d Deletion) []Holder {
	isVolume := d.Object.GroupKind() == kinds.PersistentVolume
	var found []Holder
	if isVolume {
		found = deps.claimOf(d)
	}
	for _, u := range deps.users {
		if isVolume && u.kind.GroupKind() == kinds.PersistentVolumeClaim {
			continue
		}
		if u.live.GetDeletionTimestamp() != nil || !relations.Uses(u.kind, u.live.Object, d.Object) {
			continue
		}
		h := deps.holder(u.kind.Object(u.live.GetNamespace(), u.live.GetName()), string(u.live.GetUID()), ownersOf(u.live))
		h.Active = relations.Holds(u.kind, u.live.Object, d.Object, d.Live)
		found = append(found, h)
	}
	slices.SortFunc(found, func(a, b Holder) int { return a.Object.Compare(b.Object) })
	return found
}

// claimOf is the claim that a volume is bound to.
func (deps *dependents) claimOf(d Deletion) []Holder {
	spec, _ := d.Live["spec"].(map[string]any)
	status, _ := d.Live["status"].(map[string]any)
	ref, _ := spec["claimRef"].(map[string]any)
	if status["phase"] != string(corev1.VolumeBound) || ref == nil {
		return nil
	}
	text := func(name string) string { s, _ := ref[name].(string); return s }
	claim := addrs.Object{Version: "v1", Kind: kinds.PersistentVolumeClaim.Kind, Namespace: text("namespace"), Name: text("name")}
	h := deps.holder(claim, text("uid"), nil)
	h.Active = true
	return []Holder{h}
}

func (deps *dependents) holder(o addrs.Object, uid string, owners []string) Holder {
	return Holder{
		Object: o, Of: deps.managedRoot(o, uid, owners),
		Gone: deps.gone[uid] || deps.deleted[addrs.Object{Kind: kinds.Namespace.Kind, Name: o.Namespace}],
	}
}

// managedRoot is the object of the stack to which another belongs: itself, or the nearest
// among its owners.
func (deps *dependents) managedRoot(o addrs.Object, uid string, owners []string) addrs.Object {
	if uid != "" && deps.stack.UIDs[o.Identity()] == uid {
		return o
	}
	seen := map[string]bool{}
	for todo := owners; len(todo) > 0; todo = todo[1:] {
		switch root, ok := deps.managed[todo[0]]; {
		case ok:
			return root
		case !seen[todo[0]]:
			seen[todo[0]] = true
			todo = append(slices.Clip(todo), deps.byUID[todo[0]].owners...)
		}
	}
	return addrs.Object{}
}

// heldBy is what holders mean for a deletion that the stack can do nothing about.
func heldBy(holders []Holder) []Consequence {
	others := tally{}
	for _, h := range holders {
		if h.Active && !h.Gone && h.Of == (addrs.Object{}) {
			others.add(h.Object)
		}
	}
	return others.list(HeldBy)
}

// findGone finds out what is not there any more once all the deletions are made: what
// they delete, what is in a deleted namespace or of a deleted kind, and what has no
// owner left.
func (deps *dependents) findGone(toDelete []Deletion) {
	var todo []string
	gone := func(uid string) {
		if !deps.gone[uid] {
			deps.gone[uid] = true
			todo = append(todo, uid)
		}
	}
	for _, d := range toDelete {
		gone(d.UID)
		deps.deleted[d.Object.Identity()] = true
		for _, n := range deps.inside(d) {
			gone(n.uid)
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		for _, n := range deps.owned[todo[0]] {
			if !slices.ContainsFunc(n.owners, func(owner string) bool { return !deps.gone[owner] }) {
				gone(n.uid)
			}
		}
	}
}

func ownersOf(u *unstructured.Unstructured) []string {
	var uids []string
	for _, owner := range u.GetOwnerReferences() {
		uids = append(uids, string(owner.UID))
	}
	return uids
}

// claimsLeft are the claims that a StatefulSet has made for its pods and that stay.
func (deps *dependents) claimsLeft(c Deletion) tally {
	left := tally{}
	if c.Object.GroupKind() != kinds.StatefulSet || deps.deleted[addrs.Object{Kind: kinds.Namespace.Kind, Name: c.Object.Namespace}] {
		return left
	}
	for _, n := range deps.inNamespace[c.Object.Namespace] {
		if n.object.GroupKind() == kinds.PersistentVolumeClaim && !deps.gone[n.uid] && relations.ClaimTemplate(c.Live, n.object.Name) {
			left.add(n.object)
		}
	}
	return left
}

// volumeReleased is the volume that a claim was bound to and that stays: it keeps the uid
// of that claim.
func (deps *dependents) volumeReleased(c Deletion) tally {
	released := tally{}
	if c.Object.GroupKind() != kinds.PersistentVolumeClaim {
		return released
	}
	volume := addrs.Object{Version: "v1", Kind: kinds.PersistentVolume.Kind, Name: deps.claims[c.Object.QualifiedName()]}
	if deletes, known := deps.volumes[volume.Name]; known && !deletes && !deps.deleted[volume.Identity()] {
		released.add(volume)
	}
	return released
}
