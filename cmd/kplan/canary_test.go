package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// canaries are secrets, each of a shape of its own around a core that is found
// nowhere else.
func canaries() map[string]string {
	all := map[string]string{}
	for name, shape := range map[string]string{
		"plain": "%s", "quotes": `a"%s"b`, "apostrophe": "it's %s", "backslash": `a\%s\n`, "lines": "first line\n%s\nlast line\n", "crlf": "a\r\n%s\r\n",
		"template": "${%s}", "percent": "%%{ %s }", "html": "<a href='%s'>&amp;</a>", "json": `{"password": "%s", "n": 1}`, "yaml": "user: a\npassword: %s\n",
		"url": "postgres://user:%s@db.example/x?y=z", "accents": "pä%s日本語", "blanks": "  %s  ", "tabs": "\t%s\t", "env": "A=1\nB=%s\n",
		"ini": "[x]\nk = %s\n", "pem": "-----BEGIN KEY-----\n%s\n-----END KEY-----\n", "colon": "%s:", "equals": "=%s=",
		"long": strings.Repeat("x", 300) + "%s" + strings.Repeat("y", 300), "hash": "#%s", "dashes": "--%s--", "braces": "{[(%s)]}",
		"comma": "a,%s,b", "pipe": "|%s|", "star": "*%s*", "at": "@%s", "dot": ".%s.", "zero": "0%s",
		"escape": "\x1b[31m%s", "base64": "QUJD%s", "word": "password %s",
	} {
		all[name] = fmt.Sprintf(shape, core(name))
	}
	for _, name := range []string{"literal", "default", "env_var", "file_var", "line_var", "local", "marked", "each", "foreign", "applied"} {
		all[name] = core(name)
	}
	return all
}

// core is what is looked for of a canary.
func core(name string) string { return "c4n" + hex.EncodeToString([]byte(name)) + "rYQz7" }

// spelled are the texts by which a core would be known.
func spelled(core string) []string {
	all := []string{core, hex.EncodeToString([]byte(core))}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("\x00", before) + core + "\x00\x00\x00"))
		all = append(all, text[4:len(text)-8]) // what neither side decides on
	}
	return all
}

const canaryConfig = `
variable "ns" {}
variable "shapes" {
  type      = map(string)
  sensitive = true
}
variable "default" {
  default   = "DEFAULT"
  sensitive = true
}
variable "env_var" { sensitive = true }
variable "file_var" { sensitive = true }
variable "line_var" { sensitive = true }
locals { password = "LOCAL" }

resource "Namespace" "a" {
  metadata { name = var.ns }
}
resource "Secret" "a" {
  metadata {
    name      = "a"
    namespace = Namespace.a.metadata.name
  }
  stringData = merge({ for k, v in nonsensitive(var.shapes) : k => v }, { literal = "LITERAL", local = local.password, line = var.line_var })
  data       = { default = base64encode(var.default), env = base64encode(jsonencode({ p = var.env_var })) }
}
resource "Secret" "each" {
  for_each = { x = { p = "EACH" } }
  metadata {
    name      = each.key
    namespace = Namespace.a.metadata.name
  }
  stringData = { p = each.value.p }
}
resource "ConfigMap" "a" {
  metadata {
    name        = "a"
    namespace   = Namespace.a.metadata.name
    annotations = { note = var.file_var }
  }
  data = merge({ for k in nonsensitive(keys(var.shapes)) : k => "of ${var.shapes[k]}" }, { marked = sensitive("MARKED"), shown = "shown" })
}
output "whole" {
  value     = { all = var.shapes, file = var.file_var }
  sensitive = true
}
output "data" {
  value     = Secret.a.data
  sensitive = true
}
`

