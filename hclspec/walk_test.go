package hclspec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder visits objects as an API server would that has all the time in the
// world, and remembers what it saw.
type recorder struct {
	fail map[string]bool // by address
	// see, when set, answers instead of a server that adds a uid.
	see func(d *Desired) (Observed, error)

	mu      sync.Mutex
	order   []string
	desired map[string]*Desired
	running int
	most    int
}

func (r *recorder) visit(_ context.Context, d *Desired, _ map[addrs.Instance]string) (Observed, string, error) {
	addr := d.Addr.String()
	r.mu.Lock()
	r.running++
	r.most = max(r.most, r.running)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.running--
		r.order = append(r.order, addr)
		if r.desired == nil {
			r.desired = map[string]*Desired{}
		}
		r.desired[addr] = d
	}()
	if r.fail[addr] {
		return Observed{}, "", errors.New("refused")
	}
	if r.see != nil {
		seen, err := r.see(d)
		return seen, addr, err
	}
	return served(d), addr, nil
}

// served is the object with what a server adds.
func served(d *Desired) Observed {
	object := maps.Clone(d.Fields)
	meta := maps.Clone(object["metadata"].(map[string]any))
	meta["uid"] = "uid-of-" + d.Object.Name
	object["metadata"] = meta
	return Observed{Object: object}
}

func configOf(t testing.TB, source string) *config.Config {
	t.Helper()
	config, diags := loadSource(t.TempDir(), source)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return config
}

func loadSource(dir, source string) (*config.Config, hcl.Diagnostics) {
	if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(source), 0o600); err != nil {
		panic(err)
	}
	return config.Load(context.Background(), dir)
}

func walkWith(t testing.TB, source string, r *recorder, opts WalkOptions) (Outcome[string], hcl.Diagnostics) {
	t.Helper()
	return Walk(context.Background(), previewOf(t, source), opts, r.visit)
}

// previewOf is the preview of a configuration, with whatever is wrong with it.
func previewOf(t testing.TB, source string) *Preview {
	t.Helper()
	config := configOf(t, source)
	preview, _ := NewPreview(context.Background(), config, optionsFor(t, config))
	return preview
}

// mustWalk walks a configuration that nothing is wrong with.
func mustWalk(t testing.TB, source string, r *recorder) Outcome[string] {
	t.Helper()
	out, diags := walkWith(t, source, r, WalkOptions{})
	for _, d := range diags {
		t.Errorf("%s: %s", d.Error(), d.Detail)
	}
	return out
}

func visitedAddrs(out Outcome[string]) []string {
	var all []string
	for _, v := range out.Visited {
		all = append(all, v.Desired.Addr.String())
	}
	return all
}

func skippedTexts(out Outcome[string]) []string {
	var all []string
	for _, h := range out.Skipped {
		all = append(all, h.Addr.String()+" by "+h.By.String())
	}
	return all
}

func wantEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

const tenants = `
resource "Pod" "web" {
  for_each = local.tenants
  metadata {
    name      = "web"
    namespace = Namespace.tenant[each.key].metadata.name
  }
  spec {
    containers {
      name  = "web"
      image = "web:1"
    }
  }
}
resource "Namespace" "tenant" {
  for_each = local.tenants
  metadata { name = each.key }
}
resource "ConfigMap" "note" {
  for_each = local.tenants
  metadata {
    name      = "note"
    namespace = each.key
  }
  data = { pod = Pod.web[each.key].metadata.uid }
}
locals { tenants = toset(["a", "b", "c"]) }
output "pods" { value = [for p in Pod.web : p.metadata.uid] }
output "a" { value = Pod.web["a"].metadata.uid }
`

