package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// checkExpressions reports what is wrong with expressions whatever they come to,
// wherever in a file they stand: also in a branch that is not taken. These are
// keys that an object has twice, of which HCL takes the last, and calls of
// functions that there are not. HCL would report those when it evaluates, with
// another suggestion each time.
//
// Expressions in JSON are strings until they are evaluated and not looked into.
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