// canaryPlaces is all the rest of a configuration in which a secret may stand, or that
// makes another text of one. The server copies some of them to other fields.
const canaryPlaces = `
locals {
  derived = sensitive({
    base64 = "@derived_base64@", json = "@derived_json@", url = "@derived_url@", yaml = "@derived_yaml@", format = "@derived_format@"
    join = "@derived_join@", template = "@derived_template@", trim = "@derived_trim@", substr = "@derived_substr@", hash = "@derived_hash@"
    gzip = "@derived_gzip@", split = "@derived_split@", replace = "@derived_replace@", each = "@derived_each@"
  })
}
resource "ConfigMap" "derived" {
  metadata {
    name        = "derived"
    namespace   = Namespace.a.metadata.name
    labels      = { l = sensitive("@label@") }
    annotations = { a = sensitive("@annotation@"), (nonsensitive("k")) = jsonencode({ p = sensitive("@annotation_json@") }) }
  }
  data = {
    base64 = base64encode(local.derived.base64), json = jsonencode({ a = [local.derived.json] }), url = urlencode("/${local.derived.url}?")
    yaml = yamlencode({ a = local.derived.yaml }), format = format("<%s>", local.derived.format), join = join("-", ["a", local.derived.join])
    template = "%{ if true }${local.derived.template}%{ endif }", trim = trimspace("  ${local.derived.trim} ")
    substr = substr("x${local.derived.substr}", 1, -1), hash = sha256(local.derived.hash), gzip = base64gzip(local.derived.gzip)
    split = split(",", "a,${local.derived.split}")[1], replace = replace(local.derived.replace, "nothing", ""), conditional = true ? sensitive("@conditional@") : ""
    index = ["a", sensitive("@index@")][1], for = [for v in [local.derived.each] : v][0], try = try(sensitive("@try@"), "")
  }
  binaryData = { b = base64encode(sensitive("@binary@")) }
}
resource "Pod" "places" {
  metadata {
    name      = "places"
    namespace = Namespace.a.metadata.name
    labels    = { (nonsensitive("app")) = sensitive("@pod_label@") }
  }
  spec {
    nodeSelector       = { nowhere = sensitive("@selector@") }
    priorityClassName  = ""
    hostname           = "h"
    containers {
      name       = "a"
      image      = "a:${sensitive("@image@")}"
      command    = ["a", sensitive("@command@")]
      args       = [for a in [sensitive("@arg@")] : "--a=${a}"]
      workingDir = "/${sensitive("@dir@")}"
      env {
        name  = "A"
        value = sensitive("@env@")
      }
      dynamic "env" {
        for_each = { B = sensitive("@env_dynamic@") }
        content {
          name  = env.key
          value = env.value
        }
      }
      readinessProbe {
        httpGet {
          port = 80
          path = "/${sensitive("@probe@")}"
          httpHeaders {
            name  = "Authorization"
            value = sensitive("@header@")
          }
        }
      }
    }
  }
}
resource "ReplicationController" "places" {
  metadata {
    name      = "places"
    namespace = Namespace.a.metadata.name
  }
  spec {
    replicas = 0
    template {
      metadata { labels = { app = sensitive("@template_label@") } }
      spec {
        containers {
          name  = "a"
          image = "a"
        }
      }
    }
  }
}
resource "Secret" "decoded" {
  manifest = yamldecode(<<-EOT
    apiVersion: v1
    kind: Secret
    metadata: {name: decoded, namespace: ${Namespace.a.metadata.name}}
    type: example.com/custom
    stringData:
      plain: "@manifest_string@"
      block: |
        @manifest_block@
        @manifest_line@
    data: {d: ${base64encode("@manifest_data@")}}
  EOT
  )
}
output "list" {
  value     = [sensitive("@output_list@")]
  sensitive = true
}
output "nested" {
  value     = { a = { b = sensitive("@output_nested@") } }
  sensitive = true
}
`

const canaryJSON = `{"resource": {"Secret": {"json": {"metadata": {"name": "json", "namespace": "${Namespace.a.metadata.name}"},
  "stringData": {"p": "@json_string@", "t": "${upper(\"a\")}@json_template@"}, "data": {"d": "${base64encode(\"@json_base64@\")}"}}}}}`

