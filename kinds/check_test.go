package kinds_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kplan.dev/kplan/kinds"
)

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name, manifest string
		want           []string // path: summary: detail
	}{
		{"nothing wrong", `
kind: Pod
metadata: {name: a, labels: {a: b}}
spec: {containers: [{name: a, image: b, ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}], resources: {limits: {cpu: 1, memory: 1Gi}}}]}`, nil},
		{"misspelled fields", `
kind: Pod
metadata: {name: a, lables: {a: b}}
speck: {}
spec: {containers: [{name: a, image: b, imagepullpolicy: Always, xyzzy: 1}]}`, []string{
			`metadata.lables: Unknown field: metadata of a Pod has no field lables. Did you mean labels?`,
			`spec.containers[0].imagepullpolicy: Unknown field: spec.containers[0] of a Pod has no field imagepullpolicy. Did you mean imagePullPolicy?`,
			`spec.containers[0].xyzzy: Unknown field: spec.containers[0] of a Pod has no field xyzzy.`,
			`speck: Unknown field: A Pod has no field speck. Did you mean spec?`}},
		{"field on the wrong level", `
kind: Deployment
metadata: {name: a}
spec: {selector: {}, containers: [], template: {spec: {containers: [{name: a, image: b}]}}}`, []string{
			`spec.containers: Unknown field: spec of a Deployment has no field containers. It belongs to spec.template.spec.`}},
		{"wrong types", `
kind: Pod
metadata: {name: 1, labels: {a: true}, annotations: []}
spec:
  hostNetwork: "yes"
  terminationGracePeriodSeconds: "30"
  priority: 1.5
  nodeSelector: a
  containers: {name: a}
  tolerations: [1]`, []string{
			`metadata.annotations: Wrong type: metadata.annotations is a list. It must be an object with free keys.`,
			`metadata.labels.a: Wrong type: metadata.labels.a is true or false. It must be a string. Put it in quotes.`,
			`metadata.name: Wrong type: metadata.name is a whole number. It must be a string. Put it in quotes.`,
			`spec.containers: Wrong type: spec.containers is an object. It must be a list. A list with one element is written in brackets.`,
			`spec.hostNetwork: Wrong type: spec.hostNetwork is a string. It must be true or false. Write it without quotes.`,
			`spec.nodeSelector: Wrong type: spec.nodeSelector is a string. It must be an object with free keys.`,
			`spec.priority: Wrong type: spec.priority is a number. It must be a whole number.`,
			`spec.terminationGracePeriodSeconds: Wrong type: spec.terminationGracePeriodSeconds is a string. It must be a whole number. Write it without quotes.`,
			`spec.tolerations[0]: Wrong type: spec.tolerations[0] is a whole number. It must be an object.`}},
		{"what does not parse", `
kind: Pod
metadata: {name: a, deletionTimestamp: yesterday}
spec: {containers: [{name: a, image: b, resources: {limits: {cpu: lots, memory: 1 GB, x: {}}}}]}`, []string{
			`metadata.deletionTimestamp: Wrong type: metadata.deletionTimestamp is a string. It must be a time such as 2006-01-02T15:04:05Z.`,
			`spec.containers[0].resources.limits.cpu: Wrong type: spec.containers[0].resources.limits.cpu is a string. It must be a quantity such as 500m or 1Gi.`,
			`spec.containers[0].resources.limits.memory: Wrong type: spec.containers[0].resources.limits.memory is a string. It must be a quantity such as 500m or 1Gi.`,
			`spec.containers[0].resources.limits.x: Wrong type: spec.containers[0].resources.limits.x is an object. It must be a quantity such as 500m or 1Gi.`}},
		{"secrets that are not base64", `
kind: Secret
metadata: {name: a}
data: {password: "hunter2!"}`, []string{
			`data.password: Wrong type: data.password is a string. It must be binary data in base64. Encode it, or use the field that takes plain text where there is one.`}},
		{"missing", `
kind: ReplicationController
spec: {template: {spec: {containers: [{image: a}], volumes: [{emptyDir: {}}]}}}`, []string{
			`spec.template.spec.containers[0].name: Missing field: spec.template.spec.containers[0] of a ReplicationController needs name, a string.`,
			`spec.template.spec.volumes[0].name: Missing field: spec.template.spec.volumes[0] of a ReplicationController needs name, a string.`,
			`metadata.name: Missing field: A ReplicationController needs metadata.name, or metadata.generateName for a name that the server makes.`}},
		{"generated name", `
kind: ConfigMap
metadata: {generateName: a-}`, nil},
		{"missing roleRef", `
kind: RoleBinding
metadata: {name: a}
subjects: [{kind: User, name: x}]`, []string{
			`roleRef: Missing field: A RoleBinding needs roleRef, an object.`}},
		{"duplicates", `
kind: Service
metadata: {name: a, finalizers: [x, "y", x]}
spec: {ports: [{port: 80}, {port: 81}, {port: 80, protocol: TCP}]}`, []string{
			`metadata.finalizers[2]: Duplicate key: metadata.finalizers[2] is the same as metadata.finalizers[0]. Each element may be there once.`,
			`spec.ports[2]: Duplicate key: spec.ports[2] has the same port and protocol as spec.ports[0]. The elements of this list are told apart by that.`}},
		{"null elements", `
kind: Ingress
metadata: {name: a, finalizers: [null]}
spec: {rules: null}`, []string{
			`metadata.finalizers[0]: Wrong type: metadata.finalizers[0] is null. It must be a string.`}},
		{"status need not be complete", `
kind: Node
metadata: {name: a}
status: {conditions: [{type: Ready}], nodeInfo: {}}`, nil},
		{"free form", `
kind: ControllerRevision
metadata: {name: a}
data: {a: [1, {b: null}]}`, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			obj := decode(t, tc.manifest)
			expectProblems(t, lookup(t, obj["kind"].(string)), obj, tc.want)
		})
	}
}

