package kinds_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/openapi/openapitest"
	"k8s.io/kube-openapi/pkg/spec3"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

func TestFromCRD(t *testing.T) {
	all := fromCRD(t, database(t))
	if len(all) != 2 || all[0].Version != "v1" || all[1].Version != "v1beta1" {
		t.Fatalf("got %d kinds", len(all))
	}
	k := all[0]
	if k.Group != "db.example.com" || k.Name != "Database" || k.Plural != "databases" || !k.Namespaced {
		t.Errorf("got %s %s %s namespaced=%t", k.APIVersion(), k.Name, k.Plural, k.Namespaced)
	}
	for _, tc := range []struct {
		path  string
		check func(*kinds.Field) bool
	}{
		{"metadata.labels", func(f *kinds.Field) bool { return f.Type == kinds.Map && !f.KeepsEmpty }},
		{"metadata.uid", func(f *kinds.Field) bool { return f.Allocated }},
		{"spec", func(f *kinds.Field) bool { return f.Type == kinds.Object && f.Required }},
		{"spec.engine", func(f *kinds.Field) bool { return f.Immutable && len(f.Enum) == 2 }},
		{"spec.size", func(f *kinds.Field) bool { return f.Type == kinds.IntOrString && f.KeepsEmpty }},
		{"spec.replicas", func(f *kinds.Field) bool { return f.Type == kinds.Integer && f.Default == int64(3) }},
		{"spec.password", func(f *kinds.Field) bool { return f.Type == kinds.String && f.Sensitive }},
		{"spec.users", func(f *kinds.Field) bool { return f.ListKeys[0] == "name" && f.ListKeys[1] == "host" }},
		{"spec.users[0].host", func(f *kinds.Field) bool { return f.Default == "%" }},
		{"spec.extensions", func(f *kinds.Field) bool { return f.Set && f.Elem.Type == kinds.String }},
		{"spec.parameters", func(f *kinds.Field) bool { return f.Type == kinds.Map && f.Atomic }},
		{"spec.parameters.a", func(f *kinds.Field) bool { return f.Type == kinds.String }},
		{"spec.raw", func(f *kinds.Field) bool { return f.Type == kinds.Map }},
		{"spec.raw.a.b", func(f *kinds.Field) bool { return f.Type == kinds.Any }},
		{"spec.open.known", func(f *kinds.Field) bool { return f.Type == kinds.Integer }},
		{"spec.open.unknown", func(f *kinds.Field) bool { return f.Type == kinds.Any }},
		{"spec.template.metadata.labels.a", func(f *kinds.Field) bool { return f.Type == kinds.String }},
		{"spec.storage.class", func(f *kinds.Field) bool { return f.Immutable }},
		{"spec.timeout", func(f *kinds.Field) bool { return f.Type == kinds.Duration }},
		{"spec.ca", func(f *kinds.Field) bool { return f.Type == kinds.Bytes }},
		{"status.phase", func(f *kinds.Field) bool { return f.Allocated }},
	} {
		f := k.At(path(t, tc.path))
		if f == nil {
			t.Errorf("%s: no such field", tc.path)
		} else if !tc.check(f) {
			t.Errorf("%s: got %+v", tc.path, *f)
		}
	}
	if f := k.At(path(t, "spec.nothing")); f != nil {
		t.Errorf("spec.nothing: got %+v", *f)
	}
	if f := all[1].At(path(t, "status.phase")); f == nil || f.Allocated {
		t.Error("v1beta1 has no status subresource, so its status is not allocated")
	}
}

// What a custom resource holds is kept as it is written.
func TestCustomResourceEqual(t *testing.T) {
	k := fromCRD(t, database(t))[0]
	for _, tc := range []struct {
		path, a, b string
		want       bool
	}{
		{"spec.timeout", `60s`, `1m0s`, false},
		{"spec.size", `1000m`, `"1"`, false},
		{"spec.size", `1`, `1.0`, true},
		{"spec.parameters", `{}`, `null`, false},
		{"spec.replicas", `3`, `null`, true},
		{"spec.users", `[{name: a, host: "%"}, {name: b}]`, `[{name: b}, {name: a}]`, true},
		{"metadata.labels", `{}`, `null`, true},
	} {
		f := k.At(path(t, tc.path))
		if got := f.Equal(decodeValue(t, tc.a), decodeValue(t, tc.b)); got != tc.want {
			t.Errorf("%s: Equal(%s, %s) = %t", tc.path, tc.a, tc.b, got)
		}
	}
}

