package plan

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/state"
)

// applyMoves gives the objects of the state the addresses that moved blocks
// say, and returns what they had before. A move to an address that is taken, or
// from one that is not known, has been made already or has nothing to do.
func applyMoves(moves []*config.Moved, s *state.State) (*state.State, map[addrs.Object]addrs.Instance) {
	before := map[addrs.Object]addrs.Instance{}
	moved := s
	for _, m := range moves {
		for _, o := range slices.Clone(moved.Objects) {
			to, ok := destination(m, o.Addr)
			if o.Deposed || !ok {
				continue
			}
			if _, taken := moved.Find(to); taken {
				continue
			}
			if moved == s {
				moved = s.Clone()
			}
			if _, again := before[o.Object.Identity()]; !again {
				before[o.Object.Identity()] = o.Addr
			}
			moved.Move(o.Addr, to)
		}
	}
	return moved, before
}

// destination is where a moved block moves an address to, if it does. Between
// resources without keys whole resources move, all their instances.
func destination(m *config.Moved, addr addrs.Instance) (addrs.Instance, bool) {
	switch {
	case m.From == addr:
		return m.To, true
	case m.From.Key.IsZero() && m.To.Key.IsZero() && m.From.Resource == addr.Resource:
		return m.To.Resource.Instance(addr.Key), true
	}
	return addrs.Instance{}, false
}
