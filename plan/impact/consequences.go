// Package impact finds out what a deletion cascades to without being asked to: what
// is in a deleted namespace, objects of a deleted kind, what the garbage collector
// removes after its owner, data of volumes, and what a deletion waits for.
//
// Of reads the metadata of all that the deletions of one plan could cascade to,
// with one list per kind and namespace, and then answers for each deletion from
// what it has read.
package impact

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// Consequence is something that happens with a deletion without being asked for.
type Consequence struct {
	Effect Effect          `json:"effect"`
	Kind   addrs.GroupKind `json:"kind"`
	Count  int             `json:"count"`
	Names  []string        `json:"names"` // the first of them, namespace/name
}

// Effect is what happens to the objects of a Consequence.
type Effect string

const (
	CascadesUnmanaged   Effect = "cascades-to-unmanaged"    // they are deleted, and kplan does not manage them
	CascadesOtherStacks Effect = "cascades-to-other-stacks" // they are deleted, and other stacks of kplan manage them
	LosesData           Effect = "loses-data"               // the data in these volumes is lost
	Cascades            Effect = "cascades"                 // they belong to what is deleted and go with it
	MayBlock            Effect = "may-block"                // these finalizers their owners must remove first
	HeldBy              Effect = "held-by"                  // they use it, stay, and keep it until they are gone
	LeavesClaims        Effect = "leaves-claims"            // they were made for its pods, and stay as they are
	ReleasesVolume      Effect = "releases-volume"          // it keeps its data, and the name of the claim that is no more
	WaitsForAPI         Effect = "waits-for-api"            // these APIs must answer again: only then is a namespace known to be empty
	Uncounted           Effect = "uncounted"                // objects of these kinds may go too: this user may not list them
)

// namesShown is how many objects a Consequence names.
const namesShown = 3

// manyNamespaces is how many namespaces are looked through one by one; for
// more of them it is cheaper to look through the cluster once.
const manyNamespaces = 10

// Deletion is an object that would be deleted, for good or to be recreated.
type Deletion struct {
	Object addrs.Object
	UID    string
	Live   map[string]any
	// Drops, where set, reports which claims go by their names, although the object stays:
	// it is only scaled down.
	Drops func(claim string) bool
}

// Stack is whose objects a deletion is expected to cascade to.
type Stack struct {
	UIDs map[addrs.Object]string // of its objects, by identity
	// Other returns the stack of kplan that manages an object in its place, "" if
	// none does.
	Other func(*unstructured.Unstructured) string
}

// manages reports whether an object is the one in the state, and still managed by
// this stack.
func (s Stack) manages(n dependent) bool {
	return n.stack == "" && s.UIDs[n.object.Identity()] == n.uid
}

// Impact is what one deletion does to other objects.
type Impact struct {
	Consequences []Consequence
	// Cascaded are objects of the stack that the garbage collector deletes with it.
	Cascaded []addrs.Object
	// Holders are what uses the object.
	Holders []Holder
}

// Of returns the impact of each deletion where all of them are made.
func Of(ctx context.Context, cluster *kube.Cluster, stack Stack, deletions []Deletion) ([]Impact, error) {
	if len(deletions) == 0 {
		return nil, nil
	}
	whole := slices.DeleteFunc(slices.Clone(deletions), func(d Deletion) bool { return d.Drops != nil })
	deps, err := scan(ctx, cluster, stack, whole)
	if err != nil {
		return nil, err
	}
	deps.findGone(whole)
	all := make([]Impact, len(deletions))
	for i, d := range deletions {
		if d.Drops != nil {
			all[i].Consequences = deps.scaledDown(d)
			continue
		}
		holders := deps.holders(d)
		all[i] = Impact{Consequences: append(deps.consequences(d), heldBy(holders)...), Holders: holders}
		for _, n := range deps.ownedBy(d.UID) {
			if deps.stack.manages(n) {
				all[i].Cascaded = append(all[i].Cascaded, n.object)
			}
		}
	}
	return all, nil
}

