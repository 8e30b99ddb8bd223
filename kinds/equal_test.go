package kinds_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"

	"kplan.dev/kplan/kinds"
)

// Each case is a field path, two values in YAML and whether they mean the same.
var equalCorpus = []struct {
	kind, path, a, b string
	want             bool
}{
	// Quantities
	{"Pod", "spec.containers[0].resources.limits.cpu", `1000m`, `"1"`, true},
	{"Pod", "spec.containers[0].resources.limits.cpu", `0.5`, `500m`, true},
	{"Pod", "spec.containers[0].resources.limits.cpu", `"0.5"`, `500m`, true},
	{"Pod", "spec.containers[0].resources.limits.cpu", `1`, `"1"`, true},
	{"Pod", "spec.containers[0].resources.limits.cpu", `1`, `1.0`, true},
	{"Pod", "spec.containers[0].resources.limits.cpu", `1`, `1001m`, false},
	{"Pod", "spec.containers[0].resources.limits.memory", `1024Mi`, `1Gi`, true},
	{"Pod", "spec.containers[0].resources.limits.memory", `1G`, `1Gi`, false},
	{"Pod", "spec.containers[0].resources.limits.memory", `1e3`, `1k`, true},
	{"Pod", "spec.containers[0].resources.limits.memory", `1073741824`, `1Gi`, true},
	{"Pod", "spec.containers[0].resources.limits.memory", `lots`, `lots`, true},
	{"Pod", "spec.containers[0].resources.limits.memory", `lots`, `1Gi`, false},
	{"Pod", "spec.containers[0].resources.limits", `{cpu: 1000m}`, `{cpu: 1}`, true},
	{"Pod", "spec.containers[0].resources.limits", `{cpu: 1}`, `{cpu: 1, memory: 1Gi}`, false},
	{"Pod", "spec.containers[0].env[0].valueFrom.resourceFieldRef", `{resource: limits.cpu}`, `{resource: limits.cpu, divisor: "0"}`, true},
	{"Pod", "spec.containers[0].env[0].valueFrom.resourceFieldRef", `{resource: limits.cpu}`, `{resource: limits.cpu, divisor: 1m}`, false},
	// Whole numbers, and numbers or strings
	{"Deployment", "spec.replicas", `1`, `1.0`, true},
	{"Deployment", "spec.replicas", `1`, `2`, false},
	{"Deployment", "spec.replicas", `1`, `"1"`, false},
	{"Deployment", "spec.replicas", `0`, `null`, false},
	{"Deployment", "spec.minReadySeconds", `0`, `null`, true},
	{"Service", "spec.ports[0].targetPort", `80`, `80.0`, true},
	{"Service", "spec.ports[0].targetPort", `80`, `"80"`, false},
	{"Service", "spec.ports[0].targetPort", `http`, `http`, true},
	// Times, durations, binary data
	{"Pod", "metadata.deletionTimestamp", `"2026-01-02T03:04:05Z"`, `"2026-01-02T04:04:05+01:00"`, true},
	{"Pod", "metadata.deletionTimestamp", `"2026-01-02T03:04:05.9Z"`, `"2026-01-02T03:04:05Z"`, true},
	{"Pod", "metadata.deletionTimestamp", `"2026-01-02T03:04:05Z"`, `"2026-01-02T03:04:06Z"`, false},
	{"Lease", "spec.renewTime", `"2026-01-02T03:04:05.000001Z"`, `"2026-01-02T03:04:05.000002Z"`, false},
	{"Lease", "spec.renewTime", `"2026-01-02T03:04:05.000001Z"`, `"2026-01-02T04:04:05.000001+01:00"`, true},
	{"Secret", "data.k", `aGVsbG8=`, `aGVsbG8=`, true},
	{"Secret", "data.k", `aGVsbG8=`, `"aGVs\nbG8="`, true},
	{"Secret", "data.k", `aGVsbG8=`, `aGVsbG9v`, false},
	{"Secret", "data.k", `not base64`, `not base64`, true},
	// Absent and empty
	{"Pod", "metadata.labels", `{}`, `null`, true},
	{"Pod", "metadata.labels", `{a: ""}`, `null`, false},
	{"Pod", "metadata.labels", `{a: ""}`, `{}`, false},
	{"Pod", "metadata.labels", `{a: null}`, `{}`, true},
	{"Pod", "spec.tolerations", `[]`, `null`, true},
	{"Pod", "spec.hostNetwork", `false`, `null`, true},
	{"Pod", "spec.hostNetwork", `true`, `null`, false},
	{"Pod", "spec.enableServiceLinks", `false`, `null`, false},
	{"Pod", "spec.nodeName", `""`, `null`, true},
	{"Pod", "spec.containers[0].resources", `{}`, `null`, true},
	{"Pod", "spec.containers[0].resources", `{limits: {}}`, `null`, true},
	{"Pod", "spec.containers[0].resources", `{limits: {cpu: 0}}`, `null`, false},
	{"Pod", "spec.containers[0].securityContext", `{}`, `null`, false},
	{"Pod", "spec.volumes[0]", `{name: a, emptyDir: {}}`, `{name: a}`, false},
	{"Pod", "spec.volumes[0]", `{name: a, emptyDir: {}}`, `{name: a, emptyDir: {medium: ""}}`, true},
	{"Deployment", "spec.strategy", `{}`, `null`, true},
	{"NetworkPolicy", "spec", `{podSelector: {}}`, `{}`, true},
	{"NetworkPolicy", "spec.ingress", `[{}]`, `[]`, false},
	{"NetworkPolicy", "spec.ingress[0].from[0]", `{podSelector: {}}`, `{}`, false},
	{"ConfigMap", "data.a", `""`, `null`, false},
	// Absent and the default
	{"Deployment", "spec.replicas", `1`, `null`, true},
	{"Pod", "spec.dnsPolicy", `""`, `ClusterFirst`, true},
	{"Pod", "spec.dnsPolicy", `null`, `Default`, false},
	{"Pod", "spec.enableServiceLinks", `true`, `null`, true},
	{"Deployment", "spec.template.spec.enableServiceLinks", `true`, `null`, false},
	{"Deployment", "spec.strategy", `{type: RollingUpdate, rollingUpdate: {}}`, `null`, true},
	{"Pod", "spec.containers[0].env[0].valueFrom.fieldRef", `{fieldPath: metadata.name}`, `{apiVersion: v1, fieldPath: metadata.name}`, true},
	// Lists
	{"Pod", "spec.containers", `[{name: a, image: x}, {name: b}]`, `[{name: b}, {name: a, image: x}]`, true},
	{"Pod", "spec.containers", `[{name: a, image: x}]`, `[{name: a, image: "y"}]`, false},
	{"Pod", "spec.containers", `[{name: a}]`, `[{name: a}, {name: b}]`, false},
	{"Pod", "spec.containers[0].args", `[a, b]`, `[b, a]`, false},
	{"Pod", "metadata.finalizers", `[a, b]`, `[b, a]`, true},
	{"Pod", "metadata.finalizers", `[a, b]`, `[b, b]`, false},
	{"Service", "spec.ports", `[{port: 80}]`, `[{port: 80, protocol: TCP}]`, true},
	{"Service", "spec.ports", `[{port: 80, protocol: UDP}, {port: 80, protocol: TCP}]`, `[{port: 80, protocol: TCP}, {port: 80, protocol: UDP}]`, true},
	{"Pod", "spec.containers[0].ports", `[{containerPort: 1}, {containerPort: 2}]`, `[{containerPort: 2}, {containerPort: 1.0}]`, true},
	// Free form
	{"ControllerRevision", "data", `{a: 1, b: {}}`, `{a: 1.0, b: {}}`, true},
	{"ControllerRevision", "data", `{a: 1, b: {}}`, `{a: 1}`, false},
	{"CustomResourceDefinition", "spec.versions[0].schema.openAPIV3Schema.properties.a.default", `""`, `null`, false},
	// What is no field, or of the wrong type
	{"Pod", "spec", `{nodenam: a}`, `{nodenam: a}`, true},
	{"Pod", "spec", `{nodenam: a}`, `{}`, false},
	{"Pod", "spec.containers", `{a: 1}`, `{a: 1}`, true},
	{"Pod", "spec.containers", `{a: 1}`, `[]`, false},
}