func TestFromCRDErrors(t *testing.T) {
	for _, tc := range []struct{ manifest, want string }{
		{`{kind: Pod, apiVersion: v1}`, `v1 Pod is not a CustomResourceDefinition of apiextensions.k8s.io/v1`},
		{`{kind: CustomResourceDefinition, apiVersion: apiextensions.k8s.io/v1beta1}`, `apiextensions.k8s.io/v1beta1 CustomResourceDefinition is not a CustomResourceDefinition of apiextensions.k8s.io/v1`},
		{`{kind: CustomResourceDefinition, apiVersion: apiextensions.k8s.io/v1, metadata: {name: a.b}, spec: {group: b}}`,
			`CustomResourceDefinition a.b lacks spec.group, spec.names.kind or spec.names.plural`},
		{`{kind: CustomResourceDefinition, apiVersion: apiextensions.k8s.io/v1, spec: {group: b, names: {kind: A, plural: a}, versions: [{}]}}`,
			`CustomResourceDefinition a.b lacks spec.versions[0].name`},
	} {
		if _, err := kinds.FromCRD(decode(t, tc.manifest)); err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v", tc.manifest, err)
		}
	}
}

// publishedByServer is the OpenAPI document that the API server makes of a
// CRD, and the converter that it applies objects with. It follows the builder
// of apiextensions-apiserver (pkg/controller/openapi/builder), less what that
// does for validation.
func publishedByServer(t testing.TB, crd map[string]any, version string) (*spec3.OpenAPI, managedfields.TypeConverter) {
	t.Helper()
	s := kindstest.Structural(t, crd, version)
	published := document(t, crd, version, s)
	forApply := document(t, crd, version, s.StripValueValidations().StripNullable())
	c, err := managedfields.NewTypeConverter(forApply.Components.Schemas, false)
	if err != nil {
		t.Fatal(err)
	}
	return published, c
}

func document(t testing.TB, crd map[string]any, version string, s *structuralschema.Structural) *spec3.OpenAPI {
	t.Helper()
	var builtin spec3.OpenAPI
	if err := json.Unmarshal(openapiDocument(t, "api/v1"), &builtin); err != nil {
		t.Fatal(err)
	}
	root := s.ToKubeOpenAPI()
	asObject(root)
	addEmbedded(root)
	gvk := map[string]any{"group": "db.example.com", "version": version, "kind": "Database"}
	root.AddExtension("x-kubernetes-group-version-kind", []any{gvk})
	schemas := map[string]*spec.Schema{"com.example.db." + version + ".Database": root}
	for name, s := range builtin.Components.Schemas {
		if strings.HasPrefix(name, "io.k8s.apimachinery.") {
			schemas[name] = s
		}
	}
	operation := func() *spec3.Operation {
		return &spec3.Operation{VendorExtensible: spec.VendorExtensible{Extensions: spec.Extensions{"x-kubernetes-group-version-kind": gvk}}}
	}
	item := "/apis/db.example.com/" + version + "/namespaces/{namespace}/databases/{name}"
	paths := map[string]*spec3.Path{
		item: {PathProps: spec3.PathProps{Get: operation(), Patch: operation()}},
		"/apis/db.example.com/" + version + "/databases": {PathProps: spec3.PathProps{Get: operation()}},
	}
	if version == "v1" {
		paths[item+"/status"] = &spec3.Path{PathProps: spec3.PathProps{Get: operation(), Patch: operation()}}
	}
	return &spec3.OpenAPI{
		Version: "3.0.0", Info: &spec.Info{},
		Paths:      &spec3.Paths{Paths: paths},
		Components: &spec3.Components{Schemas: schemas},
	}
}

// asObject gives a schema what every object has.
func asObject(s *spec.Schema) {
	s.SetProperty("apiVersion", *spec.StringProperty())
	s.SetProperty("kind", *spec.StringProperty())
	s.SetProperty("metadata", *spec.RefSchema("#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"))
}

func addEmbedded(s *spec.Schema) {
	if s == nil {
		return
	}
	for name, property := range s.Properties {
		addEmbedded(&property)
		s.Properties[name] = property
	}
	if s.Items != nil {
		addEmbedded(s.Items.Schema)
	}
	if s.AdditionalProperties != nil {
		addEmbedded(s.AdditionalProperties.Schema)
	}
	if is, _ := s.Extensions.GetBool("x-kubernetes-embedded-resource"); is {
		asObject(s)
		s.Required = append(s.Required, "kind", "apiVersion")
	}
}

func TestCustomResourceIsThatOfTheServer(t *testing.T) {
	crd := database(t)
	for _, k := range fromCRD(t, crd) {
		t.Run(k.Version, func(t *testing.T) {
			_, server := publishedByServer(t, crd, k.Version)
			compareCustom(t, k, server)
		})
	}
}

