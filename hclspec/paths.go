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
		target, ok := p.names.byBlock[ref.to].node.(objectNode)
		if !ok || deps[ref.to] == nil || deps[ref.to].kind == nil {
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

// nameInstances says which instances there are where evaluation says that an index leads
// nowhere. Only evaluation knows whether the reference counts: it may stand in the branch
// of a conditional that is not taken, or in try.
func (p *program) nameInstances(b *block, diags hcl.Diagnostics, deps map[Block]*result) {
	for i, d := range diags {
		if d.Summary != "Invalid index" || d.Subject == nil {
			continue
		}
		for _, ref := range b.refs {
			target, ok := p.names.byBlock[ref.to].node.(objectNode)
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
func missingInstance(ref reference, target objectNode, res *result) hcl.Diagnostics {
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
	for _, i := range res.instances {
		if i.Addr.Key == key {
			return nil
		}
		if name, ok := i.Addr.Key.Name(); ok {
			names = append(names, name)
		}
	}
	hint := fmt.Sprintf(" It has %d instances.", len(res.instances))
	if near := words.Suggest(ref.steps[0].name, names); near != "" && len(names) > 0 {
		hint = near
	}
	return source.Problem("No such instance", ref.steps[0].at, "%s has no instance %s.%s", ref.to, key, hint)
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

// checkRefactoring reports import blocks of instances that do not exist, and moved and removed blocks
// of instances that do.
func (pre *Preview) checkRefactoring(c *config.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, i := range c.Imports {
		if res := pre.results[resourceBlock(i.To.Resource)]; !i.To.Key.IsZero() && res != nil && !res.unexpanded && !res.has(i.To) {
			diags = append(diags, source.Problem("Reference to undeclared instance", i.ToRange,
				"There is no instance %s to import into.%s", i.To, words.Suggest(i.To.String(), res.addresses()))...)
		}
	}
	for _, m := range c.Moved {
		isWhole := m.From.Key.IsZero() && m.To.Key.IsZero() // which was checked before
		if res := pre.results[resourceBlock(m.From.Resource)]; !isWhole && res != nil && !res.unexpanded && res.has(m.From) {
			diags = append(diags, source.Problem("Moved object still exists", m.FromRange,
				"The configuration still declares %s. Remove that instance, or delete this block.", m.From)...)
		}
	}
	for _, r := range c.Removed {
		if res := pre.results[resourceBlock(r.From.Resource)]; !r.From.Key.IsZero() && res != nil && !res.unexpanded && res.has(r.From) {
			diags = append(diags, source.Problem("Removed resource still exists", r.FromRange,
				"The configuration still declares %s. Remove that instance, or delete this block.", r.From)...)
		}
	}
	return diags
}

func (r *result) has(addr addrs.Instance) bool {
	for _, i := range r.instances {
		if i.Addr == addr {
			return true
		}
	}
	return false
}

func (r *result) addresses() []string {
	var all []string
	for _, i := range r.instances {
		all = append(all, i.Addr.String())
	}
	return all
}
