package kube

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestReplacing: what is written of a dry-run after a transfer says all of an object, also what is null in it.
func TestReplacing(t *testing.T) {
	object := func(text string) map[string]any {
		var o map[string]any
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		return o
	}
	from := object(`{"kind": "A", "metadata": {"name": "a", "labels": {"x": "1"}, "annotations": {"k": "v"}},
		"spec": {"free": [1, {"b": null}]}, "gone": 1, "a/b": 1}`)
	to := object(`{"kind": "A", "metadata": {"name": "a", "labels": {"x": "2"}}, "spec": {"free": [2, {"b": null}], "n": null}, "new": {"z": null}, "a/b": 2}`)
	var got []string
	for _, op := range replacing(from, to) {
		text, err := json.Marshal(op)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(text))
	}
	slices.Sort(got)
	want := []string{
		`{"op":"add","path":"/new","value":{"z":null}}`,
		`{"op":"remove","path":"/gone"}`,
		`{"op":"remove","path":"/metadata/annotations"}`,
		`{"op":"replace","path":"/a~1b","value":2}`,
		`{"op":"replace","path":"/metadata/labels","value":{"x":"2"}}`,
		`{"op":"replace","path":"/spec","value":{"free":[2,{"b":null}],"n":null}}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if same := replacing(from, object(`{"kind": "A", "metadata": {"name": "a", "labels": {"x": "1"}, "annotations": {"k": "v"}},
		"spec": {"free": [1, {"b": null}]}, "gone": 1, "a/b": 1}`)); len(same) > 0 {
		t.Errorf("the same object is changed: %v", same)
	}
}
