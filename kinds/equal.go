package kinds

import (
	"bytes"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Equal reports whether two values of the field mean the same to the API. Values
// are in JSON form; nil is null or absent, which are the same, except in an object
// whose field is Nullable.
//
//   - Quantities, durations, times and binary data are compared by what they
//     say: 1000m is 1, 60s is 1m0s. Numbers are by value, whether int64, float64
//     or json.Number. A port 80 is not the port "80".
//   - Where the server drops empty values (see KeepsEmpty), "", 0, false, {} and
//     [] are the same as nothing. Nothing is the same as the Default.
//   - The elements of a keyed list are paired by their keys and those of a set by
//     value, in any order; SameOrder compares the order. Any other list is equal
//     element by element.
//   - What is of the wrong type for the field, or is in a free-form field, is
//     equal when it is the same JSON.
func (f *Field) Equal(a, b any) bool {
	if !f.Nullable || a != nil && b != nil {
		a, b = f.orDefault(a), f.orDefault(b)
	}
	if a == nil || b == nil {
		return a == nil && b == nil || !f.KeepsEmpty && f.IsEmpty(a) && f.IsEmpty(b)
	}
	switch f.Type {
	case Object, Map:
		x, ok := a.(map[string]any)
		y, ok2 := b.(map[string]any)
		if ok && ok2 {
			return f.equalFields(x, y)
		}
	case List:
		x, ok := a.([]any)
		y, ok2 := b.([]any)
		if ok && ok2 {
			return f.equalElements(x, y)
		}
	case Any, String, Boolean, Integer, Number, IntOrString:
	default:
		return sameText(a, b) || !f.verbatim && f.equalScalars(a, b)
	}
	return sameJSON(a, b)
}

// orDefault is the value, or what the server sets instead.
func (f *Field) orDefault(v any) any {
	if f.Default != nil && (v == nil || !f.KeepsEmpty && f.IsEmpty(v)) {
		return f.Default
	}
	return v
}

// IsEmpty reports whether the server would drop the value from the field.
func (f *Field) IsEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == "" || f.isZeroText(v)
	case bool:
		return !v
	case []any:
		return len(v) == 0
	case map[string]any:
		for name, inner := range v {
			child := f.Field(name)
			if child == nil || inner != nil && child.KeepsEmpty || !child.IsEmpty(inner) {
				return false
			}
		}
		return true
	}
	n, ok := asNumber(v)
	return ok && n.isZero()
}

// isZeroText reports whether the string is how the server writes a value that was
// never given: it shows an absent divisor as "0".
func (f *Field) isZeroText(s string) bool {
	switch f.Type {
	case Quantity:
		q, err := resource.ParseQuantity(s)
		return err == nil && q.IsZero()
	case Duration:
		d, err := time.ParseDuration(s)
		return err == nil && d == 0
	}
	return false
}

func (f *Field) equalFields(a, b map[string]any) bool {
	for name, x := range a {
		y, seen := b[name]
		if x == nil && !seen && holdsNull(f, name) || !f.equalField(name, x, y) {
			return false
		}
	}
	for name, y := range b {
		if _, seen := a[name]; !seen && (y == nil && holdsNull(f, name) || !f.equalField(name, nil, y)) {
			return false
		}
	}
	return true
}

// holdsNull reports whether null is a value of the field of that name.
func holdsNull(f *Field, name string) bool {
	child := f.Field(name)
	return child != nil && child.Nullable
}

func (f *Field) equalField(name string, a, b any) bool {
	if child := f.Field(name); child != nil {
		return child.Equal(a, b)
	}
	return sameJSON(a, b)
}

func (f *Field) equalElements(a, b []any) bool {
	switch {
	case len(a) != len(b):
		return false
	case f.Set, len(f.ListKeys) > 0:
		return f.equalInAnyOrder(a, b)
	}
	for i := range a {
		if !f.Elem.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// equalInAnyOrder pairs each element of a with one of b. Mostly they are in
// the same order, so the search begins where the last one ended.
func (f *Field) equalInAnyOrder(a, b []any) bool {
	paired := make([]bool, len(b))
	next := 0
	for _, x := range a {
		found := false
		for i := range b {
			at := (next + i) % len(b)
			if !paired[at] && f.sameElement(x, b[at]) {
				paired[at], next, found = true, at+1, true
				if !f.Set && !f.Elem.Equal(x, b[at]) {
					return false
				}
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// sameElement reports whether two elements of a set or keyed list stand for the
// same one: equal in a set, of equal keys in a keyed list.
func (f *Field) sameElement(a, b any) bool {
	if f.Set {
		return f.Elem.Equal(a, b)
	}
	x, ok := a.(map[string]any)
	y, ok2 := b.(map[string]any)
	if !ok || !ok2 {
		return sameJSON(a, b)
	}
	for _, key := range f.ListKeys {
		v, _ := keyValue(f, x, key)
		w, _ := keyValue(f, y, key)
		if !f.equalKey(key, v, w) {
			return false
		}
	}
	return true
}

func (f *Field) equalKey(name string, a, b any) bool {
	if a == nil || b == nil {
		return a == b
	}
	return f.Elem.equalField(name, a, b)
}

func sameText(a, b any) bool {
	x, ok := a.(string)
	y, ok2 := b.(string)
	return ok && ok2 && x == y
}

func (f *Field) equalScalars(a, b any) bool {
	switch f.Type {
	case Quantity:
		x, err := parseQuantity(a)
		y, err2 := parseQuantity(b)
		if err == nil && err2 == nil {
			return x.Cmp(y) == 0
		}
	case Duration:
		x, err := parseDuration(a)
		y, err2 := parseDuration(b)
		if err == nil && err2 == nil {
			return x == y
		}
	case Time:
		x, err := f.parseTime(a)
		y, err2 := f.parseTime(b)
		if err == nil && err2 == nil {
			return x.Equal(y)
		}
	case Bytes:
		x, err := parseBytes(a)
		y, err2 := parseBytes(b)
		if err == nil && err2 == nil {
			return bytes.Equal(x, y)
		}
	}
	return sameJSON(a, b)
}

// sameJSON reports whether two values are the same JSON, numbers by value.
func sameJSON(a, b any) bool {
	switch x := a.(type) {
	case nil:
		return b == nil
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for name, v := range x {
			if w, ok := y[name]; !ok || !sameJSON(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !sameJSON(x[i], y[i]) {
				return false
			}
		}
		return true
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	}
	x, ok := asNumber(a)
	y, ok2 := asNumber(b)
	return ok && ok2 && x == y
}