func (deps *dependents) consequences(c Deletion) []Consequence {
	unmanaged, otherStacks, owned, loses := tally{}, tally{}, tally{}, tally{}
	finalizers := lastingFinalizers((&unstructured.Unstructured{Object: c.Live}).GetFinalizers())
	for _, n := range deps.cascaded(c) {
		if n.stack != "" {
			otherStacks.add(n.object)
		} else {
			unmanaged.add(n.object)
		}
		deps.addVolume(n.object, loses)
		finalizers = append(finalizers, n.blocking()...)
	}
	for _, n := range deps.ownedBy(c.UID) {
		switch {
		case n.stack != "":
			otherStacks.add(n.object)
		case n.deployed && !deps.stack.manages(n):
			unmanaged.add(n.object)
		default:
			owned.add(n.object)
		}
		deps.addVolume(n.object, loses)
		finalizers = append(finalizers, n.blocking()...)
	}
	deps.addVolume(c.Object, loses)
	if c.Object.GroupKind() == kinds.PersistentVolume && deps.volumes[c.Object.Name] {
		loses.add(c.Object)
	}
	found := slices.Concat(unmanaged.list(CascadesUnmanaged), otherStacks.list(CascadesOtherStacks),
		loses.list(LosesData), owned.list(Cascades), deps.claimsLeft(c).list(LeavesClaims), deps.volumeReleased(c).list(ReleasesVolume))
	for _, more := range []struct {
		effect Effect
		names  []string
	}{{MayBlock, finalizers}, {WaitsForAPI, deps.awaitedBy(c)}, {Uncounted, deps.uncountedBy(c)}} {
		if n := len(more.names); n > 0 {
			found = append(found, Consequence{more.effect, c.Object.GroupKind(), n, more.names[:min(n, namesShown)]})
		}
	}
	return found
}

// scaledDown is what goes with the claims of an object that stays.
func (deps *dependents) scaledDown(d Deletion) []Consequence {
	claims, loses := tally{}, tally{}
	for bound := range deps.claims {
		if name, ok := strings.CutPrefix(bound, d.Object.Namespace+"/"); ok && d.Drops(name) {
			claim := addrs.Object{Version: "v1", Kind: kinds.PersistentVolumeClaim.Kind, Namespace: d.Object.Namespace, Name: name}
			claims.add(claim)
			deps.addVolume(claim, loses)
		}
	}
	found := append(loses.list(LosesData), claims.list(Cascades)...)
	if deps.uncounted[kinds.PersistentVolume] {
		found = append(found, Consequence{Uncounted, d.Object.GroupKind(), 1, []string{kinds.PersistentVolume.String()}})
	}
	return found
}

// awaitedBy are the APIs that a deletion waits for: the cluster does not remove a
// namespace while there may be objects in it that it can't list.
func (deps *dependents) awaitedBy(c Deletion) []string {
	if c.Object.GroupKind() != kinds.Namespace {
		return nil
	}
	return deps.silent
}

// uncountedBy are the kinds of which a deletion may cascade to objects that nobody
// counted.
func (deps *dependents) uncountedBy(c Deletion) []string {
	var names []string
	for kind := range deps.uncounted {
		volume := kind == kinds.PersistentVolume
		switch c.Object.GroupKind() {
		case kinds.Namespace:
		case kinds.PersistentVolumeClaim:
			if !volume {
				continue
			}
		case kinds.CustomResourceDefinition:
			if kind != kinds.DefinedBy(c.Live) {
				continue
			}
		default:
			continue
		}
		names = append(names, kind.String())
	}
	slices.Sort(names)
	return names
}

// blocking are the finalizers of an object that goes with another.
func (n dependent) blocking() []string {
	var names []string
	for _, f := range n.finalizers {
		names = append(names, f+" of "+n.object.Kind+" "+n.object.QualifiedName())
	}
	return names
}

// cascaded are the objects that this stack does not manage and that can't exist
// without the deleted one: what is in a namespace, what is of a custom kind.
func (deps *dependents) cascaded(c Deletion) []dependent {
	var found []dependent
	for _, n := range deps.inside(c) {
		if !deps.stack.manages(n) && !n.owned && !kinds.IsInEveryNamespace(n.object) {
			found = append(found, n)
		}
	}
	return found
}

// inside are the objects that can't exist without the deleted one.
func (deps *dependents) inside(c Deletion) []dependent {
	switch c.Object.GroupKind() {
	case kinds.Namespace:
		return deps.inNamespace[c.Object.Name]
	case kinds.CustomResourceDefinition:
		return deps.ofKind[kinds.DefinedBy(c.Live)]
	}
	return nil
}

// ownedBy are the objects that the garbage collector removes after their owner.
func (deps *dependents) ownedBy(uid string) []dependent {
	var all []dependent
	seen := map[string]bool{uid: true}
	for todo := []string{uid}; len(todo) > 0; todo = todo[1:] {
		for _, n := range deps.owned[todo[0]] {
			if !seen[n.uid] && deps.gone[n.uid] {
				seen[n.uid] = true
				all, todo = append(all, n), append(todo, n.uid)
			}
		}
	}
	return all
}

