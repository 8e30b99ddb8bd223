package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kinds"
)

// Consequence is something that goes with a deletion without being asked for.
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
	MayBlock            Effect = "may-block"                // these finalizers must be taken off by their owners first
	WaitsForAPI         Effect = "waits-for-api"            // these APIs must answer again before the cluster can tell that a namespace is empty
	Uncounted           Effect = "uncounted"                // objects of these kinds may go too: this user may not list them
)

// namesShown is how many objects a Consequence names.
const namesShown = 3

// sweepNamespaces is how many namespaces are looked through one by one; for
// more of them it is cheaper to look through the cluster once.
const sweepNamespaces = 10

// weighDeletions finds out what goes with deletions and refuses those that are
// too grave to be made unasked.
func (p *planner) weighDeletions(ctx context.Context, plan *Plan) hcl.Diagnostics {
	if p.offline() {
		return nil
	}
	if err := p.addConsequences(ctx, plan); err != nil {
		return diag.FromKube(err, nil, "")
	}
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		diags = append(diags, p.guardData(c)...)
	}
	return diags
}

// addConsequences finds out what goes with the plan's deletions and
// replacements.
func (p *planner) addConsequences(ctx context.Context, plan *Plan) error {
	var toDelete []*Change
	for _, c := range plan.Changes {
		if c.Action == Delete || c.Action == Replace {
			toDelete = append(toDelete, c)
		}
	}
	if len(toDelete) == 0 {
		return nil
	}
	around, err := p.scanDependents(ctx, toDelete)
	if err != nil {
		return err
	}
	for _, c := range toDelete {
		c.Consequences = p.consequences(c, around)
	}
	return nil
}

func (p *planner) consequences(c *Change, around *dependents) []Consequence {
	takes, others, goes, loses := tally{}, tally{}, tally{}, tally{}
	finalizers := lastingFinalizers((&unstructured.Unstructured{Object: c.Before}).GetFinalizers())
	for _, n := range p.takenAlong(c, around) {
		if n.stack != "" {
			others.add(n.object)
		} else {
			takes.add(n.object)
		}
		p.addVolume(n.object, around, loses)
		finalizers = append(finalizers, n.blocking()...)
	}
	for _, n := range ownedBy(c.UID, around) {
		goes.add(n.object)
		p.addVolume(n.object, around, loses)
		finalizers = append(finalizers, n.blocking()...)
	}
	p.addVolume(c.Object, around, loses)
	if c.Object.GroupKind() == kinds.PersistentVolume && around.volumes[c.Object.Name] {
		loses.add(c.Object)
	}
	found := slices.Concat(takes.list(CascadesUnmanaged), others.list(CascadesOtherStacks), loses.list(LosesData), goes.list(Cascades))
	for _, more := range []struct {
		effect Effect
		names  []string
	}{{MayBlock, finalizers}, {WaitsForAPI, around.awaitedBy(c)}, {Uncounted, around.uncountedBy(c)}} {
		if n := len(more.names); n > 0 {
			found = append(found, Consequence{more.effect, c.Object.GroupKind(), n, more.names[:min(n, namesShown)]})
		}
	}
	return found
}

// awaitedBy are the APIs that a deletion waits for: the cluster does not let go of a
// namespace while there may be objects in it that it can't list.
func (around *dependents) awaitedBy(c *Change) []string {
	if c.Object.GroupKind() != kinds.Namespace {
		return nil
	}
	return around.silent
}

