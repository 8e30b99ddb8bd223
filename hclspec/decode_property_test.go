package hclspec

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kplan.dev/kplan/hclspec/config"
)

// expressions draws expressions of all types, with values that are null, not
// known, secret or made of failed parts.
func expressions(depth int) *rapid.Generator[string] {
	leaves := rapid.SampledFrom([]string{
		`"text"`, `""`, `"3"`, `"a-b"`, `1`, `0`, `-1.5`, `80`, `true`, `false`, `null`, `[]`, `{}`,
		`each.key`, `each.value`, `var.secret`, `var.any`, `local.text`, `local.unknown`, `local.list`,
		`Service.s.spec.clusterIP`, `Service.s.metadata.name`, `Service.s.spec.ports`, `Service.s.metadata.labels`,
		`Service.s`, `Secret.s.data`, `Secret.s.data.x`, `Service.s.spec.externalIPs`, `local.unknown_map`,
	})
	if depth == 0 {
		return leaves
	}
	return rapid.OneOf(leaves, leaves, rapid.Custom(func(t *rapid.T) string {
		inner := func() string { return expressions(depth-1).Draw(t, "inner") }
		field := rapid.SampledFrom(fieldNames)
		switch rapid.IntRange(0, 13).Draw(t, "form") {
		case 0:
			return fmt.Sprintf("[%s, %s]", inner(), inner())
		case 1:
			return fmt.Sprintf("{ %s = %s, %s = %s }", field.Draw(t, "a"), inner(), field.Draw(t, "b"), inner())
		case 2:
			return fmt.Sprintf("{ (%s) = %s }", inner(), inner())
		case 3:
			return fmt.Sprintf("sensitive(%s)", inner())
		case 4:
			return fmt.Sprintf("(%s == %s ? %s : %s)", inner(), inner(), inner(), inner())
		case 5:
			return fmt.Sprintf("\"x${%s}\"", inner())
		case 6:
			return fmt.Sprintf("[for v in %s : v]", inner())
		case 7:
			return fmt.Sprintf("{ for k, v in %s : k => v }", inner())
		case 8:
			return fmt.Sprintf("try(%s, %s)", inner(), inner())
		case 9:
			return fmt.Sprintf("merge(%s, %s)", inner(), inner())
		case 10:
			return fmt.Sprintf("toset([%s, %s])", inner(), inner())
		case 11:
			return fmt.Sprintf("(%s)[%s]", inner(), inner())
		case 12:
			return fmt.Sprintf("(%s).%s", inner(), field.Draw(t, "attr"))
		}
		return fmt.Sprintf("(%s)[*].%s", inner(), field.Draw(t, "attr"))
	}))
}

var fieldNames = []string{
	"metadata", "spec", "name", "namespace", "labels", "annotations", "generateName", "containers", "image", "ports",
	"containerPort", "env", "value", "valueFrom", "volumes", "emptyDir", "securityContext", "runAsUser", "args", "resources",
	"requests", "cpu", "nodeSelector", "tolerations", "hostNetwork", "data", "stringData", "type", "status", "x", "uid",
	"apiVersion", "kind", "manifest", "finalizers", "ownerReferences",
}

// bodies draws the content of a block.
func bodies(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		used := map[string]bool{}
		for range rapid.IntRange(0, 4).Draw(t, "members") {
			name := rapid.SampledFrom(fieldNames).Draw(t, "name")
			switch form := rapid.IntRange(0, 3).Draw(t, "form"); {
			case form < 2 || depth == 0:
				if !used[name] {
					fmt.Fprintf(&b, "%s = %s\n", name, expressions(2).Draw(t, "expression"))
				}
				used[name] = true
			case form == 2:
				fmt.Fprintf(&b, "%s {\n%s}\n", name, bodies(depth-1).Draw(t, "body"))
			default:
				fmt.Fprintf(&b, "dynamic %q {\nfor_each = %s\ncontent {\nname = %s.value\n%s}\n}\n", name,
					expressions(2).Draw(t, "for_each"), name, bodies(depth-1).Draw(t, "body"))
			}
		}
		return b.String()
	})
}

// TestDecodeProperty decodes bodies that are mostly wrong: whatever they say,
// decoding ends with objects that hold what Desired promises.
func TestDecodeProperty(t *testing.T) {
	const rest = `
variable "secret" {
  sensitive = true
  default   = "c4n4ry"
}
variable "any" { default = { name = "x", labels = { a = "b" }, ports = [{ containerPort = 80 }] } }
locals {
  text        = "text"
  list        = ["a", "b"]
  unknown     = Service.s.spec.clusterIP
  unknown_map = { a = Service.s.spec.clusterIP, b = 1 }
}
resource "Service" "s" {
  metadata { name = "s" }
  spec {
    ports { port = 80 }
  }
}
resource "Secret" "s" {
  metadata { name = "s" }
  stringData = { x = var.secret }
}
`
	rapid.Check(t, func(rt *rapid.T) {
		kind := rapid.SampledFrom([]string{"Pod", "ConfigMap", "Secret", "Namespace", "ReplicationController"}).Draw(rt, "kind")
		source := rest + fmt.Sprintf("resource %q \"x\" {\nfor_each = { a = 1, b = { name = \"n\" } }\n%s}\noutput \"o\" { value = %s }\n",
			kind, bodies(3).Draw(rt, "body"),
			strings.NewReplacer("each.key", kind+`.x["a"]`, "each.value", kind+".x").Replace(expressions(2).Draw(rt, "output")))
		dir := t.TempDir()
		c, diags := loadSource(dir, source)
		if diags.HasErrors() {
			rt.Skip("the source does not load")
		}
		values, _ := c.ReadVariables(config.Inputs{})
		preview, diags := NewPreview(context.Background(), c, Options{Variables: values})
		for _, d := range preview.Desired() {
			checkDesired(t, d)
		}
		for _, d := range diags {
			if d.Subject == nil || strings.Contains(d.Summary+d.Detail, "c4n4ry") {
				rt.Fatalf("%s: %s\n%s", d.Error(), d.Detail, source)
			}
		}
	})
}
