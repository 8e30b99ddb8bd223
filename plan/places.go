package plan

import (
	"encoding/json"
	"maps"
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// ValueAt is the value at a place inside an object, and whether it is there.
func ValueAt(value any, path addrs.Path) (any, bool) {
	if path.IsZero() {
		return value, true
	}
	for _, step := range path.Steps() {
		next, ok := stepInto(value, step)
		if !ok {
			return nil, false
		}
		value = next
	}
	return value, true
}

func stepInto(value any, step addrs.Step) (any, bool) {
	switch v := value.(type) {
	case map[string]any:
		next, ok := v[step.Field]
		return next, ok && step.IsField()
	case []any:
		if i := position(v, step); i >= 0 {
			return v[i], true
		}
	}
	return nil, false
}

// position is where in a list the element stands that a step names, or -1.
func position(list []any, step addrs.Step) int {
	switch {
	case step.IsIndex():
		if step.Index < len(list) {
			return step.Index
		}
	case step.IsKeys():
		return slices.IndexFunc(list, func(element any) bool { return hasKeys(element, step.Keys) })
	}
	return -1
}

func hasKeys(element any, keys map[string]string) bool {
	fields, ok := element.(map[string]any)
	for name, want := range keys {
		have, err := json.Marshal(fields[name])
		if err != nil || string(have) != want {
			return false
		}
	}
	return ok
}

// replaceAt returns the object with the value at a place replaced, or taken
// out where value is nil. Only what lies on the way is copied. A place whose
// surroundings are missing changes nothing.
func replaceAt(object any, steps []addrs.Step, value any) any {
	if len(steps) == 0 {
		return value
	}
	switch v := object.(type) {
	case map[string]any:
		inner, ok := v[steps[0].Field]
		if !ok && (len(steps) > 1 || value == nil) {
			return object
		}
		changed := maps.Clone(v)
		changed[steps[0].Field] = replaceAt(inner, steps[1:], value)
		if changed[steps[0].Field] == nil {
			delete(changed, steps[0].Field)
		}
		return changed
	case []any:
		i := position(v, steps[0])
		if i < 0 {
			return object
		}
		changed := slices.Clone(v)
		if changed[i] = replaceAt(v[i], steps[1:], value); changed[i] == nil {
			changed = slices.Delete(changed, i, i+1)
		}
		return changed
	}
	return object
}

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
		next, _ := stepInto(value, step)
		_, isObject := next.(map[string]any)
		switch {
		case field == nil || step.IsField():
			result = result.Append(step)
		case step.IsIndex() && isObject && len(field.ListKeys) > 0:
			result = result.Select(keysOf(field, next))
		default:
			result = result.Append(step)
		}
		field, value = below(field, step), next
	}
	return result
}

// configured are places that a lifecycle block lists, in which a position counts
// the elements that the configuration has.
func configured(c *Change, listed []addrs.Path) []addrs.Path {
	places := make([]addrs.Path, len(listed))
	for i, path := range listed {
		places[i] = keyed(c.Kind, c.Wish, path)
	}
	return places
}

// positioned is the opposite of keyed: the path with list elements named by
// where they stand in the object. What lies below the last step may be absent.
func positioned(object map[string]any, path addrs.Path) (addrs.Path, bool) {
	var (
		result addrs.Path
		value  any = object
		ok         = true
	)
	for _, step := range path.Steps() {
		if !ok {
			return addrs.Path{}, false
		}
		if list, isList := value.([]any); isList {
			i := position(list, step)
			if i < 0 {
				return addrs.Path{}, false
			}
			result = result.Index(i)
		} else {
			result = result.Append(step)
		}
		value, ok = stepInto(value, step)
	}
	return result, true
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

// keysOf are the values that tell a list's element apart.
func keysOf(f *kinds.Field, element any) map[string]any {
	fields, _ := element.(map[string]any)
	keys := map[string]any{}
	for _, name := range f.ListKeys {
		if value, ok := fields[name]; ok {
			keys[name] = value
		} else if key := f.Elem.Field(name); key != nil && key.Default != nil {
			keys[name] = key.Default
		}
	}
	return keys
}
