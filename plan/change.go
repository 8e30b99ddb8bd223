package plan

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan/diff"
	"kplan.dev/kplan/plan/impact"
)

// Change is what would happen to one object.
type Change struct {
	Addr addrs.Instance
	// Previous is the address that the object had before, if it has another now.
	Previous addrs.Instance
	Object   addrs.Object
	Kind     *kinds.Kind
	Action   Action
	Reason   Reason

	Certainty Certainty
	Why       string // of a prediction, such as "namespace acme is created by this plan"

	// DesiredFields is what would be sent, kplan's own label and annotation included:
	// nil for a deletion.
	DesiredFields map[string]any
	// Before is the live object without what only the server keeps; nil for an
	// object that is not there.
	Before map[string]any
	// After is the object as it would be; nil for a deletion.
	After map[string]any
	// Unknown are fields of After that are known after apply.
	Unknown addrs.PathSet
	// Sensitive are fields of Before and After that must not be shown.
	Sensitive addrs.PathSet
	// Drift are the values that are no longer what kplan last applied.
	Drift []Drift
	// Relinquished are fields that kplan no longer sets, and NewlyManaged those that it sets from
	// now on, where that makes no difference to the value.
	Relinquished []Relinquished
	NewlyManaged []addrs.Path
	// AcknowledgedDrift is the digest of a refresh-only plan's drift, which applying the
	// plan records: acknowledged drift is not reported again.
	AcknowledgedDrift string
	// Admitted are the fields of After that admission in the cluster has made.
	Admitted []Admitted
	// Consequences are what goes with a deletion or a replacement.
	Consequences []impact.Consequence
	// ReplacePaths are the fields whose change can't be made in place.
	ReplacePaths []addrs.Path

	UID             string // of the live object
	ResourceVersion string // of the live object
	// Dependencies are the instances this one comes after, and which are deleted after it.
	Dependencies []addrs.Instance
	Protected    bool // lifecycle.prevent_destroy
	Retained     bool // lifecycle.destroy is false
	// Blocked reports that the change was refused: see the plan's diagnostics.
	Blocked bool
	Range   hcl.Range // the head of the resource block, if it has one
	Desired *hclspec.Desired
	// Transfer are fields that become kplan's before the change is applied, since
	// applying removes only what kplan owns: see WithTransferredFields.
	Transfer []addrs.Path
	// AdoptManagers are managers whose fields an adoption transfers, besides those of
	// the tools that are known to deploy.
	AdoptManagers []string
	// AdoptedFrom are the managers whose fields an adoption transfers.
	AdoptedFrom []string
	// DeadVersions are API versions that are no longer served, in which a record of the
	// live object is nobody's.
	DeadVersions []string
	// Unmanaged are fields that others have set and that the configuration does not.
	Unmanaged []Drift
	// UnmanagedReads are fields that others have set in other objects, and that the change
	// has read.
	UnmanagedReads []UnmanagedRead
	// Taken are fields of other managers that the change takes or removes, since the
	// configuration or the run says so.
	Taken []Drift
	// Force reports that applying the change takes fields from other managers: those
	// that the configuration lists, and kplan's own.
	Force bool

	// Holders are objects that keep this one in the cluster as long as they are there, and
	// that the plan deletes or replaces: each is deleted first.
	Holders []addrs.Object
	// Resets are fields that are sent once and then left to the server: see Sent.
	Resets []Reset
	// Yields are what goes before the change is applied: Services that give up ports or
	// addresses that this one gets, quotas, policies and webhooks that would refuse it.
	Yields []addrs.Object

	prior []*Change // of the plan to what the object comes after
	// rewritten are fields that are sent as they are, since the server makes that of what
	// the configuration has there.
	rewritten []addrs.Path
}

// Moved reports whether the object has another address than before.
func (c *Change) Moved() bool { return c.Previous != addrs.Instance{} }

// LeavesObject reports whether the object is there and stays, and is only forgotten.
func LeavesObject(c *Change) bool {
	return c.Action == Forget && (c.Reason == BecauseRemoved || c.Reason == BecauseRetained || c.Reason == BecauseKept)
}

// IsDone reports whether the object is gone because it has served its purpose, and is
// to stay so.
func IsDone(c *Change) bool { return c.Action == NoOp && c.Desired != nil && c.Before == nil }

// Gone is what is known of an object of which IsDone is true.
func Gone(c *Change) map[string]any {
	gone := unstructured.Unstructured{Object: runtime.DeepCopyJSON(c.DesiredFields)}
	gone.SetUID(types.UID(c.UID))
	return gone.Object
}

// Drift is a value of a live object that is no longer what kplan last applied.
type Drift struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who changed it, "" if unknown: a value that was removed has no owner
	Time    time.Time  `json:"time,omitzero"`     // when that manager last changed the object
}

