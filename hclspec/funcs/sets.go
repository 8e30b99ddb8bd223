package funcs

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/budget"
)

// The operations on sets, which cty sorts again and again: here the arguments stay the lists that they mostly are.

var (
	setUnionFunc = setOperation("Returns what is in any of the sets.", anySets, true, func(first []cty.Value, others []*distinct) []cty.Value {
		all := newDistinct(len(first))
		for _, v := range first {
			all.add(v)
		}
		for _, other := range others {
			for _, v := range other.values {
				all.add(v)
			}
		}
		return all.values
	})
	setIntersectionFunc = setOperation("Returns what is in all of the sets.", anySets, false,
		func(first []cty.Value, others []*distinct) []cty.Value {
			for _, other := range others {
				first = only(first, other.has)
			}
			return first
		})
	setSubtractFunc = setOperation("Returns what is in the first set and not in the second.", twoSets, false,
		func(first []cty.Value, others []*distinct) []cty.Value {
			return only(first, func(v cty.Value) bool { return !others[0].has(v) })
		})
)

var (
	anySets = []function.Parameter{{Name: "first_set", Type: cty.DynamicPseudoType, AllowDynamicType: true}}
	twoSets = []function.Parameter{
		{Name: "a", Type: cty.DynamicPseudoType, AllowDynamicType: true}, {Name: "b", Type: cty.DynamicPseudoType, AllowDynamicType: true},
	}
)

func only(values []cty.Value, keep func(cty.Value) bool) []cty.Value {
	var kept []cty.Value
	for _, v := range values {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

// setOperation makes a set of the elements of the first argument and those of the others. What it makes of elements
// that are not known is not known, unless it keeps them.
func setOperation(description string, params []function.Parameter, keepsUnknown bool,
	operate func(first []cty.Value, others []*distinct) []cty.Value) function.Function {
	spec := &function.Spec{
		Description:  description,
		Params:       params,
		Type:         setOperationType,
		RefineResult: func(b *cty.RefinementBuilder) *cty.RefinementBuilder { return b.NotNull() },
		Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
			sets := make([][]cty.Value, len(args))
			for i, arg := range args {
				if !keepsUnknown && !arg.IsWhollyKnown() {
					return cty.UnknownVal(retType), nil
				}
				elements, err := elementsAs(arg, retType.ElementType())
				if err != nil {
					return cty.NilVal, function.NewArgError(i, err)
				}
				sets[i] = elements
			}
			var others []*distinct
			for _, elements := range sets[1:] {
				other := newDistinct(len(elements))
				for _, v := range elements {
					other.add(v)
				}
				others = append(others, other)
			}
			return setOf(operate(sets[0], others), retType.ElementType()), nil
		},
	}
	if len(params) == 1 {
		spec.VarParam = &function.Parameter{Name: "other_sets", Type: cty.DynamicPseudoType, AllowDynamicType: true}
	}
	return function.New(spec)
}

func setOf(elements []cty.Value, ty cty.Type) cty.Value {
	if len(elements) == 0 {
		return cty.SetValEmpty(ty)
	}
	return cty.SetVal(elements)
}

// elementsAs are the elements of a list, set or tuple, of one type.
func elementsAs(v cty.Value, ty cty.Type) ([]cty.Value, error) {
	elements := v.AsValueSlice()
	for i, element := range elements {
		converted, err := convert.Convert(element, ty)
		if err != nil {
			return nil, err
		}
		elements[i] = converted
	}
	return elements, nil
}

func setOperationType(args []cty.Value) (cty.Type, error) {
	var types []cty.Type
	for i, arg := range args {
		switch ty := arg.Type(); {
		case ty == cty.DynamicPseudoType:
			return cty.Set(cty.DynamicPseudoType), nil
		case ty.IsTupleType():
			types = append(types, ty.TupleElementTypes()...)
		case ty.IsMapType(), ty.IsObjectType(), !ty.IsCollectionType():
			return cty.NilType, function.NewArgErrorf(i, "set of any required")
		case ty.ElementType() != cty.DynamicPseudoType || !arg.IsKnown() || arg.LengthInt() > 0:
			types = append(types, ty.ElementType())
		}
	}
	if len(types) == 0 {
		return cty.Set(cty.DynamicPseudoType), nil
	}
	unified := budget.Unify(types)
	if unified == cty.NilType {
		return cty.NilType, errors.New("given sets must all have compatible element types")
	}
	return cty.Set(unified), nil
}
