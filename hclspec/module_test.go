package hclspec

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/spectest"
)

// app is a definition with all that one can have.
const app = `
variable "name" { type = string }
variable "labels" {
  type    = map(string)
  default = {}
}
variable "replicas" {
  type    = number
  default = 1
  validation {
    condition     = var.replicas < 10
    error_message = "Ten replicas of ${var.name} are too many."
  }
}
locals { labels = merge(var.labels, { app = var.name }) }
resource "Namespace" "n" {
  metadata {
    name   = var.name
    labels = local.labels
  }
}
resource "ConfigMap" "c" {
  metadata {
    name      = "c"
    namespace = Namespace.n.metadata.name
  }
  data = { replicas = var.replicas, motd = file("motd.txt") }
}
output "namespace" { value = Namespace.n.metadata.name }
output "uid" { value = Namespace.n.metadata.uid }
`

// previewModules is the preview of a configuration with the definition app in ./app, and all that is wrong with it.
func previewModules(t testing.TB, main string, more ...string) (*Preview, hcl.Diagnostics) {
	t.Helper()
	files := map[string]string{"main.kplan.hcl": main, "app/main.kplan.hcl": app, "app/motd.txt": "hello"}
	for i := 0; i < len(more); i += 2 {
		files[more[i]] = more[i+1]
	}
	t.Chdir(spectest.WriteFiles(t, files))
	c, diags := modules.Load(context.Background(), ".")
	if diags.HasErrors() {
		return nil, diags
	}
	values, _ := c.ReadVariables(config.Inputs{})
	return NewPreview(context.Background(), c, Options{Variables: values})
}

func walkModules(t testing.TB, r *recorder, main string, more ...string) Outcome[string] {
	t.Helper()
	pre, diags := previewModules(t, main, more...)
	if pre == nil || diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	out, diags := Walk(context.Background(), pre, WalkOptions{}, r.visit)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	return out
}

func TestModule(t *testing.T) {
	r := &recorder{}
	out := walkModules(t, r, `
module "app" {
  source   = "./app"
  for_each = { a = 1, b = 2 }
  name     = "ns-${each.key}"
  replicas = each.value
  labels   = { from = "root" }
}
resource "Secret" "s" {
  for_each = module.app
  metadata {
    name      = "s"
    namespace = each.value.namespace
  }
  stringData = { uid = each.value.uid }
}
output "both" { value = [for k, m in module.app : "${k}=${m.uid}"] }
output "a" { value = module.app["a"].namespace }
`)
	wantEqual(t, "objects", visitedAddrs(out), []string{
		`Secret.s["a"]`, `Secret.s["b"]`, `module.app["a"].Namespace.n`, `module.app["a"].ConfigMap.c`,
		`module.app["b"].Namespace.n`, `module.app["b"].ConfigMap.c`,
	})
	wantEqual(t, "output both", out.Outputs[0].Value, any([]any{"a=uid-of-ns-a", "b=uid-of-ns-b"}))
	wantEqual(t, "output a", out.Outputs[1].Value, any("ns-a"))
	c := r.desired[`module.app["b"].ConfigMap.c`]
	wantEqual(t, "data", c.Fields["data"], any(map[string]any{"replicas": "2", "motd": "hello"}))
	wantEqual(t, "dependencies", texts(c.Dependencies), []string{`module.app["b"].Namespace.n`})
	wantEqual(t, "dependencies of the secret", texts(r.desired[`Secret.s["a"]`].Dependencies), []string{`module.app["a"].Namespace.n`})
	if c.Range.Filename != "app/main.kplan.hcl" {
		t.Errorf("the range of an object of a module is in %s", c.Range.Filename)
	}
	for _, a := range []string{`module.app["a"]`, `module.app["b"]`} {
		if slices.Index(r.order, a+".Namespace.n") > slices.Index(r.order, a+".ConfigMap.c") {
			t.Errorf("the ConfigMap of %s came before its Namespace", a)
		}
	}
}

func texts(all []addrs.Instance) []string {
	var texts []string
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return texts
}

// TestModuleInstancesAreIndependent: what fails in one instance of a module stops nothing in another.
func TestModuleInstancesAreIndependent(t *testing.T) {
	out := walkModules(t, &recorder{fail: map[string]bool{`module.app["a"].Namespace.n`: true}}, `
module "app" {
  source   = "./app"
  for_each = toset(["a", "b"])
  name     = each.key
}
resource "ConfigMap" "x" {
  for_each = toset(["a", "b"])
  metadata {
    name      = "x"
    namespace = module.app[each.key].namespace
  }
}
`)
	wantEqual(t, "skipped", skippedTexts(out), []string{`ConfigMap.x["a"] by module.app["a"].Namespace.n`,
		`module.app["a"].ConfigMap.c by module.app["a"].Namespace.n`})
}

