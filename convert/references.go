package convert

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
)

// refer puts references in the place of names of other objects that are written, too. Blocks that
// refer to each other in a circle can't be ordered, so the last reference of a circle stays a name.
func refer(objects []*Object, names map[*Object]addrs.Resource) {
	r := &referrer{names: names, objects: make(map[addrs.Object]*Object, len(objects)), needs: map[*Object][]*Object{}}
	for _, o := range objects {
		if o.id.Name != "" {
			r.objects[o.id.Identity()] = o
		}
	}
	found := make([][]relations.Reference, len(objects))
	for i, o := range objects {
		if !o.separate { // what is in another file stays as it is
			r.namespace(o, o.root.field("metadata"))
			found[i] = relations.References(o.of, o.root.fields())
		}
	}
	for _, optional := range []bool{false, true} { // what an object can't do without first
		for i, o := range objects {
			for _, ref := range found[i] {
				if !ref.Implied && ref.Optional == optional {
					r.named(o, ref)
				}
			}
		}
	}
}

type referrer struct {
	names   map[*Object]addrs.Resource
	objects map[addrs.Object]*Object // by identity
	needs   map[*Object][]*Object    // by references so far
}

// named puts a reference in the place of a name, and in that of the namespace beside it.
func (r *referrer) named(o *Object, ref relations.Reference) {
	if parent := o.root.at(ref.Path.Parent()); parent != nil && parent.shape == object && ref.Path.Parent() != addrs.NewPath("metadata") {
		r.namespace(o, parent)
	}
	for _, name := range ref.Names() {
		if to := r.objects[name.Identity()]; to != nil {
			r.replace(o, o.root.at(ref.Path), to)
			return
		}
	}
}

// namespace refers to the Namespace that an object names beside the name of something in it.
func (r *referrer) namespace(o *Object, beside *node) {
	if name := beside.string("namespace"); name != "" {
		if to := r.objects[addrs.Object{Kind: kinds.Namespace.Kind, Name: name}]; to != nil {
			r.replace(o, beside.field("namespace"), to)
		}
	}
}

func (r *referrer) replace(o *Object, n *node, to *Object) {
	if n == nil || n.shape != text || r.leadsTo(to, o, map[*Object]bool{}) {
		return
	}
	if !slices.Contains(r.needs[o], to) {
		r.needs[o] = append(r.needs[o], to)
	}
	n.reference = r.names[to].String() + ".metadata.name"
}

// leadsTo reports whether references lead from one object to another, or whether they are the same.
func (r *referrer) leadsTo(from, to *Object, seen map[*Object]bool) bool {
	if from == to {
		return true
	}
	seen[from] = true
	return slices.ContainsFunc(r.needs[from], func(next *Object) bool { return !seen[next] && r.leadsTo(next, to, seen) })
}
