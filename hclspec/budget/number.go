package budget

import (
	"math/big"

	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/source"
)

// maxExponent bounds numbers: written out in full, 1e600000000 fills all memory.
const maxExponent = 4096

// IsFinite reports whether a number can be written out.
func IsFinite(n *big.Float) bool {
	exp := n.MantExp(nil)
	return !n.IsInf() && exp <= maxExponent && exp >= -maxExponent
}

// IsHugeNumber reports whether a value is text that would take too long to read as a number.
func IsHugeNumber(v cty.Value) bool {
	v, _ = v.Unmark()
	return v.Type() == cty.String && v.IsKnown() && !v.IsNull() && source.IsHugeNumber(v.AsString())
}

// HoldsHugeNumber reports whether a value has, where a type has a number, text that would take too long to read as one.
func HoldsHugeNumber(v cty.Value, to cty.Type) bool {
	v, _ = v.Unmark()
	switch from := v.Type(); {
	case to == cty.Number:
		return IsHugeNumber(v)
	case to.IsPrimitiveType() || to == cty.DynamicPseudoType || !v.IsKnown() || v.IsNull() || !v.CanIterateElements():
		return false
	case to.IsObjectType() && (from.IsObjectType() || from.IsMapType()):
		parts := v.AsValueMap()
		for name, ty := range to.AttributeTypes() {
			if part, ok := parts[name]; ok && HoldsHugeNumber(part, ty) {
				return true
			}
		}
	case to.IsTupleType() && from.IsTupleType() && to.Length() == from.Length():
		for i, part := range v.AsValueSlice() {
			if HoldsHugeNumber(part, to.TupleElementType(i)) {
				return true
			}
		}
	case to.IsCollectionType():
		for each := v.ElementIterator(); each.Next(); {
			if _, part := each.Element(); HoldsHugeNumber(part, to.ElementType()) {
				return true
			}
		}
	}
	return false
}
