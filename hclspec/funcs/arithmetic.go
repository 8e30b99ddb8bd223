package funcs

import (
	"errors"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// HCL's operators give infinity for 1/0, which would become the text "+Inf" in an object. They
// are variables of package hclsyntax, the same for every expression that a program evaluates:
// also in templates, in JSON and in files of variables.
func init() {
	for _, op := range []*hclsyntax.Operation{hclsyntax.OpAdd, hclsyntax.OpSubtract, hclsyntax.OpMultiply, hclsyntax.OpNegate} {
		op.Impl = inBounds(op.Impl)
	}
	for _, op := range []*hclsyntax.Operation{hclsyntax.OpDivide, hclsyntax.OpModulo} {
		op.Impl = inBounds(exceptByZero(op.Impl))
	}
}

// inBounds is an operation that refuses results which are too large.
func inBounds(f function.Function) function.Function {
	typeOf := func(args []cty.Value) (cty.Type, error) {
		ty, err := f.ReturnTypeForValues(args)
		return ty, presentable(err, args)
	}
	return Around(f, typeOf, func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		value, err := f.Call(args)
		if err == nil {
			err = checkMagnitude(value)
		}
		return value, presentable(err, args)
	})
}

// exceptByZero is a division that refuses to divide by zero.
func exceptByZero(divide function.Function) function.Function {
	return function.New(&function.Spec{
		Description: divide.Description(),
		Params:      divide.Params(),
		Type:        function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if divisor := args[1]; divisor.IsKnown() && !divisor.IsNull() && divisor.AsBigFloat().Sign() == 0 {
				return cty.NilVal, errors.New("a number can't be divided by zero")
			}
			return divide.Call(args)
		},
	})
}

// CheckNumbers refuses a value that has a number in it which is infinite, or too large to be
// written out.
func CheckNumbers(v cty.Value) error {
	return cty.Walk(v, func(_ cty.Path, part cty.Value) (bool, error) {
		return true, checkMagnitude(part)
	})
}
