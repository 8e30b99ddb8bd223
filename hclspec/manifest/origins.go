package manifest

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
)

// OriginMark marks the values of an instance. The mark stays on all that is made
// of them, through locals and functions, so that every value knows which
// instances it came from.
type OriginMark struct {
	ctymarks.ProvenanceMark
	addrs.Instance
}

// SkippedMark marks what would have come from an instance that failed, or that
// was itself skipped by one.
type SkippedMark struct {
	ctymarks.ProvenanceMark
	By addrs.Instance
}

// LaterMark marks a value of an instance that has not appeared yet.
type LaterMark struct {
	ctymarks.ProvenanceMark
	Instance addrs.Instance
	N        int // which of the values that appear later
}

// Origins are the instances that the marks of values name.
type Origins struct {
	Needs map[addrs.Instance]struct{}
	// Later are values that have not appeared yet.
	Later   map[LaterMark]struct{}
	Skipped *addrs.Instance // the first in order
}

// Take adds marks, and reports whether one of them was of a secret.
func (o *Origins) Take(marks cty.ValueMarks) (isSecret bool) {
	for m := range marks {
		switch m := m.(type) {
		case OriginMark:
			o.Need(m.Instance)
		case SkippedMark:
			o.skip(m.By)
		case LaterMark:
			o.await(m)
		default:
			isSecret = isSecret || m == funcs.Sensitive
		}
	}
	return isSecret
}

func (o *Origins) Need(i addrs.Instance) {
	if o.Needs == nil {
		o.Needs = map[addrs.Instance]struct{}{}
	}
	o.Needs[i] = struct{}{}
}

func (o *Origins) await(m LaterMark) {
	if o.Later == nil {
		o.Later = map[LaterMark]struct{}{}
	}
	o.Later[m] = struct{}{}
}

func (o *Origins) skip(by addrs.Instance) {
	if o.Skipped == nil || by.Compare(*o.Skipped) < 0 {
		o.Skipped = &by
	}
}

// Add adds the origins of another value.
func (o *Origins) Add(other Origins) {
	for i := range other.Needs {
		o.Need(i)
	}
	for m := range other.Later {
		o.await(m)
	}
	if other.Skipped != nil {
		o.skip(*other.Skipped)
	}
}

// Sorted lists the instances, without the one itself.
func (o *Origins) Sorted(without addrs.Instance) []addrs.Instance {
	var all []addrs.Instance
	for i := range o.Needs {
		if i != without {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, addrs.Instance.Compare)
	return all
}

// Mark marks a value with these origins.
func (o *Origins) Mark(value cty.Value) cty.Value {
	for i := range o.Needs {
		value = value.Mark(OriginMark{Instance: i})
	}
	for m := range o.Later {
		value = value.Mark(m)
	}
	if o.Skipped != nil {
		value = value.Mark(SkippedMark{By: *o.Skipped})
	}
	return value
}

// UnmarkUnknown also takes the marks that lie inside a value which is not
// known, as far as cty kept them.
func UnmarkUnknown(v cty.Value) (cty.Value, cty.ValueMarks) {
	if v.IsKnown() {
		return v.Unmark()
	}
	return v.UnmarkDeep()
}
