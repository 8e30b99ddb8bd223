package manifest

import (
	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/funcs"
)

// KeepingOrigins are the same functions, except that a result which is not
// known bears the origins of all arguments. Some functions of cty drop marks
// then, and an object that was made of a failed one would be taken for one
// that merely has to wait for a value.
func KeepingOrigins(table map[string]function.Function) map[string]function.Function {
	kept := make(map[string]function.Function, len(table))
	for name, f := range table {
		if TakesExpressions(name) {
			kept[name] = keepingOriginsOf(f, marksOfExpression)
		} else {
			kept[name] = keepingOriginsOf(f, marksOfValue)
		}
	}
	return kept
}

// TakesExpressions reports whether a function evaluates its arguments itself.
// These hide from cty what went into them: see useFinder.keys.
func TakesExpressions(name string) bool { return name == "try" || name == "can" }

func keepingOriginsOf(f function.Function, marksOf func(cty.Value) cty.ValueMarks) function.Function {
	anyType := function.StaticReturnType(cty.DynamicPseudoType)
	return funcs.Around(f, anyType, func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		value, err := f.Call(args)
		if err != nil || arePlainTexts(args) || value.IsWhollyKnown() {
			return value, err
		}
		var from Origins
		for _, arg := range args {
			from.Take(marksOf(arg))
		}
		return from.Mark(value), nil
	})
}

// arePlainTexts reports whether no argument comes from an object: to see that, values of any size need not be gone through.
func arePlainTexts(args []cty.Value) bool {
	for _, arg := range args {
		if !arg.Type().IsPrimitiveType() || arg.IsMarked() || !arg.IsKnown() {
			return false
		}
	}
	return true
}

func marksOfValue(arg cty.Value) cty.ValueMarks {
	_, marks := arg.UnmarkDeep()
	return marks
}

// marksOfExpression are the marks of what an argument that is an expression evaluates to.
func marksOfExpression(arg cty.Value) cty.ValueMarks {
	value, diags := customdecode.ExpressionClosureFromVal(arg).Value()
	if diags.HasErrors() {
		return nil
	}
	return marksOfValue(value)
}
