// Package kindstest has what the tests of kinds and of kinds/server share: objects,
// descriptions, and manifests of every kind that a server is asked about.
package kindstest

import (
	_ "embed"
	"encoding/json"
	"testing"

	internalapi "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// Decode reads YAML as the API machinery has it: whole numbers are int64.
func Decode(t testing.TB, text string) map[string]any {
	t.Helper()
	var obj map[string]any
	if err := yaml.Unmarshal([]byte(text), &obj); err != nil {
		t.Fatal(err)
	}
	return WholeNumbers(obj).(map[string]any)
}

// WholeNumbers makes numbers without a fraction int64.
func WholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			v[k] = WholeNumbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = WholeNumbers(e)
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}

// DecodeValue is Decode of any value.
func DecodeValue(t testing.TB, text string) any {
	t.Helper()
	return Decode(t, "v: "+text)["v"]
}

// Lookup is the built-in description of a kind.
func Lookup(t testing.TB, kind string) *kinds.Kind {
	t.Helper()
	k, err := kinds.Builtin().Lookup(kind, "")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Path is the field path of a text.
func Path(t testing.TB, text string) addrs.Path {
	t.Helper()
	p, err := addrs.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

//go:embed crd.yaml
var database string

// Database is the definition of a custom kind with nearly all that a schema can have.
func Database(t testing.TB) map[string]any {
	t.Helper()
	return Decode(t, database)
}

// FromCRD are the kinds of a definition.
func FromCRD(t testing.TB, crd map[string]any) []*kinds.Kind {
	t.Helper()
	all, err := kinds.FromCRD(crd)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Widget is the definition of a custom kind up to its schema.
const Widget = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true`

// Structural is the API server's own form of the schema of a version in a definition.
func Structural(t testing.TB, crd map[string]any, version string) *structuralschema.Structural {
	t.Helper()
	text, err := json.Marshal(crd)
	if err != nil {
		t.Fatal(err)
	}
	var external apiextensions.CustomResourceDefinition
	if err := json.Unmarshal(text, &external); err != nil {
		t.Fatal(err)
	}
	for _, v := range external.Spec.Versions {
		if v.Name != version {
			continue
		}
		var internal internalapi.JSONSchemaProps
		convert := apiextensions.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps
		if err := convert(v.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			t.Fatal(err)
		}
		s, err := structuralschema.NewStructural(&internal)
		if err != nil {
			t.Fatal(err)
		}
		return s.Unfold()
	}
	t.Fatalf("no version %s", version)
	return nil
}

// places are the fields that an object holds.
// FieldPaths are all field paths in a value, but for its kind and version.
func FieldPaths(at addrs.Path, v any) []addrs.Path {
	var all []addrs.Path
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			field := at.Field(name)
			if field.String() != "kind" && field.String() != "apiVersion" {
				all = append(append(all, field), FieldPaths(field, inner)...)
			}
		}
	case []any:
		for i, inner := range v {
			all = append(all, FieldPaths(at.Index(i), inner)...)
		}
	}
	return all
}
