package hclspec

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// variableNode is a variable, which has its value already.
type variableNode struct{}

func (variableNode) findUses(*useFinder) {}

func (variableNode) dependsOn() []config.Reference { return nil }

func (variableNode) evaluate(p *program, b *block, _ map[Block]*result) *result {
	return &result{value: p.opts.Variables.Value(b.name.Name)}
}

// localNode is a local value.
type localNode struct{ expr hcl.Expression }

func (l localNode) handsOn() hcl.Expression { return l.expr }

func (l localNode) findUses(f *useFinder) { f.expr(l.expr) }

func (localNode) dependsOn() []config.Reference { return nil }

func (l localNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	scope := p.scope(b, deps)
	value, diags := funcs.Evaluate(l.expr, scope)
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	var o manifest.Origins
	p.keyOrigins(b, scope, &o)
	return &result{value: o.Mark(value), diags: diags}
}

// outputNode is an output. Nothing refers to one of the root: those are evaluated after all else, see
// evaluateOutputs. One of a module is what its caller sees of it.
type outputNode struct{ decl *config.Output }

func (n outputNode) handsOn() hcl.Expression { return n.decl.Expr }

func (n outputNode) findUses(f *useFinder) {
	f.expr(n.decl.Expr)
	f.checks(n.decl.Preconditions)
}

func (n outputNode) dependsOn() []config.Reference { return n.decl.DependsOn }

func (n outputNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	if b.of.parent == nil {
		return &result{value: cty.DynamicVal}
	}
	scope := p.scope(b, deps)
	value, diags := funcs.Evaluate(n.decl.Expr, scope)
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	for _, check := range n.decl.Preconditions {
		diags = append(diags, condition("Precondition failed", check, scope)...)
	}
	if n.decl.Sensitive {
		value = value.Mark(funcs.Sensitive)
	}
	var o manifest.Origins
	p.keyOrigins(b, scope, &o)
	for _, awaited := range b.awaits { // who uses the output comes after what it depends on
		if res := deps[awaited.to]; res != nil {
			for _, i := range res.instances {
				o.Need(i.Addr)
			}
		}
	}
	return &result{value: o.Mark(value), diags: diags}
}

// evaluatedOutput is the result of one output.
type evaluatedOutput struct {
	block *block
	value *OutputValue // nil where there is none to show
	diags hcl.Diagnostics
	later map[manifest.LaterMark]struct{} // values that it needs and that have not appeared
}

// evaluateOutputs evaluates the outputs in their order. Those that a failed
// instance would have gone into are left out, or a resource for which only, when
// set, is false.
func (p *program) evaluateOutputs(results map[Block]*result, only func(addrs.Resource) bool) []evaluatedOutput {
	var all []evaluatedOutput
	for _, b := range p.names.inOrder {
		n, ok := b.node.(outputNode)
		if !ok || b.name.Module != "" || !p.complete(b, results, only) {
			continue
		}
		o := evaluatedOutput{block: b}
		tooMuch := p.spend(b, func() { o.value, o.later, o.diags = p.evaluateOutput(b, n.decl, results) })
		p.nameInstances(b, o.diags, results)
		o.diags = forDisplay(append(o.diags, tooMuch...))
		all = append(all, o)
		if tooMuch.HasErrors() {
			break // all others would have the same problem
		}
	}
	return all
}

func outputValues(all []evaluatedOutput) []OutputValue {
	var values []OutputValue
	for _, o := range all {
		if o.value != nil {
			values = append(values, *o.value)
		}
	}
	return values
}

// complete reports whether all that an output refers to is part of this run and
// was evaluated.
func (p *program) complete(b *block, results map[Block]*result, only func(addrs.Resource) bool) bool {
	for _, name := range p.graph.Closure(b.name) {
		if name != b.name && results[name] == nil || name.IsResource() && only != nil && !only(name.resource()) {
			return false
		}
	}
	return true
}

