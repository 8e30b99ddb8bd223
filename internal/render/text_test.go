package render

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/impact"
)

const desiredController = `
apiVersion: v1
kind: ReplicationController
metadata:
  name: web
  namespace: acme
  labels: {app: web, kplan.dev/stack: s}
  annotations: {kplan.dev/address: ReplicationController.app}
spec:
  replicas: 2
  selector: {name: web}
  template:
    metadata:
      labels: {name: web}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        ports: [{containerPort: 9080}]
        resources: {requests: {cpu: 1000m, memory: 64Mi}}
`

const liveController = `
apiVersion: v1
kind: ReplicationController
metadata:
  name: web
  namespace: acme
  uid: 6f1c
  resourceVersion: "17"
  generation: 1
  creationTimestamp: "2026-01-01T00:00:00Z"
  labels: {app: web, kplan.dev/stack: s}
  annotations: {kplan.dev/address: ReplicationController.app}
spec:
  replicas: 2
  selector: {name: web}
  template:
    metadata:
      creationTimestamp: null
      labels: {name: web}
    spec:
      containers:
      - name: web
        image: nginx:1.27
        imagePullPolicy: IfNotPresent
        ports: [{containerPort: 9080, protocol: TCP}]
        resources: {requests: {cpu: "1", memory: 64Mi}}
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      terminationGracePeriodSeconds: 30
status: {replicas: 0}
`

var createController = changed{
	addr: "ReplicationController.app", namespace: "acme", name: "web", action: plan.Create,
	after: liveController, desired: desiredController,
	unknown: []string{"metadata.uid", "status", "metadata.resourceVersion"},
}

// plans are plans of every sort, by name.
func plans(t testing.TB) map[string]*plan.Plan {
	return map[string]*plan.Plan{
		"create":       planOf(t, createController),
		"update":       updates(t),
		"replace":      replacements(t),
		"delete":       deletions(t),
		"texts":        texts(t),
		"secret":       secrets(t),
		"lists":        lists(t),
		"others":       others(t),
		"empty":        planOf(t),
		"destroy":      destruction(t),
		"failed":       failed(t),
		"outputs":      outputs(t),
		"refresh":      refreshed(t),
		"drift":        drifted(t),
		"relinquished": relinquished(t),
		"unicode":      international(t),
	}
}

// desiredUpdate is what an update of the controller sets. The container log is none of it:
// admission injects that.
const desiredUpdate = `
metadata:
  name: web
  namespace: acme
  labels: {app: web, tier: front, kplan.dev/stack: s}
spec:
  replicas: 3
  selector: {name: web}
  template:
    metadata: {labels: {name: web}}
    spec:
      containers:
      - name: web
        image: nginx:1.28
        ports: [{containerPort: 9080}, {containerPort: 9090, protocol: UDP}]
        resources: {requests: {cpu: 1000m, memory: 128Mi}}
`

func pathOf(t testing.TB, text string) addrs.Path { return paths(t, []string{text})[0] }

func updates(t testing.TB) *plan.Plan {
	return planOf(t, changed{
		addr: `ReplicationController.app["a"]`, namespace: "acme", name: "web", action: plan.Update,
		before: liveController, desired: desiredUpdate,
		edit: func(c *plan.Change) {
			for _, name := range []string{"name", "image"} {
				c.Admitted = append(c.Admitted, plan.Admitted{Path: pathOf(t, `spec.template.spec.containers[name="log"].`+name)})
			}
			c.Admitted = append(c.Admitted, plan.Admitted{Path: pathOf(t, "metadata.labels.tier"), Overrides: true})
		},
		after: `
metadata:
  name: web
  namespace: acme
  resourceVersion: "18"
  labels: {app: web, tier: front, kplan.dev/stack: s}
spec:
  replicas: 3
  selector: {name: web}
  template:
    metadata: {labels: {name: web}}
    spec:
      containers:
      - name: log
        image: log:1
      - name: web
        image: nginx:1.28
        imagePullPolicy: IfNotPresent
        ports: [{containerPort: 9080, protocol: TCP}, {containerPort: 9090, protocol: UDP}]
        resources: {requests: {cpu: 1000m, memory: 128Mi}}
        terminationMessagePath: /dev/termination-log
        terminationMessagePolicy: File
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      schedulerName: default-scheduler
      terminationGracePeriodSeconds: 30
`,
	})
}