// TestModuleEnabled: a module that is not enabled has no objects and is null to those that refer to it.
func TestModuleEnabled(t *testing.T) {
	for enabled, want := range map[string][]string{
		"true":  {"module.app.Namespace.n", "module.app.ConfigMap.c", "ConfigMap.x"},
		"false": {"ConfigMap.x"},
	} {
		out := walkModules(t, &recorder{}, `
module "app" {
  source = "./app"
  name   = "a"
  lifecycle { enabled = `+enabled+` }
}
resource "ConfigMap" "x" {
  metadata { name = "x" }
  data = { n = module.app == null ? "none" : module.app.namespace }
}
`)
		var got []string
		for _, v := range out.Visited {
			got = append(got, v.Desired.Addr.String())
			if n := map[string]any{"true": "a", "false": "none"}[enabled]; v.Desired.Addr.String() == "ConfigMap.x" &&
				v.Desired.Fields["data"].(map[string]any)["n"] != n {
				t.Errorf("enabled = %s: %v", enabled, v.Desired.Fields)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		wantEqual(t, "enabled = "+enabled, got, want)
	}
	_, diags := previewModules(t, "module \"app\" {\n  source = \"./app\"\n  name = \"a\"\n  lifecycle { enabled = false }\n}\n"+
		"output \"o\" { value = module.app.namespace }\n")
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "null") {
		t.Errorf("what is not there: %v", diags)
	}
}

// TestModuleDependsOn: depends_on of a module holds for all in it, and one that names a module waits for all in it.
func TestModuleDependsOn(t *testing.T) {
	r := &recorder{}
	walkModules(t, r, `
module "first" {
  source = "./outer"
  name   = "one"
}
module "second" {
  source     = "./outer"
  name       = "two"
  depends_on = [module.first]
}
resource "ConfigMap" "last" {
  metadata { name = "last" }
  depends_on = [module.second]
}
`, "outer/main.kplan.hcl", `
variable "name" {}
module "inner" {
  source = "../app"
  name   = var.name
}
`)
	wantEqual(t, "order", r.order, []string{"module.first.module.inner.Namespace.n", "module.first.module.inner.ConfigMap.c",
		"module.second.module.inner.Namespace.n", "module.second.module.inner.ConfigMap.c", "ConfigMap.last"})
	wantEqual(t, "awaited", len(r.desired["module.second.module.inner.ConfigMap.c"].Awaits), 2)
}

// TestModuleHandsOn: values that appear later are found behind arguments and outputs.
func TestModuleHandsOn(t *testing.T) {
	pre, diags := previewModules(t, `
resource "Service" "s" {
  metadata { name = "s" }
  spec {
    type = "LoadBalancer"
    ports = [{ port = 80 }]
    selector = { a = "b" }
  }
}
module "dns" {
  source  = "./dns"
  service = Service.s
}
output "address" { value = module.dns.service.status.loadBalancer.ingress[0].ip }
`, "dns/main.kplan.hcl", `
variable "service" {}
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = { ip = var.service.status.loadBalancer.ingress[0].hostname }
}
output "service" { value = var.service }
`)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	var later []string
	for _, d := range pre.Desired() {
		for _, l := range d.Later {
			for _, p := range l.Paths {
				later = append(later, d.Addr.String()+" "+p.String())
			}
		}
	}
	slices.Sort(later)
	wantEqual(t, "later", later, []string{"Service.s status.loadBalancer.ingress[0].hostname", "Service.s status.loadBalancer.ingress[0].ip"})
	reads := pre.Reads(addrs.Resource{Module: "module.dns", Type: "ConfigMap", Name: "c"})
	if len(reads) != 1 || reads[0].Resource().String() != "Service.s" || !strings.HasPrefix(reads[0].Path.String(), "status.loadBalancer") {
		t.Errorf("the ConfigMap reads %+v", reads)
	}
}

// TestModuleSecrets: what is sensitive stays so through arguments and outputs.
func TestModuleSecrets(t *testing.T) {
	pre, diags := previewModules(t, `
module "a" {
  source = "./a"
  plain  = sensitive("one")
  secret = "two"
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = { plain = module.a.plain, secret = module.a.secret, declared = module.a.declared, open = module.a.open }
}
output "o" { value = module.a.secret }
`, "a/main.kplan.hcl", `
variable "plain" { type = string }
variable "secret" {
  type      = string
  sensitive = true
}
output "plain" { value = var.plain }
output "secret" { value = "x${var.secret}" }
output "declared" {
  value     = "three"
  sensitive = true
}
output "open" { value = "four" }
`)
	if len(diags.Errs()) != 1 || !strings.Contains(diags.Error(), "Output refers to sensitive values") {
		t.Errorf("diagnostics: %v", diags.Errs())
	}
	var secret []string
	for p := range pre.Desired()[0].Sensitive {
		secret = append(secret, p.String())
	}
	slices.Sort(secret)
	wantEqual(t, "sensitive", secret, []string{"data.declared", "data.plain", "data.secret"})
}

// TestModuleErrors: each mistake is one error, which points at its own file and says where the module is called.
func TestModuleErrors(t *testing.T) {
	const call = "module \"app\" {\n  source = \"./app\"\n  name = \"a\"\n"
	for _, test := range []struct{ name, main, module, want string }{
		{"missing argument", "module \"app\" {\n  source = \"./app\"\n}", "",
			`main.kplan.hcl:1,1-13: Missing required argument; The variable "name" of the module has no default. Give it a value: name = ….`},
		{"unknown argument", call + "  replica = 1\n}", "",
			`main.kplan.hcl:4,3-10: Unsupported argument; The module has no variable "replica". Did you mean "replicas"?`},
		{"wrong type", call + "  replicas = [1]\n}", "", "main.kplan.hcl:4,14-17: Invalid value for variable; The value does not " +
			"fit var.replicas " +
			"of the module: its type is number, and the value is a tuple. The reason: number required, but have tuple."},
		{"validation", call + "  replicas = 12\n}", "", "main.kplan.hcl:4,14-16: Invalid value for variable; Ten replicas of a are too many. " +
			"The value of var.replicas in module.app breaks the rule at app/main.kplan.hcl:10,3-13. This is in module.app, which is " +
			"called at main.kplan.hcl:1."},
		{"no such output", call + "}\noutput \"o\" { value = module.app.namspace }", "",
			`main.kplan.hcl:5,22-41: Unsupported reference; module.app has no output "namspace". Did you mean "namespace"?`},
		{"no such module", call + "}\noutput \"o\" { value = module.ap.namespace }", "",
			`main.kplan.hcl:5,22-41: Undeclared module; There is no module "ap". Did you mean "app"?`},
		{"no such instance", call + "  for_each = toset([\"a\"])\n}\noutput \"o\" { value = module.app[\"b\"].namespace }", "",
			`main.kplan.hcl:6,32-37: No such instance; module.app has no instance ["b"]. It has 1 instance.`},
		{"without key", strings.Replace(call, "\"a\"", "\"a${count.index}\"", 1) +
			"  count = 2\n}\noutput \"o\" { value = module.app.namespace }", "",
			`main.kplan.hcl:6,22-42: Missing instance key; module.app has count, so it refers to several objects. Add the key of one, ` +
				`as in module.app[0].namespace.`},
		{"block as argument", call + "  labels {\n    a = 1\n  }\n}", "", "main.kplan.hcl:4,3-9: Unexpected \"labels\" block; A module block " +
			"holds arguments, one for each variable of the definition, and no block but lifecycle. A value with several parts is written " +
			"with an equals sign: name = { … }."},
		{"version of a directory", "module \"app\" {\n  source = \"./app\"\n  version = \"1\"\n  name = \"a\"\n}", "",
			`main.kplan.hcl:3,13-16: Invalid version of a module; A version can't be given here: a module in a local directory has no ` +
				`versions: it is what is there.`},
		{"no directory", "module \"app\" {\n  source = \"./ap\"\n}", "", "main.kplan.hcl:2,12-18: "},
		{"calls itself", "module \"m\" {\n  source = \"./m\"\n}", "module \"m\" {\n  source = \"../m\"\n}",
			`m/main.kplan.hcl:2,12-18: Module that calls itself; m is the definition that this call is part of, so it would never end.`},
		{"calls the root", "module \"m\" {\n  source = \"./m\"\n}", "module \"m\" {\n  source = \"../\"\n}",
			`m/main.kplan.hcl:2,12-17: Module that calls itself; . is the definition that this call is part of, so it would never end.`},
		{"cycle", call + "  labels = { a = module.app.namespace }\n}", "", "main.kplan.hcl:4,18-38: Dependency cycle; "},
		{"names of the root", "locals {\n  x = 1\n}\nmodule \"m\" {\n  source = \"./m\"\n}", "output \"o\" { value = local.x }",
			`m/main.kplan.hcl:1,22-29: Undeclared local value; There is no local value named "x". This is in module.m, which is ` +
				`called at main.kplan.hcl:4.`},
		{"in two instances", "module \"m\" {\n  source = \"./m\"\n  count = 3\n}", "locals {\n  x = tonumber(\"a\")\n}",
			`m/main.kplan.hcl:2,17-18: Invalid function argument; Invalid value for "v" parameter: cannot convert "a" to number; ` +
				`given string must be a ` +
				`decimal representation of a number. This is in module.m[0], which is called at main.kplan.hcl:1.`},
		{"backend", "module \"m\" {\n  source = \"./m\"\n}", "kplan {\n  backend \"s3\" {\n    bucket = \"b\"\n    key = \"k\"\n  }\n}",
			`m/main.kplan.hcl:2,3-15: Setting in a module; Where the state and the cluster are is a matter of the configuration that ` +
				`calls the module. ` +
				`Move the backend block there.`},
		{"outside", "module \"m\" {\n  source = \"./m\"\n}", "output \"o\" { value = file(\"../app/motd.txt\") }",
			"m/main.kplan.hcl:1,28-43: Invalid function argument; "},
		{"secret keys", "module \"m\" {\n  source = \"./m\"\n  for_each = { (sensitive(\"k\")) = 1 }\n}", "",
			"main.kplan.hcl:3,14-38: Invalid for_each argument; The keys of for_each name objects, so they can't be secret, "},
		{"unknown keys", "resource \"Pod\" \"p\" {\n  metadata { name = \"p\" }\n  spec {\n    containers = [{ name = \"a\", image " +
			"= \"i\" }]\n  }\n}\n" +
			"module \"m\" {\n  source = \"./m\"\n  for_each = toset([Pod.p.metadata.uid])\n}", "locals {}",
			"main.kplan.hcl:9,14-41: Unknown for_each; The keys of for_each must be known before anything is made, "},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, diags := previewModules(t, test.main, "m/main.kplan.hcl", test.module)
			isWhole := !strings.HasSuffix(test.want, " ")
			if len(diags) != 1 || !strings.HasPrefix(diags[0].Error(), test.want) || isWhole && diags[0].Error() != test.want {
				t.Errorf("%d diagnostics: %v, want %s", len(diags), diags.Errs(), test.want)
			}
		})
	}
}

