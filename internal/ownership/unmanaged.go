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
	var fields []Field
	seen := addrs.PathSet{}
	var ours *fieldpath.Set
	for _, e := range r {
		if !e.isOthers() || !all && IsControlPlane(e.Manager) {
			continue
		}
		set, err := e.Fields()
		if err != nil {
			continue
		}
		if ours == nil {
			ours = r.KplanFields()
		}
		for elements := range set.Leaves().All() {
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