func replacements(t testing.TB) *plan.Plan {
	pod := `
metadata: {name: web, namespace: acme}
spec:
  nodeName: n1
  hostname: a
  containers: [{name: app, image: a, imagePullPolicy: Always}]
  tolerations: [{key: node.kubernetes.io/not-ready, operator: Exists}]
`
	podAfter := `
metadata: {name: web, namespace: acme}
spec:
  hostname: b
  containers: [{name: app, image: a, imagePullPolicy: Always}]
`
	service := `
metadata: {name: old, namespace: acme}
spec: {clusterIP: 10.0.0.1, ports: [{port: 80, protocol: TCP, nodePort: 30000}], type: NodePort}
`
	renamed := `
metadata: {name: new, namespace: acme}
spec: {ports: [{port: 80, protocol: TCP}], type: NodePort}
`
	return planOf(t,
		changed{addr: "Pod.web", namespace: "acme", name: "web", action: plan.Replace, before: pod, after: podAfter, desired: podAfter,
			replacePaths: []string{"spec.hostname"},
			edit: func(c *plan.Change) {
				c.Reason, c.Certainty, c.Why = plan.BecauseImmutable, plan.Predicted, "the name is taken until the old object is gone"
			}},
		changed{addr: "Service.web", namespace: "acme", name: "new", action: plan.Create, after: renamed, desired: renamed,
			unknown: []string{"spec.clusterIP", "spec.ports[0].nodePort"},
			edit:    func(c *plan.Change) { c.Reason = plan.BecauseReplaced }},
		changed{addr: "Service.web", namespace: "acme", name: "old", action: plan.Delete, before: service,
			edit: func(c *plan.Change) { c.Reason = plan.BecauseRenamed }},
		changed{addr: "Ingress.web", namespace: "acme", name: "web", action: plan.Create, after: `{metadata: {name: web, namespace: acme}}`},
		changed{addr: "Ingress.web", namespace: "acme", name: "web", action: plan.Delete, before: `{metadata: {name: web, namespace: acme}}`,
			edit: func(c *plan.Change) { c.Reason, c.Object.Group = plan.BecauseRenamed, "extensions" }},
		changed{addr: "Namespace.n", name: "here", action: plan.Replace, before: `{metadata: {name: here}}`, after: `{metadata: {name: here}}`,
			edit: func(c *plan.Change) { c.Reason = plan.BecauseRequested }},
		changed{addr: "ConfigMap.moves", namespace: "there", name: "moves", action: plan.Create, after: `{metadata: {name: moves, namespace: there}}`,
			edit: func(c *plan.Change) { c.Reason = plan.BecauseReplaced }},
		changed{addr: "ConfigMap.moves", namespace: "here", name: "moves", action: plan.Delete, before: `{metadata: {name: moves, namespace: here}}`,
			edit: func(c *plan.Change) { c.Reason = plan.BecauseRenamed }},
	)
}

func deletions(t testing.TB) *plan.Plan {
	because := func(r plan.Reason) func(*plan.Change) { return func(c *plan.Change) { c.Reason = r } }
	return planOf(t,
		changed{addr: "ReplicationController.app", namespace: "acme", name: "web", action: plan.Delete, before: liveController,
			edit: because(plan.BecauseNotInConfig)},
		changed{addr: `Namespace.n["x"]`, name: "x", action: plan.Delete, before: `metadata: {name: x}`, edit: func(c *plan.Change) {
			c.Reason = plan.BecauseEachKey
			c.Consequences = []impact.Consequence{
				{Effect: impact.CascadesUnmanaged, Kind: addrs.GroupKind{Kind: "ConfigMap"}, Count: 12, Names: []string{"x/a", "x/b", "x/c"}},
				{Effect: impact.LosesData, Kind: addrs.GroupKind{Kind: "PersistentVolume"}, Count: 1, Names: []string{"pv"}},
				{Effect: impact.Cascades, Kind: addrs.GroupKind{Group: "apps", Kind: "ReplicaSet"}, Count: 2, Names: []string{"x/r", "x/s"}},
				{Effect: impact.MayBlock, Kind: addrs.GroupKind{Kind: "Namespace"}, Count: 1, Names: []string{"a/b"}},
				{Effect: impact.WaitsForAPI, Kind: addrs.GroupKind{Kind: "Namespace"}, Count: 2,
					Names: []string{"metrics.k8s.io/v1beta1", "a.example.com/v1"}},
			}
		}},
		changed{addr: `Namespace.n[3]`, name: "z", action: plan.Delete, before: `metadata: {name: z}`, edit: because(plan.BecauseCountIndex)},
		changed{addr: `Namespace.gone`, name: "gone", action: plan.Forget, edit: because(plan.BecauseGone)},
	)
}