// TestModuleVersion: a definition says which kplan it needs, too.
func TestModuleVersion(t *testing.T) {
	t.Chdir(spectest.WriteFiles(t, map[string]string{
		"main.kplan.hcl": "module \"a\" {\n  source = \"./m\"\n}\nmodule \"b\" {\n  source = \"./m\"\n}\n",
		"m/main.kplan.json": `{"kplan": {"required_version": ">= 99"}, "variable": {"name": {"default": "x"}},
 "resource": {"ConfigMap": {"c": {"metadata": {"name": "${var.name}"}}}}}`,
	}))
	c, diags := modules.Load(context.Background(), ".")
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	diags = c.CheckVersion("1.0.0")
	if len(diags) != 1 || !strings.Contains(diags[0].Detail, "This module needs kplan >= 99, and this is 1.0.0.") {
		t.Errorf("diagnostics: %v", diags.Errs())
	}
}

// TestModuleInstancesStay: the instances of a module are those of the plan.
func TestModuleInstancesStay(t *testing.T) {
	pre, diags := previewModules(t, `
resource "ConfigMap" "c" {
  metadata { name = "c" }
  data = { on = "false" }
}
module "app" {
  source   = "./app"
  for_each = ConfigMap.c.data.on == "true" ? toset(["a"]) : toset([])
  name     = each.key
}
output "all" { value = [for k, m in module.app : m.namespace] }
`)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	out, diags := Walk(context.Background(), pre, WalkOptions{}, (&recorder{}).visit)
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	wantEqual(t, "output", out.Outputs[0].Value, any([]any{}))
	r := &recorder{see: func(d *Desired) (Observed, error) {
		seen := served(d)
		seen.Object["data"] = map[string]any{"on": "true"}
		return seen, nil
	}}
	_, diags = Walk(context.Background(), pre, WalkOptions{}, r.visit)
	if len(diags) != 1 || diags[0].Summary != "Other instances than planned" {
		t.Errorf("diagnostics: %v", diags.Errs())
	}
}
