package hclspec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/internal/words"
)

// expressions reports what is wrong with expressions whatever they come to,
// wherever in a file they stand: also in a branch that is not taken. These are
// keys that an object has twice, of which HCL takes the last, and calls of
// functions that there are not. HCL would report those when it evaluates, with
// another suggestion each time.
//
// Expressions in JSON are strings until they are evaluated and not looked into.
func (p *parser) expressions(body hcl.Body) {
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
				p.report(duplicateKeys(attr.Expr))
				if name != "type" { // list(string) looks like a call and is none
					p.report(unknownCalls(attr.Expr, p.functions))
				}
			}
			p.report(duplicateKeys(block.Body.Blocks))
			p.report(unknownCalls(block.Body.Blocks, p.functions))
		} else {
			p.report(duplicateKeys(block.Body))
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
			diags = append(diags, problem("Call to unknown function", call.NameRange, "%s", unknownFunction(call.Name, names))...)
		}
		return nil
	})
	return diags
}

func unknownFunction(name string, names []string) string {
	if why, absent := absentFunctions[name]; absent {
		return fmt.Sprintf("There is no function %q: %s.", name, why)
	}
	return fmt.Sprintf("There is no function %q.%s", name, words.Suggest(name, names))
}

// duplicateKeys reports the keys that are written out twice in one object.
func duplicateKeys(node hclsyntax.Node) hcl.Diagnostics {
	var diags hcl.Diagnostics
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		object, ok := n.(*hclsyntax.ObjectConsExpr)
		if !ok {
			return nil
		}
		seen := map[string]hcl.Range{}
		for _, item := range object.Items {
			key, known := writtenKey(item.KeyExpr)
			if first, again := seen[key]; known && again {
				diags = append(diags, problem("Duplicate key", item.KeyExpr.Range(), "This object has the key %q already, in line %d. Only one of the two values would count: take one away.", key, first.Start.Line)...)
			} else if known {
				seen[key] = item.KeyExpr.Range()
			}
		}
		return nil
	})
	return diags
}

// writtenKey is a key that is written out, not computed.
func writtenKey(expr hclsyntax.Expression) (key string, ok bool) {
	if len(expr.Variables()) > 0 {
		return "", false
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		return "", false
	}
	return keyString(value)
}
