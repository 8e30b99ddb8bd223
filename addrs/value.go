package addrs

import (
	"maps"
	"slices"
)

// ValueIn is the value that an object in JSON form has at the path, and whether it has
// one.
func (p Path) ValueIn(object any) (any, bool) {
	value, ok := object, true
	for _, step := range p.Steps() {
		if value, ok = step.In(value); !ok {
			return nil, false
		}
	}
	return value, true
}

// ReplaceIn returns the object with the value at the path replaced, or removed where
// value is nil. Only what lies on the way is copied. Where the object has nothing
// around the path, it stays as it is.
func (p Path) ReplaceIn(object, value any) any { return replaceIn(object, p.Steps(), value) }

func replaceIn(object any, steps []Step, value any) any {
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
		changed[steps[0].Field] = replaceIn(inner, steps[1:], value)
		if changed[steps[0].Field] == nil {
			delete(changed, steps[0].Field)
		}
		return changed
	case []any:
		i := steps[0].PositionIn(v)
		if i < 0 {
			return object
		}
		changed := slices.Clone(v)
		if changed[i] = replaceIn(v[i], steps[1:], value); changed[i] == nil {
			changed = slices.Delete(changed, i, i+1)
		}
		return changed
	}
	return object
}

// In is the value one step into another, and whether it exists.
func (s Step) In(value any) (any, bool) {
	switch v := value.(type) {
	case map[string]any:
		next, ok := v[s.Field]
		return next, ok && s.IsField()
	case []any:
		if i := s.PositionIn(v); i >= 0 {
			return v[i], true
		}
	}
	return nil, false
}

// PositionIn is the index of the element of a list that the step selects, -1 if there is
// none.
func (s Step) PositionIn(list []any) int {
	switch {
	case s.IsIndex() && s.Index < len(list):
		return s.Index
	case s.IsKeys():
		return slices.IndexFunc(list, s.hasKeys)
	}
	return -1
}

// hasKeys reports whether an element of a list has the values of the step's keys.
func (s Step) hasKeys(element any) bool {
	fields, ok := element.(map[string]any)
	for name, want := range s.Keys {
		if value, there := fields[name]; !there || quote(value) != want {
			return false
		}
	}
	return ok
}
