package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/source"
)

// locals reads the local values of a locals block.
func (p *parser) locals(block *hcl.Block) []*Local {
	if native, ok := block.Body.(*hclsyntax.Body); ok {
		for _, b := range native.Blocks {
			p.problem("Unsupported block type", b.TypeRange,
				"A locals block holds lines such as name = value and no blocks: write %s = { … }.", b.Type)
		}
		native.Blocks = nil
	}
	attrs, diags := block.Body.JustAttributes()
	p.report(diags)
	var locals []*Local
	for _, attr := range source.SortedAttributes(attrs) {
		if p.checkName("a local value", attr.Name, attr.NameRange) {
			locals = append(locals, &Local{Name: attr.Name, Expr: attr.Expr, Range: attr.Range, nameRange: attr.NameRange})
		}
	}
	return locals
}

var outputSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "value", Required: true}, {Name: "description"}, {Name: "sensitive"}, {Name: "depends_on"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "precondition"}},
}

// output reads an output block; nil when its name is wrong.
func (p *parser) output(block *hcl.Block) *Output {
	o := &Output{Name: block.Labels[0], Range: block.DefRange}
	if !p.checkName("an output", o.Name, block.LabelRanges[0]) {
		return nil
	}
	content, diags := block.Body.Content(outputSchema)
	p.report(diags)
	p.constant(content.Attributes["description"], &o.Description)
	p.constant(content.Attributes["sensitive"], &o.Sensitive)
	o.DependsOn = p.dependsOn(content.Attributes["depends_on"])
	for _, b := range content.Blocks {
		if check := p.check(b); check != nil {
			o.Preconditions = append(o.Preconditions, check)
		}
	}
	if value := content.Attributes["value"]; value != nil {
		o.Expr = value.Expr
	}
	return o
}
