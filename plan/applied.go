package plan

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/state"
)

// AppliedFields are the paths of the fields that carrying out the change applies, as
// the state records them: no values, and digests in place of sensitive names. They
// are nil where the fields are not of the kind's shape, which is then refused anyway.
func (c *Change) AppliedFields(s *state.State) []addrs.Path {
	set, err := c.Kind.FieldSet(c.DesiredFields)
	if err != nil {
		return nil
	}
	return c.recorded(set, s)
}

// OwnedFields are the paths of the fields that kplan has applied to the live object
// and owns, as the state records them, for a state that does not know them.
func (c *Change) OwnedFields(s *state.State) []addrs.Path {
	own := ownership.Of(c.Before).OwnEntry()
	if own == nil {
		return nil
	}
	set, err := own.Fields()
	if err != nil {
		return nil
	}
	return c.recorded(set, s)
}

func (c *Change) recorded(set *fieldpath.Set, s *state.State) []addrs.Path {
	sensitive := addrs.NewPathSet(c.SensitiveDesired()...)
	paths := addrs.PathSet{}
	for elements := range set.Leaves().All() {
		paths.Add(s.MaskPath(ownership.Path(elements), sensitive))
	}
	return paths.Sorted()
}

// has reports whether kplan applied the field last, or anything in it, or something
// that is applied as a whole and of which it is a part. A state that was written
// before there was a record shows only whether the desired object is the one that was applied.
func (r *record) has(path addrs.Path) bool {
	if r.isLast() {
		return true
	}
	path = r.state.MaskPath(path, addrs.NewPathSet(r.d.entry.Sensitive...))
	return slices.ContainsFunc(r.d.entry.Applied, func(applied addrs.Path) bool {
		return path.Contains(applied) || applied.Contains(path) && r.isWhole(applied)
	})
}

// isLast reports whether what is desired is what was applied last.
func (r *record) isLast() bool {
	if r.last == nil {
		addr := r.d.addr
		if r.d.moved() {
			addr = r.d.previous
		}
		last := r.d.entry.Digest != "" && r.d.entry.Digest == r.state.Digest(desiredFieldsAt(r.d.desired, addr, r.state.StackID()))
		r.last = &last
	}
	return *r.last
}

// isWhole reports whether a field is applied as a whole, whatever it holds.
func (r *record) isWhole(path addrs.Path) bool {
	f := r.d.kind.At(path)
	return f == nil || f.Atomic
}
