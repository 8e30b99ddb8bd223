package ownership

import (
	"testing"

	utiljson "k8s.io/apimachinery/pkg/util/json"
)

// TestShare: objects share field sets that are equal, and only those.
func TestShare(t *testing.T) {
	object := func(fields string) map[string]any {
		var u map[string]any
		text := `{"metadata":{"managedFields":[{"manager":"m","fieldsV1":` + fields + `}]}}`
		if err := utiljson.Unmarshal([]byte(text), &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	set := func(u map[string]any) map[string]any {
		return u["metadata"].(map[string]any)["managedFields"].([]any)[0].(map[string]any)["fieldsV1"].(map[string]any)
	}
	s := NewInterner()
	first := object(`{"f:spec":{"f:a":{},"f:b":{"f:c":{}}}}`)
	s.Intern(first)
	for _, test := range []struct {
		fields string
		shared bool
	}{
		{`{"f:spec":{"f:b":{"f:c":{}},"f:a":{}}}`, true},
		{`{"f:spec":{"f:a":{},"f:b":{}}}`, false},
		{`{"f:spec":{"f:a":{"f:c":{}},"f:b":{}}}`, false},
		{`{"f:spec":{"f:a":{},"f:b":{"f:d":{}}}}`, false},
		{`{"f:spec":7}`, false},
		{`{}`, false},
	} {
		other := object(test.fields)
		s.Intern(other)
		set(other)["mark"] = true // seen through the first if it is the same map
		_, shared := set(first)["mark"]
		delete(set(first), "mark")
		if shared != test.shared {
			t.Errorf("%s: shared %v", test.fields, shared)
		}
	}
	s.Intern(map[string]any{})
	s.Intern(map[string]any{"metadata": map[string]any{"managedFields": "none"}})
}