func compareCustom(t *testing.T, k *kinds.Kind, server managedfields.TypeConverter) {
	t.Helper()
	resets := []string{}
	if k.At(path(t, "status")).Allocated {
		resets = append(resets, "status")
	}
	empty := &unstructured.Unstructured{Object: map[string]any{"apiVersion": k.APIVersion(), "kind": k.Name}}
	tv, err := server.ObjectToTyped(empty)
	if err != nil {
		t.Fatal(err)
	}
	ours := k.Parseable()
	c := comparison{t: t, ours: ours.Schema, theirs: tv.Schema(), seen: map[[2]string]bool{}}
	c.ref(k.Name, ours.TypeRef, tv.TypeRef())

	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		obj := randomObject(r, k.Root, 7)
		obj["apiVersion"], obj["kind"] = k.APIVersion(), k.Name
		tv, err := server.ObjectToTyped(&unstructured.Unstructured{Object: obj})
		compareWithTyped(t, k, obj, tv, err, resets...)
		if t.Failed() {
			return
		}
	}
}

// The document that the server publishes describes the same as the CRD itself.
func TestFromOpenAPIv3OfCRD(t *testing.T) {
	crd := database(t)
	for _, fromManifest := range fromCRD(t, crd) {
		t.Run(fromManifest.Version, func(t *testing.T) {
			published, server := publishedByServer(t, crd, fromManifest.Version)
			doc, err := json.Marshal(published)
			if err != nil {
				t.Fatal(err)
			}
			all, err := kinds.FromOpenAPIv3(doc)
			if err != nil {
				t.Fatal(err)
			}
			if len(all) != 1 {
				t.Fatalf("got %d kinds", len(all))
			}
			k := all[0]
			if k.Name != "Database" || k.Plural != "databases" || !k.Namespaced || k.Group != "db.example.com" || k.Version != fromManifest.Version {
				t.Errorf("got %s %s %s namespaced=%t", k.APIVersion(), k.Name, k.Plural, k.Namespaced)
			}
			compareCustom(t, k, server)
			sameFields(t, "", fromManifest.Root, k.Root)
		})
	}
}

// sameFields compares two descriptions of a kind.
func sameFields(t *testing.T, at string, a, b *kinds.Field) {
	t.Helper()
	if a.Type != b.Type || a.Required != b.Required || a.Immutable != b.Immutable || a.Sensitive != b.Sensitive ||
		a.Allocated != b.Allocated || a.Atomic != b.Atomic || a.Set != b.Set || strings.Join(a.ListKeys, ",") != strings.Join(b.ListKeys, ",") {
		t.Errorf("%s: %+v\nand %+v", at, *a, *b)
		return
	}
	if a.Elem != nil && b.Elem != nil && a.Elem.Type != kinds.Any {
		sameFields(t, at+"[]", a.Elem, b.Elem)
	}
	for _, f := range a.Fields() {
		if f.Name == "managedFields" {
			continue
		}
		other := b.Field(f.Name)
		if other == nil {
			t.Errorf("%s.%s: missing", at, f.Name)
			continue
		}
		sameFields(t, at+"."+f.Name, f, other)
	}
}

// Documents of a real API server, as client-go carries them for its tests.
func TestFromOpenAPIv3OfBuiltinKinds(t *testing.T) {
	for _, gv := range []string{"api/v1", "apis/apps/v1", "apis/batch/v1"} {
		doc := openapiDocument(t, gv)
		all, err := kinds.FromOpenAPIv3(doc)
		if err != nil {
			t.Fatal(err)
		}
		var published spec3.OpenAPI
		if err := json.Unmarshal(doc, &published); err != nil {
			t.Fatal(err)
		}
		server, err := managedfields.NewTypeConverter(published.Components.Schemas, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range all {
			known, err := kinds.Builtin().Lookup(k.Name, k.APIVersion())
			if err != nil {
				if k.Name != "ComponentStatus" {
					t.Error(err)
				}
				continue
			}
			if k.Plural != known.Plural || k.Namespaced != known.Namespaced {
				t.Errorf("%s: got %s namespaced=%t", k.Name, k.Plural, k.Namespaced)
			}
			tv, err := server.ObjectToTyped(&unstructured.Unstructured{Object: map[string]any{"apiVersion": k.APIVersion(), "kind": k.Name}})
			if err != nil {
				t.Fatal(err)
			}
			ours := k.Parseable()
			c := comparison{t: t, ours: ours.Schema, theirs: tv.Schema(), seen: map[[2]string]bool{}}
			c.ref(k.Name, ours.TypeRef, tv.TypeRef())
		}
		if len(all) < 2 {
			t.Errorf("%s: got %d kinds", gv, len(all))
		}
	}
}

func openapiDocument(t testing.TB, gv string) []byte {
	t.Helper()
	paths, err := openapitest.NewEmbeddedFileClient().Paths()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := paths[gv].Schema("application/json")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
