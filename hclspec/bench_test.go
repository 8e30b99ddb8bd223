package hclspec_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/spectest"
	"kplan.dev/kplan/kinds"
)

// tenantsByKey is one block a kind, with for_each over the tenants.
func tenantsByKey(tenants int) string {
	var b strings.Builder
	b.WriteString("locals {\n  tenants = {\n")
	for i := range tenants {
		fmt.Fprintf(&b, "    t%03d = { image = \"registry.local/app:%d\", replicas = %d }\n", i, i, i%5)
	}
	b.WriteString("  }\n}\n")
	b.WriteString(tenantObjects("  for_each = local.tenants\n", "tenant", "${each.key}", "[each.key]",
		"each.value.image", "each.value.replicas"))
	return b.String()
}

// tenantsByBlock is one block an object.
func tenantsByBlock(tenants int) string {
	var b strings.Builder
	for i := range tenants {
		b.WriteString(tenantObjects("", fmt.Sprintf("t%03d", i), fmt.Sprintf("t%03d", i), "",
			fmt.Sprintf("%q", fmt.Sprintf("registry.local/app:%d", i)), fmt.Sprint(i%5)))
	}
	return b.String()
}

func tenantObjects(forEach, block, name, key, image, replicas string) string {
	return strings.NewReplacer("FOREACH", forEach, "BLOCK", block, "NAME", name, "KEY", key, "IMAGE", image, "REPLICAS", replicas).Replace(`
resource "Namespace" "BLOCK" {
FOREACH  metadata { name = "NAME" }
}
resource "Pod" "BLOCK" {
FOREACH  metadata {
    name      = "web"
    namespace = Namespace.BLOCKKEY.metadata.name
    labels    = { app = "web", tenant = "NAME" }
  }
  spec {
    containers {
      name  = "web"
      image = IMAGE
      ports { containerPort = 8080 }
      env {
        name  = "TENANT"
        value = "NAME"
      }
      resources {
        requests = { cpu = "100m", memory = "128Mi" }
        limits   = { memory = "128Mi" }
      }
    }
  }
}
resource "ReplicationController" "BLOCK" {
FOREACH  metadata {
    name      = "app"
    namespace = Namespace.BLOCKKEY.metadata.name
  }
  spec {
    replicas = REPLICAS
    selector = { app = "app" }
    template {
      metadata { labels = { app = "app" } }
      spec {
        containers {
          name  = "app"
          image = IMAGE
        }
      }
    }
  }
}
resource "Service" "BLOCK" {
FOREACH  metadata {
    name      = "app"
    namespace = Namespace.BLOCKKEY.metadata.name
  }
  spec {
    selector = ReplicationController.BLOCKKEY.spec.selector
    ports {
      name = "http"
      port = 80
      targetPort = "http"
    }
  }
}
`)
}

func load(tb testing.TB, source string) *config.Config {
	tb.Helper()
	dir := tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(source), 0o600); err != nil {
		tb.Fatal(err)
	}
	c, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return c
}

// loadModules is a call a tenant, of a definition of its objects.
func loadModules(tb testing.TB, tenants int) *config.Config {
	tb.Helper()
	var main strings.Builder
	for i := range tenants {
		fmt.Fprintf(&main, "module \"t%03d\" {\n  source = \"./app\"\n  name = \"t%03d\"\n", i, i)
		fmt.Fprintf(&main, "  image = \"registry.local/app:%d\"\n  replicas = %d\n}\n", i, i%5)
	}
	definition := "variable \"name\" {}\nvariable \"image\" {}\nvariable \"replicas\" {}\n" +
		tenantObjects("", "tenant", "${var.name}", "", "var.image", "var.replicas")
	c, diags := modules.Load(context.Background(), spectest.WriteFiles(tb, map[string]string{
		"main.kplan.hcl": main.String(), "app/main.kplan.hcl": definition,
	}))
	if diags.HasErrors() {
		tb.Fatal(diags)
	}
	return c
}

func benchmarkEach(b *testing.B, run func(b *testing.B, c *config.Config)) {
	kinds.Builtin()
	b.Run("for_each", func(b *testing.B) { run(b, load(b, tenantsByKey(250))) })
	b.Run("blocks", func(b *testing.B) { run(b, load(b, tenantsByBlock(250))) })
	b.Run("modules", func(b *testing.B) { run(b, loadModules(b, 250)) })
}

