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
}

func (b jsonBody) Content(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Diagnostics) {
	content, diags := b.Body.Content(schema)
	return b.content(content), diags
}

func (b jsonBody) PartialContent(schema *hcl.BodySchema) (*hcl.BodyContent, hcl.Body, hcl.Diagnostics) {
	content, rest, diags := b.Body.PartialContent(schema)
	return b.content(content), jsonBody{rest, b.budget}, diags
}

func (b jsonBody) JustAttributes() (hcl.Attributes, hcl.Diagnostics) {
	attrs, diags := b.Body.JustAttributes()
	return b.attributes(attrs), diags
}

func (b jsonBody) content(content *hcl.BodyContent) *hcl.BodyContent {
	content.Attributes = b.attributes(content.Attributes)
	for _, block := range content.Blocks {
		block.Body = jsonBody{block.Body, b.budget}
	}
	return content
}

func (b jsonBody) attributes(attrs hcl.Attributes) hcl.Attributes {
	for _, attr := range attrs {
		attr.Expr = b.budget.json(attr.Expr)
	}
	return attrs
}

func (b *Budget) json(expr hcl.Expression) hcl.Expression {
	return &jsonExpr{Expression: expr, budget: b}
}

// jsonExpr is an expression in JSON, evaluated by its syntax tree, which is made once.
type jsonExpr struct {
	hcl.Expression
	budget *Budget

	once   sync.Once
	syntax hclsyntax.Expression
	diags  hcl.Diagnostics
}

func (e *jsonExpr) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	if ctx == nil {
		return e.Expression.Value(nil) // strings are no templates then
	}
	e.once.Do(func() {
		e.syntax, e.diags = source.ParsedJSON(e.Expression)
		e.diags = append(e.diags, source.DuplicateKeys(e.syntax)...)
		e.syntax = e.budget.Expr(e.syntax)
	})
	if e.diags.HasErrors() {
		return cty.DynamicVal, e.diags
	}
	return e.syntax.Value(ctx)
}

// UnwrapExpression is for what HCL reads of an expression without evaluating it.
func (e *jsonExpr) UnwrapExpression() hcl.Expression { return e.Expression }

func (e *jsonExpr) ExprList() []hcl.Expression {
	elements, diags := hcl.ExprList(e.Expression)
	if diags.HasErrors() {
		return nil
	}
	metered := make([]hcl.Expression, len(elements))
	for i, element := range elements {
		metered[i] = e.budget.json(element)
	}
	return metered
}

func (e *jsonExpr) ExprMap() []hcl.KeyValuePair {
	pairs, diags := hcl.ExprMap(e.Expression)
	if diags.HasErrors() {
		return nil
	}
	metered := make([]hcl.KeyValuePair, len(pairs))
	for i, pair := range pairs {
		metered[i] = hcl.KeyValuePair{Key: e.budget.json(pair.Key), Value: e.budget.json(pair.Value)}
	}
	return metered
}