func TestWalkOrder(t *testing.T) {
	r := &recorder{}
	out := mustWalk(t, tenants, r)
	wantEqual(t, "visited", visitedAddrs(out), []string{
		`Pod.web["a"]`, `Pod.web["b"]`, `Pod.web["c"]`, `Namespace.tenant["a"]`, `Namespace.tenant["b"]`, `Namespace.tenant["c"]`,
		`ConfigMap.note["a"]`, `ConfigMap.note["b"]`, `ConfigMap.note["c"]`,
	})
	for addr, d := range r.desired {
		for _, needed := range d.Dependencies {
			if slices.Index(r.order, needed.String()) > slices.Index(r.order, addr) {
				t.Errorf("%s was visited before %s", addr, needed)
			}
		}
	}
	wantEqual(t, "note", r.desired[`ConfigMap.note["b"]`].Fields["data"], map[string]any{"pod": "uid-of-web"})
	wantEqual(t, "outputs", out.Outputs, []OutputValue{
		{Name: "pods", Value: []any{"uid-of-web", "uid-of-web", "uid-of-web"}, Type: []any{"tuple", []any{"string", "string", "string"}}},
		{Name: "a", Value: "uid-of-web", Type: "string"},
	})
}

func TestWalkFailure(t *testing.T) {
	r := &recorder{fail: map[string]bool{`Namespace.tenant["b"]`: true}}
	out := mustWalk(t, tenants, r)
	wantEqual(t, "skipped", skippedTexts(out), []string{
		`Pod.web["b"] by Namespace.tenant["b"]`, `ConfigMap.note["b"] by Namespace.tenant["b"]`,
	})
	if len(out.Visited) != 7 {
		t.Errorf("visited %v", visitedAddrs(out))
	}
	if len(out.Outputs) != 1 || out.Outputs[0].Name != "a" {
		t.Errorf("outputs %v", out.Outputs)
	}
}

func TestWalkFailureThroughLocals(t *testing.T) {
	const source = `
resource "ConfigMap" "a" {
  for_each = toset(["x", "y"])
  metadata { name = "a-${each.key}" }
}
locals {
  uids  = { for k, c in ConfigMap.a : k => c.metadata.uid }
  table = { "uid-of-a-x" = "from x", "uid-of-a-y" = "from y" }
}
resource "ConfigMap" "b" {
  for_each = ConfigMap.a
  metadata { name = "b-${each.key}" }
  data = { uid = local.uids[each.key] }
}
resource "ConfigMap" "looked_up" {
  for_each = toset(["x", "y"])
  metadata { name = "c-${each.key}" }
  data = { value = local.table[ConfigMap.a[each.key].metadata.uid] }
}
output "text" { value = "${local.uids["y"]}!" }
`
	r := &recorder{fail: map[string]bool{`ConfigMap.a["x"]`: true}}
	out := mustWalk(t, source, r)
	wantEqual(t, "skipped", skippedTexts(out), []string{
		`ConfigMap.b["x"] by ConfigMap.a["x"]`, `ConfigMap.looked_up["x"] by ConfigMap.a["x"]`,
	})
	wantEqual(t, "data", r.desired[`ConfigMap.looked_up["y"]`].Fields["data"], map[string]any{"value": "from y"})
	wantEqual(t, "outputs", out.Outputs, []OutputValue{{Name: "text", Value: "uid-of-a-y!", Type: "string"}})
}

func TestWalkSkipsWholeBlock(t *testing.T) {
	const source = `
resource "Namespace" "n" {
  metadata {
    name   = "n"
    labels = { a = "1" }
  }
}
resource "ConfigMap" "each" {
  for_each = Namespace.n.metadata.labels
  metadata { name = each.key }
}
resource "ConfigMap" "after" {
  metadata { name = "after" }
  data = { x = ConfigMap.each["a"].metadata.name }
}
resource "ConfigMap" "waits" {
  metadata { name = "waits" }
  depends_on = [ConfigMap.each]
}
output "each" { value = keys(ConfigMap.each) }
`
	r := &recorder{fail: map[string]bool{"Namespace.n": true}}
	out := mustWalk(t, source, r)
	wantEqual(t, "visited", visitedAddrs(out), []string{"Namespace.n"})
	wantEqual(t, "skipped", skippedTexts(out), []string{
		"ConfigMap.each by Namespace.n", "ConfigMap.after by Namespace.n", "ConfigMap.waits by Namespace.n",
	})
	wantEqual(t, "outputs", len(out.Outputs), 0)
	// A server that adds a label makes another instance.
	r = &recorder{see: func(d *Desired) (Observed, error) {
		seen := served(d)
		if d.Kind.Name == "Namespace" {
			seen.Object["metadata"].(map[string]any)["labels"] = map[string]any{"a": "1", "b": "2"}
		}
		return seen, nil
	}}
	out = mustWalk(t, source, r)
	wantEqual(t, "visited", visitedAddrs(out), []string{"Namespace.n", `ConfigMap.each["a"]`, `ConfigMap.each["b"]`,
		"ConfigMap.after", "ConfigMap.waits"})
	wantEqual(t, "awaits", fmt.Sprint(r.desired["ConfigMap.waits"].Awaits), `[ConfigMap.each["a"] ConfigMap.each["b"]]`)
}

