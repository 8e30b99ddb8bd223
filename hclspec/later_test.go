package hclspec

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
)

const laterObjects = `
resource "Pod" "p" {
  for_each = toset(["a", "b"])
  metadata { name = each.key }
  spec { containers = [{ name = "app", image = "app" }] }
}
resource "Pod" "n" {
  count = 1
  metadata { name = "n" }
  spec { containers = [{ name = "app", image = "app" }] }
}
resource "Pod" "one" {
  metadata { name = "one" }
  spec { containers = [{ name = "app", image = "app" }] }
}
resource "ConfigMap" "other" {
  metadata { name = "other" }
}
`

// laterText lists the values that are waited for, an object a line.
func laterText(t *testing.T, c *config.Config) string {
	t.Helper()
	pre, diags := NewPreview(t.Context(), c, optionsFor(t, c))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var lines []string
	for _, d := range pre.Desired() {
		var values []string
		for _, later := range d.Later {
			text := fieldsText(later)
			if later.Optional {
				text += "?"
			}
			values = append(values, text)
		}
		if len(values) > 0 {
			lines = append(lines, d.Addr.String()+": "+strings.Join(values, ", "))
		}
	}
	return strings.Join(lines, "\n")
}

func fieldsText(later Later) string {
	var texts []string
	for _, p := range later.Paths {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, " or ")
}

const (
	bothIPs = "Pod.p[\"a\"]: status.podIP\nPod.p[\"b\"]: status.podIP"
	oneIP   = `Pod.one: status.podIP`
)

// TestLater: a value that appears later is waited for however the reference to its object is handed on.
func TestLater(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"reference", `Pod.one.status.podIP`, oneIP},
		{"key", `Pod.p["a"].status.podIP`, `Pod.p["a"]: status.podIP`},
		{"template", `"http://${Pod.one.status.podIP}/"`, oneIP},
		{"list", `[for p in Pod.p : p.status.podIP]`, bothIPs},
		{"list of count", `[for p in Pod.n : p.status.podIP]`, `Pod.n[0]: status.podIP`},
		{"object", `{ for k, p in Pod.p : k => p.status.podIP }`, bothIPs},
		{"key of object", `{ for k, p in Pod.p : p.status.podIP => k }`, bothIPs},
		{"condition", `[for k, p in Pod.p : k if p.status.podIP != ""]`, bothIPs},
		{"values", `[for p in values(Pod.p) : p.status.podIP]`, bothIPs},
		{"splat of values", `values(Pod.p)[*].status.podIP`, bothIPs},
		{"call", `one(Pod.n).status.podIP`, `Pod.n[0]: status.podIP`},
		{"choice", `(1 == 1 ? Pod.one : null).status.podIP`, oneIP},
		{"written list", `[for p in [Pod.one] : p.status.podIP]`, oneIP},
		{"nested", `[for q in [for p in Pod.p : p] : [for k, v in { q = q } : v.status.podIP]]`, bothIPs},
		{"nested pairs", `flatten([for k, p in Pod.p : [for q in Pod.n : "${p.status.podIP}${q.spec.nodeName}"]])`,
			"Pod.p[\"a\"]: status.podIP, spec.nodeName\nPod.p[\"b\"]: status.podIP, spec.nodeName\nPod.n[0]: status.podIP, spec.nodeName"},
		{"part of an object", `[for s in [Pod.one.spec] : s.nodeName]`, `Pod.one: spec.nodeName`},
		{"in brackets", `[for p in Pod.p : p["status"]["podIP"]]`, bothIPs},
		{"in a template", `"%{ for p in Pod.p }${p.status.podIP} %{ endfor }"`, bothIPs},
		{"with a fallback", `[for p in Pod.p : try(p.status.podIP, "none")]`, strings.ReplaceAll(bothIPs, "IP", "IP?")},
		{"either", `[for p in Pod.p : coalesce(p.status.podIP, p.status.hostIP)]`, strings.ReplaceAll(bothIPs, "IP", "IP or status.hostIP")},
		{"name only", `[for p in Pod.p : p.metadata.name]`, ``},
		{"attributes of one object", `{ for k, v in Pod.one : k => try(v.name, v.podIP, null) }`, ``},
		{"no such field", `[for c in [ConfigMap.other] : try(c.status.podIP, "")]`, ``},
		{"local value", `local.one.status.podIP`, oneIP},
		{"local values", `[for p in local.again : p.status.podIP]`, bothIPs},
		{"key of a local value", `local.again["a"].status.podIP`, bothIPs},
		{"part of a local value", `local.parts.one.status.podIP`, oneIP + "\nPod.n[0]: status.podIP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			locals := `locals {
  one   = Pod.one
  all   = Pod.p
  again = local.all
  parts = { one = Pod.one, n = Pod.n[0] }
}
`
			source := laterObjects + locals
			got := laterText(t, configOf(t, source+"output \"o\" { value = jsonencode("+test.value+") }\n"))
			wantEqual(t, "in an output", lines(got), lines(test.want))
			got = laterText(t, configOf(t, source+"locals { l = "+test.value+" }\n"))
			wantEqual(t, "in a local value", lines(got), lines(test.want))
			got = laterText(t, configOf(t, source+"resource \"ConfigMap\" \"c\" {\n  metadata { name = \"c\" }\n  data = { v = jsonencode("+
				test.value+") }\n}\n"))
			wantEqual(t, "in a resource", lines(got), lines(test.want))
		})
	}
}

func lines(text string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(text) {
		all[strings.TrimSpace(line)] = true
	}
	return all
}

// TestLaterInBlocks: the same where a block is repeated for objects.
func TestLaterInBlocks(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"each", `resource "ConfigMap" "c" {
  for_each = Pod.p
  metadata { name = each.key }
  data = { ip = each.value.status.podIP }
}
`, bothIPs},
		{"each of a local value", `locals { pods = { for k, p in Pod.p : k => p } }
