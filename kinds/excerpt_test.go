package kinds_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// shown is what of a field it takes to show a value of it.
func shown(f *kinds.Field) map[string]any {
	if f == nil {
		return nil
	}
	return map[string]any{
		"type": f.Type, "keys": f.ListKeys, "set": f.Set, "empty": f.KeepsEmpty, "sensitive": f.Sensitive, "immutable": f.Immutable,
		"allocated": f.Allocated, "declared": len(f.Fields()) > 0, "open": f.Elem != nil,
	}
}

// TestExcerpt holds the description that an excerpt gives against the whole one,
// at every field of an object.
func TestExcerpt(t *testing.T) {
	whole := fromCRD(t, database(t))[0]
	object := decode(t, `
apiVersion: db.example.com/v1
kind: Database
metadata: {name: a, labels: {x: y}}
spec:
  engine: mysql
  size: 3
  ratio: 0.5
  password: secret
  timeout: 60s
  since: "2026-01-01T00:00:00Z"
  ca: YQ==
  paused: false
  users: [{name: a, grants: [b]}]
  extensions: [a]
  hosts: [{a: b}]
  parameters: {a: b}
  labels: {l: {x: 1}}
  raw: {a: {b: 1}}
  anything: [1, {a: b}]
  open: {known: 1, other: {a: 1}, nested: {}}
  template: {apiVersion: v1, kind: Pod, metadata: {labels: {a: b}}, spec: {image: a}}
  storage: {class: a}
`)
	text, err := json.Marshal(whole.Excerpt(object, nil, map[string]any{"status": map[string]any{"phase": "Up"}},
		map[string]any{"metadata": map[string]any{}}))
	if err != nil {
		t.Fatal(err)
	}
	read := kinds.FromExcerpt(whole.Group, whole.Version, whole.Name, whole.Plural, whole.Namespaced, decode(t, string(text)))
	var check func(path addrs.Path, value any)
	check = func(path addrs.Path, value any) {
		if diff := cmp.Diff(shown(whole.At(path)), shown(read.At(path))); diff != "" {
			t.Errorf("%s (-whole +excerpt):\n%s", path, diff)
		}
		switch v := value.(type) {
		case map[string]any:
			for name, inner := range v {
				check(path.Field(name), inner)
			}
		case []any:
			for i, inner := range v {
				check(path.Index(i), inner)
			}
		}
	}
	check(addrs.Path{}, object)
	for path, want := range map[string]any{
		"spec.replicas": nil, "status": nil, "spec.users[0].host": "%",
	} {
		p, err := addrs.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		if f := read.At(p); f != nil {
			got = f.Default
		}
		if got != want {
			t.Errorf("the default of %s is %v, want %v", path, got, want)
		}
	}
}

func TestExcerptOfUnknownShape(t *testing.T) {
	opaque := kinds.Opaque("example.com", "v1", "Widget", "widgets", true)
	if s := opaque.Excerpt(map[string]any{"spec": map[string]any{"a": 1}}); s != nil {
		t.Errorf("got %v", s)
	}
}
