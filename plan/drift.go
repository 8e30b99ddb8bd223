package plan

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/state"
)

// findDrift finds out who made the live object differ from the desired one. A field
// that another manager owns now was changed by that manager. A field that nobody
// owns was removed, if it is certain that kplan applied it: the desired object is
// still the one that was applied last.
func (d *decision) findDrift(s *state.State) {
	isLast := d.entry.Digest == s.Digest(DesiredFields(d.desired, s.StackID()))
	for _, path := range sortedPaths(differences(d.kind.Root, wanted(d.kind, d.before, d.fields), wanted(d.kind, d.after, d.fields))) {
		if m := d.managers.Other(path); m != nil {
			d.drift = append(d.drift, Drift{path, m.Manager, m.Time})
		} else if isLast {
			d.drift = append(d.drift, Drift{Path: path})
		}
	}
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
		if m := d.managers.Other(path); m != nil {
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
		if had && has && !slices.Contains(ownMarks, path) && d.kind.At(path).Equal(before, after) {
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
