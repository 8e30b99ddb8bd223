package manifest

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
)

// Positions lead from a field of one object to the part of the source that set it.
type Positions struct {
	Root *Part
	// Items are, for a list made by dynamic blocks, which item of the source each
	// of its elements came from.
	Items map[addrs.Path][]int
}

// Find follows the steps as far as the source has them, and reports how far. The
// range is that of the object where the source has none of them.
func (ps Positions) Find(steps []addrs.Step, object hcl.Range) (hcl.Range, int) {
	var (
		r  = object
		at addrs.Path
		p  = ps.Root
	)
	for depth, step := range steps {
		p = ps.single(p, at)
		var found bool
		if p, r, found = ps.step(p, step, at, r); !found {
			return r, depth
		}
		at = at.Append(step)
	}
	return r, len(steps)
}

// single is the block that made the one object which several blocks define.
func (ps Positions) single(p *Part, at addrs.Path) *Part {
	if p.list == nil || !p.list.single {
		return p
	}
	for _, i := range ps.Items[at] {
		return p.list.items[i].part
	}
	return p
}

// step finds what set the value one step below p. It returns r where the source
// has nothing more precise.
func (ps Positions) step(p *Part, step addrs.Step, at addrs.Path, r hcl.Range) (*Part, hcl.Range, bool) {
	switch {
	case p.Object != nil && step.IsField():
		for i := range p.Object.members {
			if m := &p.Object.members[i]; m.key == nil && m.name == step.Field {
				return m.part, m.at, true
			}
		}
	case p.list != nil && step.IsIndex():
		i := step.Index
		if made, ok := ps.Items[at]; ok {
			if i >= len(made) {
				break
			}
			i = made[i]
		}
		if i < len(p.list.items) {
			item := p.list.items[i].part
			return item, item.At, true
		}
	}
	return p, r, false
}