// TestNoSecretIsShown has every command print and write all it can, in every
// form, about a stack that is full of secrets.
func TestNoSecretIsShown(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("needs a control plane: run make test")
	}
	c := newCage(t, kubeconfig)
	c.write("main.kplan.hcl", canaryConfig)
	c.write("places.kplan.hcl", canaryPlaces)
	c.write("json.kplan.json", canaryJSON)
	c.run(0, "validate")
	c.run(0, "validate", "-json")
	c.run(0, "graph")
	c.run(0, "fmt", "-write=false")
	c.consoles("-offline")
	c.consolesFail()
	c.plans("-offline")
	c.plans()
	c.run(0, "apply", "-auto-approve", "-json", "-wait=false", "-var", "line_var="+core("line_var"))
	c.run(1, "apply", "-auto-approve", "-wait-timeout=3s")
	for _, args := range []string{
		"show", "show -json", "output", "output -json", "output whole",
		"state list", "state show Secret.a", "state show Pod.places", "state pull", "state history", "state history -json",
		"lock status", "lock status -json", "init",
	} {
		c.run(0, strings.Fields(args)...)
	}
	c.consoles()
	c.run(1, "output", "-raw", "whole")
	c.run(1, "output", "-json", "data")

	// Others put secrets into it, too, and take fields over.
	c.kubectl("patch", "secret", "a", "--type=merge", "-p", `{"stringData":{"foreign":"`+core("foreign")+`","literal":"`+core("applied")+`"}}`)
	c.kubectl("patch", "configmap", "a", "--type=merge", "-p", `{"data":{"marked":"changed"}}`)
	c.plans("-refresh-only")
	c.plans()
	c.consoles()
	c.fails("plan", "-drift=refuse")
	c.fails("plan", "-drift=refuse", "-json")
	forced := strings.NewReplacer("stringData = merge", "lifecycle { force_conflicts = [data] }\n  stringData = merge",
		"data = merge({ for k in", "lifecycle { force_conflicts = [data] }\n  data = merge({ for k in")
	c.write("main.kplan.hcl", forced.Replace(canaryConfig))
	c.plans("-replace=Secret.a")
	c.plans("-destroy")

	// What is wrong with a configuration is shown with its lines.
	for _, mistake := range []string{
		`stringData = { a = parseint("LITERAL", 10) }`, `data = { a = "LITERAL!" }`, `stringData = { a = LITERAL }`, "stringData = { a = \"LITERAL\n }",
		`stringData = { a = local.password + 1 }`, `stringData = { a = upper(var.default, 1) }`,
		`stringData = { a = base64decode("LITERAL!") }`, `stringData = { a = "LITERAL" b = "EACH" }`, `stringData = ["LITERAL"]`, `stringData = "LITERAL"`, `unknown = sensitive("LITERAL")`,
	} {
		c.write("wrong.kplan.hcl", "resource \"Secret\" \"wrong\" {\n  metadata { name = \"wrong\" }\n  "+mistake+"\n}\n")
		c.fails("validate")
		c.fails("validate", "-json")
		c.fails("plan")
		c.fails("plan", "-json")
	}
	c.write("wrong.kplan.hcl", `resource "ConfigMap" "wrong" {
  metadata {
    name      = "wrong"
    namespace = "default"
    labels    = { l = var.shapes["quotes"] }
  }
  data = { (var.env_var) = "x" }
}`)
	c.fails("plan")
	c.write("wrong.kplan.hcl", `resource "Pod" "wrong" {
  metadata {
    name = "wrong"
    namespace = "default"
  }
  spec {
    containers {
      name = "a"
      image = "a"
      imagePullPolicy = var.file_var
    }
  }
}
`)
	c.fails("plan")
	c.fails("plan", "-json")
	c.fails("apply", "-auto-approve")
	for _, values := range []string{
		`env_var = @unquoted@`, `shapes = { a = @unquoted_in@ }`, `env_var = "@unclosed@`, `env_var = ["@wrong_type@"]`,
	} {
		c.write("auto.auto.kpvars.hcl", values+"\n")
		c.fails("plan")
		c.fails("plan", "-json")
	}
	c.remove("auto.auto.kpvars.hcl")
	for _, block := range []string{
		`token = ["@cluster_token@"]`, "token = \"@cluster_twice@\"\n    token = \"@cluster_again@\"", `password = "@cluster_password@"`,
		`proxy_url = "http://u:@cluster_proxy@@ nowhere"`, `client_key = "@cluster_key@"`,
		"exec {\n      command = \"/nowhere\"\n      env = { TOKEN = \"@cluster_env@\" }\n    }",
	} {
		c.write("wrong.kplan.hcl", "kplan {\n  cluster {\n    host = \"https://127.0.0.1:1\"\n    "+block+"\n  }\n}\n")
		c.run(1, "plan", "-allow-exec-plugins", "-var", "line_var="+core("line_var"))
	}
	c.remove("wrong.kplan.hcl")
	for _, users := range []string{
		`{name: u, user: {token: @kubeconfig_token@, username: bob, password: @kubeconfig_password@}}`,
		`{name: u, user: {token: "@kubeconfig_first@"}}, {name: u, user: {token: @kubeconfig_second@}}`,
		`{name: u, user: {token: [@kubeconfig_list@]}}`, `{name: u, user: {client-key-data: @kubeconfig_key@}}`,
		`{name: u, user: {exec: {command: /nowhere, apiVersion: v0, env: [{name: TOKEN, value: @kubeconfig_env@}]}}}`,
	} {
		c.write("broken.kubeconfig.hcl", "apiVersion: v1\nkind: Config\ncurrent-context: c\n"+
			"contexts: [{name: c, context: {cluster: c, user: u}}]\n"+
			"clusters: [{name: c, cluster: {server: 'https://a:@kubeconfig_server@@127.0.0.1:1', proxy-url: 'http://u:@kubeconfig_proxy@@ x'}}]\n"+
			"users: ["+users+"]\n")
		c.fails("plan", "-kubeconfig=broken.kubeconfig.hcl")
		c.fails("plan", "-kubeconfig=broken.kubeconfig.hcl", "-json")
	}
	c.podsFail(kubeconfig)
	c.run(0, "destroy", "-auto-approve")
	c.remove("kplan.state.json")
	for _, block := range []string{
		`backend "http" {
    address      = "http://u:@http_url@@127.0.0.1:1/state"
    lock_address = "http://127.0.0.1:1/lock?token=@http_query@"
    password     = "@http_password@"
    retry_max    = 0
  }`,
		"backend \"postgres\" {\n    name     = \"a\"\n    conn_str = \"postgres://u:@postgres_password@@127.0.0.1:1/d\"\n  }",
		`backend "s3" {
    bucket     = "b"
    key        = "k"
    endpoint   = "http://127.0.0.1:1"
    access_key = "a"
    secret_key = "@s3_secret@"
    token      = "@s3_token@"
  }`,
		"encryption {\n    passphrases = [\"@passphrase@\"]\n    identities  = [\"@identity@\"]\n  }",
	} {
		c.write("wrong.kplan.hcl", "kplan {\n  "+block+"\n}\n")
		c.fails("plan", "-lock=false")
		c.run(1, "init")
		c.run(1, "state", "list")
	}
	c.remove("wrong.kplan.hcl")
	c.files()
	if c.logged == 0 {
		t.Error("nothing was logged")
	}
	t.Logf("%d canaries, %d commands, %d bytes of log", len(c.canaries), c.commands, c.logged)
}