func TestEqual(t *testing.T) {
	for _, tc := range equalCorpus {
		f := lookup(t, tc.kind).At(path(t, tc.path))
		a, b := decodeValue(t, tc.a), decodeValue(t, tc.b)
		if got := f.Equal(a, b); got != tc.want {
			t.Errorf("%s %s: Equal(%s, %s) = %t", tc.kind, tc.path, tc.a, tc.b, got)
		}
		if got := f.Equal(b, a); got != tc.want {
			t.Errorf("%s %s: Equal(%s, %s) = %t", tc.kind, tc.path, tc.b, tc.a, got)
		}
		if !f.Equal(a, a) || !f.Equal(a, f.Canonical(a)) {
			t.Errorf("%s %s: %s is not equal to itself or to its canonical form %v", tc.kind, tc.path, tc.a, f.Canonical(a))
		}
	}
}

func TestEqualTakesEveryGoNumber(t *testing.T) {
	f := lookup(t, "Deployment").At(path(t, "spec.replicas"))
	for _, v := range []any{int64(3), 3, int32(3), float64(3), json.Number("3"), json.Number("3.0")} {
		if !f.Equal(v, int64(3)) || f.Equal(v, int64(4)) {
			t.Errorf("%T %v", v, v)
		}
	}
}

func TestElementKey(t *testing.T) {
	for _, tc := range []struct{ kind, path, elem, want string }{
		{"Pod", "spec.containers", `{name: app, image: x}`, `name="app"`},
		{"Pod", "spec.containers", `{name: 'a"b'}`, `name="a\"b"`},
		{"Pod", "spec.containers", `{}`, `name=""`},
		{"Service", "spec.ports", `{port: 80, name: web}`, `port=80,protocol="TCP"`},
		{"Service", "spec.ports", `{port: 80.0, protocol: UDP}`, `port=80,protocol="UDP"`},
		{"Pod", "metadata.finalizers", `a/b`, `"a/b"`},
		{"Pod", "spec.containers[0].args", `a`, ``},
		{"Pod", "spec.containers", `a`, ``},
	} {
		got := lookup(t, tc.kind).At(path(t, tc.path)).ElementKey(decodeValue(t, tc.elem))
		if got != tc.want {
			t.Errorf("%s %s: ElementKey(%s) = %s, want %s", tc.kind, tc.path, tc.elem, got, tc.want)
		}
	}
}