func BenchmarkLoad1000(b *testing.B) {
	source := tenantsByBlock(250)
	for b.Loop() {
		load(b, source)
	}
}

// BenchmarkLarge is what validate does with configurations as large as anybody has, and with tenths of them: each takes
// ten times as long.
func BenchmarkLarge(b *testing.B) {
	object := func(count int, more string) string {
		return fmt.Sprintf("resource \"ConfigMap\" \"a\" {\n  count = %d\n"+
			"  metadata { name = \"a${count.index}\" }\n  %s\n}\n", count, more)
	}
	for _, size := range []int{1, 10} {
		var variables strings.Builder
		for i := range 400 * size {
			fmt.Fprintf(&variables, "variable \"v%d\" {\n  default = [\"a\", \"b\"]\n}\n", i)
			fmt.Fprintf(&variables, "locals {\n  l%d = [for v in var.v%d : \"${v}-1\"]\n}\n", i, i)
		}
		text := strings.Repeat(strings.Repeat("0123456789", 20)+"\n", size<<20/2010)
		for name, source := range map[string]string{
			fmt.Sprintf("%d_objects", 1000*size):    object(1000*size, "data = { for i in range(10) : \"k${i}\" => \"v\" }"),
			fmt.Sprintf("%d_variables", 400*size):   variables.String() + object(1, ""),
			fmt.Sprintf("%d_KiB_of_text", size*102): object(1, "data = { t = <<EOT\n"+text+"EOT\n }"),
		} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					c := load(b, source)
					values, diags := c.ReadVariables(config.Inputs{})
					preview, more := hclspec.NewPreview(context.Background(), c, hclspec.Options{Variables: values, Kinds: kinds.Builtin()})
					if len(preview.Desired()) == 0 || diags.HasErrors() || more.HasErrors() {
						b.Fatal(diags, more)
					}
				}
			})
		}
	}
}

func BenchmarkPreview1000(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, c *config.Config) {
		for b.Loop() {
			preview, diags := hclspec.NewPreview(context.Background(), c, hclspec.Options{Kinds: kinds.Builtin()})
			if desired := preview.Desired(); len(desired) != 1000 || diags.HasErrors() {
				b.Fatal(len(desired), diags)
			}
		}
	})
}

func BenchmarkWalk1000(b *testing.B) {
	benchmarkEach(b, func(b *testing.B, c *config.Config) {
		for b.Loop() {
			preview, _ := hclspec.NewPreview(context.Background(), c, hclspec.Options{Kinds: kinds.Builtin()})
			out, diags := hclspec.Walk(context.Background(), preview, hclspec.WalkOptions{Parallelism: 10},
				func(_ context.Context, d *hclspec.Desired, _ map[addrs.Instance]struct{}) (hclspec.Observed, struct{}, error) {
					return hclspec.Observed{Object: d.Fields}, struct{}{}, nil
				})
			if len(out.Visited) != 1000 || diags.HasErrors() {
				b.Fatal(len(out.Visited), diags)
			}
		}
	})
}

// BenchmarkPreviewYAML reads a manifest of 4,096 fields, nested as the schemas of
// custom kinds are.
func BenchmarkPreviewYAML(b *testing.B) {
	c := load(b, "resource \"ConfigMap\" \"a\" {\n  manifest = merge(yamldecode(file(\"nested.yaml\")), { schema = null })\n}\n")
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\nschema:\n" + nestedYAML(12, 1)
	if err := os.WriteFile(filepath.Join(c.Dir, "nested.yaml"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		preview, diags := hclspec.NewPreview(context.Background(), c, hclspec.Options{Kinds: kinds.Builtin()})
		if desired := preview.Desired(); len(desired) != 1 || diags.HasErrors() {
			b.Fatal(len(desired), diags)
		}
	}
}

func nestedYAML(levels, indent int) string {
	margin := strings.Repeat(" ", indent)
	if levels == 0 {
		return margin + "type: string\n"
	}
	inner := nestedYAML(levels-1, indent+1)
	return margin + "left:\n" + inner + margin + "right:\n" + inner
}
