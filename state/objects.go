package state

import (
	"cmp"
	"slices"

	"kplan.dev/kplan/addrs"
)

// Find returns the object that an address stands for.
func (s *State) Find(addr addrs.Instance) (Object, bool) {
	i, found := s.position(addr)
	if !found {
		return Object{}, false
	}
	return s.Objects[i], true
}

// FindObject returns the entry of an object of the cluster, whatever version it
// is named in. It looks at every entry: whoever asks for many of them asks
// ByIdentity once.
func (s *State) FindObject(object addrs.Object) (Object, bool) {
	i := s.indexOf(object)
	if i < 0 {
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

// Put enters an object, in place of what was known of the same object. Another
// object that had the address so far is deposed: it is still ours and still to
// be deleted.
func (s *State) Put(o Object) {
	s.Remove(o.Object)
	if i, taken := s.position(o.Addr); taken && !o.Deposed {
		former := s.Objects[i]
		former.Deposed = true
		s.Objects = slices.Delete(s.Objects, i, i+1)
		s.insert(former)
	}
	s.insert(o)
}

func (s *State) insert(o Object) {
	i, _ := slices.BinarySearchFunc(s.Objects, o, compareObjects)
	s.Objects = slices.Insert(s.Objects, i, o)
}

// Remove forgets an object and says whether it was known.
func (s *State) Remove(object addrs.Object) bool {
	i := s.indexOf(object)
	if i >= 0 {
		s.Objects = slices.Delete(s.Objects, i, i+1)
	}
	return i >= 0
}

// Move gives the object at an address another one, also where other objects
// say that they need it. It does nothing and returns false where from is
// unknown or to is taken.
func (s *State) Move(from, to addrs.Instance) bool {
	_, found := s.Find(from)
	if _, taken := s.Find(to); !found || taken {
		return false
	}
	s.Readdress(map[addrs.Instance]addrs.Instance{from: to})
	return true
}

// Readdress gives the objects at these addresses others, all at once, so that
// two may also swap theirs. What still has one of the new addresses is deposed.
func (s *State) Readdress(moves map[addrs.Instance]addrs.Instance) {
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
		o.Needs = readdressed(o.Needs, moves)
	}
	for i := range s.Pending {
		s.Pending[i].Needs = readdressed(s.Pending[i].Needs, moves)
	}
	slices.SortFunc(s.Objects, compareObjects)
}

// readdressed copies what it changes: needs are shared with whoever put them.
func readdressed(needs []addrs.Instance, moves map[addrs.Instance]addrs.Instance) []addrs.Instance {
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

// compareObjects orders entries by address, the one that the address stands
// for before those it has deposed.
func compareObjects(a, b Object) int {
	deposed := func(o Object) int {
		if o.Deposed {
			return 1
		}
		return 0
	}
	return cmp.Or(a.Addr.Compare(b.Addr), deposed(a)-deposed(b), a.Object.Compare(b.Object))
}

// indexOf looks at every entry, and first at what differs most.
func (s *State) indexOf(object addrs.Object) int {
	for i := range s.Objects {
		o := &s.Objects[i].Object
		if o.Name == object.Name && o.Namespace == object.Namespace && o.GroupKind() == object.GroupKind() {
			return i
		}
	}
	return -1
}

// position is where the entry of an address stands, or would stand.
func (s *State) position(addr addrs.Instance) (int, bool) {
	i, found := slices.BinarySearchFunc(s.Objects, addr, func(o Object, addr addrs.Instance) int {
		return o.Addr.Compare(addr)
	})
	return i, found && !s.Objects[i].Deposed
}
