package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// checkExpressions reports problems of expressions that do not depend on their values, anywhere in
// a file, even in a branch that is not evaluated. These are duplicate keys of an object, of which
// HCL uses the last, and calls of unknown functions. HCL would report the calls during evaluation,
// with another suggestion each time.
//
// Expressions in JSON are strings until they are evaluated and are not checked.
func checkExpressions(p *parser, body hcl.Body, functions func() []string) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	names := functions()
	for _, block := range native.Blocks {
		if block.Type == "variable" {
			for name, attr := range block.Body.Attributes {
				p.report(source.DuplicateKeys(attr.Expr))
				if name != "type" { // list(string) looks like a call and is none
					p.report(funcs.UnknownCalls(attr.Expr, names))
				}
			}
			p.report(source.DuplicateKeys(block.Body.Blocks))
			p.report(funcs.UnknownCalls(block.Body.Blocks, names))
		} else {
			p.report(source.DuplicateKeys(block.Body))
			p.report(funcs.UnknownCalls(block.Body, names))
		}
	}
}
