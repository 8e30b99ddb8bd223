package plan

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
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
	own := ownership.Of(c.Before).Own()
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

// record is which fields kplan applied to an object last, as the state has it.
type record struct {
	kind      *kinds.Kind
	applied   []addrs.Path
	sensitive addrs.PathSet // at that time
	state     *state.State
	isLast    bool // what is desired is what was applied last, or all that is known to have been
}

// recordOf is the record of an object in the state. A state that was written before
// there was one tells only whether what is desired is what was applied.
func recordOf(kind *kinds.Kind, s *state.State, entry state.Object, desired map[string]any) record {
	return record{
		kind: kind, applied: entry.Applied, sensitive: addrs.NewPathSet(entry.Sensitive...), state: s,
		isLast: entry.Digest != "" && entry.Digest == s.Digest(desired),
	}
}

// has reports whether kplan applied the field last, or anything in it, or something
// that is applied as a whole and of which it is a part.
func (r record) has(path addrs.Path) bool {
	if r.isLast {
		return true
	}
	path = r.state.MaskPath(path, r.sensitive)
	return slices.ContainsFunc(r.applied, func(applied addrs.Path) bool {
		return path.Contains(applied) || applied.Contains(path) && r.isWhole(applied)
	})
}

// isWhole reports whether a field is applied as a whole, whatever it holds.
func (r record) isWhole(path addrs.Path) bool {
	f := r.kind.At(path)
	return f == nil || f.Atomic
}
