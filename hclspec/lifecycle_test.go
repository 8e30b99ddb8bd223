package hclspec

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// configMap is a resource with a lifecycle block, as source.
func configMap(name, lifecycle string) string {
	return "resource \"ConfigMap\" \"" + name + "\" {\n  metadata { name = \"" + name + "\" }\n  data = { size = 3 }\n  lifecycle {\n    " +
		strings.ReplaceAll(lifecycle, "\n", "\n    ") + "\n  }\n}\n"
}

// TestLifecycleConditions: what is known before anything is visited fails then, and the rest once it is.
func TestLifecycleConditions(t *testing.T) {
	for _, test := range []struct{ name, source, want string }{
		{"true", configMap("a", "precondition {\n  condition = 1 < 2\n  error_message = \"no\"\n}"), ""},
		{"false", configMap("a", "precondition {\n  condition = 1 > 2\n  error_message = \"One is not above two.\"\n}"),
			"main.kplan.hcl:6,19-24: Resource precondition failed; One is not above two."},
		{"unknown at first", configMap("a", "precondition {\n  condition = Namespace.n.metadata.uid == \"x\"\n  error_message = \"Not x.\"\n}") +
			"resource \"Namespace\" \"n\" {\n  metadata { name = \"n\" }\n}\n",
			"main.kplan.hcl:6,19-50: Resource precondition failed; Not x."},
		{"not true or false", configMap("a", "precondition {\n  condition = \"x\"\n  error_message = \"no\"\n}"),
			"main.kplan.hcl:6,19-22: Invalid condition; A condition must be true or false."},
		{"secret message", configMap("a", "precondition {\n  condition = false\n  error_message = sensitive(\"hunter2\")\n}"),
			"main.kplan.hcl:6,19-24: Resource precondition failed; The condition is not met. " +
				"(Its error message holds a sensitive value and is not shown.)"},
		{"self before", configMap("a", "precondition {\n  condition = self.metadata.name == \"a\"\n  error_message = \"no\"\n}"),
			"main.kplan.hcl:6,19-37: Unsupported reference; There is self only in a postcondition. " +
				"An object's values are known only after its whole block is evaluated."},
		{"self", configMap("a", "postcondition {\n  condition = self.metadata.uid == \"uid-of-a\" && self.data.size == \"3\"\n"+
			"  error_message = \"no\"\n}"), ""},
		{"self otherwise", configMap("a", "postcondition {\n  condition = self.metadata.uid == \"x\"\n"+
			"  error_message = \"Not ${self.metadata.uid}.\"\n}"),
			"main.kplan.hcl:6,19-43: Resource postcondition failed; Not uid-of-a."},
		{"check", configMap("a", "") +
			"check \"c\" {\n  assert {\n    condition = ConfigMap.a.metadata.uid == \"x\"\n    error_message = \"Not x.\"\n  }\n}\n",
			"main.kplan.hcl:10,17-48: Check block assertion failed; Not x."},
		{"empty check", "check \"c\" {}", "main.kplan.hcl:1,1-10: Check without assertion; A check has at least one assert block, " +
			"with a condition and an error_message."},
		{"trigger of nothing", configMap("a", "replace_triggered_by = [var.x]") + "variable \"x\" {\n  default = 1\n}\n",
			"main.kplan.hcl:5,29-34: Invalid replace_triggered_by; replace_triggered_by holds references to resources or to values of them, " +
				"such as ConfigMap.settings or Secret.tls.data."},
		{"enabled and count", strings.Replace(configMap("a", "enabled = true"), "{\n", "{\n  count = 1\n", 1),
			"main.kplan.hcl:6,5-12: Both enabled and count; enabled is for a single object. " +
				"With count, leave out the instances that there are not to be."},
		{"enabled by text", configMap("a", "enabled = \"maybe\""),
			"main.kplan.hcl:5,15-22: Invalid enabled argument; enabled is true or false, and this is a string."},
		{"not protected by text", configMap("a", "prevent_destroy = var.x") + "variable \"x\" {\n  default = [1]\n}\n",
			"main.kplan.hcl:5,23-28: Invalid value; prevent_destroy is true or false, and this is a list."},
	} {
		t.Run(test.name, func(t *testing.T) {
			var diags hcl.Diagnostics
			pre, diags := previewModules(t, test.source)
			if pre != nil && !diags.HasErrors() {
				_, diags = Walk(context.Background(), pre, WalkOptions{}, (&recorder{}).visit)
			}
			if test.want == "" && len(diags) > 0 || test.want != "" && (len(diags) != 1 || diags[0].Error() != test.want) {
				t.Errorf("%d diagnostics: %v, want %s", len(diags), diags.Errs(), test.want)
			}
			if strings.HasPrefix(test.name, "check") && diags.HasErrors() {
				t.Error("a check that fails is an error")
			}
		})
	}
}

