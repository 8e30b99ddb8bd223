package source

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// SyntaxOf is the syntax tree of an expression. HCL has none for one in JSON, where each string is
// a template, so it is made here.
func SyntaxOf(expr hcl.Expression) hclsyntax.Expression {
	if native, ok := expr.(hclsyntax.Expression); ok {
		return native
	}
	at := expr.Range()
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		object := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: at}
		for _, pair := range pairs {
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{KeyExpr: SyntaxOf(pair.Key), ValueExpr: SyntaxOf(pair.Value)})
		}
		return object
	}
	if elements, diags := hcl.ExprList(expr); !diags.HasErrors() {
		tuple := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: at}
		for _, element := range elements {
			tuple.Exprs = append(tuple.Exprs, SyntaxOf(element))
		}
		return tuple
	}
	literal, _ := expr.Value(nil) // a string is not taken for a template then
	if literal.Type() == cty.String && literal.IsKnown() && !literal.IsNull() {
		inside := hcl.Pos{Line: at.Start.Line, Column: at.Start.Column + 1, Byte: at.Start.Byte + 1} // of the quotes
		// What is wrong with it is reported when it is evaluated.
		if template, diags := hclsyntax.ParseTemplate([]byte(literal.AsString()), at.Filename, inside); !diags.HasErrors() {
			return template
		}
	}
	return &hclsyntax.LiteralValueExpr{Val: literal, SrcRange: at}
}
