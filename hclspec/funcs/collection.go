package funcs

import (
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var collectionFunctions = map[string]function.Function{
	"alltrue":         foldBools("Reports whether all elements are true; so they are in an empty list.", true),
	"anytrue":         foldBools("Reports whether any element is true; none is in an empty list.", false),
	"chunklist":       stdlib.ChunklistFunc,
	"coalesce":        coalesceFunc,
	"coalescelist":    coalesceListFunc,
	"compact":         stdlib.CompactFunc,
	"concat":          stdlib.ConcatFunc,
	"contains":        stdlib.ContainsFunc,
	"distinct":        distinctFunc,
	"element":         stdlib.ElementFunc,
	"flatten":         stdlib.FlattenFunc,
	"index":           indexFunc,
	"keys":            stdlib.KeysFunc,
	"length":          lengthFunc,
	"lookup":          lookupFunc,
	"matchkeys":       matchkeysFunc,
	"merge":           stdlib.MergeFunc,
	"one":             oneFunc,
	"range":           stdlib.RangeFunc, // makes 1,024 numbers at most
	"reverse":         stdlib.ReverseListFunc,
	"setintersection": setIntersectionFunc,
	"setproduct":      bounded(stdlib.SetProductFunc, productSize),
	"setsubtract":     setSubtractFunc,
	"setunion":        setUnionFunc,
	"slice":           stdlib.SliceFunc,
	"sort":            stdlib.SortFunc,
	"transpose":       transposeFunc,
	"values":          stdlib.ValuesFunc,
	"zipmap":          stdlib.ZipmapFunc,
}

// foldBools is all of them when neutral is true, any of them when it is false.
func foldBools(description string, neutral bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			known := true
			for _, element := range args[0].AsValueSlice() {
				switch {
				case element.IsNull() && neutral:
					return cty.False, nil
				case element.IsNull():
				case !element.IsKnown():
					known = false
				case element.True() != neutral:
					return cty.BoolVal(!neutral), nil
				}
			}
			if !known {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(neutral), nil
		},
	})
}

var coalesceFunc = function.New(&function.Spec{
	Description: "Returns the first argument that is neither null nor an empty string.",
	VarParam: &function.Parameter{Name: "vals", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true,
		AllowMarked: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		types := make([]cty.Type, len(args))
		for i, arg := range args {
			types[i] = arg.Type()
		}
		ty, _ := convert.UnifyUnsafe(types)
		if ty == cty.NilType {
			return cty.NilType, errors.New("all arguments must be of one type")
		}
		return ty, nil
	},
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		var passed []cty.ValueMarks // of those that were looked at
		for _, arg := range args {
			arg, err := convert.Convert(arg, retType)
			if err != nil {
				return cty.NilVal, err
			}
			arg, marks := arg.Unmark()
			passed = append(passed, marks)
			switch {
			case !arg.IsKnown():
				return cty.UnknownVal(retType).WithMarks(passed...), nil
			case arg.IsNull(), retType == cty.String && arg.AsString() == "":
			default:
				return arg.WithMarks(passed...), nil
			}
		}
		return cty.NilVal, errors.New("all arguments are null or empty strings")
	},
})

var coalesceListFunc = function.New(&function.Spec{
	Description: stdlib.CoalesceListFunc.Description(),
	VarParam: &function.Parameter{Name: "vals", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowNull: true,
		AllowMarked: true},
	Type: func(args []cty.Value) (cty.Type, error) {
		plain := make([]cty.Value, len(args))
		for i, arg := range args {
			plain[i], _ = arg.Unmark()
		}
		return stdlib.CoalesceListFunc.ReturnTypeForValues(plain)
	},
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		var passed []cty.ValueMarks // of those that were looked at
		for _, arg := range args {
			list, marks := arg.Unmark()
			passed = append(passed, marks)
			switch {
			case !list.IsKnown():
				return cty.UnknownVal(retType).WithMarks(passed...), nil
			case !list.IsNull() && list.LengthInt() > 0:
				return list.WithMarks(passed...), nil
			}
		}
		return cty.NilVal, errors.New("no non-null arguments")
	},
})

