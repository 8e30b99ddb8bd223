package kinds_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/kinds"
)

// serverStrips is what the API server takes out of every manager's set, see
// apimachinery/pkg/util/managedfields/internal/stripmeta.go.
var serverStrips = fieldpath.NewSet(
	fieldpath.MakePathOrDie("apiVersion"),
	fieldpath.MakePathOrDie("kind"),
	fieldpath.MakePathOrDie("metadata"),
	fieldpath.MakePathOrDie("metadata", "name"),
	fieldpath.MakePathOrDie("metadata", "namespace"),
	fieldpath.MakePathOrDie("metadata", "creationTimestamp"),
	fieldpath.MakePathOrDie("metadata", "selfLink"),
	fieldpath.MakePathOrDie("metadata", "uid"),
	fieldpath.MakePathOrDie("metadata", "clusterName"),
	fieldpath.MakePathOrDie("metadata", "generation"),
	fieldpath.MakePathOrDie("metadata", "managedFields"),
	fieldpath.MakePathOrDie("metadata", "resourceVersion"),
)

// serverSet is what the server makes of a typed object: the updater's field
// set less the reset fields less the stripped ones.
func serverSet(t testing.TB, tv *typed.TypedValue, resets ...string) *fieldpath.Set {
	t.Helper()
	set, err := tv.ToFieldSet()
	if err != nil {
		t.Fatal(err)
	}
	exclude := fieldpath.NewSet()
	for _, name := range resets {
		exclude.Insert(fieldpath.MakePathOrDie(name))
	}
	return fieldpath.NewExcludeSetFilter(exclude).Filter(set).Difference(serverStrips)
}

// resets are the GetResetFields of the API server's registry for the kind.
func resets(k *kinds.Kind) []string {
	switch {
	case k.Name == "CertificateSigningRequest":
		return []string{"spec", "status"}
	case k.Root.Field("status") != nil:
		return []string{"status"}
	}
	return nil
}