// cage is a directory in which kplan runs, and what must not come out of it.
type cage struct {
	*testing.T
	dir      string
	env      []string
	canaries map[string]string
	commands int
	log      string // the file of the log
	logged   int    // bytes
}

func newCage(t *testing.T, kubeconfig string) *cage {
	c := &cage{T: t, dir: t.TempDir(), canaries: canaries(), log: filepath.Join(t.TempDir(), "log")}
	shapes := &strings.Builder{}
	for _, name := range slices.Sorted(maps.Keys(c.canaries)) {
		fmt.Fprintf(shapes, "  %s = %s\n", name, hclwrite.TokensForValue(cty.StringVal(c.canaries[name])).Bytes())
	}
	c.write("secret.kpvars.hcl", "file_var = \""+core("file_var")+"\"\nshapes = {\n"+shapes.String()+"}\n")
	c.env = append(os.Environ(), "KUBECONFIG="+kubeconfig, fmt.Sprintf("KPLAN_VAR_ns=t%d-canaries", os.Getpid()),
		"KPLAN_VAR_env_var="+core("env_var"))
	return c
}

// place is where a canary of that name stands in a file.
var place = regexp.MustCompile("@[a-z0-9_]+@")

func (c *cage) write(name, text string) {
	words := strings.NewReplacer("DEFAULT", core("default"), "LOCAL", core("local"), "LITERAL", core("literal"), "MARKED", core("marked"),
		"EACH", core("each"))
	text = c.placed(words.Replace(text))
	if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
}

// placed is a text with the canaries that it names in their places.
func (c *cage) placed(text string) string {
	return place.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.Trim(found, "@")
		c.canaries[name] = core(name)
		return core(name)
	})
}

func (c *cage) remove(name string) {
	if err := os.Remove(filepath.Join(c.dir, name)); err != nil {
		c.Fatal(err)
	}
}

// plans has a plan made, saved and shown in every form.
func (c *cage) plans(args ...string) {
	c.run(0, append([]string{"plan"}, args...)...)
	c.run(0, append([]string{"plan", "-json"}, args...)...)
	c.run(0, append([]string{"plan", "-out=p.plan"}, args...)...)
	c.run(0, "show", "p.plan")
	c.run(0, "show", "-json", "p.plan")
	c.run(0, "show", "-markdown", "p.plan")
	c.files()
}

