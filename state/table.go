package state

import (
	"maps"
	"slices"

	"kplan.dev/kplan/addrs"
)

// Table is the objects of a state while many of them change: each change takes constant
// time, which in a sorted list it does not.
type Table struct {
	byIdentity map[addrs.Object]Object
	holders    map[addrs.Instance]addrs.Object // the identity of the object at an address
}

// Table is a table of the state's objects. Changing it does not change the state.
func (s *State) Table() *Table {
	t := &Table{s.ByIdentity(), make(map[addrs.Instance]addrs.Object, len(s.Objects))}
	for _, o := range s.Objects {
		if !o.Deposed {
			t.holders[o.Addr] = o.Object.Identity()
		}
	}
	return t
}

// List is the objects in the order in which a state has them.
func (t *Table) List() []Object {
	return slices.SortedFunc(maps.Values(t.byIdentity), compareObjects)
}

// Find returns the object at an address.
func (t *Table) Find(addr addrs.Instance) (Object, bool) {
	identity, found := t.holders[addr]
	return t.byIdentity[identity], found
}

// FindObject returns the entry of an object of the cluster, in whatever API version it
// is named.
func (t *Table) FindObject(object addrs.Object) (Object, bool) {
	o, found := t.byIdentity[object.Identity()]
	return o, found
}

// Put adds an object, in place of what was known of the same object. Another object
// that had the address before is deposed: it is still managed, and to be deleted.
func (t *Table) Put(o Object) {
	t.Remove(o.Object)
	if former, taken := t.Find(o.Addr); taken && o.UID != "" && former.UID == o.UID {
		t.Remove(former.Object) // the same object, by the name that it has in another API group
	}
	if !o.Deposed {
		if former, taken := t.Find(o.Addr); taken {
			former.Deposed = true
			t.byIdentity[former.Object.Identity()] = former
		}
		t.holders[o.Addr] = o.Object.Identity()
	}
	t.byIdentity[o.Object.Identity()] = o
}

// Remove forgets an object and reports whether it was known.
func (t *Table) Remove(object addrs.Object) bool {
	o, known := t.FindObject(object)
	if !known {
		return false
	}
	delete(t.byIdentity, object.Identity())
	if !o.Deposed {
		delete(t.holders, o.Addr)
	}
	return true
}
