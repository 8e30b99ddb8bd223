package source

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Bare is a node of the syntax tree without what was put around it for evaluation, which is not of a type of
// HCL's. Who looks at the types of nodes asks for it first.
func Bare(expr hcl.Expression) hcl.Expression {
	if wrapped, ok := expr.(interface{ Bare() hclsyntax.Expression }); ok {
		return Bare(wrapped.Bare())
	}
	return expr
}

// IsBare reports whether a node is one that was parsed, and not around one.
func IsBare(node hclsyntax.Node) bool {
	_, wrapped := node.(interface{ Bare() hclsyntax.Expression })
	return !wrapped
}

// VisitAll calls f for a node and all below it that were parsed.
func VisitAll(node hclsyntax.Node, f func(hclsyntax.Node)) {
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if IsBare(n) {
			f(n)
		}
		return nil
	})
}

// Written is the value of an expression that is written out as it is: it is not evaluated.
func Written(expr hcl.Expression) (cty.Value, bool) {
	switch e := Bare(expr).(type) {
	case *hclsyntax.LiteralValueExpr:
		return e.Val, true
	case *hclsyntax.ParenthesesExpr:
		return Written(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return Written(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		if !e.IsStringLiteral() && len(e.Parts) > 0 {
			return cty.DynamicVal, false
		}
		text, diags := e.Value(nil)
		return text, !diags.HasErrors()
	case *hclsyntax.ObjectConsKeyExpr:
		if word := hcl.ExprAsKeyword(e.Wrapped); word != "" && !e.ForceNonLiteral {
			return cty.StringVal(word), true
		}
		return Written(e.Wrapped)
	case *hclsyntax.UnaryOpExpr:
		if _, literal := Bare(e.Val).(*hclsyntax.LiteralValueExpr); !literal {
			return cty.DynamicVal, false
		}
		value, diags := e.Value(nil)
		return value, !diags.HasErrors()
	case hclsyntax.Expression:
		return cty.DynamicVal, false
	}
	value, diags := expr.Value(nil) // in JSON, where nothing is evaluated then
	return value, !diags.HasErrors()
}
