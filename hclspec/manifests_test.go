package hclspec

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/spectest"
)

// aBundle has a definition behind the object that it defines, objects with and without a namespace, and a list.
const aBundle = `# a bundle
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
spec: {size: 3}
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: settings, namespace: other}
  data: {a: "1"}
- apiVersion: v1
  kind: Pod
  metadata: {name: web}
  spec:
    containers:
    - {name: web, image: web, envFrom: [{secretRef: {name: login}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: login}
stringData: {password: hunter2}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: []
---
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
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
---
`

const aBundleBlock = `
manifests "b" {
  objects   = yamldecodeall(file("bundle.yaml"))
  namespace = Namespace.n.metadata.name
}
resource "Namespace" "n" {
  metadata { name = "acme" }
}
`

// previewBundle is the preview of a configuration beside bundle.yaml, and all that is wrong with it.
func previewBundle(t testing.TB, main, bundle string, opts Options) (*Preview, hcl.Diagnostics) {
	t.Helper()
	c, diags := config.Load(context.Background(), spectest.WriteFiles(t, map[string]string{"main.kplan.hcl": main, "bundle.yaml": bundle}))
	if diags.HasErrors() {
		return nil, diags
	}
	opts.Variables, _ = c.ReadVariables(config.Inputs{Partial: opts.Partial})
	return NewPreview(context.Background(), c, opts)
}

func walkBundle(t testing.TB, r *recorder, main, bundle string) (Outcome[string], hcl.Diagnostics) {
	t.Helper()
	pre, diags := previewBundle(t, main, bundle, Options{})
	if pre == nil || diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	return Walk(context.Background(), pre, WalkOptions{}, r.visit)
}

func TestManifests(t *testing.T) {
	r := &recorder{}
	out, diags := walkBundle(t, r, aBundleBlock+`
resource "ConfigMap" "c" {
  metadata {
    name      = "c"
    namespace = manifests.b["Pod/acme/web"].metadata.namespace
  }
  data = {
    uid  = manifests.b["ConfigMap/other/settings"].metadata.uid
    size = manifests.b["Widget/acme/w"].spec.size
    key  = manifests.b[local.key].data.a
  }
}
locals { key = "ConfigMap/other/settings" }
output "keys" { value = keys(manifests.b) }
output "pods" { value = [for k, o in manifests.b : o.metadata.name if startswith(k, "Pod/")] }
output "password" {
  value     = manifests.b["Secret/acme/login"].data.password
  sensitive = true
}
`, aBundle)
	if len(diags) > 0 {
		t.Fatal(diags.Errs())
	}
	wantEqual(t, "objects", visitedAddrs(out), []string{
		`manifests.b["ClusterRole/reader"]`, `manifests.b["ConfigMap/other/settings"]`,
		`manifests.b["CustomResourceDefinition/widgets.example.com"]`, `manifests.b["Pod/acme/web"]`, `manifests.b["Secret/acme/login"]`,
		`manifests.b["Widget/acme/w"]`, "Namespace.n", "ConfigMap.c",
	})
	wantEqual(t, "data", r.desired["ConfigMap.c"].Fields["data"], any(map[string]any{"uid": "uid-of-settings", "size": "3", "key": "1"}))
	wantEqual(t, "namespace", r.desired["ConfigMap.c"].Object.Namespace, "acme")
	wantEqual(t, "keys", out.Outputs[0].Value, any([]any{"ClusterRole/reader", "ConfigMap/other/settings",
		"CustomResourceDefinition/widgets.example.com", "Pod/acme/web", "Secret/acme/login", "Widget/acme/w"}))
	wantEqual(t, "pods", out.Outputs[1].Value, any([]any{"web"}))
	for addr, needs := range map[string][]string{
		`manifests.b["Pod/acme/web"]`:             {"Namespace.n", `manifests.b["Secret/acme/login"]`},
		`manifests.b["Widget/acme/w"]`:            {"Namespace.n", `manifests.b["CustomResourceDefinition/widgets.example.com"]`},
		`manifests.b["ConfigMap/other/settings"]`: nil,
		`manifests.b["ClusterRole/reader"]`:       nil,
	} {
		wantEqual(t, "what "+addr+" needs", texts(r.desired[addr].Dependencies), needs)
		for _, needed := range needs {
			if slices.Index(r.order, needed) > slices.Index(r.order, addr) {
				t.Errorf("%s came before %s", addr, needed)
			}
		}
	}
	if d := r.desired[`manifests.b["Secret/acme/login"]`]; len(d.Sensitive) == 0 {
		t.Error("the data of a Secret is not sensitive")
	}
}

