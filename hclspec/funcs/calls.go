package funcs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// Names are the names of the functions that there are, sorted.
func Names(table map[string]function.Function) []string {
	names := slices.Sorted(maps.Keys(table))
	return slices.DeleteFunc(names, func(name string) bool {
		_, absent := absentFunctions[name]
		return absent
	})
}

// UnknownCalls reports the calls in a piece of source that are not of one of
// these functions.
func UnknownCalls(node hclsyntax.Node, names []string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	source.VisitAll(node, func(n hclsyntax.Node) {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok {
			return
		}
		if _, known := slices.BinarySearch(names, call.Name); !known {
			diags = append(diags, source.Problem("Call to unknown function", call.NameRange, "%s", unknownFunction(call.Name, names))...)
		}
	})
	return diags
}

// Calls reports whether a piece of source calls the function.
func Calls(node hclsyntax.Node, name string) bool {
	found := false
	source.VisitAll(node, func(n hclsyntax.Node) {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		found = found || ok && call.Name == name
	})
	return found
}

func unknownFunction(name string, names []string) string {
	if why, absent := absentFunctions[name]; absent {
		return fmt.Sprintf("There is no function %q: %s.", name, why)
	}
	if i := strings.LastIndex(name, "::"); i >= 0 {
		hint := ""
		if _, known := slices.BinarySearch(names, name[i+2:]); known {
			hint = fmt.Sprintf(" Write %s.", name[i+2:])
		}
		return fmt.Sprintf("There is no function %q: kplan has no providers, and the names of its functions have no prefix.%s", name, hint)
	}
	return fmt.Sprintf("There is no function %q.%s", name, words.Suggest(name, names))
}