func texts(t testing.TB) *plan.Plan {
	return planOf(t,
		changed{addr: "ConfigMap.c", namespace: "acme", name: "c", action: plan.Update,
			before: `
metadata: {name: c, namespace: acme}
data:
  nginx.conf: "a\nb\nc\nd\ne\nlisten 80\nf\ng\nh\ni\nj\n"
  settings.yaml: "a: 1\nb: [x, y]\nversion: 1.10\n"
  settings.json: '{"debug":false,"level":3}'
  makefile: "all:\n\tbuild\n"
  end: "one\ntwo"
  long: "` + longString("x") + `"
  respelled.json: '{"a": 1, "b": [true, null]}'
  respelled.yaml: "a: 1\nb: [x]\n"
  minified: "head\n` + strings.Repeat("var a=1;", 100) + `here` + strings.Repeat("f(x);", 100) + `\n"
  space: "a b\nnext\n"
  dots: "a·\nnext\n"
  escaped: "\\u{202e}\nnext\n"
binaryData: {gone: YWI=, logo: AAECAwT/}
`,
			after: `
metadata: {name: c, namespace: acme}
data:
  nginx.conf: "a\nb\nc\nd\ne\nlisten 8080\nf\ng\nh\ni\nj\n"
  settings.yaml: "a: 2\nb: [x, z, y]\nversion: 1.1\n"
  settings.json: '{"debug":true,"level":3}'
  makefile: "all: \n    build\n"
  end: "one\ntwo\n"
  long: "` + longString("y") + `"
  respelled.json: '{"b":[true,null],"a":1}'
  respelled.yaml: "b:\n- x\na: 1\n"
  minified: "head\n` + strings.Repeat("var a=1;", 100) + `there` + strings.Repeat("f(x);", 100) + `\n"
  space: "a\u00a0b\nnext\n"
  dots: "a \nnext\n"
  escaped: "\u202e\nnext\n"
  new: "first\nsecond\n"
binaryData: {logo: AAECAwX/}
`})
}

func longString(middle string) string {
	part := "0123456789abcdefghijklmnopqrstuvwxyz"
	return part + part + part + part + middle + part + part + part + part
}

func secrets(t testing.TB) *plan.Plan {
	return planOf(t,
		changed{addr: "Secret.s", namespace: "acme", name: "s", action: plan.Update,
			before:    `{metadata: {name: s}, data: {same: c2FtZQ==, old: b2xk, changed: b25l}}`,
			after:     `{metadata: {name: s, labels: {l: hidden}}, data: {same: c2FtZQ==, new: bmV3, changed: dHdv}}`,
			sensitive: []string{"data", "metadata.labels.l"}},
		changed{addr: "Pod.p", namespace: "acme", name: "p", action: plan.Update,
			before:    `{metadata: {name: p}, spec: {containers: [{name: a, env: [{name: A, value: one}, {name: B, value: x}]}]}}`,
			after:     `{metadata: {name: p}, spec: {containers: [{name: a, env: [{name: A, value: two}, {name: B, value: x}]}]}}`,
			sensitive: []string{"spec.containers[0].env[0].value"}},
	)
}

func lists(t testing.TB) *plan.Plan {
	return planOf(t,
		changed{addr: "Pod.p", namespace: "acme", name: "p", action: plan.Update,
			before: `{metadata: {name: p, finalizers: [a/a, b/b]}, spec: {containers: [{name: a, args: [a, b, c, d, e, f, g]}, {name: b, command: [sh, -c, "set -e\none\ntwo\n"], args: ["gone\nnow\n", x]}], tolerations: [{key: a}, {key: b}, {key: c}]}}`,
			after:  `{metadata: {name: p, finalizers: [b/b, c/c]}, spec: {containers: [{name: b, command: [sh, -c, "set -e\none\n2\n"], args: [x]}, {name: a, args: [a, b, c, x, d, e, g]}], tolerations: [{key: z}, {key: a}, {key: b, value: v}, {key: c}]}}`})
}