func TestWalkUnknown(t *testing.T) {
	const source = `
resource "Service" "s" {
  metadata { name = "s" }
  spec {
    ports {
      name = "http"
      port = 80
    }
  }
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = {
    ip     = Service.s.spec.clusterIP
    node   = Service.s.spec.ports[0].nodePort
    target = Service.s.spec.ports[0].targetPort
    type   = Service.s.spec.type
    absent = Service.s.metadata.generateName
  }
}
output "ip" { value = Service.s.spec.clusterIP }
`
	r := &recorder{see: func(d *Desired) (Observed, error) {
		seen := served(d)
		if d.Kind.Name == "Service" {
			seen.Object["spec"] = map[string]any{"type": "ClusterIP", "ports": []any{map[string]any{"name": "http",
				"port": int64(80), "protocol": "TCP", "targetPort": int64(80)}}}
			node := addrs.NewPath("spec", "ports").Select(map[string]any{"port": 80, "protocol": "TCP"}).Field("nodePort")
			seen.Unknown = addrs.NewPathSet(addrs.NewPath("spec", "clusterIP"), node)
		}
		return seen, nil
	}}
	out := mustWalk(t, source, r)
	c := r.desired["ConfigMap.c"]
	wantEqual(t, "data", c.Fields["data"], map[string]any{"target": "80", "type": "ClusterIP"})
	wantEqual(t, "unknown", fmt.Sprint(c.Unknown.Sorted()), "[data.ip data.node]")
	wantEqual(t, "outputs", out.Outputs, []OutputValue{{Name: "ip", Type: "string", Unknown: true}})
}

func TestWalkSecretStaysSecret(t *testing.T) {
	const source = `
resource "Secret" "s" {
  metadata { name = "s" }
  stringData = { password = "x" }
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = { copied = "p:${Secret.s.data.password}", generated = Secret.s.data["made"] }
}
`
	r := &recorder{see: func(d *Desired) (Observed, error) {
		seen := served(d)
		if d.Kind.Name == "Secret" {
			seen.Object["data"] = map[string]any{"password": "eA==", "made": "eQ=="}
		}
		return seen, nil
	}}
	mustWalk(t, source, r)
	c := r.desired["ConfigMap.c"]
	wantEqual(t, "sensitive", fmt.Sprint(c.Sensitive.Sorted()), "[data.copied data.generated]")
	wantEqual(t, "data", c.Fields["data"], map[string]any{"copied": "p:eA==", "generated": "eQ=="})
}

