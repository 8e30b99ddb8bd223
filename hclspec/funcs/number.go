package funcs

import (
	"errors"
	"math/big"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var numberFunctions = map[string]function.Function{
	"abs":      stdlib.AbsoluteFunc,
	"ceil":     stdlib.CeilFunc,
	"floor":    stdlib.FloorFunc,
	"log":      stdlib.LogFunc,
	"max":      stdlib.MaxFunc,
	"min":      stdlib.MinFunc,
	"parseint": stdlib.ParseIntFunc,
	"pow":      powFunc,
	"signum":   stdlib.SignumFunc,
	"sum":      sumFunc,
}

var sumFunc = function.New(&function.Spec{
	Description: "Adds up the numbers of a list, set or tuple.",
	Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		list := args[0]
		if !isSequence(list.Type()) {
			return cty.NilVal, function.NewArgErrorf(0, "a list, set or tuple of numbers is required")
		}
		if list.LengthInt() == 0 {
			return cty.NilVal, function.NewArgErrorf(0, "there is nothing to add up: the list is empty")
		}
		total := cty.Zero
		for _, element := range list.AsValueSlice() {
			number, err := convert.Convert(element, cty.Number)
			if err != nil || number.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "all elements must be numbers")
			}
			if total.IsKnown() && number.IsKnown() && (isInfinite(total) || isInfinite(number)) {
				return cty.NilVal, errors.New("infinity can't be added to")
			}
			total = total.Add(number)
		}
		return total, nil
	},
})

// maxPowerBits bounds what pow calculates with all its digits. Beyond, floating point has no result either.
const maxPowerBits = 1024

// powFunc is exact for whole numbers, where cty calculates with the 53 bits of floating point.
var powFunc = function.New(&function.Spec{
	Description: stdlib.PowFunc.Description(),
	Params:      stdlib.PowFunc.Params(),
	Type:        function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		base, exact := args[0].AsBigFloat().Int(nil)
		exponent, whole := args[1].AsBigFloat().Int64()
		if exact != big.Exact || whole != big.Exact || exponent < 0 || exponent > maxPowerBits || int64(base.BitLen()-1)*exponent > maxPowerBits {
			return stdlib.PowFunc.Call(args)
		}
		return cty.NumberVal(new(big.Float).SetInt(base.Exp(base, big.NewInt(exponent), nil))), nil
	},
})

func isInfinite(v cty.Value) bool { return v.AsBigFloat().IsInf() }

// isSequence reports whether values of a type are elements one after another.
func isSequence(ty cty.Type) bool { return ty.IsListType() || ty.IsSetType() || ty.IsTupleType() }
