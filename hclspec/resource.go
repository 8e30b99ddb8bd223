package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// resourceNode is a resource.
type resourceNode struct{ decl *config.Resource }

func (n resourceNode) findUses(f *useFinder) {
	f.expr(n.decl.ForEach)
	f.expr(n.decl.Count)
	f.expr(n.decl.Enabled)
	f.repetition = len(f.uses)
	f.manifest(n.decl.Body)
	f.lifecycle(&n.decl.Lifecycle)
}

func (n resourceNode) dependsOn() []config.Reference { return n.decl.DependsOn }

func (n resourceNode) repetition() string { return n.decl.Repetition.Argument() }

func (resourceNode) isOfObjects() {}

func (n resourceNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	res := &result{value: cty.DynamicVal}
	scope := p.scope(b, deps)
	m := p.manifests[b.name]
	if m == nil {
		m, res.diags = p.prepare(b, n.decl, scope)
		p.manifests[b.name] = m
	}
	e, diags := expand(n.decl.Repetition, scope)
	e.origins.Add(b.of.origins(deps))
	res.diags = append(res.diags, diags...)
	if m == nil {
		if !e.unknown && len(e.instances) == 0 && e.origins.Skipped == nil && p.kinds.leavesOut {
			return withoutInstances(n.decl.Repetition, res.diags)
		}
		return res
	}
	res.kind = m.kind
	if e.origins.Skipped != nil {
		res.value = cty.DynamicVal.Mark(manifest.SkippedMark{By: *e.origins.Skipped})
		all := b.name.instance()
		res.failed = map[addrs.Instance]addrs.Instance{all: *e.origins.Skipped}
		res.diags, res.unexpanded = nil, true
		return res
	}
	res.later = e.origins.Later
	if e.unknown {
		res.unexpanded = true
		if !diags.HasErrors() && !p.opts.Partial {
			res.diags = append(res.diags, unknownRepetition(n.decl.Repetition, scope)...)
		}
		e.instances = []repetition{anyInstance(n.decl.Repetition)}
	}
	res.unexpanded = res.unexpanded || b.of.unexpanded
	if len(e.instances) > p.instancesLeft {
		res.unexpanded = true
		res.diags = append(res.diags, source.Problem("Too many objects", b.at,
			"With this block the configuration makes more than %d objects. Split it into several stacks.", maxInstances)...)
		return res
	}
	var report reporter
	for _, rep := range e.instances {
		p.budget.SpendAt(budget.Instance, b.at)
		i := p.decodeInstance(b, n.decl, m, rep.key, rep.inScope(scope, b), e.origins)
		report.report(i.Addr, i.diags)
		res.instances = append(res.instances, i)
	}
	res.diags = append(res.diags, report.diags...)
	if !e.unknown {
		res.value = p.resourceValue(b, res, nil)
	}
	return res
}

// withoutInstances is the result of a block without instances whose kind is not known,
// because the block that defines it has no instances either.
func withoutInstances(r config.Repetition, diags hcl.Diagnostics) *result {
	res := &result{value: cty.EmptyTupleVal}
	switch {
	case r.ForEach != nil:
		res.value = cty.EmptyObjectVal
	case r.Enabled != nil:
		res.value = cty.NullVal(cty.DynamicPseudoType)
	}
	for _, d := range diags {
		if d.Summary != unknownKind {
			res.diags = append(res.diags, d)
		}
	}
	return res
}

// resourceValue is what references to a resource see. What was seen of each instance comes from
// visits; without any it is the instance's Desired.
func (p *program) resourceValue(b *block, res *result, seen []*Observed) cty.Value {
	d := p.demands[b.declared()]
	if d == nil {
		return cty.DynamicVal // nothing refers to it
	}
	values := make([]cty.Value, len(res.instances))
	for i, inst := range res.instances {
		if by, failed := res.failed[inst.Addr]; failed {
			values[i] = cty.DynamicVal.Mark(manifest.SkippedMark{By: by})
			continue
		}
		var s *Observed
		if seen != nil {
			s = seen[i]
		}
		values[i] = inst.value(s, d)
	}
	switch b.node.(objectNode).repetition() {
	case "for_each":
		byKey := make(map[string]cty.Value, len(values))
		for i, inst := range res.instances {
			name, _ := inst.Addr.Key.Name()
			byKey[name] = values[i]
		}
		return cty.ObjectVal(byKey)
	case "count":
		return cty.TupleVal(values)
	}
	if len(values) == 0 { // it is not enabled
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return values[0]
}