// Relinquished is a field that the configuration no longer sets and that keeps its
// value all the same: another manager sets it, too, or it is what the server fills in
// anyway.
type Relinquished struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who sets it as well, "" for nobody
}

// Diff returns what the change does to its object, field by field.
func (c *Change) Diff() *diff.Difference {
	o := c.sides()
	if o.After == nil && c.Action != Delete && c.Action != Forget {
		o.After = c.DesiredFields
	}
	if c.Before != nil { // owned stays nil where the record can't be read
		record := ownership.Of(c.Before)
		if o.Owned, _ = record.OwnFields(c.Object.APIVersion()); o.Owned != nil {
			o.Owned = o.Owned.Union(record.Deliberate())
		}
	}
	o.Admitted = admittedPaths(c.Admitted)
	return diff.Of(o)
}

// Views returns both sides of the change as a machine may read them.
func (c *Change) Views() (before, after diff.View) { return diff.Views(c.sides()) }

func (c *Change) sides() diff.Object {
	return diff.Object{
		Kind: c.Kind, Before: c.Before, After: c.After, Desired: c.DesiredFields, Unknown: c.Unknown, Sensitive: c.Sensitive,
		ReplacePaths: c.ReplacePaths, Replaced: c.Action == Replace,
	}
}

// Diff returns what becomes of the output's value.
func (o OutputChange) Diff() *diff.Difference {
	return diff.OfValue(o.Name, o.Before, o.After, o.Unknown, o.Sensitive)
}

// SensitiveDesired are the desired fields that the configuration made sensitive.
// Elements of lists are named by their keys where they have any, so that the paths
// are true of other versions of the object, too.
func (c *Change) SensitiveDesired() []addrs.Path { return sensitiveDesired(c.Desired, c.DesiredFields) }

func sensitiveDesired(d *hclspec.Desired, fields map[string]any) []addrs.Path {
	paths := addrs.PathSet{}
	for path := range d.Sensitive {
		paths.Add(keyed(d.Kind, fields, path))
	}
	return paths.Sorted()
}

// TransfersOwnership reports whether fields may have to become kplan's before the
// change is applied: see WithTransferredFields.
func (c *Change) TransfersOwnership() bool {
	return c.Action == Adopt || len(c.Transfer) > 0 || len(c.DeadVersions) > 0
}

// WithTransferredFields is the live object as it has to be before the change is
// applied, which differs only in who owns its fields: those that applying has to
// remove must be kplan's. It is live itself where nothing has to be done.
func (c *Change) WithTransferredFields(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return handover{c.Kind, c.Transfer, c.Action == Adopt, c.AdoptManagers, c.DeadVersions}.of(live)
}

// Reset is a field that the server chose once and keeps though it fits no longer: it is sent
// with the value that a new object has, and then left out again.
type Reset struct {
	Path  addrs.Path
	Value any
}

// Sent are the fields of a change as they are first sent, with what it resets.
func Sent(c *Change) map[string]any { return withResets(c.DesiredFields, c.Resets) }

func withResets(fields map[string]any, resets []Reset) map[string]any {
	for _, r := range resets {
		fields, _ = r.Path.ReplaceIn(fields, r.Value).(map[string]any)
	}
	return fields
}

// handover is what becomes kplan's before a change is applied.
type handover struct {
	kind    *kinds.Kind
	fields  []addrs.Path
	adopts  bool     // all that deploy tools applied
	besides []string // managers that count as deploy tools
	dead    []string // API versions of which entries are nobody's
}

func (h handover) of(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if !h.adopts && len(h.fields)+len(h.dead) == 0 { // as nearly always, and to compare records takes its time
		return live, nil
	}
	t := ownership.Transfer{
		APIVersion: h.kind.APIVersion(),
		Fields:     h.set(live),
		Dead:       func(apiVersion string) bool { return slices.Contains(h.dead, apiVersion) },
	}
	if h.adopts {
		t.Adopts = func(e *ownership.Entry) bool { return e.IsDeployed(h.besides...) }
	}
	transferred, err := t.Of(live)
	if err != nil || ownership.SameOwners(live.Object, transferred.Object) {
		return live, err
	}
	return transferred, nil
}

// set is the set of the fields that become kplan's. Of a list that is a set they are its
// elements, each of which has an owner of its own.
func (h handover) set(live *unstructured.Unstructured) *fieldpath.Set {
	fields := ownership.NewSet(h.fields...)
	for _, path := range h.fields {
		list, _ := ValueAt(live.Object, path)
		if f := h.kind.At(path); f == nil || !f.Set {
			continue
		}
		elements, _ := list.([]any)
		for _, element := range elements {
			v := value.NewValueInterface(element)
			fields.Insert(append(ownership.FieldPath(path), fieldpath.PathElement{Value: &v}))
		}
	}
	return fields
}

