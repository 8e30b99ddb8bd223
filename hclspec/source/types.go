package source

import (
	"reflect"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Constraint is a type as an argument of the function convert.
type Constraint struct {
	Type     cty.Type
	Defaults *typeexpr.Defaults
}

// ConstraintType is the type of values that are a Constraint.
var ConstraintType = cty.Capsule("type", reflect.TypeFor[Constraint]())

// ReadTypes makes values of the types in calls of convert: to HCL, string and list(string) look
// like a reference and a call.
func ReadTypes(node hclsyntax.Node) hcl.Diagnostics {
	var diags hcl.Diagnostics
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != "convert" || len(call.Args) != 2 {
			return nil
		}
		value, problems := constraintOf(call.Args[1])
		diags = append(diags, problems...)
		call.Args[1] = &hclsyntax.LiteralValueExpr{Val: value, SrcRange: call.Args[1].Range()}
		return nil
	})
	return diags
}

func constraintOf(expr hclsyntax.Expression) (cty.Value, hcl.Diagnostics) {
	const mostElements = 1000 // nobody converts to more, and to make them a set of one hash takes long
	elements := 0
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		if tuple, ok := n.(*hclsyntax.TupleConsExpr); ok {
			elements += len(tuple.Exprs)
		}
		return nil
	})
	if elements > mostElements {
		return cty.UnknownVal(ConstraintType), Problem("Invalid type", expr.Range(), "The defaults in a type have too many elements.")
	}
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(expr)
	if diags.HasErrors() {
		return cty.UnknownVal(ConstraintType), diags
	}
	return cty.CapsuleVal(ConstraintType, &Constraint{ty, defaults}), diags
}