func TestWalkNamespacesAndDefinitions(t *testing.T) {
	const source = `
resource "Widget" "w" {
  metadata {
    name      = "w"
    namespace = "shop"
  }
  free = { x = 1 }
}
resource "ConfigMap" "c" {
  metadata {
    name      = "c"
    namespace = "shop"
  }
}
resource "Namespace" "shop" {
  metadata { name = "shop" }
}
resource "CustomResourceDefinition" "widgets" {
  metadata { name = "widgets.example.com" }
  spec {
    group = "example.com"
    scope = "Namespaced"
    names {
      kind   = "Widget"
      plural = "widgets"
    }
    versions {
      name    = "v1"
      served  = true
      storage = true
      schema {
        openAPIV3Schema = { type = "object", "x-kubernetes-preserve-unknown-fields" = true }
      }
    }
  }
}
`
	r := &recorder{}
	mustWalk(t, source, r)
	for _, pair := range [][2]string{{"Namespace.shop", "ConfigMap.c"}, {"Namespace.shop", "Widget.w"},
		{"CustomResourceDefinition.widgets", "Widget.w"}} {
		if slices.Index(r.order, pair[0]) > slices.Index(r.order, pair[1]) {
			t.Errorf("%s was visited before %s", pair[1], pair[0])
		}
	}
	r = &recorder{fail: map[string]bool{"CustomResourceDefinition.widgets": true}}
	wantEqual(t, "skipped", skippedTexts(mustWalk(t, source, r)), []string{"Widget.w by CustomResourceDefinition.widgets"})
	r = &recorder{fail: map[string]bool{"Namespace.shop": true}}
	wantEqual(t, "skipped", skippedTexts(mustWalk(t, source, r)), []string{"Widget.w by Namespace.shop", "ConfigMap.c by Namespace.shop"})
}

// A namespace that refers to an object in it can't come before that object.
func TestWalkNamespaceInCycle(t *testing.T) {
	r := &recorder{}
	mustWalk(t, `
resource "Namespace" "n" {
  metadata {
    name        = "n"
    annotations = { uid = ConfigMap.c.metadata.uid }
  }
}
resource "ConfigMap" "c" {
  metadata {
    name      = "c"
    namespace = "n"
  }
}
`, r)
	wantEqual(t, "order", r.order, []string{"ConfigMap.c", "Namespace.n"})
	wantEqual(t, "needs", len(r.desired["ConfigMap.c"].Dependencies), 0)
}

func TestWalkDependsOn(t *testing.T) {
	const source = `
resource "ConfigMap" "b" {
  metadata { name = "b" }
  depends_on = [ConfigMap.a]
}
resource "ConfigMap" "a" {
  count = 2
  metadata { name = "a${count.index}" }
}
output "x" {
  value      = 1
  depends_on = [ConfigMap.a]
}
`
	r := &recorder{}
	mustWalk(t, source, r)
	wantEqual(t, "last", r.order[2], "ConfigMap.b")
	wantEqual(t, "awaits", fmt.Sprint(r.desired["ConfigMap.b"].Awaits), "[ConfigMap.a[0] ConfigMap.a[1]]")
	out := mustWalk(t, source, &recorder{fail: map[string]bool{"ConfigMap.a[1]": true}})
	wantEqual(t, "skipped", skippedTexts(out), []string{"ConfigMap.b by ConfigMap.a[1]"})
	wantEqual(t, "outputs", len(out.Outputs), 0)
}

func TestWalkResultsOfNeeds(t *testing.T) {
	var mu sync.Mutex
	given := map[string]string{}
	_, diags := Walk(context.Background(), previewOf(t, tenants), WalkOptions{},
		func(_ context.Context, d *Desired, needs map[addrs.Instance]string) (Observed, string, error) {
			mu.Lock()
			defer mu.Unlock()
			given[d.Addr.String()] = fmt.Sprint(needs)
			return served(d), "done " + d.Addr.Key.String(), nil
		})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	wantEqual(t, "needs", given[`ConfigMap.note["c"]`], `map[Namespace.tenant["c"]:done ["c"] Pod.web["c"]:done ["c"]]`)
}

func TestWalkInterrupted(t *testing.T) {
	config := configOf(t, tenants)
	ctx, cancel := context.WithCancel(context.Background())
	visits := 0
	out, diags := Walk(ctx, previewOf(t, tenants), WalkOptions{Parallelism: 1},
		func(context.Context, *Desired, map[addrs.Instance]int) (Observed, int, error) {
			visits++
			cancel()
			return Observed{}, 0, nil
		})
	if visits != 1 || len(out.Visited) != 1 || len(out.Skipped) != 0 || len(out.Outputs) != 0 || diags.HasErrors() {
		t.Errorf("%d visits, %d visited, %d skipped, outputs %v, %v", visits, len(out.Visited), len(out.Skipped), out.Outputs, diags)
	}
	preview, diags := NewPreview(ctx, config, optionsFor(t, config))
	if !diags.HasErrors() {
		t.Error("an interrupted preview is not reported")
	}
	if _, diags = Walk(context.Background(), preview, WalkOptions{},
		func(context.Context, *Desired, map[addrs.Instance]int) (Observed, int, error) {
			t.Error("visited although only half of it was evaluated")
			return Observed{}, 0, nil
		}); !diags.HasErrors() {
		t.Error("half a preview is walked")
	}
}

