package kinds

import (
	"slices"
	"strconv"
	"strings"

	"kplan.dev/kplan/addrs"
)

// ElementKey identifies an element of a keyed list or of a set among the others, as a
// path writes it in brackets: name="app", or port=80,protocol="TCP" where the
// protocol may have been left out. It is "" for an element of any other list
// and for one without a key.
func (f *Field) ElementKey(elem any) string {
	if f.Set {
		return jsonText(f.Elem.Canonical(elem))
	}
	m, ok := elem.(map[string]any)
	if !ok {
		return ""
	}
	names := f.ListKeys
	if !slices.IsSorted(names) {
		names = slices.Sorted(slices.Values(names))
	}
	var b strings.Builder
	for _, name := range names {
		v, ok := keyValue(f, m, name)
		if !ok {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if key := f.Elem.Field(name); key != nil {
			v = key.Canonical(v)
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(jsonText(v))
	}
	return b.String()
}

// jsonText is a scalar's JSON, as a path writes it.
func jsonText(v any) string {
	switch v := v.(type) {
	case string:
		if isPlainText(v) {
			return `"` + v + `"`
		}
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	bracket := addrs.Path{}.Select(map[string]any{"k": v}).String()
	return strings.TrimSuffix(strings.TrimPrefix(bracket, "[k="), "]")
}

// isPlainText reports whether JSON writes the string as it is.
func isPlainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// SameOrder reports whether the elements that two values of the field have in
// common stand in the same order, in every keyed list and set inside. The
// server keeps the order of whoever applied last, so a plan must show another
// order as a change: of init containers and environment variables it matters.
func (f *Field) SameOrder(a, b any) bool { return len(f.Reordered(a, b)) == 0 }

// Reordered lists the lists for which SameOrder is false.
func (f *Field) Reordered(a, b any) []addrs.Path {
	var found []addrs.Path
	f.reordered(addrs.Path{}, a, b, &found)
	return found
}

func (f *Field) reordered(at addrs.Path, a, b any, found *[]addrs.Path) {
	switch x := a.(type) {
	case map[string]any:
		y, _ := b.(map[string]any)
		for name, inner := range x {
			if child := f.Field(name); child != nil && child.holdsList() {
				child.reordered(at.Field(name), inner, y[name], found)
			}
		}
	case []any:
		y, _ := b.([]any)
		if f.Type == List && !f.isLeaf() {
			f.reorderedList(at, x, y, found)
		}
	}
}

// holdsList reports whether a list may lie in the field.
func (f *Field) holdsList() bool {
	return f.Type == List || f.Type == Object || f.Type == Map && f.Elem.holdsList()
}

func (f *Field) reorderedList(at addrs.Path, a, b []any, found *[]addrs.Path) {
	last, moved := -1, false
	for i, x := range a {
		j := slices.IndexFunc(b, func(y any) bool { return f.sameElement(x, y) })
		if j < 0 {
			continue
		}
		moved = moved || j < last
		last = j
		f.Elem.reordered(at.Index(i), x, b[j], found)
	}
	if moved {
		*found = append(*found, at)
	}
}

// KeysOf are the fields that identify an element of a keyed list, by
// name. One that is left out has its default.
func KeysOf(f *Field, element any) map[string]any {
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