// evaluateOutput returns nil when there is no value to show.
func (p *program) evaluateOutput(b *block, o *config.Output, results map[Block]*result) (
	*OutputValue, map[manifest.LaterMark]struct{}, hcl.Diagnostics,
) {
	for _, awaited := range b.awaits {
		if results[awaited.to] != nil && len(results[awaited.to].failed) > 0 {
			return nil, nil, nil
		}
	}
	scope := p.scope(b, results)
	value, diags := funcs.Evaluate(o.Expr, scope)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	value, marks := value.UnmarkDeep()
	var from manifest.Origins
	isSecret := from.Take(marks)
	p.keyOrigins(b, scope, &from)
	if from.Skipped != nil {
		return nil, from.Later, nil
	}
	for _, check := range o.Preconditions {
		if condition, problems := check.Condition.Value(scope); !problems.HasErrors() {
			_, marks := condition.UnmarkDeep()
			from.Take(marks)
		}
		diags = append(diags, condition("Precondition failed", check, scope)...)
	}
	if isSecret && !o.Sensitive {
		diags = append(diags, source.Problem("Output refers to sensitive values", o.Expr.Range(),
			"The value of this output is sensitive, so showing it would give a secret away. If the output is meant to hold a "+
				"secret, say sensitive = true in it; if the value is none, wrap it in nonsensitive().")...)
	}
	if !keepsNumbers(value) {
		diags = append(diags, source.Problem("Number too large", o.Expr.Range(),
			"The state holds outputs as JSON, which keeps whole numbers of 64 bits. Convert a longer one to text with tostring().")...)
	}
	if diags.HasErrors() {
		return nil, from.Later, diags
	}
	return outputValue(o, value), from.Later, diags
}

// keepsNumbers reports whether JSON can hold all numbers of a value.
func keepsNumbers(value cty.Value) bool {
	kept := true
	cty.Walk(value, func(_ cty.Path, v cty.Value) (bool, error) {
		if v.IsKnown() && !v.IsNull() && v.Type() == cty.Number {
			_, ok := manifest.JSONNumber(v.AsBigFloat())
			kept = kept && ok
		}
		return kept, nil
	})
	return kept
}

func outputValue(o *config.Output, value cty.Value) *OutputValue {
	out := &OutputValue{Name: o.Name, Sensitive: o.Sensitive}
	out.Type = typeJSON(shownType(value.Type(), o.Sensitive))
	if !value.IsWhollyKnown() {
		out.Unknown = true
		return out
	}
	text, err := ctyjson.Marshal(value, value.Type())
	if err != nil {
		panic("hclspec: a known value has no JSON form: " + err.Error())
	}
	out.Value = decodeJSON(text)
	return out
}

// shownType is the type of an output as it is stored and shown. The names in an object may
// be as secret as its values.
func shownType(ty cty.Type, sensitive bool) cty.Type {
	if sensitive && namesAttributes(ty) {
		return cty.DynamicPseudoType
	}
	return ty
}

func namesAttributes(ty cty.Type) bool {
	switch {
	case ty.IsTupleType():
		return slices.ContainsFunc(ty.TupleElementTypes(), namesAttributes)
	case ty.IsCollectionType():
		return namesAttributes(ty.ElementType())
	}
	return ty.IsObjectType()
}

func typeJSON(ty cty.Type) any {
	text, err := ctyjson.MarshalType(ty)
	if err != nil {
		panic("hclspec: a type has no JSON form: " + err.Error())
	}
	return decodeJSON(text)
}

// decodeJSON reads JSON with whole numbers as int64.
func decodeJSON(text []byte) any {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var x any
	if err := dec.Decode(&x); err != nil {
		panic("hclspec: unreadable JSON of our own: " + err.Error())
	}
	return wholeNumbers(x)
}

func wholeNumbers(x any) any {
	switch x := x.(type) {
	case json.Number:
		if i, err := x.Int64(); err == nil {
			return i
		}
		f, _ := x.Float64()
		return f
	case map[string]any:
		for name, value := range x {
			x[name] = wholeNumbers(value)
		}
	case []any:
		for i, value := range x {
			x[i] = wholeNumbers(value)
		}
	}
	return x
}

// checkNode is a check block, which is evaluated after all else: see evaluateChecks.
type checkNode struct{ decl *config.CheckBlock }

func (n checkNode) findUses(f *useFinder) { f.checks(n.decl.Asserts) }

func (checkNode) dependsOn() []config.Reference { return nil }

func (checkNode) evaluate(*program, *block, map[Block]*result) *result {
	return &result{value: cty.DynamicVal}
}
