package kinds

import "encoding/base64"

// Canonical is the value as the server returns it: a quantity 0.5 as 500m, a
// duration 60s as 1m0s, times in UTC, whole numbers as int64, and without what
// the server drops: null, and empty values where they mean nothing. What does
// not parse stays as it is. The value given is not changed.
func (f *Field) Canonical(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case map[string]any:
		return f.canonicalFields(v)
	case []any:
		list := make([]any, len(v))
		for i, elem := range v {
			list[i] = f.elem().Canonical(elem)
		}
		return list
	}
	switch {
	case f.verbatim:
	case f.Type == Quantity:
		if q, err := parseQuantity(v); err == nil {
			return q.String()
		}
	case f.Type == Duration:
		if d, err := parseDuration(v); err == nil {
			return d.String()
		}
	case f.Type == Time:
		if t, err := f.parseTime(v); err == nil {
			return t.UTC().Format(f.layout())
		}
	case f.Type == Bytes:
		if b, err := parseBytes(v); err == nil {
			return base64.StdEncoding.EncodeToString(b)
		}
	}
	if n, ok := asNumber(v); ok {
		if n.float != 0 {
			return n.float
		}
		return n.whole
	}
	return v
}

// elem is the description of a list's elements, Any where there is none.
func (f *Field) elem() *Field {
	if f.Type == List {
		return f.Elem
	}
	return anyBelow(f)
}

func (f *Field) canonicalFields(m map[string]any) map[string]any {
	fields := make(map[string]any, len(m))
	for name, v := range m {
		child := f.Field(name)
		if child == nil {
			child = anyBelow(f)
		}
		if f.Type != Any && (v == nil || !child.KeepsEmpty && child.IsEmpty(v)) {
			continue
		}
		fields[name] = child.Canonical(v)
	}
	return fields
}
