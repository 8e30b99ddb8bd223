package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// Check is a validation, precondition, postcondition or assert block.
type Check struct {
	Condition    hcl.Expression
	ErrorMessage hcl.Expression
	Range        hcl.Range
}

// Passes evaluates the condition. A check passes while its condition is not known,
// and if it can't be evaluated, which is reported.
func (c *Check) Passes(ctx *hcl.EvalContext) (passes, isKnown bool, diags hcl.Diagnostics) {
	value, diags := funcs.Evaluate(c.Condition, ctx)
	if diags.HasErrors() {
		return true, false, diags
	}
	value, _ = value.UnmarkDeep()
	converted, err := convert.Convert(value, cty.Bool)
	if err != nil || converted.IsNull() {
		return true, false, append(diags, source.Problem("Invalid condition", c.Condition.Range(), "A condition must be true or false.")...)
	}
	return !converted.IsKnown() || converted.True(), converted.IsKnown(), diags
}

// Message evaluates the error message, as far as it may be shown.
func (c *Check) Message(ctx *hcl.EvalContext) (string, hcl.Diagnostics) {
	value, diags := funcs.Evaluate(c.ErrorMessage, ctx)
	if diags.HasErrors() {
		return "The condition is not met.", diags
	}
	converted, err := convert.Convert(value, cty.String)
	switch {
	case funcs.IsSensitive(value):
		return "The condition is not met. (Its error message holds a sensitive value and is not shown.)", diags
	case err != nil || converted.IsNull():
		return "The condition is not met.", append(diags, source.Problem("Invalid error message",
			c.ErrorMessage.Range(), "An error message must be a string.")...)
	case !converted.IsKnown():
		return "The condition is not met.", diags
	}
	return converted.AsString(), diags
}

// check reads a block with a condition and an error message; nil when one is
// missing.
func (p *parser) check(block *hcl.Block) *Check {
	content, diags := block.Body.Content(checkSchema)
	p.report(diags)
	condition, message := content.Attributes["condition"], content.Attributes["error_message"]
	if condition == nil || message == nil {
		return nil
	}
	return &Check{Condition: condition.Expr, ErrorMessage: message.Expr, Range: block.DefRange}
}

// conditionsIn reads the preconditions and postconditions of a lifecycle block.
func conditionsIn(p *parser, blocks hcl.Blocks) (pre, post []*Check) {
	for _, b := range blocks {
		check := p.check(b)
		switch {
		case check == nil:
		case b.Type == "precondition":
			pre = append(pre, check)
		default:
			post = append(post, check)
		}
	}
	return pre, post
}

// checkBlock reads a check block; nil when its name is wrong.
func (p *parser) checkBlock(block *hcl.Block) *CheckBlock {
	c := &CheckBlock{Name: block.Labels[0], Range: block.DefRange}
	if !p.checkName("a check", c.Name, block.LabelRanges[0]) {
		return nil
	}
	content, diags := block.Body.Content(checkBlockSchema)
	p.report(diags)
	asserts := content.Blocks.OfType("assert")
	for _, b := range asserts {
		if assert := p.check(b); assert != nil {
			c.Asserts = append(c.Asserts, assert)
		}
	}
	for _, b := range content.Blocks.OfType("data") {
		if d := readData(p, b); d != nil {
			d.Check = c.Name
			c.Data = append(c.Data, d)
		}
	}
	if len(asserts) == 0 && !diags.HasErrors() {
		p.problem("Check without assertion", block.DefRange, "A check has at least one assert block, with a condition and an error_message.")
	}
	return c
}

var checkBlockSchema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "data", LabelNames: []string{"kind", "name"}}, {Type: "assert"},
}}

var checkSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "condition", Required: true}, {Name: "error_message", Required: true},
}}
