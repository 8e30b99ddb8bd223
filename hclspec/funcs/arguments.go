package funcs

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/budget"
)

// Open is a parameter that accepts everything: the function inside decides.
func Open(param function.Parameter) function.Parameter {
	param.AllowNull, param.AllowUnknown, param.AllowDynamicType, param.AllowMarked = true, true, true, true
	return param
}

// unconverted is a parameter that accepts everything, also where HCL would convert what it is given without looking
// how long that takes.
func unconverted(param function.Parameter) function.Parameter {
	param = Open(param)
	if isConvertedHere(param.Type) {
		param.Type = cty.DynamicPseudoType
	}
	return param
}

func isConvertedHere(ty cty.Type) bool {
	return ty == cty.Number || ty.IsSetType() || ty.IsCollectionType() && ty.ElementType() == cty.DynamicPseudoType
}

// arguments converts arguments for the parameters that are unconverted.
func arguments(f function.Function, name string, args []cty.Value,
	convertTo func(cty.Value, cty.Type) (cty.Value, error)) ([]cty.Value, error) {
	converted := slices.Clone(args)
	for i, arg := range args {
		to := parameterType(f, name, i, arg)
		if (to == cty.Number || name == "tonumber" || name == "parseint") && budget.IsHugeNumber(arg) {
			return nil, function.NewArgErrorf(i, "the number has too many digits")
		}
		if !isConvertedHere(to) {
			continue
		}
		value, err := convertTo(arg, to)
		if err != nil {
			return nil, function.NewArgError(i, err)
		}
		converted[i] = value
	}
	return converted, nil
}

// parameterType is the type of the parameter that an argument is for, which for some functions that accept everything
// is what they convert it to.
func parameterType(f function.Function, name string, i int, arg cty.Value) cty.Type {
	collections := map[string]cty.Type{"tolist": cty.List(cty.DynamicPseudoType), "toset": cty.Set(cty.DynamicPseudoType),
		"tomap": cty.Map(cty.DynamicPseudoType)}
	param := paramOf(f, i)
	switch collection, ok := collections[name]; {
	case ok && i == 0 && (arg.Type().IsTupleType() || arg.Type().IsObjectType()):
		return collection
	case name == "setproduct" && arg.Type().IsTupleType() && arg.Type().Length() > 0:
		return collections["tolist"]
	case param == nil:
		return cty.DynamicPseudoType
	}
	return param.Type
}

// typeOnly converts a value for which nothing is paid yet: one with many elements becomes unknown.
func typeOnly(v cty.Value, to cty.Type) (cty.Value, error) {
	const many = 100
	if elementsOf(v) <= many {
		return budget.Convert(v, to)
	}
	if to = budget.Concrete(to, v.Type()); !to.HasDynamicTypes() {
		return cty.UnknownVal(to), nil
	}
	return convert.Convert(cty.UnknownVal(v.Type()), to)
}

func paramOf(f function.Function, i int) *function.Parameter {
	if params := f.Params(); i < len(params) {
		return &params[i]
	}
	return f.VarParam()
}

// textOf is a string, "" for any other value.
func textOf(v cty.Value) string {
	v, _ = v.Unmark()
	if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		return ""
	}
	return v.AsString()
}

// elementsOf is how many elements a value has, 0 for one that has none.
func elementsOf(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}
