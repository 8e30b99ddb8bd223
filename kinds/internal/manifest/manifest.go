// Package manifest reads the parts of a JSON object that are of the expected type; of
// any other, and of an absent one, the zero value.
package manifest

// Object is the object in a field.
func Object(m map[string]any, key string) map[string]any {
	v, _ := m[key].(map[string]any)
	return v
}

// List is the list in a field.
func List(m map[string]any, key string) []any {
	v, _ := m[key].([]any)
	return v
}

// Text is the string in a field.
func Text(m map[string]any, key string) string {
	v, _ := m[key].(string)
	return v
}

// Texts are the strings of the list in a field.
func Texts(m map[string]any, key string) []string {
	var all []string
	for _, v := range List(m, key) {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}

// Flag reports whether a field is true.
func Flag(m map[string]any, key string) bool {
	v, _ := m[key].(bool)
	return v
}
