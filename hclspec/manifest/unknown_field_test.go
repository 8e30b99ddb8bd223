package manifest

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// TestUnknownField has names that fields do not have, what they most likely mean, and
// what the error says.
func TestUnknownField(t *testing.T) {
	deployment, err := kinds.Builtin().Lookup("Deployment", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ where, name, meant, says string }{
		{"", "spek", "spec", `A Deployment has no field "spek". Did you mean "spec"?`},
		{"", "lifecycl", "lifecycle", `Did you mean "lifecycle"?`},
		{"", "replicas", "", "It belongs into spec."},
		{"spec", "replica", "replicas", `spec of a Deployment has no field "replica".`},
		{"spec", "min_ready_seconds", "minReadySeconds", `Did you mean "minReadySeconds"?`},
		{"spec", "containers", "", "It belongs into spec.template.spec."},
		{"", "timeouts", "", `wait { timeout = "10m" }`},
		{"", "id", "", "An object has no ID of its own"},
		{"spec", "frobnicate", "", `has no field "frobnicate".`},
	} {
		field := deployment.Root
		if test.where != "" {
			field = deployment.At(addrs.NewPath(test.where))
		}
		meant, diags := UnknownField(deployment, test.name, hcl.Range{}, field, test.where)
		if meant != test.meant || len(diags) != 1 || !strings.Contains(diags[0].Detail, test.says) {
			t.Errorf("%s in %q means %q, want %q; %v, want %s", test.name, test.where, meant, test.meant, diags, test.says)
		}
	}
}

func TestWithArticle(t *testing.T) {
	for noun, want := range map[string]string{"Pod": "a Pod", "Ingress": "an Ingress", "": "a "} {
		if got := WithArticle(noun); got != want {
			t.Errorf("%q: %q", noun, got)
		}
	}
}
