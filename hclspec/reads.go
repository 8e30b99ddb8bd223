package hclspec

import (
	"slices"

	"kplan.dev/kplan/addrs"
)

// Read is a part of objects that the expressions of a block lead to.
type Read struct {
	Path addrs.Path // in the objects; the zero Path for all of them

	ref    reference
	target objectNode
}

// May reports whether the read may be of that instance.
func (r Read) May(be addrs.Instance) bool {
	return r.ref.to == resourceBlock(be.Resource) && r.ref.mayMean(be.Key, r.target)
}

// Resource is the block of the objects that are read.
func (r Read) Resource() addrs.Resource { return r.ref.to.resource() }

// Reads are the parts of objects that the expressions of a resource lead to, also through
// local values. Where one takes only some of what another hands on, both may be named.
func (pre *Preview) Reads(r addrs.Resource) []Read { return pre.reads(resourceBlock(r)) }

// OutputReads are the parts of objects that the expression of an output leads to.
func (pre *Preview) OutputReads(name string) []Read {
	return pre.reads(Block{Type: "output", Name: name})
}

func (pre *Preview) reads(name Block) []Read {
	b := pre.program.names.byBlock[name]
	if b == nil {
		return nil
	}
	var all []Read
	finder := readFinder{pre.program.names, map[Block][]reference{}}
	for _, ref := range finder.find(b) {
		target := pre.program.names.byBlock[ref.to].node.(objectNode)
		all = append(all, Read{pathOf(ref.objectSteps(target)), ref, target})
	}
	return all
}

// readFinder finds the references to resources of a block and of the local values that it
// refers to.
type readFinder struct {
	*names
	known map[Block][]reference
}

func (f readFinder) find(b *block) []reference {
	if known, ok := f.known[b.name]; ok {
		return known
	}
	f.known[b.name] = nil // where locals refer to one another
	var all []reference
	for _, ref := range b.refs {
		switch to := f.byBlock[ref.to]; node := to.node.(type) {
		case objectNode:
			all = append(all, f.handedOn(b, ref)...)
		case localNode:
			isAlias := len(to.refs) == 1 && to.refs[0].at == node.expr.Range()
			for _, below := range f.find(to) {
				if isAlias {
					below.steps = slices.Concat(below.steps, ref.steps)
				}
				all = append(all, f.handedOn(b, below)...)
			}
		}
	}
	all = withoutRepeats(all)
	f.known[b.name] = all
	return all
}

// handedOn are the references that a block makes of one that leads to whole objects, where a
// loop, a local value or a call in it hands these on: see block.tails.
func (f readFinder) handedOn(b *block, ref reference) []reference {
	target := f.byBlock[ref.to].node.(objectNode)
	if len(b.tails) == 0 || ref.tail != nil || !pathOf(ref.objectSteps(target)).IsZero() {
		return []reference{ref}
	}
	steps := ref.steps
	if len(steps) == 0 && target.repetition() != "" {
		steps = []useStep{{kind: anyStep, at: ref.at}}
	}
	var all []reference
	for _, tail := range b.tails {
		for first, step := range tail.steps {
			if step.isKey() && step.kind != nameKeyStep {
				continue
			}
			further := ref
			further.tail, further.steps = tail.steps, slices.Concat(steps, tail.steps[first:])
			all = append(all, further)
		}
	}
	if len(all) == 0 {
		return []reference{ref}
	}
	return all
}
