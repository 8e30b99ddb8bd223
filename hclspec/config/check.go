package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// Check is a validation, precondition or postcondition block.
type Check struct {
	Condition    hcl.Expression
	ErrorMessage hcl.Expression
	Range        hcl.Range
}

// Passes evaluates the condition. A check passes while its condition is not known,
// and if it can't be evaluated, which is reported.
func (c *Check) Passes(ctx *hcl.EvalContext) (bool, hcl.Diagnostics) {
	value, diags := funcs.Evaluate(c.Condition, ctx)
	if diags.HasErrors() {
		return true, diags
	}
	value, _ = value.UnmarkDeep()
	converted, err := convert.Convert(value, cty.Bool)
	if err != nil || converted.IsNull() {
		return true, append(diags, source.Problem("Invalid condition", c.Condition.Range(), "A condition must be true or false.")...)
	}
	return !converted.IsKnown() || converted.True(), diags
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

var checkSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "condition", Required: true}, {Name: "error_message", Required: true},
}}
