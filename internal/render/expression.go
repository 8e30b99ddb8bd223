package render

// This file and console.go are the only ones outside of hclspec that know cty: a diagnostic
// carries the values of its expression in no other form.

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/internal/words"
)

// exprValue says what a reference in an expression came to.
type exprValue struct {
	Traversal string `json:"traversal"`
	Statement string `json:"statement"`
}

// valuesIn are the values of the references in the expression that a diagnostic
// is about. A sensitive value says so and no more, and so does one by a name that
// is secret.
func valuesIn(d *hcl.Diagnostic, secret map[string]bool) []exprValue {
	if d.Expression == nil || d.EvalContext == nil {
		return nil
	}
	var values []exprValue
	for _, traversal := range d.Expression.Variables() {
		value, diags := traversal.TraverseAbs(d.EvalContext)
		if diags.HasErrors() {
			continue // the diagnostic itself says what is wrong with it
		}
		v := exprValue{traversalString(traversal), statement(value)}
		if isSecretName(v.Traversal, secret) {
			v.Statement = sensitiveStatement
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.SortFunc(values, func(a, b exprValue) int { return strings.Compare(a.Traversal, b.Traversal) })
	return values
}

// secretTexts are the texts that the references by secret names came to.
func secretTexts(d *hcl.Diagnostic, secret map[string]bool) []string {
	if d.Expression == nil || d.EvalContext == nil {
		return nil
	}
	var texts []string
	for _, traversal := range d.Expression.Variables() {
		value, diags := traversal.TraverseAbs(d.EvalContext)
		if diags.HasErrors() || !isSecretName(traversalString(traversal), secret) {
			continue
		}
		unmarked, _ := value.UnmarkDeep()
		_ = cty.Walk(unmarked, func(_ cty.Path, v cty.Value) (bool, error) {
			if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				texts = append(texts, v.AsString())
			}
			return true, nil
		})
	}
	return texts
}

// isSecretName reports whether a reference is one to a secret, or into one.
func isSecretName(traversal string, secret map[string]bool) bool {
	for name := range secret {
		if rest, ok := strings.CutPrefix(traversal, name); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return true
		}
	}
	return false
}

// functionIn is the function whose call failed, "" for none.
func functionIn(d *hcl.Diagnostic) string {
	extra, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](d)
	if !ok || extra.CalledFunctionName() == "" {
		return ""
	}
	return extra.CalledFunctionName() + "(...)"
}

const sensitiveStatement = "has a sensitive value"

// statement says what a value is, in as few words as help.
func statement(value cty.Value) string {
	switch {
	case value.ContainsMarked():
		return sensitiveStatement
	case value.IsNull():
		return "is null"
	case !value.IsKnown():
		return "is " + article(value.Type()) + ", known only after apply"
	}
	switch t := value.Type(); {
	case t == cty.String:
		return "is " + abbreviated(value.AsString())
	case t == cty.Number:
		return "is " + value.AsBigFloat().Text('f', -1)
	case t == cty.Bool:
		return fmt.Sprintf("is %t", value.True())
	case t.IsObjectType():
		return "is object with " + countOf(len(t.AttributeTypes()), "attribute")
	case t.IsTupleType(), t.IsCollectionType():
		return "is " + t.FriendlyName() + " with " + countOf(value.LengthInt(), "element")
	default:
		return "is " + article(t)
	}
}

func countOf(n int, thing string) string {
	if n == 0 {
		return "no " + thing + "s"
	}
	return words.Count(n, thing)
}

func article(t cty.Type) string {
	if t == cty.DynamicPseudoType {
		return "a dynamic value"
	}
	name := t.FriendlyName()
	if strings.ContainsRune("aeiou", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// traversalString is a reference as it is written.
func traversalString(traversal hcl.Traversal) string {
	var b strings.Builder
	for _, step := range traversal {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + s.Name)
		case hcl.TraverseIndex:
			b.WriteString("[" + indexString(s.Key) + "]")
		}
	}
	return b.String()
}

func indexString(key cty.Value) string {
	switch {
	case key.IsMarked() || !key.IsKnown() || key.IsNull():
		return "..."
	case key.Type() == cty.String:
		return quote(key.AsString())
	case key.Type() == cty.Number:
		return key.AsBigFloat().Text('f', -1)
	}
	return "..."
}
