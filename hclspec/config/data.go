package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// Data is a data block: objects that others manage, as the cluster has them.
type Data struct {
	Repetition
	Kind, Name string
	// APIVersion, ObjectName and Namespace are nil unless set.
	APIVersion, ObjectName, Namespace hcl.Expression
	// List asks for all objects that the selectors pick; the object has no name then.
	List                         bool
	LabelSelector, FieldSelector hcl.Expression
	Check                        string // the name of the check that the block is in, "" for none
	Optional                     bool   // the object may be missing: the value is null then
	DependsOn                    []Reference
	// Preconditions are true before the block is read, and Postconditions after that: they refer to what was read as self.
	Preconditions, Postconditions []*Check
	Range                         hcl.Range // the block's head
}

// Expressions are those of the arguments that are set.
func (d *Data) Expressions() []hcl.Expression {
	var set []hcl.Expression
	for _, expr := range []hcl.Expression{d.APIVersion, d.ObjectName, d.Namespace, d.LabelSelector, d.FieldSelector} {
		if expr != nil {
			set = append(set, expr)
		}
	}
	return set
}

var (
	dataSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{
			{Name: "for_each"}, {Name: "count"}, {Name: "depends_on"}, {Name: "apiVersion"}, {Name: "optional"},
		},
		Blocks: []hcl.BlockHeaderSchema{{Type: "metadata"}, {Type: "list"}, {Type: "lifecycle"}},
	}
	conditionsSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "precondition"}, {Type: "postcondition"}}}
	dataObjectSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "name", Required: true}, {Name: "namespace"}}}
	dataListSchema   = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
		{Name: "namespace"}, {Name: "label_selector"}, {Name: "field_selector"},
	}}
)

// misplacedInData are arguments of the blocks in a data block, with the block that they belong into.
var misplacedInData = map[string]string{
	"name":           "One object is named in a block: metadata { name = … }",
	"namespace":      "The namespace is in a block, of one object metadata { namespace = … }, of several list { namespace = … }",
	"label_selector": "What picks several objects is in a block: list { label_selector = … }",
	"field_selector": "What picks several objects is in a block: list { field_selector = … }",
}

// readData reads a data block; nil when it is wrong.
func readData(p *parser, block *hcl.Block) *Data {
	d := &Data{Kind: block.Labels[0], Name: block.Labels[1], Range: block.DefRange}
	if !p.checkKind(d.Kind, block.LabelRanges[0]) || !p.checkName("a data block", d.Name, block.LabelRanges[1]) {
		return nil
	}
	content, diags := block.Body.Content(dataSchema)
	p.report(diags)
	explain(diags, func(name string) string { return misplacedInData[name] })
	d.Repetition = p.repetition("data block", content.Attributes)
	d.DependsOn = p.dependsOn(content.Attributes["depends_on"])
	d.APIVersion = exprOf(content.Attributes["apiVersion"])
	p.constant(content.Attributes["optional"], &d.Optional)
	for _, b := range content.Blocks.OfType("lifecycle") {
		conditions, diags := b.Body.Content(conditionsSchema)
		p.report(diags)
		d.Preconditions, d.Postconditions = conditionsIn(p, conditions.Blocks)
	}
	selects := slices.DeleteFunc(slices.Clone(content.Blocks), func(b *hcl.Block) bool { return b.Type == "lifecycle" })
	if len(content.Blocks)-len(selects) > 1 {
		p.problem("Duplicate lifecycle block", block.DefRange, "A data block has one lifecycle block at most.")
	}
	if len(selects) != 1 {
		if !diags.HasErrors() {
			p.problem("Invalid data block", block.DefRange, "A data block has either a metadata block, with the name and the "+
				"namespace of one object, or a list block, with what picks several.")
		}
		return nil
	}
	inner, schema := selects[0], dataObjectSchema
	if d.List = inner.Type == "list"; d.List {
		schema = dataListSchema
	}
	arguments, diags := inner.Body.Content(schema)
	p.report(diags)
	if diags.HasErrors() {
		return nil
	}
	d.ObjectName, d.Namespace = exprOf(arguments.Attributes["name"]), exprOf(arguments.Attributes["namespace"])
	d.LabelSelector, d.FieldSelector = exprOf(arguments.Attributes["label_selector"]), exprOf(arguments.Attributes["field_selector"])
	if d.List && d.Optional {
		p.problem("Optional list", content.Attributes["optional"].NameRange,
			"A list that picks nothing is empty and never missing: leave the argument out.")
	}
	return d
}

func exprOf(attr *hcl.Attribute) hcl.Expression {
	if attr == nil {
		return nil
	}
	return attr.Expr
}