func (deps *dependents) addVolume(o addrs.Object, loses tally) {
	if o.GroupKind() != kinds.PersistentVolumeClaim {
		return
	}
	if volume := deps.claims[o.QualifiedName()]; deps.volumes[volume] {
		loses.add(addrs.Object{Version: "v1", Kind: "PersistentVolume", Name: volume})
	}
}

// lastingFinalizers are those that something outside the API server must
// remove before the object is gone.
func lastingFinalizers(finalizers []string) []string {
	return slices.DeleteFunc(finalizers, func(name string) bool { return slices.Contains(clusterFinalizers, name) })
}

// clusterFinalizers are removed by the cluster's own controllers, in time.
var clusterFinalizers = []string{
	metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents,
	"kubernetes.io/pvc-protection", "kubernetes.io/pv-protection", batchv1.JobTrackingFinalizer,
}

// tally counts objects by kind, each once.
type tally map[addrs.GroupKind]map[addrs.Object]struct{}

func (t tally) add(o addrs.Object) {
	kind := o.GroupKind()
	if t[kind] == nil {
		t[kind] = map[addrs.Object]struct{}{}
	}
	t[kind][o] = struct{}{}
}

func (t tally) list(effect Effect) []Consequence {
	var found []Consequence
	for _, kind := range slices.SortedFunc(maps.Keys(t), func(a, b addrs.GroupKind) int { return cmp.Compare(a.String(), b.String()) }) {
		objects := slices.SortedFunc(maps.Keys(t[kind]), addrs.Object.Compare)
		c := Consequence{Effect: effect, Kind: kind, Count: len(objects)}
		for _, o := range objects[:min(namesShown, len(objects))] {
			c.Names = append(c.Names, o.QualifiedName())
		}
		found = append(found, c)
	}
	return found
}

// Objects are the names that the consequence has, and how many more there are.
func (c Consequence) Objects() string {
	names := strings.Join(c.Names, ", ")
	if c.Count > len(c.Names) {
		names += fmt.Sprintf(" and %d more", c.Count-len(c.Names))
	}
	return names
}

// Kinds is the kind in the number of the objects: Pod, Pods, Ingresses.networking.k8s.io.
func (c Consequence) Kinds() string {
	kind := c.Kind
	kind.Kind = words.Plural(c.Count, kind.Kind, words.PluralOf(kind.Kind))
	return kind.String()
}

// String is the consequence in a line.
func (c Consequence) String() string {
	names := c.Objects()
	switch c.Effect {
	case CascadesUnmanaged:
		return fmt.Sprintf("also deletes %d %s that kplan does not manage: %s", c.Count, c.Kinds(), names)
	case CascadesOtherStacks:
		return fmt.Sprintf("also deletes %d %s that another kplan stack manages: %s", c.Count, c.Kinds(), names)
	case LosesData:
		return fmt.Sprintf("loses the data of %d %s: %s", c.Count, c.Kinds(), names)
	case MayBlock:
		return fmt.Sprintf("waits for the finalizers %s to be removed", names)
	case WaitsForAPI:
		return fmt.Sprintf("waits until these APIs answer again: %s", names)
	case HeldBy:
		return fmt.Sprintf("waits until %d %s that %s gone: %s", c.Count, c.Kinds(), words.Plural(c.Count, "uses it is", "use it are"), names)
	case LeavesClaims:
		return fmt.Sprintf("leaves %d %s as %s: %s", c.Count, c.Kinds(), words.Plural(c.Count, "it is", "they are"), names)
	case ReleasesVolume:
		return fmt.Sprintf("releases %d %s, which no other claim can be bound to: %s", c.Count, c.Kinds(), names)
	case Uncounted:
		return fmt.Sprintf("may also delete objects of %d kinds that this user may not list: %s", c.Count, names)
	}
	return fmt.Sprintf("also deletes %d %s that %s to it: %s", c.Count, c.Kinds(), words.Plural(c.Count, "belongs", "belong"), names)
}

// IsLoss reports whether what this stack does not manage is deleted, or data lost.
func (c Consequence) IsLoss() bool {
	return c.Effect == CascadesUnmanaged || c.Effect == CascadesOtherStacks || c.Effect == LosesData
}
