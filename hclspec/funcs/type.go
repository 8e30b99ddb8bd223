package funcs

import (
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"kplan.dev/kplan/hclspec/budget"
)

var typeFunctions = map[string]function.Function{
	"tobool":       stdlib.MakeToFunc(cty.Bool),
	"tolist":       stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
	"tomap":        stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
	"tonumber":     stdlib.MakeToFunc(cty.Number),
	"toset":        stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
	"tostring":     stdlib.MakeToFunc(cty.String),
	"sensitive":    marking("Marks a value as sensitive: it is not shown.", func(v cty.Value) cty.Value { return v.Mark(Sensitive) }),
	"nonsensitive": marking("Removes the mark of a sensitive value, so that it is shown.", withoutSensitive),
	"issensitive":  issensitiveFunc,
}

// marking is a function that changes nothing but a value's marks.
func marking(description string, change func(cty.Value) cty.Value) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{Open(function.Parameter{Name: "value", Type: cty.DynamicPseudoType})},
		Type:        func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl:        func(args []cty.Value, _ cty.Type) (cty.Value, error) { return change(args[0]), nil },
	})
}

// withoutSensitive keeps marks inside the value, as Terraform does.
func withoutSensitive(v cty.Value) cty.Value {
	v, marks := v.Unmark()
	delete(marks, Sensitive)
	return v.WithMarks(marks)
}

var issensitiveFunc = function.New(&function.Spec{
	Description: "Reports whether a value is sensitive.",
	Params:      []function.Parameter{Open(function.Parameter{Name: "value", Type: cty.DynamicPseudoType})},
	Type:        function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		switch {
		case args[0].HasMark(Sensitive):
			return cty.True, nil
		case !args[0].IsKnown():
			return cty.UnknownVal(cty.Bool), nil // it may turn out to be
		}
		return cty.False, nil
	},
})

func compareText(a, b cty.Value) int { return strings.Compare(a.AsString(), b.AsString()) }

// constraint is a type as an argument of convert.
type constraint struct {
	ty       cty.Type
	defaults *typeexpr.Defaults
}

var constraintType = cty.Capsule("type", reflect.TypeFor[constraint]())

var convertFunc = function.New(&function.Spec{
	Description: "Converts a value to a type, such as list(string).",
	Params: []function.Parameter{
		Open(function.Parameter{Name: "value", Type: cty.DynamicPseudoType}),
		{Name: "type", Type: constraintType},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		value, err := converted(args)
		return value.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return converted(args) },
})

func converted(args []cty.Value) (cty.Value, error) {
	to := args[1].EncapsulatedValue().(*constraint)
	value, marks := args[0].UnmarkDeepWithPaths()
	if to.defaults != nil && !value.IsNull() {
		value = to.defaults.Apply(value)
	}
	value, err := budget.Convert(value, to.ty)
	if err != nil {
		return cty.DynamicVal, function.NewArgError(0, err)
	}
	return value.MarkWithPaths(marks), nil
}

// ReadTypes makes values of the types in calls of convert: to HCL, string and list(string) look
// like a reference and a call.
func ReadTypes(node hclsyntax.Node, b *budget.Budget) hcl.Diagnostics {
	var diags hcl.Diagnostics
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != "convert" || len(call.Args) != 2 {
			return nil
		}
		budget.PayDefaults(b, call.Args[1])
		ty, defaults, problems := typeexpr.TypeConstraintWithDefaults(call.Args[1])
		diags = append(diags, problems...)
		value := cty.UnknownVal(constraintType)
		if !problems.HasErrors() {
			value = cty.CapsuleVal(constraintType, &constraint{ty, defaults})
		}
		call.Args[1] = &hclsyntax.LiteralValueExpr{Val: value, SrcRange: call.Args[1].Range()}
		return nil
	})
	return diags
}