func TestSameOrder(t *testing.T) {
	for _, tc := range []struct {
		kind, path, a, b string
		want             bool
	}{
		{"Pod", "spec", `{initContainers: [{name: a}, {name: b}]}`, `{initContainers: [{name: b}, {name: a}]}`, false},
		{"Pod", "spec", `{initContainers: [{name: a}, {name: b}]}`, `{initContainers: [{name: x}, {name: a}, {name: "y"}, {name: b}]}`, true},
		{"Pod", "spec", `{containers: [{name: a, env: [{name: a}, {name: b}]}]}`, `{containers: [{name: a, env: [{name: b}, {name: a}]}]}`, false},
		{"Pod", "spec", `{containers: [{name: a, args: [a, b]}]}`, `{containers: [{name: a, args: [b, a]}]}`, true},
		{"Pod", "metadata", `{finalizers: [a, b]}`, `{finalizers: [b, a]}`, false},
		{"Pod", "spec", `{containers: []}`, `{}`, true},
	} {
		f := lookup(t, tc.kind).At(path(t, tc.path))
		if got := f.SameOrder(decodeValue(t, tc.a), decodeValue(t, tc.b)); got != tc.want {
			t.Errorf("%s %s: SameOrder(%s, %s) = %t", tc.kind, tc.path, tc.a, tc.b, got)
		}
	}
}

func TestCanonical(t *testing.T) {
	for _, tc := range []struct{ kind, path, in, want string }{
		{"Pod", "spec.containers[0].resources", `{limits: {cpu: 0.5, memory: 1024Mi}, requests: {cpu: 1000m}}`, `{limits: {cpu: 500m, memory: 1Gi}, requests: {cpu: "1"}}`},
		{"Pod", "spec", `{hostNetwork: false, nodeSelector: {}, tolerations: [], securityContext: {}, nodeName: null}`, `{securityContext: {}}`},
		{"Pod", "spec.containers", `[{name: a, resources: {limits: {}}}]`, `[{name: a}]`},
		{"Pod", "metadata.deletionTimestamp", `"2026-01-02T04:04:05.5+01:00"`, `"2026-01-02T03:04:05Z"`},
		{"Lease", "spec.renewTime", `"2026-01-02T04:04:05.500000+01:00"`, `"2026-01-02T03:04:05.500000Z"`},
		{"Secret", "data", `{a: "aGVs\nbG8=", b: "?"}`, `{a: aGVsbG8=, b: "?"}`},
		{"Deployment", "spec.replicas", `3.0`, `3`},
		{"ControllerRevision", "data", `{a: null, b: [1.0, {}]}`, `{a: null, b: [1, {}]}`},
	} {
		got := lookup(t, tc.kind).At(path(t, tc.path)).Canonical(decodeValue(t, tc.in))
		if want := decodeValue(t, tc.want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s: Canonical(%s) = %v, want %v", tc.kind, tc.path, tc.in, got, want)
		}
	}
}

