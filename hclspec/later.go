package hclspec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// Later is a value of an object that something refers to, and that appears only
// some time after the object was made: the address of a pod, the token in a Secret.
type Later struct {
	// Paths are fields, one of which is enough: those that one call of try names.
	Paths []addrs.Path
	// Optional means that the configuration has another value in case none appears.
	Optional bool
	// Progress means that the value goes on changing until the object is ready.
	Progress bool
	Range    hcl.Range // of a reference to it
}

// IsIn reports whether the object has the value.
func (l Later) IsIn(object map[string]any) bool {
	return slices.ContainsFunc(l.Paths, func(p addrs.Path) bool {
		value, ok := p.ValueIn(object)
		return ok && !isEmpty(value)
	})
}

// withLater adds what is still to appear to what is unknown of an object. Where
// there is another value in case it does not, that one counts.
func (s Observed) withLater(d *Desired) Observed {
	if s.Object == nil {
		return s
	}
	var unknown addrs.PathSet
	for _, later := range d.Later {
		if later.Optional || later.IsIn(s.Object) {
			continue
		}
		if unknown == nil {
			unknown = addrs.PathSet{}
			unknown.AddAll(s.Unknown)
			s.Unknown = unknown
		}
		for _, path := range later.Paths {
			unknown.Add(missingPart(path, s.Object))
		}
	}
	return s
}

// missingPart is how far one has to go along a path to come to what is not there:
// the whole list where that is an element.
func missingPart(path addrs.Path, object map[string]any) addrs.Path {
	var part addrs.Path
	for _, step := range path.Steps() {
		if step.IsIndex() {
			if _, ok := part.Append(step).ValueIn(object); !ok {
				return part
			}
		}
		part = part.Append(step)
		if _, ok := part.ValueIn(object); !ok {
			return part
		}
	}
	return part
}

// laterValues are the values of an instance that something refers to and that
// appear later.
func (p *program) laterValues(b *block, i *instance) []Later {
	target := b.node.(objectNode)
	var all []Later
	guarded := map[*guard]int{}
	seen := addrs.PathSet{}
	add := func(ref reference, path addrs.Path) {
		progress := server.ChangesUntilReady(i.Kind, path)
		at, known := guarded[ref.guard]
		switch {
		case ref.guard == nil && !seen.Has(path):
			seen.Add(path)
			all = append(all, Later{Paths: []addrs.Path{path}, Progress: progress, Range: ref.at})
		case ref.guard == nil:
		case !known:
			guarded[ref.guard] = len(all)
			all = append(all, Later{Paths: []addrs.Path{path}, Optional: ref.guard.fallback, Progress: progress, Range: ref.at})
		case !slices.Contains(all[at].Paths, path):
			all[at].Paths, all[at].Progress = append(all[at].Paths, path), all[at].Progress || progress
		}
	}
	for _, ref := range p.referrers[b.name] {
		if ref.mayMean(i.Addr.Key, target) {
			for _, path := range i.laterPaths(ref, target) {
				add(ref, path)
			}
		}
	}
	return all
}

// laterPaths are the fields of the instance that a reference leads to and that appear later. A tail
// may follow as a whole or, where a loop goes through several objects, from some step on.
func (i *instance) laterPaths(ref reference, target objectNode) []addrs.Path {
	path := pathOf(ref.objectSteps(target))
	if ref.tail == nil {
		if path.IsZero() || !i.appearsLater(path) {
			return nil
		}
		return []addrs.Path{path}
	}
	if f := i.Kind.At(path); f == nil || f.Type == kinds.Any && !path.IsZero() {
		return nil
	}
	var found []addrs.Path
	for n, first := range ref.tail {
		if first.kind != attrStep && first.kind != nameKeyStep {
			continue
		}
		below := path
		for _, step := range pathOf(ref.tail[n:]).Steps() {
			below = below.Append(step)
		}
		if i.Kind.At(below) != nil && i.appearsLater(below) {
			found = append(found, below)
		}
	}
	return found
}

// appearsLater reports whether the field is one that the cluster fills in later, or
// that a wait block names.
func (i *instance) appearsLater(path addrs.Path) bool {
	return server.AppearsLater(i.Kind, i.Fields, path) || slices.ContainsFunc(i.Wait.Fields, func(f config.WaitField) bool {
		return f.Path == path
	})
}

// referrers finds the references to each resource.
type referrers struct {
	names *names
	// reached are the references to resources that go into a local value, also through others.
	reached map[Block][]reference
}

func newReferrers(n *names) *referrers { return &referrers{n, map[Block][]reference{}} }

func (r *referrers) find() map[Block][]reference {
	found := map[Block][]reference{}
	for _, b := range r.names.inOrder {
		for _, ref := range b.refs {
			if _, ok := r.names.byBlock[ref.to].node.(objectNode); ok {
				found[ref.to] = append(found[ref.to], ref)
			}
		}
		if len(b.tails) == 0 {
			continue
		}
		for _, ref := range r.from(b) {
			for _, tail := range b.tails {
				found[ref.to] = append(found[ref.to], reference{to: ref.to, steps: ref.steps, tail: tail.steps, at: tail.at, guard: tail.guard})
			}
		}
	}
	return found
}

// from are the references to resources that a block's values may come from, each once.
func (r *referrers) from(b *block) []reference {
	if known, ok := r.reached[b.name]; ok {
		return known
	}
	r.reached[b.name] = nil // where locals refer to one another
	var all []reference
	for _, ref := range b.refs {
		next := r.names.byBlock[ref.to]
		switch next.node.(type) {
		case objectNode:
			all = append(all, ref)
		case localNode:
			all = append(all, r.from(next)...)
		}
	}
	all = withoutRepeats(all)
	r.reached[b.name] = all
	return all
}

// withoutRepeats leaves out references that lead where others of them do.
func withoutRepeats(refs []reference) []reference {
	type destination struct {
		to    Block
		steps string
	}
	seen := map[destination]bool{}
	return slices.DeleteFunc(refs, func(ref reference) bool {
		d := destination{to: ref.to}
		for _, s := range ref.steps {
			d.steps += fmt.Sprintf("%d %q %d/", s.kind, s.name, s.index)
		}
		repeated := seen[d]
		seen[d] = true
		return repeated
	})
}
