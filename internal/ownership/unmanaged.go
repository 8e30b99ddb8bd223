package ownership

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
)

// Field is a field of an object and the entry of the manager that owns it.
type Field struct {
	Path addrs.Path
	*Entry
}

// Unmanaged are the fields that others have set and of which kplan owns nothing,
// sorted: single values, entries of maps, and elements of lists as a whole. What
// controllers report in the status is not among them, and what Kubernetes' own
// programs write elsewhere only if all is set.
func (r Record) Unmanaged(all bool) []Field {
	return r.beside(r.KplanFields, func(e *Entry) bool { return e.isOthers() && (all || !IsControlPlane(e.Manager)) })
}

// Beside are the fields that somebody else has set, or had before anybody kept a record,
// and that are not among the given ones, whoever else owns them: in the form of Unmanaged.
func (r Record) Beside(desired *fieldpath.Set) []Field {
	return r.beside(func() *fieldpath.Set { return desired }, func(e *Entry) bool {
		return e.isOthers() || e.Manager == BeforeFirstApply
	})
}

// beside are the fields of some entries that are not in a set, which is made when it is
// first needed.
func (r Record) beside(set func() *fieldpath.Set, counts func(*Entry) bool) []Field {
	var fields []Field
	seen := addrs.PathSet{}
	var ours *fieldpath.Set
	for _, e := range r {
		if !counts(e) {
			continue
		}
		theirs, err := e.Fields()
		if err != nil {
			continue
		}
		if ours == nil {
			ours = set()
		}
		for elements := range theirs.Leaves().All() {
			if path, ok := unmanaged(ours, elements); ok && !seen.Has(path) {
				seen.Add(path)
				fields = append(fields, Field{path, e})
			}
		}
	}
	slices.SortFunc(fields, func(a, b Field) int { return a.Path.Compare(b.Path) })
	return fields
}

// isOthers reports whether the entry is what another manager wrote into the object
// itself. BeforeFirstApply is no manager.
func (e *Entry) isOthers() bool {
	return e.Manager != Manager && e.Manager != BeforeFirstApply && (e.Subresource == "" || e.Subresource == "scale")
}

// unmanaged is the outermost element of a list on the way to a field of which kplan
// owns nothing, or the field itself.
func unmanaged(ours *fieldpath.Set, elements fieldpath.Path) (addrs.Path, bool) {
	for i, element := range elements {
		if element.Key != nil && !Owns(ours, Path(elements[:i+1])) {
			return Path(elements[:i+1]), true
		}
	}
	path := Path(elements)
	if len(elements) > 0 && elements[len(elements)-1].Value != nil {
		return path, !ours.Has(elements)
	}
	return path, !Owns(ours, path)
}

// Deliberate are the fields that somebody has set, kplan or another manager, other than
// Kubernetes' own programs: what nobody has set, the server has filled in.
func (r Record) Deliberate() *fieldpath.Set {
	return r.union((*Entry).IsDeliberate)
}

// IsDeliberate reports whether the fields of the entry were set by kplan or another
// manager, other than Kubernetes' own programs.
func (e *Entry) IsDeliberate() bool {
	return e.Manager == Manager && e.Subresource == "" || e.isOthers() && !IsControlPlane(e.Manager)
}
