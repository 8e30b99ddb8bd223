package budget

import (
	"github.com/zclconf/go-cty/cty"
)

// Value takes from the budget for a value that is gone through, or that becomes a part of another: what
// it holds counts as often as it is there, although cty shares it, because whoever uses the result goes
// through all of it, as many times as said.
func (b *Budget) Value(v cty.Value, times int64) {
	if b != nil {
		walk(v, func(price int64) { b.Spend(price * times) })
	}
}

func walk(v cty.Value, spend func(int64)) {
	w := walker{spend: spend}
	w.value(v)
	spend(w.due)
}

// walker spends in the course of a walk, so that the walk itself is bounded.
type walker struct {
	spend func(int64)
	due   int64
	spent int64
}

func (w *walker) value(v cty.Value) {
	w.due += Seen
	if v.IsMarked() {
		v, _ = v.Unmark()
	}
	if v.IsNull() || !v.IsKnown() {
		return
	}
	switch ty := v.Type(); {
	case ty == cty.String:
		w.due += int64(len(v.AsString())) / textShare
	case ty.IsPrimitiveType():
	case v.CanIterateElements():
		if ty.IsSetType() {
			w.due += sorting(v)
		}
		if w.due > 1<<16 {
			w.spend(w.due)
			w.due, w.spent = 0, w.spent+w.due
		}
		if ty.IsObjectType() { // the iterator would sort the names
			for name := range ty.AttributeTypes() {
				w.value(v.GetAttr(name))
			}
			return
		}
		before := w.spent + w.due
		for it := v.ElementIterator(); it.Next(); {
			_, element := it.Element()
			w.value(element)
		}
		if ty.IsSetType() && !ty.ElementType().IsPrimitiveType() {
			w.due += (w.spent + w.due - before) * comparisons(v.LengthInt())
		}
	}
}

// DecodedPrice is the price of a value that is made a part of an object, without those inside of it.
func DecodedPrice(v cty.Value) int64 {
	const value = 2 * Decoded
	if v.Type() == cty.String {
		return value + int64(textLength(v))/textShare
	}
	return value
}

// Text takes from the budget for text that is made of a value.
func (b *Budget) Text(v cty.Value) {
	if b != nil {
		b.Spend(int64(textLength(v)))
	}
}

func textLength(v cty.Value) int {
	if v.IsMarked() {
		v, _ = v.Unmark()
	}
	switch {
	case v.IsNull() || !v.IsKnown():
		return 0
	case v.Type() == cty.String:
		return len(v.AsString())
	}
	return 32 // a number
}

// elements is how many elements a value has, itself and not in depth.
func elements(v cty.Value) int {
	if v.IsMarked() {
		v, _ = v.Unmark()
	}
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}
