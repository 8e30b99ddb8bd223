package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Evaluation goes in two rounds. The first, the preview, knows no cluster: it
// evaluates each block after those it refers to, lets unset fields of objects
// count as unknown, and so finds all that is wrong with the configuration, and
// the namespaces and definitions that objects need without referring to them.
// The second, the walk, visits the objects in that order. What a visit answers
// takes the place of what the preview assumed, and a block is evaluated again
// only where that makes a difference to what it refers to.
//
// A body is read against its kind once (reader) and evaluated for each instance
// (decoder). Of an object only what some expression asks for is made a value
// (demand, view). Each such value is marked with the instance it came from
// (origin); the marks come along through locals and functions, and tell for
// every instance exactly which others it needs, and which of them failed
// (heldBack).

// program is a configuration with all that is known of it before, and whatever
// its expressions come to.
type program struct {
	*names
	opts    Options
	files   map[string]*hcl.File
	graph   *graph.Graph[Block]
	demands map[Block]*demand
	// dependsOnResources are the blocks whose values may differ between the
	// preview and the walk.
	dependsOnResources map[Block]bool
	kinds              *kindFinder
	manifests          map[Block]*manifest
	base               *hcl.EvalContext // functions
	room               int              // how many instances there may still be
}

// result is what evaluating a block came to.
type result struct {
	// value is what references to the block see. That of a resource holds only
	// what is asked of it.
	value     cty.Value
	kind      *kinds.Kind // of a resource; nil when its instances differ or it can't be told
	instances []*instance
	// failed are the instances that failed or were held back, each with the one
	// that is to blame.
	failed map[addrs.Instance]addrs.Instance
	// unexpanded says that the instances of a resource can't be told. The one in
	// instances then stands for all of them.
	unexpanded bool
	// again says that the walk evaluated the block a second time.
	again bool
	// changed says that value is not what the preview found.
	changed bool
	diags   hcl.Diagnostics
}

// newProgram links the blocks of a configuration.
func newProgram(c *config.Config, opts Options) (*program, hcl.Diagnostics) {
	p := &program{names: namesOf(c), opts: opts, files: c.Files, manifests: map[Block]*manifest{}, room: maxInstances, dependsOnResources: map[Block]bool{}}
	diags := p.resolveAll()
	p.graph = p.names.graph()
	diags = append(diags, p.checkCycles(p.graph)...)
	p.demands = p.findDemands()
	var resources []Block
	for _, r := range c.Resources {
		resources = append(resources, resourceBlock(r.Addr))
	}
	for _, b := range p.graph.Dependents(resources...) {
		p.dependsOnResources[b] = true
	}
	p.kinds = newKindFinder(opts.Kinds)
	p.base = &hcl.EvalContext{Functions: keepingOrigins(funcs.Table(c.Dir))}
	p.base.Functions[stepFunction] = stepCounter(maxSteps)
	return p, diags
}

// evaluate finds the value of a block from those of the blocks it refers to.
func (p *program) evaluate(b *block, deps map[Block]*result) *result {
	res, diags := withinSteps(b, func() *result { return p.evaluateBlock(b, deps) })
	if res == nil {
		return &result{value: cty.DynamicVal, unexpanded: true, diags: diags}
	}
	return res
}

func (p *program) evaluateBlock(b *block, deps map[Block]*result) *result {
	switch {
	case b.variable != nil:
		return &result{value: p.opts.Variables.Value(b.variable.Name)}
	case b.local != nil:
		return p.evaluateLocal(b, deps)
	case b.resource != nil:
		return p.evaluateResource(b, deps)
	}
	return &result{value: cty.DynamicVal} // an output, to which nothing refers
}

func (p *program) evaluateLocal(b *block, deps map[Block]*result) *result {
	scope := p.scope(b, deps)
	value, diags := b.local.Expr.Value(scope)
	if diags.HasErrors() {
		value = cty.DynamicVal
	}
	var o origins
	p.keyOrigins(b, scope, &o)
	return &result{value: o.mark(value), diags: diags}
}