func others(t testing.TB) *plan.Plan {
	moved := func(c *plan.Change) { c.Previous, _ = addrs.ParseInstance("Namespace.before") }
	p := planOf(t,
		changed{addr: "Namespace.moved", name: "acme", action: plan.NoOp, before: `metadata: {name: acme}`, after: `metadata: {name: acme}`, edit: moved},
		changed{addr: "Namespace.both", name: "acme", action: plan.Update, before: `metadata: {name: acme}`, after: `metadata: {name: acme, labels: {a: b}}`, edit: moved},
		changed{addr: "Namespace.taken", name: "taken", action: plan.Adopt, before: `metadata: {name: taken, labels: {x: y}}`, after: `metadata: {name: taken, labels: {x: y}}`},
		changed{addr: "Namespace.taken2", name: "taken2", action: plan.Adopt, before: `metadata: {name: taken2}`, after: `metadata: {name: taken2, labels: {a: b}}`},
		changed{addr: "Namespace.kept", name: "kept", action: plan.NoOp},
		changed{addr: "ConfigMap.c", namespace: "acme", name: "c", action: plan.Create,
			desired: `{metadata: {name: c, namespace: acme}, data: {a: b}}`, after: `{metadata: {name: c, namespace: acme}, data: {a: b}}`,
			unknown: []string{"data.ip"},
			edit: func(c *plan.Change) {
				c.Certainty, c.Why = plan.Predicted, "namespace acme is created by this plan"
			}},
	)
	return p
}

func destruction(t testing.TB) *plan.Plan {
	p := planOf(t, changed{addr: "Namespace.n", name: "nn", action: plan.Delete, before: `metadata: {name: nn}`,
		edit: func(c *plan.Change) { c.Reason = plan.BecauseDestroy }})
	p.Mode = plan.Destroy
	return p
}

func failed(t testing.TB) *plan.Plan {
	p := planOf(t, createController)
	p.Incomplete = true
	held, _ := addrs.ParseInstance("Pod.web")
	by, _ := addrs.ParseInstance("Namespace.tenant")
	p.Skipped = []hclspec.Skipped{{Addr: held, By: by}}
	return p
}

// drifted is a change that undoes what others did.
func drifted(t testing.TB) *plan.Plan {
	return planOf(t, changed{addr: "ConfigMap.c", namespace: "acme", name: "c", action: plan.Update,
		before: `{metadata: {name: c}, data: {a: theirs, b: theirs, c: ours}}`,
		after:  `{metadata: {name: c}, data: {a: ours, b: ours, c: ours}}`,
		edit: func(c *plan.Change) {
			at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			c.Drift = []plan.Drift{
				{Path: addrs.NewPath("data", "a"), Manager: "kubectl-edit", Time: at},
				{Path: addrs.NewPath("data", "b"), Manager: "kubectl-edit", Time: at},
				{Path: addrs.NewPath("data", "d")},
			}
		}})
}

// letGo is an update that changes no more than who sets what.
func relinquished(t testing.TB) *plan.Plan {
	return planOf(t, changed{addr: "ConfigMap.c", namespace: "acme", name: "c", action: plan.Update,
		before: `{metadata: {name: c}, data: {a: x, b: x, c: x}}`,
		after:  `{metadata: {name: c}, data: {a: x, b: x, c: x}}`,
		edit: func(c *plan.Change) {
			c.Relinquished = []plan.Relinquished{
				{Path: addrs.NewPath("data", "a"), Manager: "autoscaler"},
				{Path: addrs.NewPath("data", "b")},
			}
			c.NewlyManaged = []addrs.Path{addrs.NewPath("data", "c")}
		}})
}

