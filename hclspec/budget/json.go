package budget

import (
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/source"
)

// jsonBody is a body in JSON, whose strings are parsed as templates when they are evaluated.
type jsonBody struct {
	hcl.Body
	budget *Budget
	src    []byte // of the file
}

func (b jsonBody) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, diags := b.Body.Content(schema)
	return b.content(content), diags
}

func (b jsonBody) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, rest, diags := b.Body.PartialContent(schema)
	return b.content(content), jsonBody{rest, b.budget, b.src}, diags
}

func (b jsonBody) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	attrs, diags := b.Body.JustAttributes()
	return b.attributes(attrs), diags
}

func (b jsonBody) content(content *hcl.BodyContent) *hcl.BodyContent {
	content.Attributes = b.attributes(content.Attributes)
	for _, block := range content.Blocks {
		block.Body = jsonBody{block.Body, b.budget, b.src}
	}
	return content
}

func (b jsonBody) attributes(attrs hcl.Attributes) hcl.Attributes {
	for _, attr := range attrs {
		attr.Expr = metered(b.budget, attr.Expr, b.src)
	}
	return attrs
}

func metered(b *Budget, expr hcl.Expression, src []byte) hcl.Expression {
	return &jsonExpr{Expression: expr, budget: b, src: src}
}

// jsonExpr is an expression in JSON, evaluated by its syntax tree, which is made once.
type jsonExpr struct {
	hcl.Expression
	budget *Budget
	src    []byte // of the file

	once   sync.Once
	syntax hclsyntax.Expression
	diags  hcl.Diagnostics
}

func (e *jsonExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if ctx == nil {
		return e.Expression.Value(nil) // strings are no templates then
	}
	e.once.Do(func() {
		e.syntax, e.diags = source.ParsedJSON(e)
		e.diags = append(e.diags, source.DuplicateKeys(e.syntax)...)
		e.syntax = e.budget.Expr(e.syntax)
	})
	if e.diags.HasErrors() {
		return cty.DynamicVal, e.diags
	}
	return e.syntax.Value(ctx)
}

// Source is the file that the expression is in.
func (e *jsonExpr) Source() []byte { return e.src }

// UnwrapExpression is for what HCL reads of an expression without evaluating it.
func (e *jsonExpr) UnwrapExpression() hcl.Expression { return e.Expression }

func (e *jsonExpr) ExprList() []hcl.Expression {
	elements, diags := hcl.ExprList(e.Expression)
	if diags.HasErrors() {
		return nil
	}
	list := make([]hcl.Expression, len(elements))
	for i, element := range elements {
		list[i] = metered(e.budget, element, e.src)
	}
	return list
}

func (e *jsonExpr) ExprMap() []hcl.KeyValuePair {
	pairs, diags := hcl.ExprMap(e.Expression)
	if diags.HasErrors() {
		return nil
	}
	list := make([]hcl.KeyValuePair, len(pairs))
	for i, pair := range pairs {
		list[i] = hcl.KeyValuePair{Key: metered(e.budget, pair.Key, e.src), Value: metered(e.budget, pair.Value, e.src)}
	}
	return list
}
