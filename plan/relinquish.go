package plan

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
)

// Relinquished is a field that the configuration no longer sets and that keeps its
// value all the same: another manager sets it, too, or it is what the server fills in
// anyway.
type Relinquished struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who sets it as well, "" for nobody
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
	for _, path := range d.sameAt(owned.Difference(wanted)) {
		relinquished := Relinquished{Path: path}
		if m := d.managers.Other(path); m != nil {
			relinquished.Manager = m.Manager
		}
		d.relinquished = append(d.relinquished, relinquished)
	}
	d.newlyManaged = d.sameAt(wanted.Difference(owned))
	return nil
}

// sameAt are the fields of a set whose values the change leaves as they are,
// without kplan's own label and annotation.
func (d *decision) sameAt(set *fieldpath.Set) []addrs.Path {
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