func TestCheckCustomResource(t *testing.T) {
	k := fromCRD(t, readCRD(t))[0]
	expectProblems(t, k, decode(t, `
kind: Database
metadata: {name: a}
spec:
  engine: postgress
  timeout: 5 days
  size: 1.5
  users: [{host: x}, {name: a}, {name: a, host: "%"}]
  open: {known: x, unknown: 1, nested: {b: 1}}
  raw: {a: 1}
  template: {spec: {image: 1}}`), []string{
		`spec.engine: Value not allowed: spec.engine must be postgres or mysql. Did you mean postgres?`,
		`spec.open.known: Wrong type: spec.open.known is a string. It must be a whole number. Write it without quotes.`,
		`spec.open.nested.b: Unknown field: spec.open.nested of a Database has no field b. Did you mean a?`,
		`spec.size: Wrong type: spec.size is a number. It must be a whole number or a string.`,
		`spec.template.spec.image: Wrong type: spec.template.spec.image is a whole number. It must be a string. Put it in quotes.`,
		`spec.template.apiVersion: Missing field: spec.template of a Database needs apiVersion, a string.`,
		`spec.template.kind: Missing field: spec.template of a Database needs kind, a string.`,
		`spec.users[0].name: Missing field: spec.users[0] of a Database needs name, a string.`,
		`spec.users[2]: Duplicate key: spec.users[2] has the same name and host as spec.users[1]. The elements of this list are told apart by that.`,
	})
}

func expectProblems(t *testing.T, k *kinds.Kind, obj map[string]any, want []string) {
	t.Helper()
	var got []string
	for _, p := range k.Check(obj) {
		got = append(got, fmt.Sprintf("%s: %s: %s", p.Path, p.Summary, p.Detail))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The Kubernetes project keeps an object of each kind with every field filled
// in. They are what the server reads and writes, so nothing may be wrong with
// them, and all that kinds says of them must agree with the Go types.
func TestObjectsWithEveryField(t *testing.T) {
	tested := 0
	for _, k := range kinds.Builtin().Kinds() {
		obj := fullObject(t, k)
		if obj == nil {
			continue
		}
		tested++
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) {
			for _, p := range k.Check(obj) {
				if !isFiller(p) {
					t.Errorf("%s: %s", p.Path, p.Detail)
				}
			}
			compareWithServer(t, k, obj)
			if !k.Root.Equal(obj, k.Root.Canonical(obj)) {
				t.Error("not equal to its canonical form")
			}
			if !k.Root.Equal(obj, roundTrip(t, k, obj)) {
				t.Error("not equal to what the Go type makes of it")
			}
		})
	}
	if tested < 60 {
		t.Errorf("only %d objects found", tested)
	}
}

// isFiller says whether a problem is that of a value that only fills a field.
func isFiller(p kinds.Problem) bool { return p.Kind == kinds.DuplicateKey }

// fullObject is the object of that kind in the module k8s.io/api, nil if there
// is none.
func fullObject(t testing.TB, k *kinds.Kind) map[string]any {
	t.Helper()
	group := k.Group
	if group == "" {
		group = "core"
	}
	text, err := os.ReadFile(filepath.Join(apiModule(), "testdata", "HEAD", group+"."+k.Version+"."+k.Name+".json"))
	if err != nil {
		return nil
	}
	var obj map[string]any
	if err := json.Unmarshal(text, &obj); err != nil {
		t.Fatal(err)
	}
	return wholeNumbers(obj).(map[string]any)
}

// apiModule is the folder of the module k8s.io/api.
var apiModule = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	must(err)
	return strings.TrimSpace(string(out))
})
