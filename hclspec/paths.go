package hclspec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// checkPaths compares the block's references with what the kinds they lead to
// look like. One that leads nowhere counts as broken from then on.
func (p *program) checkPaths(b *block, deps map[Block]*result) hcl.Diagnostics {
	var diags hcl.Diagnostics
	b.fields = map[hcl.Range]*kinds.Field{}
	for _, ref := range b.refs {
		if deps[ref.to] == nil || deps[ref.to].kind == nil {
			continue
		}
		if read, ok := p.names.byBlock[ref.to].node.(readNode); ok {
			diags = append(diags, checkRead(ref, read, deps[ref.to].kind)...)
			continue
		}
		target, ok := p.names.byBlock[ref.to].node.(objectNode)
		if !ok {
			continue
		}
		problems := checkPath(ref, ref.objectSteps(target), deps[ref.to].kind)
		b.fields[ref.at] = fieldAt(ref.objectSteps(target), deps[ref.to].kind)
		if problems.HasErrors() {
			b.broken = append(b.broken, use{root: ref.to.Type, steps: []useStep{{kind: attrStep, name: ref.to.Name}}, at: ref.at})
		}
		diags = append(diags, problems...)
	}
	return diags
}

// checkRead checks a reference to what a data block reads.
func checkRead(ref reference, target readNode, kind *kinds.Kind) hcl.Diagnostics {
	steps := ref.steps
	if target.repetition() != "" && len(steps) > 0 {
		steps = steps[1:]
	}
	if !target.isList() {
		return checkPath(ref, steps, kind)
	}
	switch {
	case len(steps) == 0 || steps[0].isKey():
		return nil
	case steps[0].name != "items":
		return source.Problem("Unsupported attribute", steps[0].at, "%s reads several objects, which are in the list %s.items.", ref.to, ref.to)
	case len(steps) < 2 || !steps[1].isKey():
		return nil
	}
	return checkPath(ref, steps[2:], kind)
}

// nameInstances says which instances there are where evaluation says that an index leads
// nowhere. Only evaluation knows whether the reference counts: it may stand in the branch
// of a conditional that is not taken, or in try.
func (p *program) nameInstances(b *block, diags hcl.Diagnostics, deps map[Block]*result) {
	for i, d := range diags {
		if d.Summary != "Invalid index" || d.Subject == nil {
			continue
		}
		for _, ref := range b.refs {
			target, ok := p.names.byBlock[ref.to].node.(repeatedNode)
			if !ok || deps[ref.to] == nil || len(ref.steps) == 0 || !ref.steps[0].at.Overlaps(*d.Subject) {
				continue
			}
			if missing := missingInstance(ref, target, deps[ref.to]); missing != nil {
				diags[i] = missing[0]
			}
		}
	}
}

// missingInstance is the error of a key, written out, that no instance has.
func missingInstance(ref reference, target repeatedNode, res *result) hcl.Diagnostics {
	if len(ref.steps) == 0 || res.unexpanded || target.repetition() == "" {
		return nil
	}
	var key addrs.Key
	switch s := ref.steps[0]; s.kind {
	case nameKeyStep:
		key = addrs.StringKey(s.name)
	case indexKeyStep:
		key = addrs.IntKey(s.index)
	default:
		return nil
	}
	var names []string
	keys := res.allKeys()
	for _, k := range keys {
		if k == key {
			return nil
		}
		if name, ok := k.Name(); ok {
			names = append(names, name)
		}
	}
	hint := fmt.Sprintf(" It has %s.", words.Count(len(keys), "instance"))
	if near := words.Suggest(ref.steps[0].name, names); near != "" && len(names) > 0 {
		hint = near
	}
	return source.Problem("No such instance", ref.steps[0].at, "%s has no instance %s.%s", ref.to, key, hint)
}

// allKeys are those of the instances of a resource, a manifests block or a module.
func (r *result) allKeys() []addrs.Key {
	keys := slices.Clone(r.keys)
	for _, i := range r.instances {
		keys = append(keys, i.Addr.Key)
	}
	if r.expansion != nil {
		for _, i := range r.expansion.instances {
			keys = append(keys, i.key)
		}
	}
	return keys
}

// fieldAt describes what steps lead to, nil where they may lead to several.
func fieldAt(steps []useStep, kind *kinds.Kind) *kinds.Field {
	if slices.ContainsFunc(steps, func(s useStep) bool { return s.kind == splatStep || s.kind == anyStep }) {
		return nil
	}
	return kind.At(pathOf(steps))
}

