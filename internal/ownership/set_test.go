package ownership

import (
	"bytes"
	"encoding/json"
	"testing"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"kplan.dev/kplan/addrs"
)

// TestReadSet: reading decoded fieldsV1 gives what reading their JSON gives.
func TestReadSet(t *testing.T) {
	for _, text := range []string{
		`{}`,
		`{"f:spec":{"f:replicas":{}}}`,
		`{"f:metadata":{"f:labels":{".":{},"f:app":{}},"f:annotations":{"f:a.b/c":{}}}}`,
		`{"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}}}}`,
		`{"f:metadata":{"f:finalizers":{".":{},"v:\"a\"":{},"v:\"b\"":{}}}}`,
		`{"f:spec":{"i:0":{},"i:1":{"f:x":{}}}}`,
		`{"f:spec":{".":{}}}`,
		`{"f:spec":{"z:of a newer server":{}},"f:data":{}}`,
	} {
		want := &fieldpath.Set{}
		if err := want.FromJSON(bytes.NewReader([]byte(text))); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatal(err)
		}
		got, _, err := readSet(fields)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if got == nil {
			got = &fieldpath.Set{}
		}
		if !got.Equals(want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	if _, _, err := readSet(map[string]any{"k:{": map[string]any{}}); err == nil {
		t.Error("a key that is no JSON is accepted")
	}
}

// TestPath: a path that is spelled as managedFields do reads as the same path.
func TestPath(t *testing.T) {
	for _, path := range []addrs.Path{
		addrs.NewPath("spec", "replicas"),
		addrs.NewPath("metadata", "labels", "app.kubernetes.io/name"),
		addrs.NewPath("spec", "ports").Select(map[string]any{"port": 80, "protocol": "TCP"}).Field("targetPort"),
		addrs.NewPath("spec", "args").Index(1),
	} {
		elements := FieldPath(path)
		if got := Path(elements); got != path {
			t.Errorf("%s became %s", path, got)
		}
		set := NewSet(path)
		if !Owns(set, path) || !Owns(set, path.Parent()) || Owns(set, path.Field("below")) {
			t.Errorf("%s: a set owns its field and those around it, and nothing below", path)
		}
	}
	element := fieldpath.MakePathOrDie("metadata", "finalizers", value.NewValueInterface("a"))
	if got := Path(element); got != addrs.NewPath("metadata", "finalizers") {
		t.Errorf("an element of a set became %s", got)
	}
}
