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