func checkPath(ref reference, steps []useStep, kind *kinds.Kind) hcl.Diagnostics {
	f := kind.Root
	where := ""
	for _, s := range steps {
		switch f.Type {
		case kinds.Any:
			return nil
		case kinds.Object, kinds.Map:
			switch s.kind {
			case anyStep:
				return nil // which one is known only in evaluation
			case splatStep:
				continue // of a single object: a list that holds it
			case indexKeyStep:
				return source.Problem("Invalid reference", s.at,
					"%s of %s is %s and no list: it has no positions.", where, ref.to, manifest.Describe(f))
			}
			child := f.Field(s.name)
			if child == nil {
				_, diags := manifest.UnknownField(kind, s.name, s.at, f, where)
				return diags
			}
			f, where = child, manifest.JoinWhere(where, s.name)
		case kinds.List:
			if !s.isKey() || s.kind == nameKeyStep {
				return source.Problem("Invalid reference", s.at,
					"%s of %s is a list: pick an element first, as in %s[0], or all of them with %s[*].", where, ref.to,
					manifest.LastName(where), manifest.LastName(where))
			}
			f = f.Elem
		default:
			return source.Problem("Invalid reference", s.at,
				"%s of %s is %s: there is nothing inside of it.", where, ref.to, manifest.Describe(f))
		}
	}
	return nil
}

// Imports are the import blocks, one for each element of a for_each.
func (pre *Preview) Imports() []*config.Import { return pre.imports }

func findImports(pre *Preview) []*config.Import {
	all := slices.DeleteFunc(slices.Clone(pre.config.Imports), func(i *config.Import) bool { return i.ForEach != nil })
	for _, b := range pre.program.names.inOrder {
		if res := pre.results[b.name]; res != nil {
			all = append(all, res.imports...)
		}
	}
	return all
}

// checkRefactoring reports import blocks of instances that do not exist, and moved and removed blocks
// of instances that do.
func (pre *Preview) checkRefactoring() hcl.Diagnostics {
	diags := checkImports(pre)
	for _, m := range pre.config.Moved {
		isWhole := m.From.Key.IsZero() && m.To.Key.IsZero() // which was checked before
		if res := pre.results[resourceBlock(m.From.Resource)]; !isWhole && res != nil && !res.unexpanded && res.has(m.From) {
			diags = append(diags, source.Problem("Moved object still exists", m.FromRange,
				"The configuration still declares %s. Remove that instance, or delete this block.", m.From)...)
		}
	}
	for _, r := range pre.config.Removed {
		if res := pre.results[resourceBlock(r.From.Resource)]; !r.From.Key.IsZero() && res != nil && !res.unexpanded && res.has(r.From) {
			diags = append(diags, source.Problem("Removed resource still exists", r.FromRange,
				"The configuration still declares %s. Remove that instance, or delete this block.", r.From)...)
		}
	}
	return diags
}

// checkImports reports import blocks of instances that do not exist, and instances that two blocks import.
func checkImports(pre *Preview) hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[addrs.Instance]*config.Import{}
	for _, i := range pre.Imports() {
		if other := first[i.To]; other != nil && (i.ForEach != nil || other.ForEach != nil) { // others were compared before
			diags = append(diags, source.Problem("Duplicate import", i.ToRange, "%s is imported at %s already.", i.To, other.Range)...)
		}
		first[i.To] = i
		if i.To.Resource.Module != "" && !pre.declares(i.To) {
			diags = append(diags, source.Problem("Reference to undeclared resource", i.ToRange, "There is no resource %s to import into.", i.To)...)
			continue
		}
		diags = append(diags, checkImportID(pre, i)...)
		if res := pre.results[resourceBlock(i.To.Resource)]; !i.To.Key.IsZero() && res != nil && !res.unexpanded && !res.has(i.To) {
			diags = append(diags, source.Problem("Reference to undeclared instance", i.ToRange,
				"There is no instance %s to import into.%s", i.To, words.Suggest(i.To.String(), res.addresses(i.To.Resource)))...)
		}
	}
	return diags
}

// checkImportID reports an id that names another object than the block that it is imported to.
func checkImportID(pre *Preview, i *config.Import) hcl.Diagnostics {
	id, diags := pre.config.ImportID(i, pre.program.opts.Variables)
	for _, to := range pre.instances() {
		if name := to.Object.QualifiedName(); id != "" && i.To.Means(to.Addr) && to.Object.Name != "" && name != id {
			return source.Problem("Import of another object", i.ToRange,
				"%s describes the object %s, and the id is %q. Correct one of them; the id may also be left out.", to.Addr, name, id)
		}
	}
	return diags
}

// declares reports whether there is an instance that an address means.
func (pre *Preview) declares(addr addrs.Instance) bool {
	for _, i := range pre.instances() {
		if addr.Means(i.Addr) {
			return true
		}
	}
	return false
}

func (r *result) has(addr addrs.Instance) bool {
	return slices.Contains(r.allKeys(), addr.Key)
}

func (r *result) addresses(of addrs.Resource) []string {
	var all []string
	for _, key := range r.allKeys() {
		all = append(all, of.Instance(key).String())
	}
	return all
}

// HasModule reports whether there is the module of that path, as in addrs.Resource.
func HasModule(pre *Preview, path string) bool {
	declared := addrs.Resource{Module: path}.Declared().Module
	return slices.ContainsFunc(pre.program.modules[declared], func(m *module) bool { return m.path == path })
}
