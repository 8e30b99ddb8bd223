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

// tellOwnership finds out which fields an update relinquishes, and which it newly
// manages, without changing their values: an update may do nothing else.
func tellOwnership(c *Change) error {
	c.Relinquished, c.NewlyManaged = nil, nil
	owned, err := c.managers.OwnFields(c.Kind.APIVersion())
	if err != nil || owned == nil || c.Action != Update {
		return err
	}
	wanted, err := c.Kind.FieldSet(c.DesiredFields)
	if err != nil {
		return err
	}
	for _, path := range c.sameAt(owned.Difference(wanted)) {
		relinquished := Relinquished{Path: path}
		if m := c.managers.Other(path); m != nil {
			relinquished.Manager = m.Manager
		}
		c.Relinquished = append(c.Relinquished, relinquished)
	}
	c.NewlyManaged = c.sameAt(wanted.Difference(owned))
	return nil
}

// sameAt are the fields of a set whose values the change leaves as they are,
// without kplan's own label and annotation.
func (c *Change) sameAt(set *fieldpath.Set) []addrs.Path {
	same := addrs.PathSet{}
	for elements := range set.Leaves().All() {
		path := ownership.Path(elements)
		before, had := ValueAt(c.Before, path)
		after, has := ValueAt(c.After, path)
		if had && has && !slices.Contains(ownMarks, path) && c.Kind.At(path).Equal(before, after) {
			same.Add(path)
		}
	}
	return same.Sorted()
}
