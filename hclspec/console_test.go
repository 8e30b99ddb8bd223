package hclspec_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/kinds"
)

const consoleConfig = `
variable "secret" {
  default   = { key = "hunter2hunter2" }
  sensitive = true
}
locals {
  labels = { app = "a", "b.c/d" = "b" }
  list   = ["a"]
}
resource "ConfigMap" "one" {
  metadata { name = "one" }
  data = { k = "v", "a.b" = "w" }
}
resource "ConfigMap" "each" {
  for_each = { a = 1, "b c" = 2 }
  metadata { name = "m-${each.value}" }
}
resource "Pod" "counted" {
  count = 2
  metadata { name = "p${count.index}" }
  spec {
    containers {
      name  = "a"
      image = "a"
    }
  }
}
output "o" { value = 1 }
data "Pod" "there" {
  metadata { name = "there" }
}
data "Pod" "each" {
  for_each = { a = 1 }
  metadata { name = each.key }
}
module "app" {
  source = "./app"
}
module "apps" {
  source   = "./app"
  for_each = { a = 2 }
  size     = each.value
}
check "c" {
  assert {
    condition     = true
    error_message = "No."
  }
}
`

func consoleScope(t *testing.T) *hclspec.Scope {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(consoleConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	definition := "variable \"size\" {\n  default = 1\n  validation {\n    condition     = var.size < 9\n" +
		"    error_message = \"No.\"\n  }\n}\n" +
		"resource \"Secret\" \"s\" {\n  metadata { name = \"s${var.size}\" }\n}\n" +
		"output \"url\" { value = var.size }\noutput \"size\" { value = var.size }\n"
	if err := os.WriteFile(filepath.Join(dir, "app", "main.kplan.hcl"), []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	c, diags := modules.Load(t.Context(), dir)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	values, _ := c.ReadVariables(config.Inputs{})
	preview, diags := hclspec.NewPreview(t.Context(), c, hclspec.Options{Variables: values, Kinds: kinds.OpenSet{Set: kinds.Builtin()}})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return preview.Scope()
}

func TestComplete(t *testing.T) {
	s := consoleScope(t)
	for text, want := range map[string]string{
		"":                               "ConfigMap. Pod. data. local. module. path. var.",
		"1 + ":                           "ConfigMap. Pod. data. local. module. path. var.",
		"loc":                            "local.",
		"local.":                         "labels list",
		"upper(local.l":                  "labels list",
		"local.labels.":                  "app",
		`local.labels["`:                 `app"] b.c/d"]`,
		`local.labels["b`:                `b.c/d"]`,
		"var.s":                          "secret",
		"var.secret.":                    "",
		"Conf":                           "ConfigMap.",
		"ConfigMap.":                     `each[" one`,
		"Pod.":                           "counted[",
		"ConfigMap.one.":                 "apiVersion binaryData data immutable kind metadata",
		"ConfigMap.one.metadata.na":      "name namespace",
		"ConfigMap.one.data.":            "k",
		`ConfigMap.one.data["`:           `a.b"] k"]`,
		`ConfigMap.each["`:               `a"] b c"]`,
		`ConfigMap.each["a"].metadata.u`: "uid",
		"Pod.counted[1].spec.hostN":      "hostNetwork",
		"Pod.counted[0].status.podI":     "podIP podIPs",
		"ConfigMap.each.":                "",
		"ConfigMap.missing.":             "",
		"path.":                          "cwd module root",
		"data.":                          "Pod.",
		"data.Pod.":                      `each[" there`,
		"data.Pod.each.":                 "",
		"module.":                        `app apps["`,
		"module.app.":                    "size url",
		`module.apps["a"].u`:             "url",
		"module.apps.":                   "",
		"output.":                        "",
		"base64d":                        "base64decode(",
		"nothing":                        "",
		"[for x in local.":               "labels list",
		"\x00\xff":                       "ConfigMap. Pod. data. local. module. path. var.",
	} {
		if _, got := s.Complete(t.Context(), text); strings.Join(got, " ") != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// An expression has a budget of its own: one that asks for too much takes nothing from the next.
func TestExpressionBudget(t *testing.T) {
	s := consoleScope(t)
	const bomb = `[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : "${a}${b}${c}"]]]`
	for range 2 {
		e, diags := s.Parse(t.Context(), []byte(bomb), "<console>")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		if _, diags = e.Value(); !diags.HasErrors() || diags[0].Summary != budget.Summary {
			t.Errorf("%v", diags)
		}
	}
	e, _ := s.Parse(t.Context(), []byte("local.list"), "<console>")
	if value, diags := e.Value(); diags.HasErrors() || value.LengthInt() != 1 {
		t.Errorf("%#v, %v", value, diags)
	}
}

// The end of the context ends the evaluation within a second, and nothing else.
func TestExpressionInterrupted(t *testing.T) {
	s := consoleScope(t)
	ctx, cancel := context.WithCancel(t.Context())
	e, diags := s.Parse(ctx, []byte("[for a in range(300) : setsubtract(range(1024), range(512))]"), "<console>")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	began := time.Now()
	time.AfterFunc(50*time.Millisecond, cancel)
	_, diags = e.Value()
	if took := time.Since(began); took > 20*time.Second { // one, and what a busy machine adds
		t.Errorf("it took %s", took)
	}
	if !diags.HasErrors() || !slices.Contains([]string{budget.Interrupted().Summary, budget.Summary}, diags[0].Summary) {
		t.Errorf("%v", diags)
	}
	e, _ = s.Parse(t.Context(), []byte("1 + 1"), "<console>")
	if value, diags := e.Value(); diags.HasErrors() || value.GoString() != "cty.NumberIntVal(2)" {
		t.Errorf("%#v, %v", value, diags)
	}
}