// Canonical agrees with a round trip through the Go type of the API.
func TestCanonicalIsThatOfTheGoTypes(t *testing.T) {
	in := decode(t, `
apiVersion: v1
kind: Pod
metadata: {name: a, labels: {}, creationTimestamp: "2026-01-02T04:04:05.5+01:00"}
spec:
  hostNetwork: false
  containers:
  - {name: a, image: x, resources: {limits: {cpu: 0.25, memory: 2048Ki, x: "1e3"}}, env: [], securityContext: {privileged: false}}
  volumes: [{name: v, emptyDir: {sizeLimit: 1024Mi}}]`)
	k := lookup(t, "Pod")
	viaGo := roundTrip(t, k, in)
	got := k.Root.Canonical(in)
	if !k.Root.Equal(got, viaGo) {
		t.Errorf("got %v\nwant %v", got, viaGo)
	}
}

// For two objects that differ in one field, Equal agrees with the API's own
// equality of the Go values that the server would read.
func TestEqualIsThatOfTheGoTypes(t *testing.T) {
	tested := 0
	for _, k := range kinds.Builtin().Kinds() {
		if !scheme.Scheme.Recognizes(gvk(k)) {
			continue
		}
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 6))
			for range 200 {
				a := randomObject(r, k.Root, 6)
				b := runtime.DeepCopyJSON(a)
				at, f := changeOneField(r, k.Root, b)
				x, err := goValue(k, a)
				y, err2 := goValue(k, b)
				if err != nil || err2 != nil || f == nil || f.Default != nil {
					continue
				}
				tested++
				if got, want := k.Root.Equal(a, b), equality.Semantic.DeepEqual(x, y); got != want {
					t.Errorf("%s: Equal is %t, should be %t\n%s\n%s", at, got, want, yamlText(a), yamlText(b))
					return
				}
			}
		})
	}
	if tested < 5000 {
		t.Errorf("only %d pairs compared", tested)
	}
}

// changeOnePlace removes or empties one value inside an object.
func changeOneField(r *rand.Rand, f *kinds.Field, m map[string]any) (string, *kinds.Field) {
	names := slices.Sorted(maps.Keys(m))
	if len(names) == 0 {
		return "", nil
	}
	name := names[r.IntN(len(names))]
	child := f.Field(name)
	if inner, ok := m[name].(map[string]any); ok && child.Type != kinds.Any && r.IntN(4) > 0 {
		if at, changed := changeOneField(r, child, inner); changed != nil {
			return name + "." + at, changed
		}
	}
	if elems, ok := m[name].([]any); ok && len(elems) > 0 && child.Type == kinds.List && r.IntN(4) > 0 {
		if inner, ok := elems[0].(map[string]any); ok {
			if at, changed := changeOneField(r, child.Elem, inner); changed != nil {
				return name + "[0]." + at, changed
			}
		}
	}
	switch empty, ok := emptyOf(child.Type); {
	case ok && r.IntN(2) == 0:
		m[name] = empty
	default:
		delete(m, name)
	}
	return name, child
}

func emptyOf(t kinds.Type) (any, bool) {
	switch t {
	case kinds.Object, kinds.Map:
		return map[string]any{}, true
	case kinds.List:
		return []any{}, true
	case kinds.String, kinds.Bytes:
		return "", true
	case kinds.Integer, kinds.Number:
		return int64(0), true
	case kinds.Boolean:
		return false, true
	case kinds.Quantity:
		return "0", true
	case kinds.Duration:
		return "0s", true
	}
	return nil, false
}