// consoles has expressions evaluated that hold secrets, and ones that fail over them.
func (c *cage) consoles(args ...string) {
	args = append([]string{"console"}, args...)
	sound := []string{
		"var.shapes", "var.env_var", "local.password", "local.derived", "Secret.a", "Secret.a.data",
		"Secret.each", "ConfigMap.a", "ConfigMap.derived.data",
		"Pod.places", "Secret.decoded", "ReplicationController.places.spec", "[for k, v in Secret.each : { (k) = v.data }]",
		`{ a = "x ${var.line_var} y", b = base64encode(var.default), c = [var.file_var, jsonencode(var.shapes)] }`,
		"upper(var.env_var)", "type(var.shapes)", "length(var.shapes)", `var.env_var == "x" ? 1 : 2`, "toset(values(var.shapes))",
	}
	for _, e := range sound {
		args = append(args, "-e", e)
	}
	c.run(0, args...)
	for _, e := range sound[:4] {
		c.fails("console", "-json", "-e", e)
	}
}

// consolesFail has expressions fail over secrets.
func (c *cage) consolesFail() {
	args := []string{"console", "-offline"}
	for _, e := range []string{
		"var.env_var + 1", `parseint(var.file_var, 10)`, `var.shapes["quotes"].x`, "[for s in values(var.shapes) : parseint(s, 10)]",
		`parseint(sensitive("@console_literal@"), 10)`, "base64decode(var.default)", `jsondecode("${var.env_var}{")`, "Secret.a.data.default + 1",
		`one(["a", var.env_var])`, `{}[var.env_var]`, `regex("(", var.default)`,
	} {
		args = append(args, "-e", c.placed(e))
	}
	c.fails(args...)
	c.fails(append(args, "-json")...)
}

func (c *cage) fails(args ...string) { c.run(1, args...) }

func (c *cage) run(want int, args ...string) []byte {
	c.Helper()
	if slices.Contains([]string{"plan", "apply", "destroy", "validate", "console"}, args[0]) {
		args = append(args, "-var-file=secret.kpvars.hcl", "-var=line_var="+core("line_var"))
	}
	cmd := exec.Command("kplan", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	if slices.Contains([]string{"plan", "apply", "destroy", "show", "console"}, args[0]) {
		cmd.Env = append(slices.Clip(c.env), "KPLAN_LOG=trace", "KPLAN_LOG_FILE="+c.log)
	}
	out, _ := cmd.CombinedOutput()
	if code := cmd.ProcessState.ExitCode(); code != want {
		c.Fatalf("kplan %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, out)
	}
	c.commands++
	c.check("kplan "+strings.Join(args, " "), out)
	if logged, err := os.ReadFile(c.log); err == nil {
		c.check("the log of kplan "+strings.Join(args, " "), logged)
		c.logged += len(logged)
		_ = os.Remove(c.log)
	}
	return out
}

func (c *cage) kubectl(args ...string) {
	cmd := exec.Command("kubectl", append(args, "-n", fmt.Sprintf("t%d-canaries", os.Getpid()))...)
	cmd.Env = c.env
	if out, err := cmd.CombinedOutput(); err != nil {
		c.Fatalf("kubectl %v: %v\n%s", args, err, out)
	}
}

// files checks what kplan has written.
func (c *cage) files() {
	files, _ := filepath.Glob(filepath.Join(c.dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(c.dir, ".*"))
	for _, file := range append(files, hidden...) {
		if strings.HasSuffix(file, ".hcl") || strings.HasSuffix(file, ".kplan.json") { // what the test has written
			continue
		}
		content, err := os.ReadFile(file)
		if err != nil {
			c.Fatal(err)
		}
		c.check(filepath.Base(file), content)
	}
}

// joins are what stands between two parts of a text that was broken over lines.
var joins = strings.NewReplacer("│", "", "log: ", "", `\n`, "", `\r`, "", `\u000d`, "", `\u{d}`, "")

// check looks for canaries in a text, also for such as are broken over lines.
func (c *cage) check(what string, out []byte) {
	c.Helper()
	joined := bytes.Join(bytes.Fields([]byte(joins.Replace(string(out)))), nil)
	for name := range c.canaries {
		for _, text := range spelled(core(name)) {
			if bytes.Contains(out, []byte(text)) || bytes.Contains(joined, []byte(text)) {
				c.Errorf("%s holds the canary %s as %s:\n%s", what, name, text, out)
			}
		}
	}
	if c.Failed() {
		c.FailNow()
	}
}
