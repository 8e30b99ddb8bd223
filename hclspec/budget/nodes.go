package budget

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/hclspec/source"
)

// node is a node of the syntax tree around another. Only HCL's own types can be nodes, so it is a pair of
// parentheses: a walk through the tree finds the node inside as its child, and who looks at the types of
// expressions asks source.Bare first.
type node struct {
	hclsyntax.ParenthesesExpr
	budget *Budget
}

// Bare is the node inside.
func (n *node) Bare() hclsyntax.Expression { return n.Expression }

// UnwrapExpression is for hcl.ExprList and its like.
func (n *node) UnwrapExpression() hcl.Expression { return n.Expression }

func (n *node) spend(price int64) { n.budget.SpendAt(price, n.SrcRange) }

// priced has a price that is known before it is evaluated.
type priced struct {
	node
	price int64
}

func (n *priced) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	n.spend(n.price)
	value, diags := n.Expression.Value(ctx)
	n.spend(int64(len(diags)) * problem)
	return value, diags
}

// shared also costs what its value holds.
type shared struct{ priced }

func (n *shared) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, diags := n.priced.Value(ctx)
	if !value.Type().IsPrimitiveType() {
		walk(value, n.spend)
	} else {
		n.spend(int64(textLength(value)) / textShare)
	}
	return value, diags
}

// text costs what it adds to a template: there it is written twice.
type text struct{ node }

func (n *text) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, diags := n.Expression.Value(ctx)
	n.spend(2 * int64(textLength(value)))
	return value, diags
}

// joined is what the turns of a template's loop made, which is joined into one text.
type joined struct{ node }

func (n *joined) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, diags := n.Expression.Value(ctx)
	plain, _ := value.Unmark()
	if elements(plain) > 0 {
		for it := plain.ElementIterator(); it.Next(); {
			_, turn := it.Element()
			n.spend(2 * int64(textLength(turn)))
		}
	}
	return value, diags
}

// called is a function call, whose function spends by itself. cty recovers from the panic in it.
type called struct{ node }

func (n *called) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	n.spend(call)
	value, diags := n.Expression.Value(ctx)
	n.budget.check(n.Expression)
	return value, diags
}

// operand is used as a number, or as an index.
type operand struct{ node }

func (n *operand) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, diags := n.Expression.Value(ctx)
	if IsHugeNumber(value) {
		return cty.DynamicVal, append(diags, source.Problem("Number out of range", n.Range(),
			"This text is a number with more digits than can be calculated with.")...)
	}
	return value, diags
}

// conditional evaluates as HCL does, except that once the condition is known the result has the errors and the
// marks of only the branch that is taken.
type conditional struct {
	node
	expr *hclsyntax.ConditionalExpr
}

func (n *conditional) Value(ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	n.spend(Made)
	condition, diags := n.expr.Condition.Value(ctx)
	decided, marks := condition.Unmark()
	taken, other := n.expr.TrueResult, n.expr.FalseResult
	if answer, err := convert.Convert(decided, cty.Bool); diags.HasErrors() || err != nil || answer.IsNull() || !answer.IsKnown() {
		return n.undecided(condition, diags, ctx)
	} else if answer.False() {
		taken, other = other, taken
	}
	value, problems := taken.Value(ctx)
	diags = append(diags, problems...)
	alternative, unusable := other.Value(ctx)
	if unusable.HasErrors() || diags.HasErrors() {
		return value.WithMarks(marks), diags
	}
	converted, ok := n.unified(value, alternative)
	if !ok {
		return n.undecided(condition, diags, ctx) // reports it
	}
	return converted.WithMarks(marks), diags
}

// undecided leaves all to HCL, except for the condition, which is not evaluated again.
func (n *conditional) undecided(condition cty.Value, diags hcl.Diagnostics, ctx *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	again := *n.expr
	again.Condition = &evaluated{n.expr.Condition, condition}
	value, more := again.Value(ctx)
	return value, append(diags, more...)
}

// evaluated is an expression whose value is known already.
type evaluated struct {
	hclsyntax.Expression
	value cty.Value
}

func (e *evaluated) Value(*hcl.EvalContext) (cty.Value, hcl.Diagnostics) { return e.value, nil }

// unified is a value in the type that it has in common with another.
func (n *conditional) unified(value, other cty.Value) (cty.Value, bool) {
	from, to := value.Type(), other.Type()
	isNothing := func(v cty.Value) bool { return v.Type() == cty.DynamicPseudoType && v.IsNull() }
	switch {
	case isNothing(other), from == cty.DynamicPseudoType && !isNothing(value), to == cty.DynamicPseudoType:
		return value, true
	case isNothing(value):
		converted, err := convert.Convert(value, to) // null
		return converted, err == nil
	}
	ty := unifyPair(from, to)
	switch {
	case ty == cty.NilType:
		return cty.NilVal, false
	case ty.Equals(from):
		return value, true
	}
	PayConversionAt(n.budget, value, ty, n.SrcRange)
	converted, err := Convert(value, ty)
	return converted, err == nil
}
