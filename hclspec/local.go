package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
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
