package hclspec

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/manifest"
)

// The blocks of a definition are declared once for each call of it, whatever the call's for_each: what
// they refer to, and in what order they come, is found for the declared blocks. Evaluation makes blocks
// of each instance of the call from them, which are evaluated and visited on their own, so that one
// instance does not wait for another.

// module is one instance of a definition: the root, or what a call made.
type module struct {
	path     string // of calls with their keys, as in addrs.Resource; "" for the root
	declared string // the same without keys
	key      addrs.Key
	call     Block   // that made it; the zero Block for the root
	parent   *module // nil for the root
	children map[string][]*module
	base     *hcl.EvalContext // the functions, which read files of the definition's directory
	// unexpanded means that the instances of a call are not known. The module then represents all of them.
	unexpanded bool
}

// within are the instances below m, or below one that m is in, of the module with that path without keys.
func (m *module) within(declared string) []*module {
	for m.declared != declared && m.declared != "" && !strings.HasPrefix(declared, m.declared+".") {
		m = m.parent
	}
	return m.below(declared)
}

func (m *module) below(declared string) []*module {
	if m.declared == declared {
		return []*module{m}
	}
	var found []*module
	for _, instances := range m.children {
		if len(instances) == 0 {
			continue
		}
		if at := instances[0].declared; at == declared || strings.HasPrefix(declared, at+".") {
			for _, child := range instances {
				found = append(found, child.below(declared)...)
			}
		}
	}
	return found
}

// instantiate makes the block of a module from a declared one.
func (p *program) instantiate(d *block, m *module) *block {
	b := *d
	b.name.Module, b.of, b.scope = m.path, m, m
	if d.isArgument {
		b.scope = m.parent
	}
	b.refs = nil
	for _, ref := range d.refs {
		for _, to := range b.scope.within(ref.to.Module) {
			if ref.to.Type == "output" && ref.key != nil && *ref.key != to.key && !to.unexpanded {
				continue
			}
			ref.to.Module = to.path
			b.refs = append(b.refs, toObject(p, ref))
		}
	}
	b.awaits = nil
	for _, awaited := range d.awaits {
		for _, to := range b.scope.within(awaited.to.Module) {
			awaited.to.Module = to.path
			b.awaits = append(b.awaits, awaitedObjects(p, awaited)...)
		}
	}
	return &b
}

// toObject is a reference to the object that it names, where it is one of a manifests block.
func toObject(p *program, ref reference) reference {
	if ref.to.Type != addrs.Manifests || len(ref.steps) == 0 {
		return ref
	}
	to := ref.to
	key := writtenKey(ref.steps[0])
	if key == nil {
		return ref
	}
	if to.Key = *key; p.names.byBlock[to] != nil {
		ref.to, ref.steps = to, ref.steps[1:]
	}
	return ref
}

// awaitedObjects are the objects of a manifests block that is awaited; any other block is awaited itself.
func awaitedObjects(p *program, a await) []await {
	if a.to.Type != addrs.Manifests {
		return []await{a}
	}
	all := []await{a}
	for _, key := range p.objects[a.to] {
		a.to.Key = key
		all = append(all, a)
	}
	return all
}

// origins are those of the calls that made the module: they hold for all in it.
func (m *module) origins(deps map[Block]*result) manifest.Origins {
	if m == nil || m.parent == nil || deps[m.call] == nil || deps[m.call].expansion == nil {
		return manifest.Origins{}
	}
	return deps[m.call].expansion.origins
}