var lengthFunc = function.New(&function.Spec{
	Description: "Counts the elements of a list, set, map, tuple or object, or the characters of a string.",
	Params: []function.Parameter{
		{Name: "value", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		if ty == cty.String || ty.IsCollectionType() || ty.IsTupleType() || ty.IsObjectType() || ty == cty.DynamicPseudoType {
			return cty.Number, nil
		}
		return cty.NilType, function.NewArgErrorf(0, "a list, set, map, tuple, object or string is required")
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		value, marks := args[0].Unmark() // not those of elements
		length, err := lengthOf(value)
		return length.WithMarks(marks), err
	},
})

func lengthOf(value cty.Value) (cty.Value, error) {
	switch ty := value.Type(); {
	case ty.IsTupleType():
		return cty.NumberIntVal(int64(ty.Length())), nil
	case ty.IsObjectType():
		return cty.NumberIntVal(int64(len(ty.AttributeTypes()))), nil
	case ty == cty.DynamicPseudoType:
		return cty.UnknownVal(cty.Number), nil
	case ty == cty.String:
		return stdlib.Strlen(value)
	}
	return value.Length(), nil
}

var indexFunc = function.New(&function.Spec{
	Description: "Returns the position of a value in a list.",
	Params: []function.Parameter{
		{Name: "list", Type: cty.DynamicPseudoType},
		{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true},
	},
	Type: function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		list := args[0]
		if !list.Type().IsListType() && !list.Type().IsTupleType() {
			return cty.NilVal, function.NewArgErrorf(0, "a list or tuple is required")
		}
		for i, element := range list.AsValueSlice() {
			equal, err := stdlib.Equal(element, args[1])
			switch {
			case err != nil:
				return cty.NilVal, err
			case !equal.IsKnown():
				return cty.UnknownVal(cty.Number), nil
			case equal.True():
				return cty.NumberIntVal(int64(i)), nil
			}
		}
		return cty.NilVal, errors.New("the value is not in the list")
	},
})

var lookupFunc = function.New(&function.Spec{
	Description: "Returns the value of a map's key, or a default when the map has no such key.",
	Params: []function.Parameter{
		{Name: "map", Type: cty.DynamicPseudoType, AllowMarked: true},
		{Name: "key", Type: cty.String},
	},
	VarParam: &function.Parameter{Name: "default", Type: cty.DynamicPseudoType, AllowNull: true, AllowUnknown: true, AllowDynamicType: true,
		AllowMarked: true},
	Type: lookupType,
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		from, marks := args[0].Unmark()
		key := args[1].AsString()
		value := cty.NilVal
		switch {
		case from.Type().IsObjectType():
			if from.Type().HasAttribute(key) {
				value = from.GetAttr(key)
			}
		case from.HasIndex(args[1]).True():
			value = from.Index(args[1])
		}
		switch {
		case value == cty.NilVal && len(args) == 3:
			value = args[2]
			fallthrough
		case value != cty.NilVal:
			converted, err := convert.Convert(value, retType)
			return converted.WithMarks(marks), err
		}
		return cty.NilVal, fmt.Errorf("the map has no key %q, and there is no default", key)
	},
})

func lookupType(args []cty.Value) (cty.Type, error) {
	if len(args) > 3 {
		return cty.NilType, errors.New("a map, a key and at most one default are required")
	}
	ty := args[0].Type()
	switch {
	case ty.IsMapType() && len(args) == 3:
		if unified, _ := convert.UnifyUnsafe([]cty.Type{ty.ElementType(), args[2].Type()}); unified != cty.NilType {
			return unified, nil
		}
		return cty.NilType, function.NewArgErrorf(2,
			"the default must be of the type of the map's values, %s", typeexpr.TypeString(ty.ElementType()))
	case ty.IsMapType():
		return ty.ElementType(), nil
	case !ty.IsObjectType():
		return cty.NilType, function.NewArgErrorf(0, "a map or an object is required")
	case !args[1].IsKnown():
		return cty.DynamicPseudoType, nil
	}
	key, _ := args[1].Unmark()
	switch {
	case ty.HasAttribute(key.AsString()):
		return ty.AttributeType(key.AsString()), nil
	case len(args) == 3:
		return args[2].Type(), nil
	}
	return cty.DynamicPseudoType, nil
}

