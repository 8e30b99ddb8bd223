package funcs

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
)

var typeFunctions = map[string]function.Function{
	"tobool":       stdlib.MakeToFunc(cty.Bool),
	"tolist":       toCollection(cty.List(cty.DynamicPseudoType)),
	"tomap":        toCollection(cty.Map(cty.DynamicPseudoType)),
	"tonumber":     stdlib.MakeToFunc(cty.Number),
	"toset":        toCollection(cty.Set(cty.DynamicPseudoType)),
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

var convertFunc = function.New(&function.Spec{
	Description: "Converts a value to a type, such as list(string).",
	Params: []function.Parameter{
		Open(function.Parameter{Name: "value", Type: cty.DynamicPseudoType}),
		{Name: "type", Type: source.ConstraintType},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		value, err := converted(args)
		return value.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return converted(args) },
})

func converted(args []cty.Value) (cty.Value, error) {
	to := args[1].EncapsulatedValue().(*source.Constraint)
	value := args[0]
	if to.Defaults != nil && !value.IsNull() {
		plain, marks := value.UnmarkDeepWithPaths()
		value = to.Defaults.Apply(plain).MarkWithPaths(marks)
	}
	if budget.HoldsHugeNumber(value, to.Type) {
		return cty.DynamicVal, function.NewArgErrorf(0, "a number has too many digits")
	}
	value, err := budget.Convert(value, to.Type)
	if err != nil {
		return cty.DynamicVal, function.NewArgError(0, err)
	}
	return withMarksOf(value, args[0]), nil
}

// withMarksOf is a value with all marks that another has in it: on the whole where they are not at its parts.
func withMarksOf(v, from cty.Value) cty.Value {
	_, wanted := from.UnmarkDeep()
	_, got := v.UnmarkDeep()
	for mark := range wanted {
		if _, ok := got[mark]; !ok {
			v = v.Mark(mark)
		}
	}
	return v
}

// toCollection converts to a list, set or map, whose elements keep their marks.
func toCollection(ty cty.Type) function.Function {
	plain := stdlib.MakeToFunc(ty)
	return function.New(&function.Spec{
		Description: plain.Description(),
		Params:      []function.Parameter{Open(function.Parameter{Name: "v", Type: cty.DynamicPseudoType})},
		Type: func(args []cty.Value) (cty.Type, error) {
			value, _ := args[0].UnmarkDeep()
			return plain.ReturnTypeForValues([]cty.Value{value})
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			value, err := budget.Convert(args[0], ty)
			if err != nil { // says it better
				return plain.Call(args)
			}
			return withMarksOf(value, args[0]), nil
		},
	})
}
