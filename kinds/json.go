package kinds

import "kplan.dev/kplan/addrs"

// The parts of a JSON object, of the wanted type or the zero value.

func object(m map[string]any, key string) map[string]any {
	v, _ := m[key].(map[string]any)
	return v
}

func list(m map[string]any, key string) []any {
	v, _ := m[key].([]any)
	return v
}

func text(m map[string]any, key string) string {
	v, _ := m[key].(string)
	return v
}

func texts(m map[string]any, key string) []string {
	var all []string
	for _, v := range list(m, key) {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

func flag(m map[string]any, key string) bool {
	v, _ := m[key].(bool)
	return v
}

// valueAt is the value at a place, nil where there is none.
func valueAt(obj map[string]any, path addrs.Path) any {
	v, _ := path.ValueIn(obj)
	return v
}
