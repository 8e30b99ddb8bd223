package plan

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// ValueAt is the value at a place inside an object, and whether it is there.
func ValueAt(value any, path addrs.Path) (any, bool) { return path.ValueIn(value) }

// coveredBy says whether one of the paths is p or a place above it. All of them
// are spelled as keyed does.
func coveredBy(paths []addrs.Path, p addrs.Path) bool {
	return slices.ContainsFunc(paths, func(above addrs.Path) bool { return above.Contains(p) })
}

// keyed turns the positions in a path into the keys that the schema tells the
// list's elements apart by, as they stand in the object: the one spelling in
// which places of two versions of an object can be compared.
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
// where they stand in the object. What lies below the last step may be absent.
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

// valueIn is ValueAt for a place that is spelled as keyed does.
func valueIn(kind *kinds.Kind, object map[string]any, place addrs.Path) (any, bool) {
	spot, ok := positioned(kind, object, place)
	if !ok {
		return nil, false
	}
	return ValueAt(object, spot)
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