func (p *program) evaluateResource(b *block, deps map[Block]*result) *result {
	res := &result{value: cty.DynamicVal}
	scope := p.scope(b, deps)
	m := p.manifests[b.name]
	if m == nil {
		m, res.diags = p.prepare(b, scope)
		p.manifests[b.name] = m
	}
	e, diags := expand(b.resource, scope)
	res.diags = append(res.diags, diags...)
	if m == nil {
		return res
	}
	res.kind = m.kind
	if e.origins.skipped != nil {
		res.value = cty.DynamicVal.Mark(skipped{by: *e.origins.skipped})
		all := b.resource.Addr.Instance(addrs.Key{})
		res.failed = map[addrs.Instance]addrs.Instance{all: *e.origins.skipped}
		res.diags, res.unexpanded = nil, true
		return res
	}
	if e.unknown {
		res.unexpanded = true
		if !diags.HasErrors() && !p.opts.Partial {
			res.diags = append(res.diags, unknownRepetition(b.resource, scope)...)
		}
		e.instances = []repetition{anyInstance(b.resource)}
	}
	if len(e.instances) > p.room {
		res.unexpanded = true
		res.diags = append(res.diags, source.Problem("Too many objects", b.at, "With this block the configuration makes more than %d objects. Split it into several stacks.", maxInstances)...)
		return res
	}
	var report reporter
	for _, rep := range e.instances {
		i := p.decodeInstance(b, m, rep.key, rep.inScope(scope, b), e.origins)
		report.report(i.Addr, i.diags)
		res.instances = append(res.instances, i)
	}
	res.diags = append(res.diags, report.diags...)
	if !e.unknown {
		res.value = p.resourceValue(b, res, nil)
	}
	return res
}

func unknownRepetition(r *config.Resource, scope *hcl.EvalContext) hcl.Diagnostics {
	if r.Count != nil {
		return source.ProblemIn("Unknown count", r.Count, scope, "How many instances there are must be known before anything is made, and this depends on what only the cluster will decide.")
	}
	return source.ProblemIn("Unknown for_each", r.ForEach, scope, "The keys of for_each must be known before anything is made, and these depend on what only the cluster will decide. Use a map whose keys are written in the configuration, and let only its values depend on the cluster.")
}

// resourceValue is what references to a resource see. What was seen of each
// instance comes from visits; without any it is what its Desired says.
func (p *program) resourceValue(b *block, res *result, seen []*Seen) cty.Value {
	d := p.demands[b.name]
	if d == nil {
		return cty.DynamicVal // nothing refers to it
	}
	values := make([]cty.Value, len(res.instances))
	for i, inst := range res.instances {
		if by, failed := res.failed[inst.Addr]; failed {
			values[i] = cty.DynamicVal.Mark(skipped{by: by})
			continue
		}
		var s *Seen
		if seen != nil {
			s = seen[i]
		}
		values[i] = inst.value(s, d)
	}
	switch {
	case b.resource.ForEach != nil:
		byKey := make(map[string]cty.Value, len(values))
		for i, inst := range res.instances {
			name, _ := inst.Addr.Key.Name()
			byKey[name] = values[i]
		}
		return cty.ObjectVal(byKey)
	case b.resource.Count != nil:
		return cty.TupleVal(values)
	}
	return values[0]
}

// value is what references to an instance see.
func (i *instance) value(seen *Seen, d *demand) cty.Value {
	if i.Kind == nil {
		return cty.DynamicVal.Mark(origin{Instance: i.Addr})
	}
	v := &view{unknown: i.Unknown, sensitive: i.Sensitive, open: true}
	object := i.Fields
	if seen != nil && seen.Object != nil {
		object = seen.Object
		v.open, v.unknown = false, byPosition(seen.Unknown, object)
	}
	return v.value(object, i.Kind.Root, d, addrs.Path{}).Mark(origin{Instance: i.Addr})
}
