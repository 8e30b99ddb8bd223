package hclspec

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
)

// origin marks the values of an instance. The mark stays on all that is made
// of them, through locals and functions, so that every value knows which
// instances it came from.
type origin struct {
	ctymarks.ProvenanceMark
	addrs.Instance
}

// heldBack marks what would have come from an instance that failed, or that
// was itself held back by one.
type skipped struct {
	ctymarks.ProvenanceMark
	by addrs.Instance
}

// origins is what the marks of some values say.
type origins struct {
	needs   map[addrs.Instance]struct{}
	skipped *addrs.Instance // the first in order
}

// take adds marks, and says whether one of them was of a secret.
func (o *origins) take(marks cty.ValueMarks) (isSecret bool) {
	for m := range marks {
		switch m := m.(type) {
		case origin:
			o.need(m.Instance)
		case skipped:
			o.holdBack(m.by)
		default:
			isSecret = isSecret || m == funcs.Sensitive
		}
	}
	return isSecret
}

func (o *origins) need(i addrs.Instance) {
	if o.needs == nil {
		o.needs = map[addrs.Instance]struct{}{}
	}
	o.needs[i] = struct{}{}
}

func (o *origins) holdBack(by addrs.Instance) {
	if o.skipped == nil || by.Compare(*o.skipped) < 0 {
		o.skipped = &by
	}
}

// add takes over what other knows.
func (o *origins) add(other origins) {
	for i := range other.needs {
		o.need(i)
	}
	if other.skipped != nil {
		o.holdBack(*other.skipped)
	}
}

// sorted lists the instances, without the one itself.
func (o *origins) sorted(without addrs.Instance) []addrs.Instance {
	var all []addrs.Instance
	for i := range o.needs {
		if i != without {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, addrs.Instance.Compare)
	return all
}

// mark puts what is known on a value.
func (o *origins) mark(value cty.Value) cty.Value {
	for i := range o.needs {
		value = value.Mark(origin{Instance: i})
	}
	if o.skipped != nil {
		value = value.Mark(skipped{by: *o.skipped})
	}
	return value
}

// unmarkUnknown also takes the marks that lie inside a value which is not
// known, as far as cty kept them.
func unmarkUnknown(v cty.Value) (cty.Value, cty.ValueMarks) {
	if v.IsKnown() {
		return v.Unmark()
	}
	return v.UnmarkDeep()
}