var matchkeysFunc = function.New(&function.Spec{
	Description: "Keeps the elements of a list whose counterparts in a second list are in a third one.",
	Params: []function.Parameter{
		{Name: "values", Type: cty.List(cty.DynamicPseudoType)},
		{Name: "keys", Type: cty.List(cty.DynamicPseudoType)},
		{Name: "searchset", Type: cty.List(cty.DynamicPseudoType)},
	},
	Type: func(args []cty.Value) (cty.Type, error) {
		if ty, _ := convert.UnifyUnsafe([]cty.Type{args[1].Type(), args[2].Type()}); ty == cty.NilType {
			return cty.NilType, errors.New("the keys and the searched values must be of one type")
		}
		return args[0].Type(), nil
	},
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		keyType, _ := convert.UnifyUnsafe([]cty.Type{args[1].Type(), args[2].Type()})
		for i := range args[1:] {
			converted, err := convert.Convert(args[1+i], keyType)
			if err != nil {
				return cty.NilVal, function.NewArgError(1+i, err)
			}
			args[1+i] = converted
		}
		values, keys, searched := args[0].AsValueSlice(), args[1].AsValueSlice(), args[2].AsValueSlice()
		if len(values) != len(keys) {
			return cty.NilVal, errors.New("the values and the keys must be equally many")
		}
		if len(keys) > 0 && len(searched) > 0 && (!args[1].IsWhollyKnown() || !args[2].IsWhollyKnown()) {
			return cty.UnknownVal(retType), nil
		}
		wanted := newDistinct(len(searched))
		for _, want := range searched {
			wanted.add(want)
		}
		var kept []cty.Value
		for i, key := range keys {
			if wanted.has(key) {
				kept = append(kept, values[i])
			}
		}
		if len(kept) == 0 {
			return cty.ListValEmpty(retType.ElementType()), nil
		}
		return cty.ListVal(kept), nil
	},
})

var oneFunc = function.New(&function.Spec{
	Description: "Returns the only element of a list, set or tuple, or null when it is empty.",
	Params:      []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType, AllowMarked: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		ty := args[0].Type()
		switch {
		case ty.IsListType(), ty.IsSetType():
			return ty.ElementType(), nil
		case ty.IsTupleType() && ty.Length() == 0:
			return cty.DynamicPseudoType, nil
		case ty.IsTupleType() && ty.Length() == 1:
			return ty.TupleElementType(0), nil
		}
		return cty.NilType, function.NewArgErrorf(0, "a list, set or tuple with one element or none is required")
	},
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		list, marks := args[0].Unmark()
		switch elements := list.AsValueSlice(); {
		case len(elements) == 0:
			return cty.NullVal(retType).WithMarks(marks), nil
		case !list.Length().IsKnown(): // of elements that may turn out to be equal
			return cty.UnknownVal(retType).WithMarks(marks), nil
		case len(elements) == 1:
			return elements[0].WithMarks(marks), nil
		}
		return cty.NilVal, function.NewArgErrorf(0, "a list, set or tuple with one element or none is required")
	},
})

var transposeFunc = function.New(&function.Spec{
	Description: "Swaps the keys and the values of a map of lists of strings.",
	Params:      []function.Parameter{{Name: "map", Type: cty.Map(cty.List(cty.String))}},
	Type:        function.StaticReturnType(cty.Map(cty.List(cty.String))),
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(retType), nil
		}
		lists := map[string][]cty.Value{}
		for it := args[0].ElementIterator(); it.Next(); {
			key, list := it.Element()
			if list.IsNull() {
				return cty.NilVal, function.NewArgErrorf(0, "the lists must not be null")
			}
			for _, value := range list.AsValueSlice() {
				if value.IsNull() {
					return cty.NilVal, function.NewArgErrorf(0, "the lists must not hold null")
				}
				lists[value.AsString()] = append(lists[value.AsString()], key)
			}
		}
		if len(lists) == 0 {
			return cty.MapValEmpty(cty.List(cty.String)), nil
		}
		out := make(map[string]cty.Value, len(lists))
		for value, keys := range lists {
			slices.SortFunc(keys, func(a, b cty.Value) int { return compareText(a, b) })
			out[value] = cty.ListVal(keys)
		}
		return cty.MapVal(out), nil
	},
})
