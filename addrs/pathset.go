package addrs

import (
	"maps"
	"slices"
)

// PathSet is a set of field paths of one object. The zero set is empty and can be read;
// Add needs a set made by NewPathSet.
type PathSet map[Path]struct{}

// NewPathSet is the set of these paths.
func NewPathSet(paths ...Path) PathSet {
	s := make(PathSet, len(paths))
	for _, p := range paths {
		s.Add(p)
	}
	return s
}

// Add puts p into the set.
func (s PathSet) Add(p Path) { s[p] = struct{}{} }

// Has reports whether p itself is in the set.
func (s PathSet) Has(p Path) bool {
	_, ok := s[p]
	return ok
}

// Covers reports whether p or a path above it is in the set.
func (s PathSet) Covers(p Path) bool {
	if len(s) == 0 {
		return false
	}
	if s.Has(p) || s.Has(Path{}) {
		return true
	}
	for i := len(p.text) - 1; i > 0; i-- {
		if c := p.text[i]; (c == '.' || c == '[') && s.Has(Path{p.text[:i]}) {
			return true
		}
	}
	return false
}

// Outermost is the outermost of p and the paths above it that is in the set, p itself where
// none is: what may be shown of a path into something that may not.
func (s PathSet) Outermost(p Path) Path {
	outermost := p
	if len(s) > 0 {
		for at := p; !at.IsZero(); at = at.Parent() {
			if s.Has(at) {
				outermost = at
			}
		}
	}
	return outermost
}

// Touches reports whether the set has the path, one above it or one below it.
func (s PathSet) Touches(p Path) bool {
	if s.Covers(p) {
		return true
	}
	for other := range s {
		if p.Contains(other) {
			return true
		}
	}
	return false
}

// Sorted lists the paths in order.
func (s PathSet) Sorted() []Path {
	return slices.SortedFunc(maps.Keys(s), Path.Compare)
}

// AddAll puts every path of other into the set.
func (s PathSet) AddAll(other PathSet) { maps.Copy(s, other) }

// Clone is a set of the same paths.
func (s PathSet) Clone() PathSet {
	if s == nil {
		return PathSet{}
	}
	return maps.Clone(s)
}