func TestWalkParallelism(t *testing.T) {
	source := `
resource "ConfigMap" "a" {
  count = 20
  metadata { name = "a${count.index}" }
}
resource "ConfigMap" "b" {
  count = 20
  metadata { name = "b${count.index}" }
}
`
	preview := previewOf(t, source)
	for _, limit := range []int{1, 3, 0} {
		// Visits wait until as many as allowed are in progress, so that a walk that makes fewer at
		// once does not end.
		want := limit
		if limit == 0 {
			want = 40
		}
		var mu sync.Mutex
		all := make(chan struct{})
		running := 0
		out, diags := Walk(context.Background(), preview, WalkOptions{Parallelism: limit},
			func(context.Context, *Desired, map[addrs.Instance]int) (Observed, int, error) {
				mu.Lock()
				if running++; running == want {
					close(all)
				}
				mu.Unlock()
				<-all
				return Observed{}, 0, nil
			})
		if diags.HasErrors() || len(out.Visited) != 40 {
			t.Fatalf("%v %d", diags, len(out.Visited))
		}
	}
	r := &recorder{}
	if _, diags := walkWith(t, source, r, WalkOptions{Parallelism: 2}); diags.HasErrors() || r.most > 2 {
		t.Errorf("%d at once, %v", r.most, diags)
	}
}

// TestWalkReleasesSlot has the first of two objects wait for the second, with one slot.
func TestWalkReleasesSlot(t *testing.T) {
	preview := previewOf(t, `
resource "Namespace" "a" {
  for_each = toset(["1", "2"])
  metadata { name = each.key }
}
`)
	begun := make(chan struct{})
	visit := func(ctx context.Context, d *Desired, _ map[addrs.Instance]int) (Observed, int, error) {
		if d.Object.Name == "2" {
			close(begun)
			return Observed{}, 0, nil
		}
		ReleaseSlot(ctx)
		ReleaseSlot(ctx) // once is enough
		select {
		case <-begun:
			return Observed{}, 0, nil
		case <-time.After(time.Minute):
			return Observed{}, 0, errors.New("the second visit does not begin")
		}
	}
	out, diags := Walk(t.Context(), preview, WalkOptions{Parallelism: 1}, visit)
	if diags.HasErrors() || len(out.Visited) != 2 || out.Visited[0].Err != nil {
		t.Error(diags, out.Visited)
	}
}

// TestWalkLateProblem: a problem that only a known value shows fails that instance, with its
// range, and skips what needs it.
func TestWalkLateProblem(t *testing.T) {
	const source = `
resource "ConfigMap" "a" {
  count = 2
  metadata { name = "a${count.index}" }
}
resource "ConfigMap" "b" {
  count = 2
  metadata { name = ConfigMap.a[count.index].metadata.uid }
}
resource "ConfigMap" "c" {
  count = 2
  metadata { name = "c-${ConfigMap.b[count.index].metadata.name}" }
}
resource "ConfigMap" "d" {
  count = 2
  metadata {
    name      = "d"
    namespace = substr(ConfigMap.a[count.index].metadata.uid, 0, 1)
  }
}
`
	r := &recorder{see: func(d *Desired) (Observed, error) {
		seen := served(d)
		if d.Object.Name == "a1" {
			seen.Object["metadata"].(map[string]any)["uid"] = "uid not valid"
		}
		return seen, nil
	}}
	out, diags := walkWith(t, source, r, WalkOptions{})
	var texts []string
	for _, d := range diags {
		texts = append(texts, fmt.Sprintf("%d %v %s", d.Subject.Start.Line, d.Extra, d.Summary))
	}
	slices.Sort(texts)
	if len(texts) != 2 || texts[1] != "8 ConfigMap.b[1] Invalid name" || !strings.HasPrefix(texts[0],
		"17 ConfigMap.d[") || !strings.HasSuffix(texts[0], " Duplicate object") {
		t.Errorf("diagnostics: %q", texts)
	}
	wantEqual(t, "skipped", skippedTexts(out), []string{"ConfigMap.c[1] by ConfigMap.b[1]"})
}