// OfKind is the change of an object whose kind is known only now.
func OfKind(c *Change, kind *kinds.Kind) *Change {
	known, desired := *c, *c.Desired
	desired.Kind = kind
	known.Kind, known.Desired = kind, &desired
	return &known
}

// Redefines reports whether the change is to the definition of a kind, so that the
// server judges objects of it by another schema afterwards than before.
func (c *Change) Redefines(kind *kinds.Kind) bool {
	return c != nil && c.Action == Update && c.defines(kind) && !reflect.DeepEqual(c.Before["spec"], c.After["spec"])
}

// defines reports whether the object is the definition of the kind.
func (c *Change) defines(kind *kinds.Kind) bool {
	return c.Object.GroupKind() == kinds.CustomResourceDefinition && c.Object.Name == kind.Plural+"."+kind.Group
}

// Holds reports whether an object can't be without the one that c changes.
func (c *Change) Holds(o addrs.Object) bool {
	switch c.Object.GroupKind() {
	case kinds.Namespace:
		return o.Namespace == c.Object.Name
	case kinds.CustomResourceDefinition:
		return c.Before != nil && o.GroupKind() == kinds.DefinedBy(c.Before)
	}
	return false
}

// destructive are the consequences that must be asked for by name.
func (c *Change) destructive() []impact.Consequence {
	return slices.DeleteFunc(slices.Clone(c.Consequences), func(q impact.Consequence) bool {
		return !q.IsLoss()
	})
}

// Resolve completes the change for an object as the apply evaluates it: what
// was unknown in the plan has its value now. It is an error if anything else
// is not as it was agreed.
func (c *Change) Resolve(d *hclspec.Desired, stackID string) (*Change, error) {
	if len(d.Unknown) > 0 {
		return nil, fmt.Errorf("%s is still not known", d.Unknown.Sorted()[0])
	}
	given := DesiredFields(d, stackID)
	desired := given
	var ignored []addrs.Path
	if c.Before != nil && c.Action != Replace {
		ignored = slices.Concat(c.Desired.Lifecycle.IgnoreChanges, c.rewritten)
	}
	for _, path := range ignored {
		field := keyed(d.Kind, given, path)
		value, _ := valueIn(d.Kind, c.DesiredFields, field)
		desired = ignoring(d.Kind, desired, field, value)
	}
	unknown := unresolved(c.Desired, ignored)
	if c.Object.Name == "" {
		unknown.Add(namePath)
	}
	if paths := differences(d.Kind.Root, c.DesiredFields, withoutPaths(desired, unknown)); len(paths) > 0 {
		return nil, fmt.Errorf("%s has another value than in the plan", sortedPaths(paths)[0])
	}
	resolved := *c
	resolved.DesiredFields, resolved.Desired, resolved.Object = desired, d, d.Object
	return &resolved, nil
}

// Disagreements are the fields where applying the change to the object as it is
// now would do something else than what was agreed: the plan said what becomes
// of each value, and both must still hold. kplan's own marks are not spoken of:
// the plan of an object that merely moves does not hold its new address.
func (c *Change) Disagreements(live, answer *unstructured.Unstructured) []addrs.Path {
	agreed := differences(c.Kind.Root, WithoutOwn(visible(c.Before)), WithoutOwn(visible(c.After)))
	now := differences(c.Kind.Root, WithoutOwn(visible(live.Object)), WithoutOwn(visible(answer.Object)))
	unknown := c.unknown()
	if len(now) == 0 {
		return c.undone(live, agreed, unknown)
	}
	var paths []addrs.Path
	for path, d := range agreed {
		other, ok := now[path]
		if !unknown.Covers(path) && (!ok || !reflect.DeepEqual(jsonForm(d), jsonForm(other))) &&
			!isRestamped(c.Kind, c.DesiredFields, path, d, other) {
			paths = append(paths, path)
		}
	}
	for path := range now {
		if _, ok := agreed[path]; !ok && !unknown.Covers(path) {
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, addrs.Path.Compare)
	return slices.Compact(paths)
}

// unknown is the fields that are known after apply, spelled as differences
// spells them.
func (c *Change) unknown() addrs.PathSet {
	paths := addrs.PathSet{}
	for path := range c.Unknown {
		paths.Add(keyed(c.Kind, c.After, path))
	}
	return paths
}

// undone are the fields at which a live object that applying leaves as it is,
// is not what was agreed. There are none when the change has been carried out
// and the answer was lost.
func (c *Change) undone(live *unstructured.Unstructured, agreed map[addrs.Path]difference, unknown addrs.PathSet) []addrs.Path {
	paths := differences(c.Kind.Root, visible(c.After), visible(live.Object))
	for path := range paths {
		if _, ok := agreed[path]; !ok || unknown.Covers(path) {
			delete(paths, path)
		}
	}
	return sortedPaths(paths)
}
