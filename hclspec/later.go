package hclspec

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
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

// guard is a call that has an answer also where a reference in it leads nowhere.
type guard struct {
	call     hclsyntax.Node
	fallback bool // one of the arguments refers to nothing
}

// guardOf is the guard that a node is, nil for any other.
func guardOf(node hclsyntax.Node) *guard {
	call, ok := node.(*hclsyntax.FunctionCallExpr)
	if !ok {
		return nil
	}
	switch call.Name {
	case "can":
		return &guard{call: call, fallback: true}
	case "try", "coalesce", "coalescelist":
		return &guard{call: call, fallback: slices.ContainsFunc(call.Args, func(arg hclsyntax.Expression) bool {
			return len(arg.Variables()) == 0
		})}
	}
	return nil
}

// findReferrers collects the references to each resource.
func (n *names) findReferrers() map[Block][]reference {
	referrers := map[Block][]reference{}
	for _, b := range n.inOrder {
		for _, ref := range b.refs {
			if _, ok := n.byBlock[ref.to].node.(objectNode); ok {
				referrers[ref.to] = append(referrers[ref.to], ref)
			}
		}
	}
	return referrers
}

// laterValues are the values of an instance that something refers to and that
// appear later.
func (p *program) laterValues(b *block, i *instance) []Later {
	target := b.node.(objectNode)
	var all []Later
	guarded := map[*guard]int{}
	seen := addrs.PathSet{}
	for _, ref := range p.referrers[b.name] {
		path := pathOf(ref.objectSteps(target))
		if path.IsZero() || !ref.mayMean(i.Addr.Key, target) || !i.appearsLater(path) {
			continue
		}
		progress := server.ChangesUntilReady(i.Kind, path)
		at, known := guarded[ref.guard]
		switch {
		case ref.guard == nil && !seen.Has(path):
			seen.Add(path)
			all = append(all, Later{Paths: []addrs.Path{path}, Progress: progress, Range: ref.at})
		case ref.guard == nil:
		case known:
			all[at].Paths, all[at].Progress = append(all[at].Paths, path), all[at].Progress || progress
		default:
			guarded[ref.guard] = len(all)
			all = append(all, Later{Paths: []addrs.Path{path}, Optional: ref.guard.fallback, Progress: progress, Range: ref.at})
		}
	}
	return all
}

// appearsLater reports whether the field is one that the cluster fills in later, or
// that a wait block names.
func (i *instance) appearsLater(path addrs.Path) bool {
	return server.AppearsLater(i.Kind, i.Fields, path) || slices.ContainsFunc(i.Wait.Fields, func(f config.WaitField) bool {
		return f.Path == path
	})
}

// mayMean reports whether a reference may lead to the instance with that key.
func (ref reference) mayMean(key addrs.Key, target objectNode) bool {
	if target.repetition() == "" || len(ref.steps) == 0 {
		return true
	}
	switch first := ref.steps[0]; first.kind {
	case nameKeyStep:
		return key == addrs.StringKey(first.name)
	case indexKeyStep:
		return key == addrs.IntKey(first.index)
	}
	return true
}

// pathOf is the field that steps lead to or, from a step on that may pick any
// element, the field that holds these.
func pathOf(steps []useStep) addrs.Path {
	var path addrs.Path
	for _, s := range steps {
		switch s.kind {
		case attrStep, nameKeyStep:
			path = path.Field(s.name)
		case indexKeyStep:
			path = path.Index(s.index)
		default:
			return path
		}
	}
	return path
}

// withLater adds what is still to appear to what is unknown of an object. Where
// there is another value in case it does not, that one counts.
func (s Seen) withLater(d *Desired) Seen {
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