resource "ConfigMap" "c" {
  for_each = local.pods
  metadata { name = each.key }
  data = { ip = each.value.status.podIP }
}
`, bothIPs},
		{"dynamic", `resource "Endpoints" "e" {
  metadata { name = "e" }
  dynamic "subsets" {
    for_each = Pod.p
    content { addresses = [{ ip = subsets.value.status.podIP }] }
  }
}
`, bothIPs},
		{"nested dynamic", `resource "Endpoints" "e" {
  metadata { name = "e" }
  dynamic "subsets" {
    for_each = [Pod.p]
    iterator = group
    content {
      dynamic "addresses" {
        for_each = group.value
        content { ip = addresses.value.status.podIP }
      }
    }
  }
}
`, bothIPs},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := laterText(t, configOf(t, laterObjects+test.source))
			wantEqual(t, "later values", lines(got), lines(test.want))
		})
	}
}

// TestLaterInJSON: what a string in JSON holds is seen as the same in HCL is.
func TestLaterInJSON(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"reference", `"${Pod.one.status.podIP}"`, oneIP},
		{"loop", `"${jsonencode([for p in Pod.p : p.status.podIP])}"`, bothIPs},
		{"with a fallback", `"${try(Pod.one.status.podIP, \"none\")}"`, `Pod.one: status.podIP?`},
		{"in a list", `["${values(Pod.p)[*].status.podIP}"]`, bothIPs},
		{"in an object", `{ "a": { "${Pod.one.status.podIP}": 1 } }`, oneIP},
		{"no template", `"${"`, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"main.kplan.hcl": laterObjects, "more.kplan.json": `{ "locals": { "l": ` + test.value + ` } }`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			c, diags := config.Load(context.Background(), dir)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if test.want == "" {
				return // it was read without harm
			}
			wantEqual(t, "later values", lines(laterText(t, c)), lines(test.want))
		})
	}
}

// TestLaterAwaited: who refers to a value waits for it, and nobody else; what does not appear skips
// what was to be made of it.
func TestLaterAwaited(t *testing.T) {
	source := laterObjects + `
locals { one = { name = Pod.one.metadata.name, ip = Pod.one.status.podIP } }
resource "ConfigMap" "name" {
  metadata { name = local.one.name }
}
resource "ConfigMap" "ip" {
  metadata { name = "ip" }
  data = { ip = local.one.ip }
}
resource "ConfigMap" "each" {
  for_each = Pod.p
  metadata { name = "each-${each.key}" }
  data = { ip = each.value.status.podIP }
}
resource "ConfigMap" "fallback" {
  metadata { name = "fallback" }
  data = { all = join(",", [for p in Pod.n : coalesce(p.status.podIP, "none")]) }
}
resource "ConfigMap" "after" {
  metadata { name = "after" }
  depends_on = [Pod.one]
}
output "ip" { value = local.one.ip }
`
	var mu sync.Mutex
	awaited := map[string]int{}
	made := map[string]any{}
	named := make(chan struct{})
	visitor := Visitor[*Desired]{
		Visit: func(_ context.Context, d *Desired, _ map[addrs.Instance]*Desired) (Observed, *Desired, error) {
			mu.Lock()
			defer mu.Unlock()
			seen := Observed{Object: d.Fields}
			for n := range d.Later {
				seen.Pending = append(seen.Pending, n)
			}
			made[d.Addr.String()] = d.Fields["data"]
			if d.Addr.String() == "ConfigMap.name" {
				close(named)
			}
			return seen, d, nil
		},
		Await: func(_ context.Context, d *Desired, _ *Desired, n int) error {
			select {
			case <-named:
			case <-time.After(10 * time.Second):
				t.Error("what refers to the name alone waits")
			}
			mu.Lock()
			defer mu.Unlock()
			if n == Ready {
				awaited[d.Addr.String()+" ready"]++
				return nil
			}
			awaited[d.Addr.String()+" "+fieldsText(d.Later[n])]++
			if d.Addr.Key == addrs.StringKey("b") {
				return errors.New("it has none")
			}
			return nil
		},
		Latest: func(d *Desired) map[string]any {
			object := maps.Clone(d.Fields)
			if object["status"] = map[string]any{"podIP": "10.0.0.1"}; d.Addr.Resource.Name == "n" {
				object["status"] = map[string]any{}
			}
			return object
		},
	}
	out, diags := visitor.Walk(t.Context(), previewOf(t, source), WalkOptions{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var skipped []string
	for _, s := range out.Skipped {
		skipped = append(skipped, s.Addr.String()+" by "+s.By.String())
	}
	wantEqual(t, "skipped", skipped, []string{`ConfigMap.each["b"] by Pod.p["b"]`})
	wantEqual(t, "the value", made["ConfigMap.ip"], any(map[string]any{"ip": "10.0.0.1"}))
	wantEqual(t, "the fallback", made["ConfigMap.fallback"], any(map[string]any{"all": "none"}))
	wantEqual(t, "the value of each", made[`ConfigMap.each["a"]`], any(map[string]any{"ip": "10.0.0.1"}))
	if len(out.Outputs) != 1 || out.Outputs[0].Value != "10.0.0.1" {
		t.Errorf("outputs: %+v", out.Outputs)
	}
	wantEqual(t, "the names of what was waited for", slices.Sorted(maps.Keys(awaited)), []string{
		"Pod.n[0] status.podIP", "Pod.one ready", "Pod.one status.podIP", `Pod.p["a"] status.podIP`, `Pod.p["b"] status.podIP`,
	})
}
