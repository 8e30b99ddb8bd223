package state

import (
	"cmp"
	"slices"

	"kplan.dev/kplan/addrs"
)

// Find returns the object at an address.
func (s *State) Find(addr addrs.Instance) (Object, bool) {
	i, found := slices.BinarySearchFunc(s.Objects, addr, func(o Object, addr addrs.Instance) int {
		return o.Addr.Compare(addr)
	})
	if !found || s.Objects[i].Deposed {
		return Object{}, false
	}
	return s.Objects[i], true
}

// ByIdentity returns the entries by the identity of their objects.
func (s *State) ByIdentity() map[addrs.Object]Object {
	entries := make(map[addrs.Object]Object, len(s.Objects))
	for _, o := range s.Objects {
		entries[o.Object.Identity()] = o
	}
	return entries
}

// Put adds objects one after the other, as Table.Put does. Each call takes time
// proportional to the size of the state: use a Table for many changes.
func (s *State) Put(objects ...Object) {
	t := s.Table()
	for _, o := range objects {
		t.Put(o)
	}
	s.Objects = t.List()
}

// Remove forgets one object and reports whether it was known.
func (s *State) Remove(object addrs.Object) bool {
	t := s.Table()
	known := t.Remove(object)
	s.Objects = t.List()
	return known
}

// Move gives the object at an address another one, also in the dependencies of other
// objects. It does nothing and returns false where from is unknown or to is in use.
func (s *State) Move(from, to addrs.Instance) bool {
	_, found := s.Find(from)
	if _, taken := s.Find(to); !found || taken {
		return false
	}
	s.MoveAll(map[addrs.Instance]addrs.Instance{from: to})
	return true
}

// MoveAll gives the objects at these addresses others, all at once, so that two may
// swap theirs. An object that still has one of the new addresses is deposed.
func (s *State) MoveAll(moves map[addrs.Instance]addrs.Instance) {
	taken := map[addrs.Instance]bool{}
	for _, to := range moves {
		taken[to] = true
	}
	for i := range s.Objects {
		o := &s.Objects[i]
		if to, moved := moves[o.Addr]; moved && !o.Deposed {
			o.Addr = to
		} else if taken[o.Addr] {
			o.Deposed = true
		}
		o.Dependencies = withNewAddresses(o.Dependencies, moves)
	}
	for i := range s.Pending {
		s.Pending[i].Dependencies = withNewAddresses(s.Pending[i].Dependencies, moves)
	}
	slices.SortFunc(s.Objects, compareObjects)
}

// withNewAddresses copies what it changes: needs are shared with whoever put them.
func withNewAddresses(needs []addrs.Instance, moves map[addrs.Instance]addrs.Instance) []addrs.Instance {
	moved := func(need addrs.Instance) bool { _, ok := moves[need]; return ok }
	if !slices.ContainsFunc(needs, moved) {
		return needs
	}
	needs = slices.Clone(needs)
	for i, need := range needs {
		if to, ok := moves[need]; ok {
			needs[i] = to
		}
	}
	return needs
}

// compareObjects orders entries by address, the current one of an address before those
// that are deposed.
func compareObjects(a, b Object) int {
	deposed := func(o Object) int {
		if o.Deposed {
			return 1
		}
		return 0
	}
	return cmp.Or(a.Addr.Compare(b.Addr), deposed(a)-deposed(b), a.Object.Compare(b.Object))
}