// uncountedBy are the kinds of which a deletion may take objects along that nobody
// counted.
func (around *dependents) uncountedBy(c *Change) []string {
	var names []string
	for kind := range around.uncounted {
		volume := kind == kinds.PersistentVolume
		switch c.Object.GroupKind() {
		case kinds.Namespace:
		case kinds.PersistentVolumeClaim:
			if !volume {
				continue
			}
		case kinds.CustomResourceDefinition:
			if kind != definedKind(c.Before) {
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

// takenAlong are the objects that this stack does not manage and that can't exist
// without the deleted one: what is in a namespace, what is of a custom kind.
func (p *planner) takenAlong(c *Change, around *dependents) []dependent {
	var candidates []dependent
	switch c.Object.GroupKind() {
	case kinds.Namespace:
		candidates = around.inNamespace[c.Object.Name]
	case kinds.CustomResourceDefinition:
		candidates = around.ofKind[definedKind(c.Before)]
	}
	var taken []dependent
	for _, n := range candidates {
		if !p.manages(n) && !n.owned && !isFurniture(n.object) {
			taken = append(taken, n)
		}
	}
	return taken
}

// manages says whether an object is the one that the state holds, and still this
// stack's.
func (p *planner) manages(n dependent) bool {
	return n.stack == "" && p.owned[n.object.Identity()].UID == n.uid
}

// isFurniture says whether the cluster itself puts such an object into every
// namespace.
func isFurniture(o addrs.Object) bool {
	return o.Kind == "ConfigMap" && o.Name == "kube-root-ca.crt" || o.Kind == "ServiceAccount" && o.Name == "default"
}

func definedKind(crd map[string]any) addrs.GroupKind {
	group, _, _ := unstructured.NestedString(crd, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd, "spec", "names", "kind")
	return addrs.GroupKind{Group: group, Kind: kind}
}

// ownedBy are the objects that the garbage collector removes after their owner.
func ownedBy(uid string, around *dependents) []dependent {
	var all []dependent
	seen := map[string]bool{uid: true}
	for todo := []string{uid}; len(todo) > 0; todo = todo[1:] {
		for _, n := range around.owned[todo[0]] {
			if !seen[n.uid] {
				seen[n.uid] = true
				all, todo = append(all, n), append(todo, n.uid)
			}
		}
	}
	return all
}

func (p *planner) addVolume(o addrs.Object, around *dependents, loses tally) {
	if o.GroupKind() != kinds.PersistentVolumeClaim {
		return
	}
	if volume := around.claims[o.QualifiedName()]; around.volumes[volume] {
		loses.add(addrs.Object{Version: "v1", Kind: "PersistentVolume", Name: volume})
	}
}

// lastingFinalizers are those that something outside the API server must take
// off before the object is gone.
func lastingFinalizers(finalizers []string) []string {
	return slices.DeleteFunc(finalizers, func(name string) bool { return slices.Contains(clusterFinalizers, name) })
}

// clusterFinalizers are taken off by the cluster's own controllers, in time.
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

// String is the consequence in a line.
func (c Consequence) String() string {
	names := strings.Join(c.Names, ", ")
	if c.Count > len(c.Names) {
		names += fmt.Sprintf(" and %d more", c.Count-len(c.Names))
	}
	switch c.Effect {
	case CascadesUnmanaged:
		return fmt.Sprintf("takes along %d %s that kplan does not manage: %s", c.Count, c.Kind, names)
	case CascadesOtherStacks:
		return fmt.Sprintf("takes along %d %s that another stack of kplan manages: %s", c.Count, c.Kind, names)
	case LosesData:
		return fmt.Sprintf("loses the data of %d %s: %s", c.Count, c.Kind, names)
	case MayBlock:
		return fmt.Sprintf("waits for the finalizers %s to be taken off", names)
	case WaitsForAPI:
		return fmt.Sprintf("waits until these APIs answer again: %s", names)
	case Uncounted:
		return fmt.Sprintf("may take along objects of %d kinds that this user may not list: %s", c.Count, names)
	}
	return fmt.Sprintf("also deletes %d %s that belong to it: %s", c.Count, c.Kind, names)
}

// IsLoss says whether what this stack does not manage is deleted, or data lost.
func (c Consequence) IsLoss() bool {
	return c.Effect == CascadesUnmanaged || c.Effect == CascadesOtherStacks || c.Effect == LosesData
}

// grave are the consequences that must be asked for by name.
func (c *Change) destructive() []Consequence {
	return slices.DeleteFunc(slices.Clone(c.Consequences), func(q Consequence) bool {
		return !q.IsLoss()
	})
}

// guardData refuses deletions that take along what this stack does not manage or
// lose data, unless the user allowed them by name.
func (p *planner) guardData(c *Change) hcl.Diagnostics {
	destructive := c.destructive()
	allowed := slices.ContainsFunc(p.AllowDataLoss, func(given addrs.Instance) bool { return Matches(given, c.Addr) })
	if len(destructive) == 0 || allowed {
		return nil
	}
	c.Blocked = true
	var lines []string
	for _, q := range destructive {
		lines = append(lines, q.String())
	}
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Deletion would lose what this stack does not manage",
		Detail: fmt.Sprintf("%s %s (%s) %s. If that is intended, add the option -allow-data-loss='%s'.",
			map[Action]string{Delete: "Deleting", Replace: "Replacing"}[c.Action], c.Addr, c.Object, strings.Join(lines, "; "), c.Addr),
	}
	if c.Desired != nil {
		d.Subject = c.Range.Ptr()
	}
	return hcl.Diagnostics{d}
}
