package hclspec

import (
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
)

// importNode is an import block with for_each: which instances it imports.
type importNode struct{ decl *config.Import }

func (n importNode) findUses(f *useFinder) {
	f.expr(n.decl.ForEach)
	f.repetition = len(f.uses)
	for _, expr := range n.decl.Expressions() {
		f.expr(expr)
	}
}

func (importNode) dependsOn() []config.Reference { return nil }

func (importNode) repetition() string { return "for_each" }

func (n importNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	scope := p.scope(b, deps)
	r := config.Repetition{ForEach: n.decl.ForEach}
	e, diags := expand(r, scope)
	res := &result{value: cty.DynamicVal, diags: diags}
	if e.unknown && !diags.HasErrors() && !p.opts.Partial {
		res.diags = append(res.diags, unknownRepetition(r, scope)...)
	}
	for _, element := range e.instances {
		inner := element.inScope(scope, b)
		imported, diags := n.decl.For(inner)
		if res.diags = append(res.diags, diags...); imported.To == (addrs.Instance{}) {
			if !diags.HasErrors() && !p.opts.Partial {
				res.diags = append(res.diags, source.Problem("Unknown import", n.decl.ToRange,
					"What is imported must be known before anything is made, and this address depends on what only the cluster will decide.")...)
			}
			continue
		}
		res.imports = append(res.imports, imported)
	}
	return res
}
