package diff

import (
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
)

// trail walks a set of fields beside a value: it reports whether the set has the
// field at which it stands, and what the set has below. An element of a list may be
// named by its index or by its keys, so that a trail may stand at two nodes of
// the set at once.
type trail struct {
	nodes   []*pathTree
	covered bool // the field or one above it is in the set
}

// pathTree is a set of fields as a tree. Fields and elements have separate names.
type pathTree struct {
	here     bool
	fields   map[string]*pathTree
	elements map[string]*pathTree // by the text in the brackets
}

// trailOf is the trail of a set, standing at the whole object.
func trailOf(set addrs.PathSet) trail {
	if len(set) == 0 {
		return trail{}
	}
	root := &pathTree{}
	for path := range set {
		root.add(path)
	}
	return trail{nodes: []*pathTree{root}, covered: root.here}
}

// trailOfOwned is the same for the fields that a manager owns by managedFields.
func trailOfOwned(set *fieldpath.Set) trail {
	if set == nil {
		return trail{}
	}
	root := &pathTree{}
	set.Iterate(func(path fieldpath.Path) {
		node := root
		for _, element := range path {
			node = node.owned(element)
		}
		node.here = true
	})
	root.onlyLeaves()
	return trail{nodes: []*pathTree{root}}
}

// onlyLeaves leaves only those fields in the set that it has nothing below.
// Who owns an object with fields of its own in managedFields owns that it is
// there, and those fields.
func (p *pathTree) onlyLeaves() {
	p.here = p.here && len(p.fields) == 0 && len(p.elements) == 0
	for _, below := range p.fields {
		below.onlyLeaves()
	}
	for _, below := range p.elements {
		below.onlyLeaves()
	}
}

func (p *pathTree) add(path addrs.Path) {
	for _, step := range path.Steps() {
		if step.IsField() {
			p = child(&p.fields, step.Field)
		} else {
			p = child(&p.elements, step.String())
		}
	}
	p.here = true
}

func (p *pathTree) owned(element fieldpath.PathElement) *pathTree {
	switch {
	case element.FieldName != nil:
		return child(&p.fields, *element.FieldName)
	case element.Key != nil:
		keys := make(map[string]any, len(*element.Key))
		for _, k := range *element.Key {
			keys[k.Name] = k.Value.Unstructured()
		}
		return child(&p.elements, addrs.Path{}.Select(keys).String())
	case element.Value != nil:
		return child(&p.elements, valueStep((*element.Value).Unstructured()))
	case element.Index != nil:
		return child(&p.elements, addrs.Path{}.Index(*element.Index).String())
	}
	return p
}

// valueStep names an element of a set by its value.
func valueStep(value any) string { return "[=" + token(value) + "]" }

func child(children *map[string]*pathTree, name string) *pathTree {
	if *children == nil {
		*children = map[string]*pathTree{}
	}
	next := (*children)[name]
	if next == nil {
		next = &pathTree{}
		(*children)[name] = next
	}
	return next
}

// field is the trail one field or map key further down.
func (t trail) field(name string) trail {
	next := trail{covered: t.covered}
	for _, node := range t.nodes {
		next.enter(node.fields[name])
	}
	return next
}

// element is the trail at an element of a list that has these names.
func (t trail) element(names ...string) trail {
	next := trail{covered: t.covered}
	for _, node := range t.nodes {
		for _, name := range names {
			next.enter(node.elements[name])
		}
	}
	return next
}

func (t *trail) enter(node *pathTree) {
	if node != nil {
		t.nodes = append(t.nodes, node)
		t.covered = t.covered || node.here
	}
}

// ends reports whether the set has this very field.
func (t trail) ends() bool {
	return slices.ContainsFunc(t.nodes, func(p *pathTree) bool { return p.here })
}

// exists reports whether the set has the field, or any above or below it.
func (t trail) exists() bool { return t.covered || len(t.nodes) > 0 }

// reaches reports whether the set has the field or any below it.
func (t trail) reaches() bool { return len(t.nodes) > 0 }

// fields are the names of the fields below which the set has fields, sorted.
func (t trail) fields() []string {
	var names []string
	for _, node := range t.nodes {
		for name := range node.fields {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// shape is what a value must be to have the fields below.
func (t trail) shape() Shape {
	for _, node := range t.nodes {
		switch {
		case len(node.elements) > 0:
			return Elements
		case len(node.fields) > 0:
			return Entries
		}
	}
	return Leaf
}

// without is the trail of the set without these fields and all below them. It
// is meant for the start of a trail.
func (t trail) without(gone trail) trail {
	pruned := trail{covered: t.covered}
	for _, node := range t.nodes {
		if kept := node.prune(gone); kept != nil {
			pruned.nodes = append(pruned.nodes, kept)
		}
	}
	return pruned
}

// prune is a copy of p without the fields of gone, nil when nothing is left.
func (p *pathTree) prune(gone trail) *pathTree {
	if gone.ends() {
		return nil
	}
	kept := &pathTree{here: p.here, elements: p.elements}
	for name, node := range p.fields {
		if next := node.prune(gone.field(name)); next != nil {
			*child(&kept.fields, name) = *next
		}
	}
	if !kept.here && len(kept.fields) == 0 && len(kept.elements) == 0 {
		return nil
	}
	return kept
}
