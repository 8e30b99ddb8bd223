package plan

import (
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// findDrift finds out what others have changed of the fields that kplan applied last,
// as far as the change puts it back. A field that kplan applied and no longer owns
// was changed by whoever owns it now, and removed if nobody does.
func (d *decision) findDrift() {
	d.drift = nil
	for _, path := range sortedPaths(differences(d.kind.Root, wanted(d.kind, d.before, d.fields), wanted(d.kind, d.after, d.fields))) {
		if hasDrifted(d, path) {
			d.drift = append(d.drift, driftAt(d.managers, path))
		}
	}
}

// driftAt is the drift of a field, with who changed it where that is known.
func driftAt(managers ownership.Record, path addrs.Path) Drift {
	if m := managers.OtherEntry(path); m != nil {
		return Drift{path, m.Manager, m.Time}
	}
	return Drift{Path: path}
}

// ownedAt is the field at a path as the manager of that name owns it.
func ownedAt(managers ownership.Record, path addrs.Path, manager string) Drift {
	for _, m := range managers {
		if m.Manager == manager && m.Owns(path) {
			return Drift{path, manager, m.Time}
		}
	}
	return Drift{Path: path, Manager: manager}
}

// refuseDrift is the refusal of a plan that is to stop where others have changed
// what kplan applied, nil where they have not.
func refuseDrift(d *decision) error {
	if !d.rules.refuseDrift || len(d.drift) == 0 || d.action == NoOp {
		return nil
	}
	d.blocked = true
	var diags hcl.Diagnostics
	live := &unstructured.Unstructured{Object: d.before}
	for _, drift := range d.drift {
		f := kube.Conflict{Path: withHiddenKeys(d.kind, d.sensitive).Outermost(drift.Path), Manager: drift.Manager}
		if !drift.Time.IsZero() {
			f.Time = drift.Time.Format(time.RFC3339)
		}
		diags = append(diags, diag.Drift(f, d.object.String(), bothSides(d, live, drift.Path), d.desired.RangeOf(drift.Path).Ptr()))
	}
	return diags
}

// wanted is what an object has of the fields that the desired object sets.
func wanted(kind *kinds.Kind, object, desired map[string]any) map[string]any {
	restricted, _ := restrict(kind.Root, object, desired).(map[string]any)
	return restricted
}

// findOwnershipChanges finds out which fields an update relinquishes, and which it newly
// manages, without changing their values: an update may do nothing else.
func (d *decision) findOwnershipChanges() error {
	d.relinquished, d.newlyManaged = nil, nil
	owned, err := d.managers.OwnFields(d.kind.APIVersion())
	if err != nil || owned == nil || d.action != Update {
		return err
	}
	wanted, err := d.kind.FieldSet(d.fields)
	if err != nil {
		return err
	}
	for _, path := range sameAt(d, owned.Difference(wanted)) {
		relinquished := Relinquished{Path: path}
		if m := d.managers.OtherEntry(path); m != nil {
			relinquished.Manager = m.Manager
		}
		d.relinquished = append(d.relinquished, relinquished)
	}
	d.newlyManaged = sameAt(d, wanted.Difference(owned))
	return nil
}

// sameAt are the fields of a set whose values the change leaves as they are,
// without kplan's own label and annotation.
func sameAt(d *decision, set *fieldpath.Set) []addrs.Path {
	same := addrs.PathSet{}
	for elements := range set.Leaves().All() {
		path := ownership.Path(elements)
		before, had := ValueAt(d.before, path)
		after, has := ValueAt(d.after, path)
		if had && has && !slices.Contains(OwnMarks, path) && d.kind.At(path).Equal(before, after) {
			same.Add(path)
		}
	}
	return same.Sorted()
}

// Drifted is what others have changed about the object, as a change from what kplan
// applied last to what is there now: nil where they have changed nothing. Of an object
// that is gone no more is known than its name.
func (c *Change) Drifted(mode Mode) *Change {
	drifted := *c
	drifted.Certainty, drifted.Why, drifted.Reason, drifted.Blocked = Compared, "", NoReason, false
	drifted.Unknown, drifted.DesiredFields, drifted.Consequences, drifted.ReplacePaths = addrs.PathSet{}, nil, nil, nil
	drifted.Relinquished, drifted.NewlyManaged, drifted.Previous = nil, nil, addrs.Instance{}
	switch {
	case c.Reason == BecauseDeleted, c.Reason == BecauseGone, c.Reason == BecauseUndefined:
		drifted.Action, drifted.Before, drifted.After = Delete, head(c.Object), nil
	case len(c.Drift) == 0:
		return nil
	case mode == RefreshOnly:
		drifted.Action = Update
	default:
		drifted.Action, drifted.Before, drifted.After = Update, c.lastApplied(), c.Before
	}
	return &drifted
}

// lastApplied is the live object with the drifted values as applying puts them back.
func (c *Change) lastApplied() map[string]any {
	before := c.Before
	for _, d := range c.Drift {
		if applied, ok := ValueAt(c.After, d.Path); ok {
			before, _ = d.Path.ReplaceIn(before, applied).(map[string]any)
		}
	}
	return before
}

// head is what the name of an object says of it.
func head(o addrs.Object) map[string]any {
	metadata := map[string]any{"name": o.Name}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	return map[string]any{"apiVersion": o.APIVersion(), "kind": o.Kind, "metadata": metadata}
}