func TestWalkNothingWhenPreviewFails(t *testing.T) {
	r := &recorder{}
	out, diags := walkWith(t, `
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
resource "ConfigMap" "b" {
  metadata { nam = "a" }
}
`, r, WalkOptions{})
	if !diags.HasErrors() || len(r.order) > 0 || len(out.Visited) > 0 {
		t.Errorf("%v, visited %v", diags, r.order)
	}
}

// What one walk has seen is nothing to the next of the same preview.
func TestWalkAgain(t *testing.T) {
	preview := previewOf(t, tenants)
	for n, uid := range []string{"first", "", "third"} {
		r := &recorder{see: func(d *Desired) (Observed, error) {
			if uid == "" {
				return Observed{}, errors.New("refused")
			}
			seen := served(d)
			seen.Object["metadata"].(map[string]any)["uid"] = uid
			return seen, nil
		}}
		out, diags := Walk(t.Context(), preview, WalkOptions{}, r.visit)
		if diags.HasErrors() {
			t.Fatal(n, diags)
		}
		if uid == "" {
			wantEqual(t, "skipped", len(out.Skipped), 6)
			wantEqual(t, "outputs", len(out.Outputs), 0)
			continue
		}
		wantEqual(t, "note", r.desired[`ConfigMap.note["b"]`].Fields["data"], map[string]any{"pod": uid})
		wantEqual(t, "output", out.Outputs[1].Value, any(uid))
	}
	wantEqual(t, "unknown", preview.Desired()[7].Unknown.Sorted()[0].String(), "data.pod")
}

// The objects and the outputs may take as much each, and again in each walk.
func TestBudgetOfEachRound(t *testing.T) {
	preview := previewOf(t, `
locals {
  line  = "${join("", range(1000))}"
  text  = join("", [for i in range(1000) : local.line])
  texts = length([for i in range(15) : "${local.text}${i}"])
}
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data = { texts = local.texts }
}
output "texts" { value = length([for i in range(15) : "${local.text}${i}"]) }
`)
	for range 3 {
		out, diags := Walk(t.Context(), preview, WalkOptions{Only: func(addrs.Resource) bool { return true }}, (&recorder{}).visit)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		wantEqual(t, "output", out.Outputs[0].Value, any(int64(15)))
	}
}

// limitInstances lets a test have too many objects sooner.
func limitInstances(t testing.TB, limit int) {
	usual := maxInstances
	maxInstances = limit
	t.Cleanup(func() { maxInstances = usual })
}

// limitBudget lets a test run out of its budget sooner.
func limitBudget(t testing.TB, limit int64) {
	usual := budget.Limit
	budget.Limit = limit
	t.Cleanup(func() { budget.Limit = usual })
}

// What is wrong with an output is nothing to a walk without a resource that goes into it.
func TestProblemsOnly(t *testing.T) {
	preview := previewOf(t, `
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
resource "ConfigMap" "b" {
  metadata { name = "b" }
  data = { n = "text" }
}
output "a" { value = ConfigMap.a.metadata.name }
output "b" { value = tonumber(ConfigMap.b.data.n) }
`)
	onlyA := func(r addrs.Resource) bool { return r.Name == "a" }
	if diags := preview.Problems(onlyA); len(diags) > 0 {
		t.Error(diags)
	}
	if diags := preview.Problems(nil); len(diags) != 1 {
		t.Error(diags)
	}
	out, diags := Walk(t.Context(), preview, WalkOptions{Only: onlyA}, (&recorder{}).visit)
	if diags.HasErrors() || len(out.Visited) != 1 || len(out.Outputs) != 1 {
		t.Errorf("%d visited, outputs %v, %v", len(out.Visited), out.Outputs, diags)
	}
	if out, diags = Walk(t.Context(), preview, WalkOptions{}, (&recorder{}).visit); !diags.HasErrors() || len(out.Visited) > 0 {
		t.Errorf("%d visited although an output is wrong", len(out.Visited))
	}
}

