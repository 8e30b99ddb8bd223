package funcs

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
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
