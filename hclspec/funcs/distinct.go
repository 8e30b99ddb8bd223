package funcs

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// distinct are values, each once, and all that are not known. cty compares each with each.
type distinct struct {
	texts  map[string]struct{}
	others map[int][]cty.Value // by cty's hash
	values []cty.Value
}

func newDistinct(size int) *distinct {
	return &distinct{texts: make(map[string]struct{}, size), others: map[int][]cty.Value{}}
}

func (d *distinct) has(v cty.Value) bool {
	if isText(v) {
		_, ok := d.texts[v.AsString()]
		return ok
	}
	for _, other := range d.others[v.Hash()] {
		if other.RawEquals(v) {
			return true
		}
	}
	return false
}

func (d *distinct) add(v cty.Value) {
	switch isKnown := v.IsWhollyKnown(); {
	case isKnown && d.has(v):
		return
	case isText(v):
		d.texts[v.AsString()] = struct{}{}
	case isKnown:
		hash := v.Hash()
		d.others[hash] = append(d.others[hash], v)
	}
	d.values = append(d.values, v)
}

func isText(v cty.Value) bool { return v.Type() == cty.String && !v.IsNull() && v.IsKnown() }

var distinctFunc = function.New(&function.Spec{
	Description: "Removes the elements of a list that are equal to one before.",
	Params:      []function.Parameter{{Name: "list", Type: cty.List(cty.DynamicPseudoType)}},
	Type:        func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
	Impl: func(args []cty.Value, retType cty.Type) (cty.Value, error) {
		if !args[0].IsWhollyKnown() {
			return cty.UnknownVal(retType), nil
		}
		once := newDistinct(args[0].LengthInt())
		for _, v := range args[0].AsValueSlice() {
			once.add(v)
		}
		if len(once.values) == 0 {
			return cty.ListValEmpty(retType.ElementType()), nil
		}
		return cty.ListVal(once.values), nil
	},
})
