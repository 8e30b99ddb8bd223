package budget

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// Body is the body of a file that was just parsed, with the budget in it, before anything else has it.
func (b *Budget) Body(file *hcl.File) hcl.Body {
	if b == nil {
		return file.Body
	}
	if native, ok := file.Body.(*hclsyntax.Body); ok {
		b.native(native)
		return native
	}
	return jsonBody{file.Body, b, file.Bytes}
}

func (b *Budget) native(body *hclsyntax.Body) {
	for _, attr := range body.Attributes {
		attr.Expr = b.Expr(attr.Expr)
	}
	for _, block := range body.Blocks {
		b.native(block.Body)
	}
}

// Expr puts the budget into an expression that was just parsed.
func (b *Budget) Expr(expr hclsyntax.Expression) hclsyntax.Expression {
	if b == nil {
		return expr
	}
	switch e := expr.(type) {
	case *hclsyntax.ParenthesesExpr:
		e.Expression = b.Expr(e.Expression)
	case *hclsyntax.ObjectConsKeyExpr:
		e.Wrapped = b.Expr(e.Wrapped)
	case *hclsyntax.RelativeTraversalExpr:
		e.Source = b.Expr(e.Source)
	case *hclsyntax.IndexExpr:
		e.Collection, e.Key = b.Expr(e.Collection), b.operand(e.Key)
	case *hclsyntax.SplatExpr:
		e.Source, e.Each = b.Expr(e.Source), b.element(e.Each, Made)
	case *hclsyntax.TemplateWrapExpr:
		e.Wrapped = b.Expr(e.Wrapped)
	case *hclsyntax.TemplateExpr:
		return b.template(e)
	case *hclsyntax.TemplateJoinExpr:
		e.Tuple = &joined{b.node(b.Expr(e.Tuple))}
	case *hclsyntax.UnaryOpExpr:
		e.Val = b.operand(e.Val)
	case *hclsyntax.BinaryOpExpr:
		b.binary(e)
	case *hclsyntax.TupleConsExpr:
		for i, element := range e.Exprs {
			e.Exprs[i] = b.element(element, 0)
		}
		return &priced{b.node(e), int64(len(e.Exprs)) * Made}
	case *hclsyntax.ObjectConsExpr:
		for i := range e.Items {
			item := &e.Items[i]
			item.KeyExpr, item.ValueExpr = b.Expr(item.KeyExpr), b.element(item.ValueExpr, 0)
		}
		return &priced{b.node(e), int64(len(e.Items)) * Made}
	case *hclsyntax.ForExpr:
		b.loop(e)
	case *hclsyntax.FunctionCallExpr:
		for i, arg := range e.Args {
			e.Args[i] = b.Expr(arg)
		}
		return &called{b.node(e)}
	case *hclsyntax.ConditionalExpr:
		e.Condition, e.TrueResult, e.FalseResult = b.Expr(e.Condition), b.element(e.TrueResult, 0), b.element(e.FalseResult, 0)
		return &conditional{node: b.node(e), expr: e}
	}
	return expr
}

func (b *Budget) node(expr hclsyntax.Expression) node {
	return node{hclsyntax.ParenthesesExpr{Expression: expr, SrcRange: expr.Range()}, b}
}

// loop prices each turn of a for expression.
func (b *Budget) loop(e *hclsyntax.ForExpr) {
	e.CollExpr = b.Expr(e.CollExpr)
	e.ValExpr = b.element(e.ValExpr, Made)
	if e.KeyExpr != nil {
		e.KeyExpr = &priced{b.node(b.part(e.KeyExpr)), Made}
	}
	if e.CondExpr != nil {
		e.CondExpr = &priced{b.node(b.Expr(e.CondExpr)), Made}
	}
}

// binary prices an operation. Two values that are compared are gone through.
func (b *Budget) binary(e *hclsyntax.BinaryOpExpr) {
	if e.Op == hclsyntax.OpEqual || e.Op == hclsyntax.OpNotEqual {
		e.LHS, e.RHS = b.element(e.LHS, 0), b.element(e.RHS, 0)
		return
	}
	e.LHS, e.RHS = b.operand(e.LHS), b.operand(e.RHS)
}

// element prices what becomes a part of another value: a fixed price, and the size of what is
// referred to.
func (b *Budget) element(expr hclsyntax.Expression, price int64) hclsyntax.Expression {
	metered := b.Expr(expr)
	switch {
	case handsOn(expr):
		return &shared{priced{b.node(metered), price}}
	case price > 0:
		return &priced{b.node(metered), price}
	}
	return metered
}

// handsOn reports whether an expression makes no new value, so that none of its nodes pays for it.
func handsOn(expr hclsyntax.Expression) bool {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.RelativeTraversalExpr, *hclsyntax.IndexExpr, *hclsyntax.AnonSymbolExpr:
		return true
	case *hclsyntax.ParenthesesExpr:
		return handsOn(e.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return handsOn(e.Wrapped)
	case *hclsyntax.FunctionCallExpr:
		return e.Name == "try" // which can't pay for its result
	}
	return false
}

// template prices the parts of a template by their text. Short text that is written out is part of the price of what
// the template goes into.
func (b *Budget) template(e *hclsyntax.TemplateExpr) hclsyntax.Expression {
	const short = 64
	written := 0
	for i, part := range e.Parts {
		if literal, ok := part.(*hclsyntax.LiteralValueExpr); ok {
			written += textLength(literal.Val)
		} else {
			e.Parts[i] = b.part(part)
		}
	}
	if written <= short {
		return e
	}
	return &priced{b.node(e), int64(written)}
}

// part prices a part of a template by its text.
func (b *Budget) part(expr hclsyntax.Expression) hclsyntax.Expression {
	return &text{b.node(b.Expr(expr))}
}

// operand refuses what would take too long to read as a number.
func (b *Budget) operand(expr hclsyntax.Expression) hclsyntax.Expression {
	if _, literal := expr.(*hclsyntax.LiteralValueExpr); literal {
		return expr
	}
	return &operand{b.node(b.Expr(expr))}
}
