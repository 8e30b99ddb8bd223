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
	syntax, _ := ParsedJSON(expr) // what is wrong with it is reported when it is evaluated
	return syntax
}

// ParsedJSON is the syntax tree of an expression in JSON.
func ParsedJSON(expr hcl.Expression) (hclsyntax.Expression, hcl.Diagnostics) {
	at := expr.Range()
	var diags hcl.Diagnostics
	if pairs, none := hcl.ExprMap(expr); !none.HasErrors() {
		object := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: at}
		for _, pair := range pairs {
			key, keyDiags := ParsedJSON(pair.Key)
			value, valueDiags := ParsedJSON(pair.Value)
			diags = append(append(diags, keyDiags...), valueDiags...)
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{KeyExpr: key, ValueExpr: value})
		}
		return object, diags
	}
	if elements, none := hcl.ExprList(expr); !none.HasErrors() {
		tuple := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: at}
		for _, element := range elements {
			parsed, elementDiags := ParsedJSON(element)
			diags = append(diags, elementDiags...)
			tuple.Exprs = append(tuple.Exprs, parsed)
		}
		return tuple, diags
	}
	literal, _ := expr.Value(nil) // a string is not taken for a template then
	if literal.Type() == cty.String && literal.IsKnown() && !literal.IsNull() {
		inside := hcl.Pos{Line: at.Start.Line, Column: at.Start.Column + 1, Byte: at.Start.Byte + 1} // of the quotes
		template, problems := hclsyntax.ParseTemplate([]byte(literal.AsString()), at.Filename, inside)
		written := positionsIn(expr, literal.AsString())
		written.correctAll(problems)
		if diags = problems; !diags.HasErrors() {
			written.correct(template)
			return template, append(diags, ReadTypes(template)...)
		}
	}
	return &hclsyntax.LiteralValueExpr{Val: literal, SrcRange: at}, diags
}