// TestPostconditionStops: what needs an object whose postcondition fails does not go on.
func TestPostconditionStops(t *testing.T) {
	pre, diags := previewModules(t, configMap("a", "postcondition {\n  condition = self.metadata.uid == \"x\"\n  error_message = \"no\"\n}")+
		"resource \"ConfigMap\" \"b\" {\n  metadata { name = ConfigMap.a.metadata.uid }\n}\n"+
		"resource \"ConfigMap\" \"c\" {\n  metadata { name = \"c\" }\n}\n")
	if diags.HasErrors() {
		t.Fatal(diags.Errs())
	}
	out, _ := Walk(context.Background(), pre, WalkOptions{}, (&recorder{}).visit)
	wantEqual(t, "visited", visitedAddrs(out), []string{"ConfigMap.a", "ConfigMap.c"})
	wantEqual(t, "skipped", skippedTexts(out), []string{"ConfigMap.b by ConfigMap.a"})
}

func TestEnabled(t *testing.T) {
	out := walkModules(t, &recorder{}, configMap("off", "enabled = var.on")+configMap("on", "enabled = !var.on")+
		"variable \"on\" {\n  default = false\n}\noutput \"off\" { value = ConfigMap.off == null }\n"+
		"output \"name\" { value = [for c in [ConfigMap.off, ConfigMap.on] : c.metadata.name if c != null] }\n")
	wantEqual(t, "objects", visitedAddrs(out), []string{"ConfigMap.on"})
	wantEqual(t, "outputs", []any{out.Outputs[0].Value, out.Outputs[1].Value}, []any{true, []any{"on"}})
}

func TestLifecycleExpressions(t *testing.T) {
	r := &recorder{}
	walkModules(t, r, `
variable "keep" { default = true }
resource "ConfigMap" "a" {
  for_each = toset(["x", "y"])
  metadata { name = each.key }
  lifecycle { prevent_destroy = var.keep && each.key == "x" }
}
resource "ConfigMap" "b" {
  for_each = toset(["x", "y"])
  metadata { name = "b-${each.key}" }
  lifecycle { replace_triggered_by = [ConfigMap.a[each.key].data, Namespace.n] }
}
resource "Namespace" "n" {
  metadata { name = "n" }
}
`)
	wantEqual(t, "protected", []bool{
		r.desired[`ConfigMap.a["x"]`].Lifecycle.PreventDestroy, r.desired[`ConfigMap.a["y"]`].Lifecycle.PreventDestroy,
	}, []bool{true, false})
	var triggers []string
	for _, trigger := range r.desired[`ConfigMap.b["y"]`].Triggers {
		triggers = append(triggers, trigger.Instance.String()+" "+trigger.Path.String())
	}
	wantEqual(t, "triggers", triggers, []string{`ConfigMap.a["y"] data`, "Namespace.n "})
	wantEqual(t, "dependencies", texts(r.desired[`ConfigMap.b["y"]`].Dependencies), []string{`ConfigMap.a["y"]`, "Namespace.n"})
}