func TestWalkOnly(t *testing.T) {
	r := &recorder{}
	out, diags := walkWith(t, tenants, r, WalkOptions{
		Only: func(r addrs.Resource) bool { return r.Type != "ConfigMap" && r.Type != "Pod" },
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	wantEqual(t, "visited", visitedAddrs(out), []string{`Namespace.tenant["a"]`, `Namespace.tenant["b"]`, `Namespace.tenant["c"]`})
	wantEqual(t, "outputs", len(out.Outputs), 0)
}

func TestPreviewPartial(t *testing.T) {
	const source = `
variable "tenants" { type = map(object({ image = string })) }
resource "ConfigMap" "a" {
  for_each = var.tenants
  metadata { name = each.key }
  data = { image = each.value.image, n = 5 }
}
resource "ConfigMap" "b" {
  count = length(var.tenants)
  metadata { name = "b-${count.index}" }
  wrong = ConfigMap.a["x"].metadata.name
}
`
	config := configOf(t, source)
	preview, diags := NewPreview(context.Background(), config, Options{Kinds: optionsFor(t, configOf(t, "")).Kinds, Partial: true})
	desired := preview.Desired()
	if len(diags) != 1 || diags[0].Summary != "Unknown field" {
		t.Errorf("diagnostics %v", diags)
	}
	if len(desired) != 2 || desired[0].Addr.String() != "ConfigMap.a" ||
		fmt.Sprint(desired[0].Unknown.Sorted()) != "[data.image metadata.name]" {
		t.Errorf("%v", desired)
	}
}

func TestRangeOf(t *testing.T) {
	const source = `
resource "Pod" "a" {
  metadata {
    name = "a"
  }
  spec {
    containers {
      name = "a"
      image = "a"
    }
    dynamic "containers" {
      for_each = ["x", "y"]
      content {
        name = containers.value
        image = "b"
      }
    }
    containers {
      name = "z"
      image = "c"
      env = [
        { name = "A", value = "1" },
        { name = "B", value = "2" },
      ]
    }
    volumes = local.volumes
    dynamic "securityContext" {
      for_each = [1]
      content {
        runAsUser = 1
      }
    }
  }
}
locals { volumes = [{ name = "v" }] }
resource "Secret" "s" {
  metadata { name = "s" }
  data = {
    a = "YQ=="
  }
  stringData = {
    b = "b"
  }
}
`
	config := configOf(t, source)
	preview, diags := NewPreview(context.Background(), config, optionsFor(t, config))
	desired := preview.Desired()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, test := range []struct {
		object int
		path   string
		line   int
	}{
		{0, "metadata.name", 4},
		{0, "metadata.labels.x", 3},
		{0, "status", 2},
		{0, "spec", 6},
		{0, "spec.containers[0].image", 9},
		{0, `spec.containers[name="a"].image`, 9},
		{0, "spec.containers[1].name", 14},
		{0, "spec.containers[2].image", 15},
		{0, `spec.containers[name="y"].image`, 15},
		{0, "spec.containers[3].image", 20},
		{0, `spec.containers[name="z"].env[name="B"].value`, 23},
		{0, "spec.containers[3].env[0]", 22},
		{0, "spec.containers[9].image", 7},
		{0, `spec.containers[name="no"].image`, 7},
		{0, "spec.volumes[0].name", 26},
		{0, "spec.securityContext.runAsUser", 30},
		{1, "data.a", 39},
		{1, "data.b", 42},
		{1, "data", 38},
		{1, "type", 36},
	} {
		path, err := addrs.ParsePath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := desired[test.object].RangeOf(path).Start.Line; got != test.line {
			t.Errorf("%s: line %d, want %d", test.path, got, test.line)
		}
	}
	if got := desired[0].RangeOf(addrs.Path{}).Start.Line; got != 2 {
		t.Errorf("whole object: line %d", got)
	}
}

// TestWalkProperty walks random configurations, whose visits fail at random: every instance is
// visited after all it needs, or skipped for a failure among them, and nothing else is skipped.
func TestWalkProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type target struct {
			name string
			keys []string // nil for a single object
		}
		var (
			source strings.Builder
			made   []target
			blocks []string
			needs  = map[string][]string{}
		)
		fail := map[string]bool{}
		count := rapid.IntRange(1, 7).Draw(rt, "blocks")
		for n := range count {
			self := target{name: fmt.Sprintf("b%d", n)}
			forEach := ""
			if rapid.Bool().Draw(rt, "for_each") {
				self.keys = []string{"x", "y"}
				forEach = "  for_each = toset([\"x\", \"y\"])\n"
			}
			addr := func(key string) string {
				if self.keys == nil {
					return "ConfigMap." + self.name
				}
				return fmt.Sprintf("ConfigMap.%s[%q]", self.name, key)
			}
			keys := self.keys
			if keys == nil {
				keys = []string{""}
			}
			var data []string
			for _, dep := range made {
				if !rapid.Bool().Draw(rt, "refers") {
					continue
				}
				switch {
				case dep.keys == nil:
					data = append(data, fmt.Sprintf("%s = ConfigMap.%s.metadata.uid", dep.name, dep.name))
					for _, k := range keys {
						needs[addr(k)] = append(needs[addr(k)], "ConfigMap."+dep.name)
					}
				case self.keys == nil:
					data = append(data, fmt.Sprintf("%s = ConfigMap.%s[\"y\"].metadata.uid", dep.name, dep.name))
					needs[addr("")] = append(needs[addr("")], fmt.Sprintf("ConfigMap.%s[\"y\"]", dep.name))
				default:
					data = append(data, fmt.Sprintf("%s = ConfigMap.%s[each.key].metadata.uid", dep.name, dep.name))
					for _, k := range keys {
						needs[addr(k)] = append(needs[addr(k)], fmt.Sprintf("ConfigMap.%s[%q]", dep.name, k))
					}
				}
			}
			for _, k := range keys {
				if _, ok := needs[addr(k)]; !ok {
					needs[addr(k)] = nil
				}
				if rapid.IntRange(0, 5).Draw(rt, "fails") == 0 {
					fail[addr(k)] = true
				}
			}
			name := self.name
			if self.keys != nil {
				name += "-${each.key}"
			}
			blocks = append(blocks, fmt.Sprintf("resource \"ConfigMap\" %q {\n%s  metadata { name = %q }\n  data = { %s }\n}\n",
				self.name, forEach, name, strings.Join(data, ", ")))
			made = append(made, self)
		}
		for _, b := range rapid.Permutation(blocks).Draw(rt, "order") {
			source.WriteString(b)
		}
		var blamed func(addr string) bool
		blamed = func(addr string) bool {
			return slices.ContainsFunc(needs[addr], func(n string) bool { return fail[n] || blamed(n) })
		}
		r := &recorder{fail: fail}
		out, diags := walkWith(t, source.String(), r, WalkOptions{Parallelism: rapid.IntRange(0, 3).Draw(rt, "parallelism")})
		if diags.HasErrors() {
			rt.Fatal(diags)
		}
		var held []string
		for _, h := range out.Skipped {
			held = append(held, h.Addr.String())
			if !fail[h.By.String()] {
				rt.Fatalf("%s is skipped for %s, which did not fail", h.Addr, h.By)
			}
		}
		for addr := range needs {
			visited, isSkipped := slices.Contains(r.order, addr), slices.Contains(held, addr)
			if visited == isSkipped || isSkipped != blamed(addr) {
				rt.Fatalf("%s: visited %t, skipped %t\n%s", addr, visited, isSkipped, source.String())
			}
		}
		for at, addr := range r.order {
			for _, n := range needs[addr] {
				if before := slices.Index(r.order, n); before < 0 || before > at {
					rt.Fatalf("%s was visited before %s", addr, n)
				}
			}
		}
	})
}
