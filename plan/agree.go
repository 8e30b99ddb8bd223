package plan

import (
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
)

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
		ignored = c.Desired.Lifecycle.IgnoreChanges
	}
	for _, path := range ignored {
		place := keyed(d.Kind, given, path)
		value, _ := valueIn(d.Kind, c.DesiredFields, place)
		desired = ignoring(d.Kind, desired, place, value)
	}
	open := unresolved(c.Desired, ignored)
	if c.Object.Name == "" {
		open.Add(namePath)
	}
	if places := differences(d.Kind.Root, c.DesiredFields, withoutPaths(desired, open)); len(places) > 0 {
		return nil, fmt.Errorf("%s has another value than in the plan", sortedPaths(places)[0])
	}
	resolved := *c
	resolved.DesiredFields, resolved.Desired, resolved.Object = desired, d, d.Object
	return &resolved, nil
}

// withoutPaths takes places out of an object, from the last element of a list
// to the first so that positions stay true.
func withoutPaths(object map[string]any, places addrs.PathSet) map[string]any {
	paths := places.Sorted()
	slices.Reverse(paths)
	for _, path := range paths {
		object, _ = path.ReplaceIn(object, nil).(map[string]any)
	}
	return object
}

// Disagreements are the places where applying the change to the object as it is
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
	var places []addrs.Path
	for path, d := range agreed {
		if other, ok := now[path]; !unknown.Covers(path) && (!ok || !reflect.DeepEqual(jsonForm(d), jsonForm(other))) {
			places = append(places, path)
		}
	}
	for path := range now {
		if _, ok := agreed[path]; !ok && !unknown.Covers(path) {
			places = append(places, path)
		}
	}
	slices.SortFunc(places, addrs.Path.Compare)
	return slices.Compact(places)
}

// unknown is the places that only the apply will tell, spelled as differences
// spells them.
func (c *Change) unknown() addrs.PathSet {
	places := addrs.PathSet{}
	for path := range c.Unknown {
		places.Add(keyed(c.Kind, c.After, path))
	}
	return places
}

// undone are the places at which a live object that applying leaves as it is,
// is not what was agreed. There are none when the change has been carried out
// and the answer was lost.
func (c *Change) undone(live *unstructured.Unstructured, agreed map[addrs.Path]difference, unknown addrs.PathSet) []addrs.Path {
	places := differences(c.Kind.Root, visible(c.After), visible(live.Object))
	for path := range places {
		if _, ok := agreed[path]; !ok || unknown.Covers(path) {
			delete(places, path)
		}
	}
	return sortedPaths(places)
}

// difference is what becomes of one value; nil stands for none.
type difference struct{ Before, After any }

// differences lists what differs between two objects of a kind, value by value,
// with list elements named by their keys.
func differences(f *kinds.Field, before, after any) map[addrs.Path]difference {
	found := map[addrs.Path]difference{}
	addDifferences(f, before, after, addrs.Path{}, found)
	return found
}

func addDifferences(f *kinds.Field, before, after any, at addrs.Path, found map[addrs.Path]difference) {
	if f == nil {
		f = &kinds.Field{Type: kinds.Any}
	}
	if f.Equal(before, after) {
		return
	}
	a, aIsMap := before.(map[string]any)
	b, bIsMap := after.(map[string]any)
	if (aIsMap || before == nil) && (bIsMap || after == nil) && !f.Atomic && len(a)+len(b) > 0 {
		for name := range union(a, b) {
			addDifferences(f.Field(name), a[name], b[name], at.Field(name), found)
		}
		return
	}
	x, xIsList := before.([]any)
	y, yIsList := after.([]any)
	if (xIsList || before == nil) && (yIsList || after == nil) && len(f.ListKeys) > 0 {
		addListDifferences(f, x, y, at, found)
		return
	}
	found[at] = difference{before, after}
}

func addListDifferences(f *kinds.Field, before, after []any, at addrs.Path, found map[addrs.Path]difference) {
	byPlace := map[addrs.Path]difference{}
	for _, element := range before {
		byPlace[at.Select(kinds.KeysOf(f, element))] = difference{Before: element}
	}
	for _, element := range after {
		place := at.Select(kinds.KeysOf(f, element))
		byPlace[place] = difference{byPlace[place].Before, element}
	}
	for place, d := range byPlace {
		addDifferences(f.Elem, d.Before, d.After, place, found)
	}
}

func union[K comparable, V any](a, b map[K]V) map[K]struct{} {
	names := make(map[K]struct{}, len(a)+len(b))
	for name := range a {
		names[name] = struct{}{}
	}
	for name := range b {
		names[name] = struct{}{}
	}
	return names
}

func sortedPaths(places map[addrs.Path]difference) []addrs.Path {
	set := addrs.PathSet{}
	for path := range places {
		set.Add(path)
	}
	return set.Sorted()
}
