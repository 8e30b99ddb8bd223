package plan

import (
	"encoding/json"
	"maps"
	"slices"

	strictjson "sigs.k8s.io/json"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// ValueAt is the value at a field inside an object, and whether it is there.
func ValueAt(value any, path addrs.Path) (any, bool) { return path.ValueIn(value) }

// coveredBy reports whether one of the paths is p or a field above it. All of them
// are spelled as keyed does.
func coveredBy(paths []addrs.Path, p addrs.Path) bool {
	return slices.ContainsFunc(paths, func(above addrs.Path) bool { return above.Contains(p) })
}

// keyed turns the positions in a path into the keys that identify the list's
// elements in the schema, as the object has them: the one spelling in
// which fields of two versions of an object can be compared.
func keyed(kind *kinds.Kind, object map[string]any, path addrs.Path) addrs.Path {
	var (
		result addrs.Path
		value  any = object
		field      = kind.Root
	)
	for _, step := range path.Steps() {
		next, _ := step.In(value)
		_, isObject := next.(map[string]any)
		switch {
		case field == nil || step.IsField():
			result = result.Append(step)
		case step.IsIndex() && isObject && len(field.ListKeys) > 0:
			result = result.Select(kinds.KeysOf(field, next))
		default:
			result = result.Append(step)
		}
		field, value = below(field, step), next
	}
	return result
}

// positioned is the opposite of keyed: the path with list elements named by
// where they are in the object. The last step may be absent.
func positioned(kind *kinds.Kind, object map[string]any, path addrs.Path) (addrs.Path, bool) {
	var (
		result addrs.Path
		value  any = object
		ok         = true
		field      = kind.Root
	)
	for _, step := range path.Steps() {
		if !ok {
			return addrs.Path{}, false
		}
		if list, isList := value.([]any); isList {
			i := elementAt(field, list, step)
			if i < 0 {
				return addrs.Path{}, false
			}
			result, value = result.Index(i), list[i]
		} else {
			result = result.Append(step)
			value, ok = step.In(value)
		}
		field = below(field, step)
	}
	return result, true
}

// elementAt is where in a list the element stands that a step names, -1 where
// there is none. One that leaves out a key has the server's default for it.
func elementAt(f *kinds.Field, list []any, step addrs.Step) int {
	if i := step.PositionIn(list); i >= 0 || f == nil || !step.IsKeys() {
		return i
	}
	name := addrs.Path{}.Append(step)
	return slices.IndexFunc(list, func(element any) bool { return addrs.Path{}.Select(kinds.KeysOf(f, element)) == name })
}

// valueIn is ValueAt for a field that is spelled as keyed does.
func valueIn(kind *kinds.Kind, object map[string]any, path addrs.Path) (any, bool) {
	position, ok := positioned(kind, object, path)
	if !ok {
		return nil, false
	}
	return ValueAt(object, position)
}

func below(f *kinds.Field, step addrs.Step) *kinds.Field {
	if f == nil {
		return nil
	}
	if step.IsField() {
		return f.Field(step.Field)
	}
	return f.Elem
}

// jsonForm is a value as JSON decodes it, so that values of different origins
// can be compared: whole numbers to the last digit.
func jsonForm(value any) any {
	data, err := json.Marshal(value)
	if err != nil {
		panic("plan: a value in JSON form has no JSON form: " + err.Error())
	}
	var decoded any
	if err := strictjson.UnmarshalCaseSensitivePreserveInts(data, &decoded); err != nil {
		panic("plan: JSON that was just written can't be read: " + err.Error())
	}
	return decoded
}

// restrict is what of a value stands at the fields that the desired fields sets. Elements
// of keyed lists are matched by their keys.
func restrict(f *kinds.Field, value, desired any) any {
	if f == nil || f.Atomic {
		return value
	}
	switch want := desired.(type) {
	case map[string]any:
		have, ok := value.(map[string]any)
		if !ok {
			return value
		}
		kept := map[string]any{}
		for name, inner := range want {
			if v, there := have[name]; there {
				kept[name] = restrict(f.Field(name), v, inner)
			}
		}
		return kept
	case []any:
		have, ok := value.([]any)
		if !ok || len(f.ListKeys) == 0 {
			return value
		}
		return restrictList(f, have, want)
	}
	return value
}

func restrictList(f *kinds.Field, have, want []any) []any {
	kept := []any{}
	for _, wanted := range want {
		for _, element := range have {
			if f.ElementKey(element) == f.ElementKey(wanted) {
				kept = append(kept, restrict(f.Elem, element, wanted))
			}
		}
	}
	return kept
}

// wholeElement is the list element that is added or removed with a field, else the
// field itself.
func wholeElement(before, after map[string]any, path addrs.Path) addrs.Path {
	var element addrs.Path
	for _, step := range path.Steps() {
		element = element.Append(step)
		if !step.IsKeys() {
			continue
		}
		_, had := ValueAt(before, element)
		if _, has := ValueAt(after, element); had != has {
			return element
		}
	}
	return path
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
	byPath := map[addrs.Path]difference{}
	for _, element := range before {
		byPath[at.Select(kinds.KeysOf(f, element))] = difference{Before: element}
	}
	for _, element := range after {
		path := at.Select(kinds.KeysOf(f, element))
		byPath[path] = difference{byPath[path].Before, element}
	}
	for path, d := range byPath {
		addDifferences(f.Elem, d.Before, d.After, path, found)
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

// withoutPaths takes fields out of an object, from the last element of a list
// to the first so that positions stay true.
func withoutPaths(object map[string]any, places addrs.PathSet) map[string]any {
	paths := places.Sorted()
	slices.Reverse(paths)
	for _, path := range paths {
		object, _ = path.ReplaceIn(object, nil).(map[string]any)
	}
	return object
}

// visible is an object without what only the server keeps about it.
func visible(object map[string]any) map[string]any {
	if object == nil {
		return nil
	}
	shown := maps.Clone(object)
	delete(shown, "status")
	metadata := cloneMap(shown["metadata"])
	for _, name := range kinds.ServerMetadata {
		delete(metadata, name)
	}
	shown["metadata"] = metadata
	return shown
}

func cloneMap(m any) map[string]any {
	if original, ok := m.(map[string]any); ok {
		return maps.Clone(original)
	}
	return map[string]any{}
}
