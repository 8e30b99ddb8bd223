package hclspec

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestDependencies(t *testing.T) {
	config := configOf(t, `
variable "names" { default = ["a"] }
locals {
  labels = { app = var.names[0] }
  used   = [for n in var.names : "${n}-${ConfigMap.a["x"].metadata.name}"]
}
resource "ConfigMap" "a" {
  for_each = { x = local.labels }
  metadata {
    name   = each.key
    labels = each.value
  }
}
resource "Pod" "b" {
  metadata { name = "b" }
  spec {
    containers {
      name  = "b"
      image = "b"
      dynamic "env" {
        for_each = local.used
        iterator = local_env
        content {
          name  = local_env.value
          value = var.names[local_env.key]
        }
      }
    }
  }
  depends_on = [ConfigMap.c]
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
}
output "x" { value = try(Pod.b.spec, local.labels) }
`)
	g, diags := Dependencies(config)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var lines []string
	for _, b := range g.Nodes() {
		lines = append(lines, fmt.Sprint(b, " ", g.Dependencies(b)))
	}
	wantEqual(t, "dependencies", strings.Join(lines, "\n"), `var.names []
local.labels [var.names]
local.used [var.names ConfigMap.a]
ConfigMap.a [local.labels]
Pod.b [local.used var.names ConfigMap.c]
ConfigMap.c []
output.x [Pod.b local.labels]`)
}

func TestDefaultNamespace(t *testing.T) {
	config := configOf(t, `
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
resource "Namespace" "usual" {
  metadata { name = "default" }
}
`)
	preview, diags := NewPreview(context.Background(), config, Options{})
	desired := preview.Desired()
	if diags.HasErrors() || len(desired) != 2 {
		t.Fatal(diags)
	}
	wantEqual(t, "object", desired[0].Object.String(), "v1 ConfigMap default/a")
	wantEqual(t, "needs", fmt.Sprint(desired[0].Dependencies), "[Namespace.usual]")
}

// Two runs over one configuration at a time share its expressions.
func TestPreviewsSideBySide(t *testing.T) {
	config := configOf(t, tenants+`output "keys" { value = [for k, p in Pod.web : k if p.metadata.name != ""] }`)
	done := make(chan bool)
	for range 4 {
		go func() {
			preview, diags := NewPreview(context.Background(), config, Options{})
			done <- len(preview.Desired()) == 9 && !diags.HasErrors()
		}()
	}
	for range 4 {
		if !<-done {
			t.Error("a preview beside others differs")
		}
	}
}
