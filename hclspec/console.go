package hclspec

import (
	"context"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// Scope is what a preview or a walk has found, for expressions that are no part of the
// configuration.
type Scope struct {
	program *program
	results map[Block]*result
	seen    map[Block][]*Observed // of each instance; missing where nothing was visited
}

// Scope is the scope of what is known before anything is visited.
func (pre *Preview) Scope() *Scope { return &Scope{program: pre.program, results: pre.results} }

// Expression is an expression that is no part of the configuration. It has a budget of its own.
type Expression struct {
	// AsksForType reports whether the expression is type(…), and the value that of its argument.
	AsksForType bool

	block  *block
	budget *budget.Budget
	scope  *Scope
}

// expressionNode makes a block of such an expression.
type expressionNode struct{ expr hclsyntax.Expression }

func (n expressionNode) findUses(f *useFinder) { f.expr(n.expr) }

func (expressionNode) dependsOn() []config.Reference { return nil }

func (expressionNode) evaluate(*program, *block, map[Block]*result) *result {
	return &result{value: cty.DynamicVal}
}

// Parse parses an expression and finds what it refers to. Its evaluation ends with ctx.
func (s *Scope) Parse(ctx context.Context, src []byte, filename string) (*Expression, hcl.Diagnostics) {
	expr, diags := source.ParseExpression(src, filename)
	if diags.HasErrors() {
		return nil, diags
	}
	e := &Expression{budget: budget.New(ctx), scope: s}
	if call, ok := expr.(*hclsyntax.FunctionCallExpr); ok && call.Name == "type" && len(call.Args) == 1 {
		e.AsksForType, expr = true, call.Args[0]
	}
	diags = append(diags, source.ReadTypes(expr)...)
	diags = append(diags, funcs.UnknownCalls(expr, funcs.Names(s.program.base.Functions))...)
	e.block = &block{name: Block{Type: "expression"}, node: expressionNode{e.budget.Expr(expr)}, at: expr.Range()}
	diags = append(diags, s.program.names.resolve(e.block)...)
	return e, diags
}

// ReadsObjects reports whether the value may depend on objects.
func (e *Expression) ReadsObjects() bool {
	for _, ref := range e.block.refs {
		if ref.to.IsResource() || e.scope.program.dependsOnResources[ref.to] {
			return true
		}
	}
	return false
}

// Value evaluates the expression. Sensitive parts of the value are marked with
// funcs.Sensitive.
func (e *Expression) Value() (cty.Value, hcl.Diagnostics) {
	own, deps := e.scope.forExpression(e)
	diags := own.checkPaths(e.block, deps)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	scope := own.scope(e.block, deps)
	value := cty.DynamicVal
	expr := e.block.node.(expressionNode).expr
	tooMuch := e.budget.Within(func() { value, diags = funcs.Evaluate(expr, scope) })
	own.nameInstances(e.block, diags, deps)
	diags = forDisplay(append(diags, tooMuch...))
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	_, marks := value.UnmarkDeep()
	var from manifest.Origins
	from.Take(marks)
	if from.Skipped != nil {
		return cty.DynamicVal, append(diags, source.Problem("Object not known", expr.Range(),
			"The value depends on %s, which could not be read: see the error about it.", *from.Skipped)...)
	}
	return withoutOrigins(value), diags
}

// forExpression is the program in which the functions spend from the expression's own budget,
// and the values that it refers to: of each object what it asks for.
func (s *Scope) forExpression(e *Expression) (*program, map[Block]*result) {
	own := *s.program
	own.budget = e.budget
	own.base = &hcl.EvalContext{Functions: manifest.KeepingOrigins(funcs.Table(own.dir, e.budget))}
	demands := map[Block]*demand{}
	deps := map[Block]*result{}
	for _, ref := range e.block.refs {
		deps[ref.to] = s.results[ref.to]
		if target, ok := own.names.byBlock[ref.to].node.(objectNode); ok {
			if demands[ref.to] == nil {
				demands[ref.to] = &demand{}
			}
			demands[ref.to].add(ref.objectSteps(target))
		}
	}
	own.demands = demands
	for name, res := range deps {
		switch b := own.names.byBlock[name]; {
		case res == nil: // the evaluation of the configuration did not get here
			deps[name] = &result{value: cty.DynamicVal}
		case demands[name] != nil && res.hasInstances():
			now := *res
			now.value = own.resourceValue(b, res, s.seen[name])
			deps[name] = &now
		}
	}
	return &own, deps
}

// hasInstances reports whether the instances are known, though there may be none.
func (r *result) hasInstances() bool {
	return !r.unexpanded && (len(r.instances) > 0 || r.kind != nil && len(r.failed) == 0)
}

// Output is a value as an output of the configuration would have it, or the error that it
// can't be one.
func (e *Expression) Output(value cty.Value) (*OutputValue, hcl.Diagnostics) {
	isSecret := funcs.IsSensitive(value)
	value, _ = value.UnmarkDeep()
	if !keepsNumbers(value) {
		return nil, source.Problem("Number too large", e.block.at,
			"JSON keeps whole numbers of 64 bits. Convert a longer one to text with tostring().")
	}
	return outputValue(&config.Output{Sensitive: isSecret}, value), nil
}

// Secrets are the texts in the expression that it calls sensitive.
func (e *Expression) Secrets() []string {
	var secrets []string
	source.VisitAll(e.block.node.(expressionNode).expr, func(n hclsyntax.Node) {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "sensitive" {
			source.VisitAll(call, func(n hclsyntax.Node) {
				if literal, ok := n.(*hclsyntax.LiteralValueExpr); ok && literal.Val.Type() == cty.String {
					secrets = append(secrets, literal.Val.AsString())
				}
			})
		}
	})
	return secrets
}

// Reveals reports whether the expression itself says that something sensitive is to be shown.
func (e *Expression) Reveals() bool {
	return funcs.Calls(e.block.node.(expressionNode).expr, "nonsensitive")
}
