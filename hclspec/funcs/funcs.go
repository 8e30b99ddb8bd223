// Package funcs has the functions that expressions call, a file for each family. They
// are pure: given the same arguments and files they return the same values. Values
// that must not be shown carry a mark, Sensitive.
package funcs

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
)

// Table are what expressions can call, by name. They are pure: given the
// same arguments and the same files in dir they return the same values. None
// runs a program, opens a connection, or reads outside of dir.
//
// Their names and meanings are Terraform's. What calls take is spent from the budget; nil: without limit.
func Table(dir string, b *budget.Budget) map[string]function.Function {
	table := map[string]function.Function{}
	for _, group := range []map[string]function.Function{
		numberFunctions, stringFunctions, collectionFunctions, typeFunctions, encodingFunctions,
		hashFunctions, networkFunctions, timeFunctions, fileFunctions(source.Directory(dir), b),
	} {
		for name, f := range group {
			table[name] = discreet(f, b, name)
		}
	}
	// These two take expressions instead of values, and can't be wrapped.
	table["try"], table["can"] = tryfunc.TryFunc, tryfunc.CanFunc // what they evaluate, spends
	table["convert"] = discreet(convertFunc, b, "convert")
	for name, why := range absentFunctions {
		table[name] = absentFunction(why)
	}
	templates := &templates{dir: source.Directory(dir), budget: b, others: table}
	table = templates.withFunctions(0)
	templates.names = Names(table)
	return table
}

// discreet is a function that does what f does, except that it hides the message of a failure when
// an argument is sensitive: an error such as `cannot parse "hunter2"` would show it. It also keeps
// numbers within bounds, and pays for the call before anything is converted for it.
func discreet(f function.Function, b *budget.Budget, name string) function.Function {
	typeOf := func(args []cty.Value) (cty.Type, error) {
		payConversion(b, f, name, args) // also of the type
		converted, err := arguments(f, name, args, typeOnly)
		if err != nil {
			return cty.NilType, presentable(err, args)
		}
		ty, err := f.ReturnTypeForValues(converted)
		return ty, presentable(err, args)
	}
	return around(f, unconverted, typeOf, func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		pay(b, f, name, args)
		converted, err := arguments(f, name, args, budget.Convert)
		if err != nil {
			return cty.NilVal, presentable(err, args)
		}
		value, err := called(f, b, converted)
		if err == nil {
			err = checkMagnitude(value)
		}
		if err != nil {
			return value, presentable(err, args)
		}
		payResult(b, name, value)
		return value, nil
	})
}

// longText is how much text a function may be given for which nobody would wait after an interrupt.
const longText = 64 << 10

// called calls a function. One that may take long is left behind when the run is interrupted.
func called(f function.Function, b *budget.Budget, args []cty.Value) (value cty.Value, err error) {
	length := 0
	for _, arg := range args {
		length += len(textOf(arg)) + 16*elementsOf(arg)
	}
	if length < longText {
		return f.Call(args)
	}
	b.Abandonable(func() { value, err = f.Call(args) })
	return value, err
}

// Around is a function with the parameters of f that accepts everything, and calls f, which refuses
// what it does not accept.
func Around(f function.Function, typeOf function.TypeFunc, call function.ImplFunc) function.Function {
	return around(f, Open, typeOf, call)
}

func around(f function.Function, opened func(function.Parameter) function.Parameter, typeOf function.TypeFunc,
	call function.ImplFunc) function.Function {
	spec := &function.Spec{Description: f.Description(), Type: typeOf, Impl: call}
	for _, param := range f.Params() {
		spec.Params = append(spec.Params, opened(param))
	}
	if param := f.VarParam(); param != nil {
		varParam := opened(*param)
		spec.VarParam = &varParam
	}
	return function.New(spec)
}

func presentable(err error, args []cty.Value) error {
	if err == nil {
		return nil
	}
	for _, arg := range args {
		if IsSensitive(arg) {
			return errors.New("an argument is sensitive, so the reason is not shown")
		}
	}
	// Some functions of cty panic where a result is not a number; their error is then a stack
	// trace.
	if panicked := (function.PanicError{}); errors.As(err, &panicked) {
		return errors.New("it has no result for these arguments")
	}
	return err
}

var errTooMuchText = fmt.Errorf("the result would be longer than %d MiB", maxText>>20)

func checkMagnitude(v cty.Value) error {
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() || v.Type() != cty.Number {
		return nil
	}
	return checkNumber(v.AsBigFloat())
}

func checkNumber(n *big.Float) error {
	if !budget.IsFinite(n) {
		return errors.New("the number is too large or too small")
	}
	return nil
}

// absentFunctions are names that users will try, with what to do instead.
var absentFunctions = map[string]string{
	"timestamp": "kplan's functions are pure, and none returns the time: apply would get another result than plan. " +
		"Pass the time in as a variable",
	"plantimestamp": "kplan's functions are pure, and none returns the time: apply would get another result than plan. " +
		"Pass the time in as a variable",
	"uuid": "kplan's functions are pure, and none returns random values: apply would get another result than " +
		"plan. uuidv5 makes an identifier from a name",
	"bcrypt": "kplan's functions are pure, and bcrypt is not, for its salt is random: apply would get another " +
		"result than plan. Pass the hash in as a variable",
	"rsadecrypt": "no function of kplan's handles private keys. Pass the value in as a sensitive variable",
	"pathexpand": "kplan's functions are pure, and none depends on who runs them and where. Files are named relative " +
		"to the configuration's directory",
	"abspath": "kplan's functions are pure, and none depends on who runs them and where. Files are named relative " +
		"to the configuration's directory",
	"env":             "kplan's functions are pure, and none reads the environment. KPLAN_VAR_name sets a variable from it",
	"list":            "a list is written [a, b]; tolist converts to one",
	"map":             "a map is written { key = value }; tomap converts to one",
	"ephemeralasnull": "nothing is ephemeral in kplan, so there is nothing to make null",
	"type":            "only kplan console has it, around a whole expression",
}

func absentFunction(why string) function.Function {
	anything := function.Parameter{Name: "args", Type: cty.DynamicPseudoType}
	anything = Open(anything)
	return function.New(&function.Spec{
		VarParam: &anything,
		Type: func([]cty.Value) (cty.Type, error) {
			return cty.DynamicPseudoType, fmt.Errorf("there is no such function: %s", why)
		},
	})
}
