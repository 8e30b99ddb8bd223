package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// callNode is a module block: which instances of the definition there are.
type callNode struct{ decl *config.Call }

func (n callNode) findUses(f *useFinder) {
	f.expr(n.decl.ForEach)
	f.expr(n.decl.Count)
	f.expr(n.decl.Enabled)
	f.repetition = len(f.uses)
}

func (n callNode) dependsOn() []config.Reference { return n.decl.DependsOn }

func (n callNode) repetition() string { return n.decl.Repetition.Argument() }

func (n callNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	scope := p.scope(b, deps)
	e, diags := expand(n.decl.Repetition, scope)
	e.origins.Add(b.of.origins(deps))
	res := &result{value: cty.DynamicVal, expansion: &e, diags: diags}
	switch {
	case e.origins.Skipped != nil:
		res.value, res.diags, res.unexpanded = e.origins.Mark(cty.DynamicVal), nil, true
	case e.unknown:
		res.unexpanded = true
		if !diags.HasErrors() && !p.opts.Partial {
			res.diags = append(res.diags, unknownRepetition(n.decl.Repetition, scope)...)
		}
		e.instances = []repetition{anyInstance(n.decl.Repetition)}
	default:
		res.value = e.value()
		res.diags = append(res.diags, p.expectModules(b, &e)...)
	}
	return res
}

// value differs where one of the instances does.
func (e *expansion) value() cty.Value {
	values := map[string]cty.Value{}
	for _, r := range e.instances {
		values[r.key.String()] = r.values
		if r.name == "" {
			values[r.key.String()] = cty.EmptyObjectVal
		}
	}
	return cty.ObjectVal(values)
}

// expectModules reports a call whose instances are others than when they were made: the objects in them
// were planned then.
func (p *program) expectModules(b *block, e *expansion) hcl.Diagnostics {
	made, ok := b.of.children[b.name.Name]
	if !ok {
		return nil // it is evaluated for the first time
	}
	same := len(made) == len(e.instances)
	for i := 0; same && i < len(made); i++ {
		same = made[i].key == e.instances[i].key
	}
	if same {
		return nil
	}
	e.unknown = true
	return source.Problem("Other instances than planned", b.at, "The instances of %s have changed since the plan was made, because its "+
		"for_each or count depends on an object that became another than planned. Plan again.", b.name)
}

// expandCall makes the modules of a call.
func (p *program) expandCall(b *block, res *result) {
	decl := b.node.(callNode).decl
	path := b.name.String() // module.app within its module
	declared := Block{Module: b.of.declared, Type: "module", Name: b.name.Name}.String()
	if b.of.children == nil {
		b.of.children = map[string][]*module{}
	}
	base := p.base
	if decl.Definition != nil {
		base = p.functionsOf(decl.Definition)
	}
	b.of.children[b.name.Name] = nil // there may be none
	for _, r := range res.expansion.instances {
		m := &module{path: path + r.key.String(), declared: declared, key: r.key, call: b.name, parent: b.of, base: base,
			unexpanded: res.unexpanded || b.of.unexpanded}
		b.of.children[b.name.Name] = append(b.of.children[b.name.Name], m)
		p.modules[declared] = append(p.modules[declared], m)
	}
}

// argumentNode is a variable of a definition: what the call gives it, else its default.
type argumentNode struct {
	decl *config.Variable
	call *config.Call
}

func (n argumentNode) handsOn() hcl.Expression {
	if attr := n.call.Argument(n.decl.Name); attr != nil {
		return attr.Expr
	}
	return nil
}

func (n argumentNode) findUses(f *useFinder) { f.expr(n.handsOn()) }

func (argumentNode) dependsOn() []config.Reference { return nil }

func (n argumentNode) repetition() string { return n.call.Repetition.Argument() }

func (n argumentNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	expr := n.handsOn()
	if expr == nil {
		return &result{value: n.decl.DefaultInput()}
	}
	scope := p.scope(b, deps)
	if r := deps[b.of.call].repetition(b.of); r != nil {
		scope = r.inScope(scope, b)
	}
	value, diags := funcs.Evaluate(expr, scope)
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	value, problems := n.decl.Input(value, expr, p.budget)
	var o manifest.Origins
	p.keyOrigins(b, scope, &o)
	return &result{value: o.Mark(value), diags: append(diags, problems...)}
}

// repetition is the each or count of a module that a call made, nil where it is not known.
func (r *result) repetition(m *module) *repetition {
	if r == nil || r.expansion == nil {
		return nil
	}
	for i := range r.expansion.instances {
		if m.unexpanded || r.expansion.instances[i].key == m.key {
			return &r.expansion.instances[i]
		}
	}
	return nil
}

// validationNode is the validation blocks of a variable of a definition.
type validationNode struct {
	decl *config.Variable
	call *config.Call
}

func (n validationNode) findUses(f *useFinder) {
	f.checks(n.decl.Validations)
}

func (validationNode) dependsOn() []config.Reference { return nil }

func (n validationNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	res := &result{value: cty.DynamicVal}
	scope := p.scope(b, deps)
	at := n.call.Range
	if attr := n.call.Argument(n.decl.Name); attr != nil {
		at = attr.Expr.Range()
	}
	for _, check := range n.decl.Validations {
		passed, _, diags := check.Passes(scope)
		res.diags = append(res.diags, diags...)
		if passed {
			continue
		}
		message, diags := check.Message(displayScope(scope))
		problem := source.ProblemIn("Invalid value for variable", check.Condition, scope, "%s The value of var.%s in %s breaks the rule at %s.",
			message, n.decl.Name, b.of.path, check.Range)
		problem[0].Subject = &at
		res.diags = append(append(res.diags, diags...), problem...)
	}
	return res
}