func TestFieldSet(t *testing.T) {
	for _, tc := range []struct{ name, manifest, want string }{
		{"service port without protocol", `
kind: Service
metadata: {name: a, namespace: b, labels: {x: y}}
spec: {ports: [{port: 80}], selector: {app: web}}`,
			`{"f:metadata":{"f:labels":{"f:x":{}}},"f:spec":{"f:ports":{"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{}}},"f:selector":{}}}`},
		{"null and empty", `
kind: Deployment
metadata: {name: a, annotations: {}, labels: null, ownerReferences: []}
spec: {replicas: null, template: {spec: {containers: [], nodeSelector: {}, tolerations: [], volumes: [{name: v, emptyDir: {}}]}}}`,
			`{"f:metadata":{"f:annotations":{},"f:labels":{}},"f:spec":{"f:replicas":{},"f:template":{"f:spec":{"f:nodeSelector":{},"f:tolerations":{},"f:volumes":{"k:{\"name\":\"v\"}":{".":{},"f:emptyDir":{},"f:name":{}}}}}}}`},
		{"null in a map", `
kind: ConfigMap
metadata: {name: a, labels: {x: null}}
data: {k: null}`,
			`{"f:data":{"f:k":{}},"f:metadata":{"f:labels":{"f:x":{}}}}`},
		{"status is not owned", `
kind: Pod
metadata: {name: a}
status: {phase: Running}
spec: {nodeName: x}`,
			`{"f:spec":{"f:nodeName":{}}}`},
		{"sets and finalizers", `
kind: ConfigMap
metadata: {name: a, finalizers: [b.io/x, a.io/x], ownerReferences: [{uid: u, name: n, kind: k, apiVersion: v1}]}
data: {a: "1"}`,
			`{"f:data":{"f:a":{}},"f:metadata":{"f:finalizers":{"v:\"a.io/x\"":{},"v:\"b.io/x\"":{}},"f:ownerReferences":{"k:{\"uid\":\"u\"}":{}}}}`},
		{"free form", `
kind: ControllerRevision
metadata: {name: a}
revision: 1
data: {spec: {template: {x: [1, 2]}}}`,
			`{"f:data":{},"f:revision":{}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			obj := decode(t, tc.manifest)
			k := lookup(t, obj["kind"].(string))
			set, err := k.FieldSet(obj)
			if err != nil {
				t.Fatal(err)
			}
			got, err := set.ToJSON()
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			compareWithServer(t, k, obj)
		})
	}
}

func compareWithServer(t *testing.T, k *kinds.Kind, obj map[string]any) {
	t.Helper()
	tv, err := typedByOracle(k, obj)
	compareWithTyped(t, k, obj, tv, err, resets(k)...)
}

func compareWithTyped(t *testing.T, k *kinds.Kind, obj map[string]any, tv *typed.TypedValue, oracleErr error, resets ...string) {
	t.Helper()
	set, err := k.FieldSet(obj)
	if oracleErr != nil { // perhaps inside what is owned as a whole, where FieldSet does not look
		return
	}
	if err != nil {
		t.Errorf("%s\n%v", yamlText(obj), err)
		return
	}
	if want := serverSet(t, tv, resets...); !set.Equals(want) {
		t.Errorf("%s\nmissing %v\nextra %v", yamlText(obj), want.Difference(set), set.Difference(want))
	}
}

// For every kind, objects of all shapes: each field there or not, null or
// empty, lists with and without their keys.
func TestFieldSetIsThatOfKubernetes(t *testing.T) {
	for _, k := range kinds.Builtin().Kinds() {
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 40 {
				obj := randomObject(r, k.Root, 6)
				obj["apiVersion"], obj["kind"] = k.APIVersion(), k.Name
				compareWithServer(t, k, obj)
				if t.Failed() {
					return
				}
			}
		})
	}
}

func randomObject(r *rand.Rand, f *kinds.Field, depth int) map[string]any {
	obj := map[string]any{}
	for _, child := range f.Fields() {
		if child.Name != "status" && r.IntN(3) > 0 || r.IntN(4) == 0 {
			obj[child.Name] = randomValue(r, child, depth-1)
		}
	}
	return obj
}

func randomValue(r *rand.Rand, f *kinds.Field, depth int) any {
	if r.IntN(40) == 0 {
		return nil
	}
	switch f.Type {
	case kinds.Object:
		if depth <= 0 {
			return map[string]any{}
		}
		return randomObject(r, f, depth)
	case kinds.Map:
		m := map[string]any{}
		for i := range r.IntN(4) {
			if v := randomValue(r, f.Elem, depth-1); v != nil {
				m[fmt.Sprintf("key.%d/x", i)] = v
			}
		}
		return m
	case kinds.List:
		list := []any{}
		for i := range r.IntN(4) {
			v := randomValue(r, f.Elem, depth-1)
			if elem, ok := v.(map[string]any); ok && r.IntN(20) > 0 {
				for _, key := range f.ListKeys {
					elem[key] = randomScalar(f.Elem.Field(key).Type, i)
				}
			}
			if f.Set && v != nil {
				v = randomScalar(f.Elem.Type, i)
			}
			list = append(list, v)
		}
		return list
	case kinds.Any:
		nested := map[string]any{"a": map[string]any{"b": []any{int64(1)}, "c": nil}}
		return []any{"x", int64(1), true, []any{"a"}, map[string]any{}, nested}[r.IntN(6)]
	}
	return randomScalar(f.Type, r.IntN(100))
}

func randomScalar(t kinds.Type, i int) any {
	switch t {
	case kinds.Integer:
		return int64(i)
	case kinds.Number:
		return float64(i) + 0.5
	case kinds.Boolean:
		return i%2 == 0
	case kinds.Time:
		return "2026-01-02T03:04:05Z"
	case kinds.Quantity:
		return fmt.Sprintf("%dm", i)
	case kinds.Duration:
		return fmt.Sprintf("%ds", i)
	case kinds.Bytes:
		return "c2VjcmV0"
	}
	return fmt.Sprintf("s%d", i)
}

func TestFieldSetErrors(t *testing.T) {
	for _, tc := range []struct{ manifest, want string }{
		{"{kind: Pod, spec: {containers: [{name: a, imge: x}]}}", `spec.containers[name="a"].imge: there is no such field`},
		{"{kind: Pod, speck: {}}", `speck: there is no such field`},
		{"{kind: Pod, spec: []}", `spec: it is a list and must be an object`},
		{"{kind: Pod, spec: {containers: {a: 1}}}", `spec.containers: it is an object and must be a list`},
		{"{kind: Pod, spec: {containers: [{name: a}, {name: a}]}}", `spec.containers[1]: an element with the same key stands before it`},
		{"{kind: Pod, spec: {containers: [a]}}", `spec.containers[0]: the element must be an object with name`},
		{"{kind: Service, spec: {ports: [{name: a}]}}", ``},
	} {
		obj := decode(t, tc.manifest)
		_, err := lookup(t, obj["kind"].(string)).FieldSet(obj)
		if fmt.Sprint(err) != tc.want && (err != nil || tc.want != "") {
			t.Errorf("%s: got %v, want %s", tc.manifest, err, tc.want)
		}
	}
}

func yamlText(v any) string {
	text, err := yaml.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