// TestManifestsFailAlone: what fails stops what needs it and nothing else.
func TestManifestsFailAlone(t *testing.T) {
	out, _ := walkBundle(t, &recorder{fail: map[string]bool{`manifests.b["Secret/acme/login"]`: true}}, aBundleBlock+`
resource "ConfigMap" "one" {
  metadata { name = "one" }
  data = { size = manifests.b["Widget/acme/w"].spec.size }
}
resource "ConfigMap" "all" {
  metadata { name = "all" }
  data = { n = join(",", [for o in manifests.b : o.metadata.uid]) }
}
resource "ConfigMap" "after" {
  metadata { name = "after" }
  depends_on = [manifests.b]
}
`, aBundle)
	var skipped []string
	for _, s := range out.Skipped {
		skipped = append(skipped, s.Addr.String())
	}
	wantEqual(t, "skipped", skipped, []string{`manifests.b["Pod/acme/web"]`, "ConfigMap.all", "ConfigMap.after"})
}

// TestManifestsHandling: what the blocks about all objects say holds for those whose kind has it.
func TestManifestsHandling(t *testing.T) {
	pre, diags := previewBundle(t, strings.Replace(aBundleBlock, "  namespace", `  lifecycle {
    ignore_changes  = ["data.a", "spec.size"]
    prevent_destroy = true
  }
  wait {
    condition { type = "Ready" }
    field { path = "spec.size" }
  }
  namespace`, 1), aBundle, Options{})
	if len(diags) > 0 {
		t.Fatal(diags.Errs())
	}
	got := map[string]string{}
	for _, d := range pre.Desired() {
		var what []string
		for _, p := range d.Lifecycle.IgnoreChanges {
			what = append(what, "ignores "+p.String())
		}
		for range d.Wait.Conditions {
			what = append(what, "awaits a condition")
		}
		for range d.Wait.Fields {
			what = append(what, "awaits a field")
		}
		if d.Addr.Resource.IsManifests() && !d.Lifecycle.PreventDestroy {
			t.Errorf("%s may be destroyed", d.Addr)
		}
		got[d.Kind.Name] = strings.Join(what, ", ")
	}
	wantEqual(t, "handling", got, map[string]string{"ClusterRole": "", "ConfigMap": "ignores data.a", "Secret": "ignores data.a",
		"CustomResourceDefinition": "awaits a condition", "Pod": "awaits a condition", "Widget": "ignores spec.size, awaits a field",
		"Namespace": ""})
}

