package budget

import (
	"hash/maphash"
	"math/bits"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// cty's sets are hash tables of a weak hash, and whoever goes through one sorts it.

// inSet is the price of an element of a set that is made.
const inSet = 3 * Made

// sorting is the price of going through a set, besides that of its elements.
func sorting(set cty.Value) int64 {
	size := set.LengthInt()
	each := Seen * comparisons(size)
	switch set.Type().ElementType() {
	case cty.String, cty.Bool:
		each /= 2
	case cty.Number:
		each *= 2
	default:
		each *= 4
	}
	return int64(size) * each
}

// comparisons is how often an element is compared with another in the course of sorting, about.
func comparisons(elements int) int64 { return int64(bits.Len(uint(elements))) }

// PayConversion takes from the budget for the sets that the conversion of a value to a type makes, and for finding out
// what any means in it.
func PayConversion(b *Budget, v cty.Value, to cty.Type) {
	if b != nil {
		converting(v, to, b.Spend)
	}
}

// PayConversionAt is PayConversion for the value of an expression.
func PayConversionAt(b *Budget, v cty.Value, to cty.Type, at hcl.Range) {
	if b != nil {
		converting(v, to, func(price int64) { b.SpendAt(price, at) })
	}
}

// PayDefaults takes from the budget for the sets that the defaults of attributes in a type are converted to.
func PayDefaults(b *Budget, ty hcl.Expression) {
	if b == nil {
		return
	}
	parts := []hcl.Expression{ty}
	if call, diags := hcl.ExprCall(ty); !diags.HasErrors() { // also of a string in JSON
		parts = call.Arguments
	}
	for _, part := range parts {
		if native, ok := part.(hclsyntax.Node); ok {
			_ = hclsyntax.Walk(native, optionals{b})
		}
	}
}

// optionals are the calls of optional in a type, inner ones first.
type optionals struct{ budget *Budget }

// Enter is a method of hclsyntax.Walker.
func (optionals) Enter(hclsyntax.Node) hcl.Diagnostics { return nil }

// Exit is a method of hclsyntax.Walker.
func (o optionals) Exit(node hclsyntax.Node) hcl.Diagnostics {
	call, ok := node.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "optional" || len(call.Args) != 2 {
		return nil
	}
	ty, _, diags := typeexpr.TypeConstraintWithDefaults(call.Args[0])
	value, problems := call.Args[1].Value(nil)
	if !diags.HasErrors() && !problems.HasErrors() {
		PayConversionAt(o.budget, value, ty, call.Args[1].Range())
	}
	return nil
}

func converting(v cty.Value, to cty.Type, spend func(int64)) {
	if !holdsSet(to) && !to.HasDynamicTypes() {
		return
	}
	v, _ = v.Unmark()
	from := v.Type()
	if elements(v) == 0 || to == cty.DynamicPseudoType || from.Equals(to) {
		return
	}
	if to.IsCollectionType() && to.ElementType().HasDynamicTypes() {
		spend(typesCompared(v))
	}
	if to.IsSetType() {
		setOf(v, spend)
	}
	for it := v.ElementIterator(); it.Next(); {
		key, element := it.Element()
		switch {
		case to.IsCollectionType():
			converting(element, to.ElementType(), spend)
		case to.IsTupleType() && from.IsTupleType() && from.Length() == to.Length():
			i, _ := key.AsBigFloat().Int64()
			converting(element, to.TupleElementType(int(i)), spend)
		case to.IsObjectType() && key.Type() == cty.String && to.HasAttribute(key.AsString()):
			converting(element, to.AttributeType(key.AsString()), spend)
		}
	}
}

// holdsSet reports whether values of a type may have a set in them, besides those that are converted to any.
func holdsSet(ty cty.Type) bool {
	switch {
	case ty.IsSetType():
		return true
	case ty.IsCollectionType():
		return holdsSet(ty.ElementType())
	case ty.IsTupleType():
		for _, element := range ty.TupleElementTypes() {
			if holdsSet(element) {
				return true
			}
		}
	case ty.IsObjectType():
		for _, attribute := range ty.AttributeTypes() {
			if holdsSet(attribute) {
				return true
			}
		}
	}
	return false
}

// PaySet takes from the budget for a set that is made of the elements of a value.
func PaySet(b *Budget, of cty.Value) {
	if b != nil {
		setOf(of, b.Spend)
	}
}

func setOf(of cty.Value, spend func(int64)) {
	of, _ = of.Unmark()
	size := elements(of)
	if size == 0 {
		return
	}
	spend(int64(size)*inSet + typesCompared(of))
	walk(of, spend)
	collisions(of, spend)
}

// manyElements is how many it takes for their hashes to matter.
const manyElements = 500

// collisions spends for the comparisons of elements that have the same hash, which whoever writes them
// can arrange.
func collisions(of cty.Value, spend func(int64)) {
	if elements(of) < manyElements {
		return
	}
	met := map[int]*bucket{}
	seed := maphash.MakeSeed()
	for it := of.ElementIterator(); it.Next(); {
		_, v := it.Element()
		v, _ = v.UnmarkDeep()
		at := v.Hash()
		if met[at] == nil {
			met[at] = &bucket{first: v}
			continue
		}
		spend(met[at].add(v, seed) * sizeOf(v))
	}
}

// bucket are the elements of one hash.
type bucket struct {
	first    cty.Value
	distinct map[uint64]struct{}
	unknown  int64
}

// add is how many elements an element is compared with.
func (u *bucket) add(v cty.Value, seed maphash.Seed) int64 {
	if u.distinct == nil {
		u.distinct = map[uint64]struct{}{identity(u.first, seed): {}}
	}
	compared := int64(len(u.distinct)) + u.unknown
	if v.IsWhollyKnown() {
		u.distinct[identity(v, seed)] = struct{}{}
	} else {
		u.unknown++ // equal to none
	}
	return compared
}

// identity tells values of one type apart.
func identity(v cty.Value, seed maphash.Seed) uint64 {
	if v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
		return maphash.String(seed, v.AsString())
	}
	return maphash.String(seed, v.GoString())
}

func sizeOf(v cty.Value) (size int64) {
	walk(v, func(price int64) { size += price })
	return size
}
