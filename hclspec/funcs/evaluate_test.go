package funcs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/funcs"
)

// What fails inside of a loop over sensitive values shows none of them: neither in words
// nor as the value of a variable.
func TestEvaluateInLoops(t *testing.T) {
	const secret = "hunter2-real-password"
	text := func(s string) cty.Value { return cty.StringVal(s) }
	scope := &hcl.EvalContext{
		Functions: funcs.Table(t.TempDir(), nil),
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{
			"pw":     text(secret).Mark(funcs.Sensitive),
			"plain":  text("visible"),
			"l":      cty.ListVal([]cty.Value{text(secret)}).Mark(funcs.Sensitive),
			"o":      cty.TupleVal([]cty.Value{cty.ObjectVal(map[string]cty.Value{"a": text(secret)})}).Mark(funcs.Sensitive),
			"users":  cty.MapVal(map[string]cty.Value{"ann": text(secret), "bob": text(secret)}).Mark(funcs.Sensitive),
			"inside": cty.MapVal(map[string]cty.Value{"ann": text(secret).Mark(funcs.Sensitive), "bob": text(secret).Mark(funcs.Sensitive)}),
		})},
	}
	for _, source := range []string{
		`[for v in var.l : v + 1]`,
		`[for v in var.l : tonumber(v) + 1]`,
		`[for v in var.l : v ? 1 : 2]`,
		`[for v in var.l : {a = 1}[v]]`,
		`[for v in var.l : [for w in v : w]]`,
		`[for v in var.l : v if v + 1 > 2]`,
		`[for k, v in var.users : v if v]`,
		`"%{ for v in var.l }${v + 1}%{ endfor }"`,
		`[for v in var.o : {for k, x in v : k => x + 1}]`,
		`{for k in [var.pw, var.pw] : k => 1}`,
		`{for k, v in var.users : v => k}`,
		`{for k, v in var.inside : upper(v) => k}`,
		`{for k in concat(var.l, var.l) : k => 1}`,
		`[for v in sensitive([lower("HUNTER2-real-password")]) : tonumber(v)]`,
	} {
		expr, diags := hclsyntax.ParseExpression([]byte(source), "x", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		_, diags = funcs.Evaluate(expr, scope)
		if !diags.HasErrors() {
			t.Errorf("%s: no error", source)
		}
		for _, d := range diags {
			shown := d.Summary + d.Detail
			for c := d.EvalContext; c != nil && c != scope; c = c.Parent() {
				for name, value := range c.Variables {
					if !funcs.IsSensitive(value) {
						shown += fmt.Sprintf("%s = %#v", name, value)
					}
				}
			}
			if strings.Contains(strings.ToLower(shown), secret) {
				t.Errorf("%s: shows %s", source, shown)
			}
		}
	}

	expr, _ := hclsyntax.ParseExpression([]byte(`[for v in [var.plain] : tonumber(v)]`), "x", hcl.InitialPos)
	if _, diags := funcs.Evaluate(expr, scope); !strings.Contains(diags.Error(), "visible") {
		t.Errorf("nothing here is sensitive: %v", diags)
	}
}
