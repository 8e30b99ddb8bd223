package hclspec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"
)

// calls reports calls of functions that there are not, wherever in a file they
// stand: also in a branch that is not taken. HCL would report them when it
// evaluates, with another suggestion each time.
//
// Expressions in JSON are strings until they are evaluated and not looked into.
func (p *parser) calls(body hcl.Body) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	if p.functions == nil {
		p.functions = functionNames(functions(p.config.Dir))
	}
	for _, block := range native.Blocks {
		if block.Type == "variable" {
			for name, attr := range block.Body.Attributes {
				if name != "type" { // list(string) looks like a call and is none
					p.report(unknownCalls(attr.Expr, p.functions))
				}
			}
			p.report(unknownCalls(block.Body.Blocks, p.functions))
		} else {
			p.report(unknownCalls(block.Body, p.functions))
		}
	}
}

// functionNames are the names of the functions that there are, sorted.
func functionNames(table map[string]function.Function) []string {
	names := slices.Sorted(maps.Keys(table))
	return slices.DeleteFunc(names, func(name string) bool {
		_, absent := absentFunctions[name]
		return absent
	})
}

// unknownCalls reports the calls in a piece of source that are not of one of
// these functions.
func unknownCalls(node hclsyntax.Node, names []string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return nil
		}
		if _, known := slices.BinarySearch(names, call.Name); !known {
			diags = append(diags, problem("Call to unknown function", call.NameRange, unknownFunction(call.Name, names))...)
		}
		return nil
	})
	return diags
}

func unknownFunction(name string, names []string) string {
	if why, absent := absentFunctions[name]; absent {
		return fmt.Sprintf("There is no function %q: %s.", name, why)
	}
	return fmt.Sprintf("There is no function %q.%s", name, didYouMean(name, names))
}