// international is a change with wide, composed and hidden characters.
func international(t testing.TB) *plan.Plan {
	return planOf(t, changed{addr: `ConfigMap.c["日本"]`, namespace: "acme", name: "c", action: plan.Update,
		before: `{metadata: {name: c}, data: {日本語: "a", é: "e\u0301", emoji: "🙂", ascii: "::error::x", hidden: "a"}}`,
		after:  `{metadata: {name: c}, data: {日本語: "b\u202e", é: "é", emoji: "🙃", ascii: "::stop-commands::x", hidden: "a\u200b", lines: "##[error]\n::x"}}`})
}

func refreshed(t testing.TB) *plan.Plan {
	p := drifted(t)
	p.Mode = plan.RefreshOnly
	c := p.Changes[0]
	c.Action, c.Before, c.After = plan.NoOp, c.After, c.Before
	gone := changed{addr: "ConfigMap.gone", namespace: "acme", name: "gone", action: plan.Forget,
		edit: func(c *plan.Change) { c.Reason = plan.BecauseGone }}
	kept := changed{addr: "ConfigMap.kept", namespace: "acme", name: "kept", action: plan.NoOp}
	p.Changes = append(p.Changes, gone.change(t), kept.change(t))
	return p
}

func outputs(t testing.TB) *plan.Plan {
	p := planOf(t)
	p.Outputs = []plan.OutputChange{
		{Name: "added", Action: plan.Create, After: []any{"a", int64(1)}},
		{Name: "kept", Action: plan.NoOp, Before: "a", After: "a"},
		{Name: "changed", Action: plan.Update, Before: map[string]any{"a": "b", "c": "d"}, After: map[string]any{"a": "c", "c": "d"}},
		{Name: "ip", Action: plan.Update, Before: "10.0.0.1", Unknown: true},
		{Name: "removed", Action: plan.Delete, Before: "x"},
		{Name: "password", Action: plan.Update, Before: "one", After: "two", Sensitive: true},
	}
	return p
}

func TestPlan(t *testing.T) {
	for name, p := range plans(t) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			Plan(&b, p, Options{Unsaved: true})
			golden(t, "plan_"+name, b.Bytes())
		})
	}
}

// TestColours has colour take nothing away and add nothing but itself, and what
// is lost stand out.
func TestColours(t *testing.T) {
	sgr := regexp.MustCompile("\x1b\\[[0-9]+m")
	for name, pl := range plans(t) {
		var plain, coloured bytes.Buffer
		Plan(&plain, pl, Options{})
		Plan(&coloured, pl, Options{Color: true})
		if diff := cmp.Diff(plain.String(), sgr.ReplaceAllString(coloured.String(), "")); diff != "" {
			t.Errorf("%s (-plain +coloured):\n%s", name, diff)
		}
	}
	var b bytes.Buffer
	Plan(&b, replacements(t), Options{Color: true})
	for _, want := range []string{"\x1b[31mmust be replaced\x1b[0m", "\x1b[31m # forces replacement\x1b[0m"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in:\n%s", want, b.String())
		}
	}
}

// manyChanges are as many changes of controllers, some created, some updated.
func manyChanges(t testing.TB, n int) *plan.Plan {
	t.Helper()
	create, update := planOf(t, createController).Changes[0], updates(t).Changes[0]
	p := planOf(t)
	for i := range n {
		c := *create
		if i%2 == 1 {
			c = *update
		}
		c.Addr.Key = addrs.IntKey(i)
		p.Changes = append(p.Changes, &c)
	}
	return p
}

func BenchmarkPlan(b *testing.B) {
	p := manyChanges(b, 1000)
	for name, show := range map[string]func(io.Writer){
		"text":     func(w io.Writer) { Plan(w, p, Options{}) },
		"json":     func(w io.Writer) { _ = JSON(w, p, "0") },
		"markdown": func(w io.Writer) { Markdown(w, p, MarkdownOptions{}) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				show(io.Discard)
			}
		})
	}
}

func TestNoLegendWithoutSymbols(t *testing.T) {
	const same = "metadata: {name: c}"
	var b bytes.Buffer
	Plan(&b, planOf(t, changed{addr: "ConfigMap.c", name: "c", action: plan.Adopt, before: same, after: same}), Options{})
	if text := b.String(); strings.Contains(text, "following symbols") || !strings.Contains(text, "ConfigMap.c will be adopted") {
		t.Errorf("a plan that only adopts:\n%s", text)
	}
}
