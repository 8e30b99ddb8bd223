package funcs

import (
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Evaluate is the value of an expression. Inside of a for expression HCL forgets which
// values are sensitive, so what it reports from there is made to show none: neither the
// loop's variables nor what its words quote, which may be made from them.
func Evaluate(expr hcl.Expression, scope *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, diags := expr.Value(scope)
	isInside := func(d *hcl.Diagnostic) bool { return d.EvalContext != nil && d.EvalContext != scope }
	if !slices.ContainsFunc(diags, isInside) || !readsSensitive(expr, scope) {
		return value, diags
	}
	for i, d := range diags {
		if isInside(d) {
			shown := *d
			shown.EvalContext = hiddenBelow(d.EvalContext, scope)
			shown.Detail = quoted.ReplaceAllString(d.Detail, `(sensitive value)`)
			diags[i] = &shown
		}
	}
	return value, diags
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// readsSensitive reports whether an expression refers to anything sensitive, or makes it so.
// What can't be looked up counts as sensitive where anything of the same root is, and so does
// JSON, whose calls can't be seen.
func readsSensitive(expr hcl.Expression, scope *hcl.EvalContext) bool {
	if node, ok := expr.(hclsyntax.Node); !ok || Calls(node, "sensitive") {
		return true
	}
	for _, ref := range expr.Variables() {
		value, diags := ref.TraverseAbs(scope)
		if diags.HasErrors() {
			value, _ = ref[:1].TraverseAbs(scope)
		}
		if value != cty.NilVal && IsSensitive(value) {
			return true
		}
	}
	return false
}

// hiddenBelow is a scope in which the variables of all scopes below a given one are not
// shown.
func hiddenBelow(scope, outer *hcl.EvalContext) *hcl.EvalContext {
	if scope == nil || scope == outer {
		return scope
	}
	above := hiddenBelow(scope.Parent(), outer)
	if above == nil {
		above = &hcl.EvalContext{}
	}
	hidden := above.NewChild()
	hidden.Functions, hidden.Variables = scope.Functions, map[string]cty.Value{}
	for name := range scope.Variables {
		hidden.Variables[name] = cty.DynamicVal.Mark(Sensitive)
	}
	return hidden
}
