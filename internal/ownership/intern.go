package ownership

import "hash/maphash"

// Interner lets objects share the parts of their managedFields that are alike. These
// are half of what a list takes in memory, and objects that were made from one block
// have the same ones. Live objects are never changed in place, so nobody can tell.
type Interner struct {
	seed  maphash.Seed
	known map[uint64]map[string]any // fieldsV1 by what they hold
}

// NewInterner is a Interner that knows of no object yet.
func NewInterner() *Interner {
	return &Interner{seed: maphash.MakeSeed(), known: map[uint64]map[string]any{}}
}

// Intern has an object in JSON form share what it has in common with those before.
func (s *Interner) Intern(object map[string]any) {
	for _, v := range managedFields(object) {
		entry, _ := v.(map[string]any)
		set, isSet := entry["fieldsV1"].(map[string]any)
		if !isSet {
			continue
		}
		sum := s.sum(set)
		known := s.known[sum]
		switch {
		case known == nil:
			s.known[sum] = set
		case sameSet(known, set):
			entry["fieldsV1"] = known
		}
	}
}

// sum is the same for equal sets of fields, in whatever order they come.
func (s *Interner) sum(set map[string]any) uint64 {
	sum := uint64(len(set))
	for name, below := range set {
		one := maphash.String(s.seed, name)
		if below, ok := below.(map[string]any); ok && len(below) > 0 {
			one = one*31 + s.sum(below)*17
		}
		sum += one * one
	}
	return sum
}

// sameSet reports whether two sets of fields are equal. What is no set, as no server
// sends it, is not.
func sameSet(a, b map[string]any) bool {
	if len(a) != len(b) {
		return false
	}
	for name, below := range a {
		x, isSetA := below.(map[string]any)
		y, isSetB := b[name].(map[string]any)
		if !isSetA || !isSetB || !sameSet(x, y) {
			return false
		}
	}
	return true
}
