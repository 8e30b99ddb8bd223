package plan

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
)

// Relinquished is a place that the configuration no longer sets and that keeps its value
// all the same: somebody else sets it, too, or it is what the server fills in
// anyway.
type Relinquished struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who sets it as well, "" for nobody
}

// tellOwnership finds what an update changes about the record of who sets what
// where it changes no value: an update may do nothing else.
func tellOwnership(c *Change) error {
	live := &unstructured.Unstructured{Object: c.Before}
	c.Relinquished, c.NewlyManaged = nil, nil
	owned, err := ownedFields(live, c.Kind.APIVersion())
	if err != nil || owned == nil || c.Action != Update {
		return err
	}
	wanted, err := c.Kind.FieldSet(c.DesiredFields)
	if err != nil {
		return err
	}
	managers := otherManagers(live)
	for _, place := range c.sameAt(owned.Difference(wanted)) {
		relinquished := Relinquished{Path: place}
		if path, err := fieldPath(place); err == nil {
			if m := ownerOf(managers, path); m != nil {
				relinquished.Manager = m.name
			}
		}
		c.Relinquished = append(c.Relinquished, relinquished)
	}
	c.NewlyManaged = c.sameAt(wanted.Difference(owned))
	return nil
}

// sameAt are the places of a set at which the change leaves the object as it is,
// without kplan's own marks.
func (c *Change) sameAt(set *fieldpath.Set) []addrs.Path {
	places := addrs.PathSet{}
	for path := range set.Leaves().All() {
		place := placeOf(path)
		before, had := ValueAt(c.Before, place)
		after, has := ValueAt(c.After, place)
		if had && has && !slices.Contains(ownMarks, place) && c.Kind.At(place).Equal(before, after) {
			places.Add(place)
		}
	}
	return places.Sorted()
}

// placeOf reads a place as managedFields spell it, for an element of a set the
// set: the other way round it is fieldPath.
func placeOf(path fieldpath.Path) addrs.Path {
	var place addrs.Path
	for _, element := range path {
		switch {
		case element.FieldName != nil:
			place = place.Field(*element.FieldName)
		case element.Key != nil:
			keys := map[string]any{}
			for _, key := range *element.Key {
				keys[key.Name] = key.Value.Unstructured()
			}
			place = place.Select(keys)
		case element.Index != nil:
			place = place.Index(*element.Index)
		default:
			return place
		}
	}
	return place
}
