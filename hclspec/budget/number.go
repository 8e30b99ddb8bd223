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

// HoldsHugeNumber reports whether the conversion of a value to a type may take too long.
func HoldsHugeNumber(v cty.Value, to cty.Type) bool {
	if to == cty.String || to == cty.DynamicPseudoType {
		return false
	}
	for _, part := range cty.DeepValues(v) {
		if IsHugeNumber(part) {
			return true
		}
	}
	return false
}