func TestManifestsErrors(t *testing.T) {
	block := func(arguments string) string { return "manifests \"b\" {\n" + arguments + "\n}\n" }
	const all = "  objects = yamldecodeall(file(\"bundle.yaml\"))\n"
	const cm = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for _, test := range []struct{ name, main, bundle, want string }{
		{"no list", block("  objects = \"x\""), "",
			`objects is a list of manifests, such as yamldecodeall(file("bundle.yaml")), and this is a string`},
		{"null", block("  objects = null"), "", "For no object at all give an empty list: []."},
		{"no objects", block("  namespace = \"a\""), "", `The argument "objects" is required`},
		{"for_each", block(all + "  for_each = {}"), cm, "Each object of a manifests block is an instance already."},
		{"enabled", block(all + "  lifecycle {\n    enabled = false\n  }"), cm, "A manifests block has as many objects as its list"},
		{"no manifest", block(all), "- 1\n", "Element 0 of objects is a list itself: write flatten(…) around the lists."},
		{"no kind", block(all), cm + "---\na: 1\n", "Element 1 of objects has no apiVersion."},
		{"name is a number", block(all), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n",
			"Element 0 of objects (ConfigMap) has a name that is a number and no string: put it in quotes."},
		{"no name", block(all), "apiVersion: v1\nkind: ConfigMap\n", "A ConfigMap needs metadata.name"},
		{"twice", block(all), cm + "---\n" + cm, "The elements 0 and 1 of objects are the same object, ConfigMap a."},
		{"generated twice", block(all), strings.Repeat("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: a-}\n", 2),
			"are both a ConfigMap with the generateName a-"},
		{"unknown kind", block(all), "apiVersion: v1\nkind: Podd\nmetadata: {name: a}\n",
			`In objects, element 0 is Podd a. There is no kind "Podd". Did you mean "Pod"?`},
		{"unknown field", block(all), cm + "dota: {}\n", `ConfigMap has no field "dota"`},
		{"wrong type", block(all), cm + "data: {a: 1}\n", "data.a must be a string, and YAML has 1 there."},
		{"in YAML", block(all), cm + "---\nkind: Pod\nmetadata:\n  name: x\n  name: y\n",
			`in document 2 (Pod x), line 8 has the key "name" again`},
		{"no such object", block(all) + "output \"o\" { value = manifests.b[\"ConfigMap/defaul/a\"].data }\n", cm,
			`manifests.b has no instance ["ConfigMap/defaul/a"]. Did you mean "ConfigMap/default/a"?`},
		{"no key", block(all) + "output \"o\" { value = manifests.b.data }\n", cm,
			`Add the key of one, as in manifests.b["key"].data`},
		{"undeclared", block(all) + "output \"o\" { value = manifests.c }\n", cm, `There is no manifests block "c".`},
		{"no such field", block(all) + "output \"o\" { value = manifests.b[\"ConfigMap/default/a\"].dota }\n", cm,
			`ConfigMap has no field "dota"`},
		{"unknown lifecycle field", block(all + "  lifecycle {\n    ignore_changes = [\"spec.x\"]\n  }"), cm,
			"No object of manifests.b has a field spec.x."},
		{"declared twice", block(all) + block(all), cm, "manifests.b was already declared"},
		{"two blocks, one object", block(all) + strings.Replace(block(all), `"b"`, `"c"`, 1), cm, "are the same object"},
		{"secret", "variable \"s\" {\n  default = \"x\"\n  sensitive = true\n}\n" +
			block("  objects = [{ apiVersion = \"v1\", kind = \"ConfigMap\", metadata = { name = var.s } }]"), "",
			"Element 0 of objects (ConfigMap) has a name that is sensitive"},

		{"unknown", block("  objects = [{ apiVersion = \"v1\", kind = \"ConfigMap\", "+
			"metadata = { name = Namespace.n.metadata.uid } }]") +
			"resource \"Namespace\" \"n\" {\n  metadata { name = \"a\" }\n}\n", "", "has a name that is not known yet"},
		{"unknown namespace", block(all+"  namespace = Namespace.n.metadata.name") +
			"resource \"Namespace\" \"n\" {\n  metadata { generateName = \"a\" }\n}\n", cm,
			"In which namespace the objects are must be known before anything is made"},
		{"labels", "manifests {\n}\n", "", "manifests"},
		{"import of none", block(all) + "import {\n  to = manifests.b[\"ConfigMap/x\"]\n}\n", cm, "There is no instance"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, diags := previewBundle(t, test.main, test.bundle, Options{})
			var texts []string
			for _, d := range diags {
				texts = append(texts, d.Summary+": "+d.Detail)
			}
			if text := strings.Join(texts, "\n"); !strings.Contains(text, test.want) || len(texts) > 2 {
				t.Errorf("%s\nwant %s", text, test.want)
			}
		})
	}
}

// TestManifestsPartial: where a variable has no value, which objects there are is left open.
func TestManifestsPartial(t *testing.T) {
	pre, diags := previewBundle(t, "variable \"file\" {}\nmanifests \"b\" {\n  objects = yamldecodeall(var.file)\n}\n"+
		"output \"o\" { value = manifests.b[\"Pod/a/b\"].spec }\n", "", Options{Partial: true})
	if len(diags) > 0 || len(pre.Desired()) > 0 {
		t.Errorf("%v, %d objects", diags.Errs(), len(pre.Desired()))
	}
}

