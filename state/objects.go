package state

import (
	"slices"

	"kplan.dev/kplan/addrs"
)

// Find returns the object at an address.
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
	identity := object.Identity()
	for _, o := range s.Objects {
		if o.Object.Identity() == identity {
			return o, true
		}
	}
	return Object{}, false
}

// ByIdentity returns the entries by the identity of their objects.
func (s *State) ByIdentity() map[addrs.Object]Object {
	entries := make(map[addrs.Object]Object, len(s.Objects))
	for _, o := range s.Objects {
		entries[o.Object.Identity()] = o
	}
	return entries
}

// Put enters an object, in place of what was known at its address.
func (s *State) Put(o Object) {
	i, found := s.position(o.Addr)
	if found {
		s.Objects[i] = o
		return
	}
	s.Objects = slices.Insert(s.Objects, i, o)
}

// Remove forgets the object at an address and says whether there was one.
func (s *State) Remove(addr addrs.Instance) bool {
	i, found := s.position(addr)
	if found {
		s.Objects = slices.Delete(s.Objects, i, i+1)
	}
	return found
}

// Move gives the object at an address another one, also where other objects
// say that they need it. It does nothing and returns false where from is
// unknown or to is taken.
func (s *State) Move(from, to addrs.Instance) bool {
	o, found := s.Find(from)
	if _, taken := s.Find(to); !found || taken {
		return false
	}
	s.Remove(from)
	o.Addr = to
	s.Put(o)
	for i := range s.Objects {
		renameNeed(s.Objects[i].Needs, from, to)
	}
	for i := range s.Pending {
		renameNeed(s.Pending[i].Needs, from, to)
	}
	return true
}

func renameNeed(needs []addrs.Instance, from, to addrs.Instance) {
	if i := slices.Index(needs, from); i >= 0 {
		needs[i] = to
	}
}

func (s *State) position(addr addrs.Instance) (int, bool) {
	return slices.BinarySearchFunc(s.Objects, addr, func(o Object, addr addrs.Instance) int {
		return o.Addr.Compare(addr)
	})
}
