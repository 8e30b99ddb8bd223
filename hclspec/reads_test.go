package hclspec

import (
	"fmt"
	"strings"
	"testing"
)

// TestReads: what of an object a block reads is known however the object is handed on.
func TestReads(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"field", `ConfigMap.c.data.ours`, "c data.ours"},
		{"map", `jsonencode(ConfigMap.c.data)`, "c data"},
		{"count of a map", `length(ConfigMap.c.data)`, "c data"},
		{"key that is a value", `ConfigMap.c.data[var.key]`, "c data"},
		{"loop", `join(",", [for k, v in ConfigMap.c.data : k])`, "c data"},
		{"object", `jsonencode(ConfigMap.c)`, "c "},
		{"instance", `ConfigMap.all["a"].data.ours`, `all["a"] data.ours`},
		{"instances", `join(",", [for c in ConfigMap.all : c.data.ours])`, `all["a"] data.ours` + "\n" + `all["b"] data.ours`},
		{"splat", `join(",", values(ConfigMap.all)[*].data.ours)`, `all["a"] data.ours` + "\n" + `all["b"] data.ours`},
		{"local", `jsonencode(local.data)`, "c data"},
		{"part of a local", `local.data.ours`, "c data.ours"},
		{"local of a local", `local.again.ours`, "c data.ours"},
		{"local with others", `jsonencode(local.both.a)`, "c data"},
		{"local that is an object", `local.object.data.ours`, "c data.ours"},
		{"local that doubles", `local.d30`, "c data"},
	} {
		t.Run(test.name, func(t *testing.T) {
			pre := previewOf(t, readObjects()+"\noutput \"o\" {\n value = "+test.value+"\n}\n")
			if got := readsText(pre, pre.OutputReads("o")); got != test.want {
				t.Errorf("reads %q, want %q", got, test.want)
			}
		})
	}
}

func readObjects() string {
	text := `
		variable "key" { default = "ours" }
		resource "ConfigMap" "c" {
			metadata { name = "c" }
			data = { ours = "1" }
		}
		resource "ConfigMap" "all" {
			for_each = toset(["a", "b"])
			metadata { name = each.key }
			data = { ours = "1" }
		}
		locals {
			data   = ConfigMap.c.data
			again  = local.data
			both   = { a = ConfigMap.c.data, b = 1 }
			object = ConfigMap.c
			d0     = jsonencode(ConfigMap.c.data)
`
	for i := range 30 {
		text += fmt.Sprintf("d%d = coalesce(local.d%d, local.d%d)\n", i+1, i, i)
	}
	return text + "}"
}

// readsText is which part of which instances is read.
func readsText(pre *Preview, reads []Read) string {
	var lines []string
	for _, d := range pre.Desired() {
		for _, r := range reads {
			if r.May(d.Addr) && (r.Path.IsZero() || d.Kind.At(r.Path) != nil) {
				lines = append(lines, strings.TrimPrefix(d.Addr.String(), "ConfigMap.")+" "+r.Path.String())
			}
		}
	}
	return strings.Join(lines, "\n")
}