// TestManifestsOfTwoGroups: kinds of one name are told apart by their groups.
func TestManifestsOfTwoGroups(t *testing.T) {
	const main = "manifests \"b\" {\n  objects = yamldecodeall(file(\"bundle.yaml\"))\n}\n"
	const bundle = "apiVersion: v1\nkind: Event\nmetadata: {name: a}\ninvolvedObject: {}\n---\n" +
		"apiVersion: events.k8s.io/v1\nkind: Event\nmetadata: {name: a}\neventTime: \"2006-01-02T15:04:05.000000Z\"\n"
	pre, diags := previewBundle(t, main, bundle, Options{})
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	var got []string
	for _, d := range pre.Desired() {
		got = append(got, d.Addr.String())
	}
	wantEqual(t, "addresses", got, []string{`manifests.b["Event.events.k8s.io/default/a"]`, `manifests.b["Event/default/a"]`})
	_, diags = previewBundle(t, main, bundle+"---\n"+strings.SplitAfter(bundle, "---\n")[1], Options{})
	if text := diags.Error(); !strings.Contains(text, "The elements 1 and 2 of objects are the same object, Event a.") {
		t.Errorf("an object twice beside one of another group: %s", text)
	}
}

// TestManifestsInModules: each instance of a module has the objects of its own bundle.
func TestManifestsInModules(t *testing.T) {
	r := &recorder{}
	out := walkModules(t, r, `
module "b" {
  source    = "./bundle"
  for_each  = toset(["x", "y"])
  namespace = "ns-${each.key}"
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = { uid = module.b["y"].uid, n = module.b["x"].n }
  depends_on = [module.b]
}
`, "bundle/main.kplan.hcl", `
variable "namespace" {}
manifests "m" {
  objects   = yamldecodeall(file("bundle.yaml"))
  namespace = var.namespace
}
resource "ConfigMap" "inner" {
  metadata {
    name      = "inner"
    namespace = var.namespace
  }
  data       = { size = manifests.m["ConfigMap/${var.namespace}/a"].data.size }
  depends_on = [manifests.m]
}
output "uid" { value = manifests.m["ConfigMap/${var.namespace}/a"].metadata.uid }
output "n" { value = length(manifests.m) }
`, "bundle/bundle.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {size: \"3\"}\n---\n"+
		"apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
	wantEqual(t, "objects", visitedAddrs(out), []string{
		"ConfigMap.c",
		`module.b["x"].manifests.m["ConfigMap/ns-x/a"]`, `module.b["x"].manifests.m["Secret/ns-x/s"]`, `module.b["x"].ConfigMap.inner`,
		`module.b["y"].manifests.m["ConfigMap/ns-y/a"]`, `module.b["y"].manifests.m["Secret/ns-y/s"]`, `module.b["y"].ConfigMap.inner`,
	})
	wantEqual(t, "data", r.desired["ConfigMap.c"].Fields["data"], any(map[string]any{"uid": "uid-of-a", "n": "2"}))
	inner := r.desired[`module.b["y"].ConfigMap.inner`]
	wantEqual(t, "inner data", inner.Fields["data"], any(map[string]any{"size": "3"}))
	wantEqual(t, "what the inner one awaits", texts(inner.Awaits),
		[]string{`module.b["y"].manifests.m["ConfigMap/ns-y/a"]`, `module.b["y"].manifests.m["Secret/ns-y/s"]`})
	if n := len(r.desired["ConfigMap.c"].Awaits); n != 6 {
		t.Errorf("the last one awaits %d objects", n)
	}
}

// TestManifestsLater: who refers to a value that appears later waits for it, and gets it.
func TestManifestsLater(t *testing.T) {
	pre, diags := previewBundle(t, aBundleBlock+`
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = { ip = manifests.b["Pod/acme/web"].status.podIP }
}
`, aBundle, Options{})
	if len(diags) > 0 {
		t.Fatal(diags.Errs())
	}
	var later []string
	for _, d := range pre.Desired() {
		for _, l := range d.Later {
			later = append(later, d.Addr.String()+" "+l.Paths[0].String())
		}
	}
	wantEqual(t, "what appears later", later, []string{`manifests.b["Pod/acme/web"] status.podIP`})
}
