package hclspec

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"kplan.dev/kplan/addrs"
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
type heldBack struct {
	ctymarks.ProvenanceMark
	by addrs.Instance
}

// origins is what the marks of some values say.
type origins struct {
	needs    map[addrs.Instance]struct{}
	heldBack *addrs.Instance // the first in order
}

// take adds marks, and says whether one of them was of a secret.
func (o *origins) take(marks cty.ValueMarks) (isSecret bool) {
	for m := range marks {
		switch m := m.(type) {
		case origin:
			o.need(m.Instance)
		case heldBack:
			o.holdBack(m.by)
		default:
			isSecret = isSecret || m == sensitive
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
	if o.heldBack == nil || by.Compare(*o.heldBack) < 0 {
		o.heldBack = &by
	}
}

// add takes over what other knows.
func (o *origins) add(other origins) {
	for i := range other.needs {
		o.need(i)
	}
	if other.heldBack != nil {
		o.holdBack(*other.heldBack)
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
	if o.heldBack != nil {
		value = value.Mark(heldBack{by: *o.heldBack})
	}
	return value
}
