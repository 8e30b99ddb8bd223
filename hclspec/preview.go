package hclspec

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Preview is a configuration evaluated before anything is visited, as far as possible without a
// cluster: what an object does not set counts as unknown to those that refer to it. It can be
// walked several times, one after another.
type Preview struct {
	program *program
	config  *config.Config
	imports []*config.Import
	results map[Block]*result
	outputs []evaluatedOutput
	// diags are what is wrong with all but the outputs.
	diags      hcl.Diagnostics
	namespaces map[string]addrs.Instance // by name, those declared here
	// order is the graph to walk: references and, beyond them, namespaces and
	// the definitions of custom kinds.
	order   *graph.Graph[Block]
	edges   edgeAdder
	related *related
	linted  linted
}

// NewPreview evaluates a configuration. The diagnostics are all that is wrong with it, as far as
// that is known without a cluster.
func NewPreview(ctx context.Context, c *config.Config, opts Options) (*Preview, hcl.Diagnostics) {
	c.Budget.Refill()
	p, diags := newProgram(c, opts)
	p.reading = ctx
	pre := &Preview{program: p, config: c, results: map[Block]*result{}, namespaces: map[string]addrs.Instance{}}
	diags = append(diags, pre.evaluateAll(ctx)...)
	pre.imports = findImports(pre)
	pre.diags = forDisplay(append(diags, pre.checkRefactoring()...))
	if ctx.Err() == nil && !p.budget.IsExhausted() {
		p.budget.Refill()
		pre.outputs = p.evaluateOutputs(pre.results, nil)
	}
	return pre, pre.Problems(nil)
}

// Problems are what is wrong with the configuration, without the outputs that a
// resource goes into for which only, when set, is false.
func (pre *Preview) Problems(only func(addrs.Resource) bool) hcl.Diagnostics {
	diags := slices.Clone(pre.diags)
	for _, o := range pre.outputs {
		if only == nil || pre.program.complete(o.block, pre.results, only) {
			diags = append(diags, o.diags...)
		}
	}
	source.SortDiagnostics(diags)
	return source.FirstProblems(diags)
}

func (pre *Preview) evaluateAll(ctx context.Context) hcl.Diagnostics {
	var diags hcl.Diagnostics
	defer pre.program.arrange()
	for _, declared := range pre.program.definitionsFirst() {
		for _, m := range pre.program.modules[declared.Module] {
			if ctx.Err() != nil {
				return append(diags, budget.Interrupted())
			}
			b := pre.program.instantiate(pre.program.declared.byBlock[declared], m)
			pre.program.names.byBlock[b.name] = b
			diags = append(diags, pre.evaluate(b)...)
			if pre.program.budget.IsExhausted() {
				return diags
			}
		}
	}
	pre.program.arrange()
	// What is evaluated again keeps its position.
	pre.program.instancesLeft = maxInstances
	diags = append(diags, pre.checkDuplicates()...)
	diags = append(diags, pre.unchecked()...)
	pre.link()
	diags = append(diags, linkData(pre)...)
	pre.linted = newLinted(pre)
	return append(diags, pre.Report(pre.linted.configuration.Errors(), nil)...)
}

// evaluate evaluates a block for the first time.
func (pre *Preview) evaluate(b *block) hcl.Diagnostics {
	diags := makeObjects(pre, b)
	diags = append(diags, pre.program.checkPaths(b, pre.results)...)
	res := pre.program.evaluate(b, pre.results)
	pre.results[b.name] = res
	pre.program.nameInstances(b, res.diags, pre.results)
	pre.program.instancesLeft -= len(res.instances)
	diags = append(diags, res.diags...)
	if pre.program.budget.IsExhausted() {
		return diags
	}
	if res.expansion != nil {
		pre.program.expandCall(b, res)
	}
	diags = append(diags, pre.declareKinds(res)...)
	if b.name.Type == kinds.CustomResourceDefinition.Kind && !res.unexpanded && len(res.instances) == 0 {
		pre.program.kinds.leavesOut = true
	}
	return pre.program.located(b, diags)
}

// arrange puts the blocks of all modules in the order of the configuration, as far as they were made.
func (p *program) arrange() {
	p.names.inOrder = p.names.inOrder[:0]
	declared := map[string][]*block{}
	for _, d := range p.declared.inOrder {
		declared[d.name.Module] = append(declared[d.name.Module], d)
	}
	var add func(m *module)
	add = func(m *module) {
		for _, d := range declared[m.declared] {
			b := p.names.byBlock[Block{Module: m.path, Type: d.name.Type, Name: d.name.Name}]
			if b == nil {
				continue
			}
			for _, key := range p.objects[b.name] {
				object := b.name
				object.Key = key
				p.names.inOrder = append(p.names.inOrder, p.names.byBlock[object])
			}
			p.names.inOrder = append(p.names.inOrder, b)
			if d.name.Type == "module" {
				for _, child := range m.children[d.name.Name] {
					add(child)
				}
			}
		}
	}
	add(p.modules[""][0])
	p.graph = p.names.graph()
}

// Desired are the objects, in configuration order, for_each keys sorted.
func (pre *Preview) Desired() []*Desired {
	var desired []*Desired
	for _, i := range pre.instances() {
		if i.Kind != nil {
			desired = append(desired, i.Desired)
		}
	}
	return desired
}

// Graph is the graph of the blocks, each depending on those that come before it: those it
// refers to, and those that the meaning of its fields puts before it, like the namespace or
// the ConfigMap that it names as plain text.
func (pre *Preview) Graph() *graph.Graph[Block] { return pre.order }

// Outputs are the values of the outputs, in configuration order.
func (pre *Preview) Outputs() []OutputValue { return outputValues(pre.outputs) }

// Reads are the parts of objects that the expressions of a resource lead to, also through
// local values. Where one takes only some of what another hands on, both may be named.
func (pre *Preview) Reads(r addrs.Resource) []Read {
	b := resourceBlock(r)
	if r.IsManifests() {
		b = objectsBlock(b)
	}
	return pre.reads(b)
}

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

// instances are those of all resources that could be evaluated, in configuration
// order, each with its block.
func (pre *Preview) instances() iter.Seq2[*block, *instance] {
	return func(yield func(*block, *instance) bool) {
		for _, b := range pre.program.names.inOrder {
			if res := pre.results[b.name]; res != nil {
				for _, i := range res.instances {
					if !yield(b, i) {
						return
					}
				}
			}
		}
	}
}

// Undefined are the objects of kinds that neither the cluster nor the configuration defines,
// the first of each kind.
func (pre *Preview) Undefined() []*Desired {
	var first []*Desired
	seen := map[addrs.GroupKind]bool{}
	for _, i := range pre.instances() {
		if i.Kind != nil && i.Kind.Undefined && !seen[i.Kind.GroupKind()] {
			seen[i.Kind.GroupKind()] = true
			first = append(first, i.Desired)
		}
	}
	return first
}

// unchecked warns of kinds whose existence can't be checked without a cluster.
func (pre *Preview) unchecked() hcl.Diagnostics {
	if _, offline := pre.program.kinds.known.(kinds.OpenSet); !offline {
		return nil
	}
	var diags hcl.Diagnostics
	for _, i := range pre.Undefined() {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning,
			Summary:  "Fields not checked",
			Detail: fmt.Sprintf("The definition of %s %s is neither built in nor in this configuration, so its fields can't be "+
				"checked without a cluster.",
				i.Kind.APIVersion(), i.Kind.Name),
			Subject: i.Range.Ptr(),
		})
	}
	return diags
}

// definitionsFirst is the order to evaluate in: definitions of custom kinds and what they depend on
// come first, since they describe how to read other blocks.
func (p *program) definitionsFirst() []Block {
	var definitions []Block
	for _, b := range p.declared.inOrder {
		if b.name.Type == kinds.CustomResourceDefinition.Kind || b.name.Type == objectsType {
			definitions = append(definitions, b.name)
		}
	}
	early := map[Block]bool{}
	for _, b := range p.graph.Closure(definitions...) {
		early[b] = true
	}
	order := p.graph.Order()
	slices.SortStableFunc(order, func(a, b Block) int {
		switch {
		case early[a] == early[b]:
			return 0
		case early[a]:
			return -1
		}
		return 1
	})
	return order
}

// checkDuplicates reports objects that two instances would make.
func (pre *Preview) checkDuplicates() hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[addrs.Object]*instance{}
	for b, i := range pre.instances() {
		if pre.results[b.name].unexpanded || !i.identified() {
			continue
		}
		identity := i.Object.Identity()
		if other := first[identity]; other != nil {
			diags = append(diags, duplicate(i, other)...)
			continue
		}
		first[identity] = i
	}
	return diags
}

// identified reports whether it is known which object this is.
func (i *instance) identified() bool {
	return i.Kind != nil && i.Object.Name != "" && !i.Unknown.Covers(metadataNamespace)
}

func duplicate(i, other *instance) hcl.Diagnostics {
	at := other.RangeOf(metadataName)
	diags := source.Problem("Duplicate object", i.RangeOf(metadataName),
		"%s and %s (%s:%d) are the same object, %s %s. Give one of them another name.",
		i.Addr, other.Addr, at.Filename, at.Start.Line, i.Kind.Name, i.Object.QualifiedName())
	diags[0].Extra = i.Addr
	return diags
}

// declareKinds adds the kinds that definitions declare.
func (pre *Preview) declareKinds(res *result) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, i := range res.definitions() {
		if i.Kind == nil || i.Kind.GroupKind() != kinds.CustomResourceDefinition || len(i.Unknown) > 0 || i.diags.HasErrors() {
			continue
		}
		declared, err := kinds.FromCRD(i.Fields)
		if err != nil {
			diags = append(diags, source.Problem("Unusable definition", i.RangeOf(addrs.NewPath("spec")), "%s.",
				manifest.UpperFirst(err.Error()))...)
			continue
		}
		pre.program.kinds.declare(declared, i.Addr)
	}
	return diags
}

// link finds what each instance needs beside what it refers to, and from it
// the order to walk in.
func (pre *Preview) link() {
	for _, i := range pre.instances() {
		if i.identified() && i.Kind.GroupKind() == kinds.Namespace {
			pre.namespaces[i.Object.Name] = i.Addr
		}
	}
	pre.order = pre.program.names.graph()
	pre.edges = edgeAdder{graph: pre.order, added: map[[2]Block]bool{}}
	for _, b := range pre.program.names.inOrder {
		for _, ref := range b.refs {
			pre.edges.added[[2]Block{b.name, ref.to}] = true
		}
	}
	for b, i := range pre.instances() {
		for needed := range i.origins.Needs { // through a local value, say
			pre.edges.add(b.name, objectBlock(needed))
		}
	}
	pre.related = relate(pre)
	implied := map[*instance]links{}
	for _, imply := range pre.implications() { // an earlier one wins where all of them would close a cycle
		for b, i := range pre.instances() {
			if i.Kind == nil {
				continue
			}
			l := imply(i)
			for _, addr := range slices.Concat(l.needed, l.awaited) {
				pre.edges.add(b.name, objectBlock(addr))
			}
			implied[i] = implied[i].and(l)
		}
	}
	for b, i := range pre.instances() {
		pre.linkInstance(b, i, implied[i], pre.results)
	}
}

// links are the instances that must come first although no expression refers to them: those
// needed must exist, and those awaited be ready.
type links struct{ needed, awaited []addrs.Instance }

func (l links) and(other links) links {
	return links{append(l.needed, other.needed...), append(l.awaited, other.awaited...)}
}

// implications find what an instance comes after, the most important first.
func (pre *Preview) implications() []func(*instance) links {
	return []func(*instance) links{pre.holders, pre.related.names, pre.related.answeredBy, pre.operators, pre.related.governedBy}
}

// implied are all links of an instance.
func (pre *Preview) implied(i *instance) links {
	var all links
	if i.Kind != nil {
		for _, imply := range pre.implications() {
			all = all.and(imply(i))
		}
	}
	return all
}

// holders are the namespace that is named as plain text, and the definition of the kind.
func (pre *Preview) holders(i *instance) links {
	var l links
	if namespace, ok := pre.namespaces[i.Object.Namespace]; ok && i.Kind.Namespaced {
		l.needed = append(l.needed, namespace)
	}
	if definition, ok := pre.program.kinds.by[i.Kind]; ok {
		l.needed = append(l.needed, definition)
	}
	return l
}

// operators are who takes care of a custom resource.
func (pre *Preview) operators(i *instance) links {
	if definition, ok := pre.program.kinds.by[i.Kind]; ok {
		return pre.related.operatedBy(i, definition)
	}
	return links{}
}

// linkInstance sets what the instance needs and awaits.
func (pre *Preview) linkInstance(b *block, i *instance, implied links, results map[Block]*result) {
	added := func(addr addrs.Instance) bool { return pre.edges.added[[2]Block{b.name, objectBlock(addr)}] }
	for _, needed := range implied.needed {
		if added(needed) {
			i.origins.Need(needed)
		}
	}
	i.Dependencies = i.origins.Sorted(i.Addr)
	i.Awaits = nil
	for _, awaits := range b.awaits {
		if res := results[awaits.to]; res != nil {
			for _, awaited := range res.instances {
				i.Awaits = append(i.Awaits, awaited.Addr)
			}
		}
	}
	for _, awaited := range implied.awaited {
		if added(awaited) && !slices.Contains(i.Awaits, awaited) {
			i.Awaits = append(i.Awaits, awaited)
		}
	}
}

// edgeAdder adds edges to a graph where they close no cycle.
type edgeAdder struct {
	graph *graph.Graph[Block]
	added map[[2]Block]bool // false for those that were left out
	// below are the blocks that a block depends on, for those asked about.
	below map[Block]map[Block]bool
}

func (a *edgeAdder) add(from, to Block) {
	edge := [2]Block{from, to}
	if _, asked := a.added[edge]; asked {
		return
	}
	a.added[edge] = from != to && !a.dependencies(to)[from]
	if !a.added[edge] {
		return
	}
	a.graph.Connect(from, to)
	for asked, below := range a.below {
		if below[from] {
			delete(a.below, asked)
		}
	}
}

func (a *edgeAdder) dependencies(of Block) map[Block]bool {
	if below, ok := a.below[of]; ok {
		return below
	}
	if a.below == nil {
		a.below = map[Block]map[Block]bool{}
	}
	below := map[Block]bool{}
	for _, b := range a.graph.Closure(of) {
		below[b] = true
	}
	a.below[of] = below
	return below
}

// newProgram links the blocks of a configuration.
func newProgram(c *config.Config, opts Options) (*program, hcl.Diagnostics) {
	p := &program{declared: namesOf(c), names: newNames(nil, c.Files), modules: map[string][]*module{}, opts: opts, dir: c.Dir, files: c.Files,
		manifests: map[Block]*parsedBody{}, objects: map[Block][]addrs.Key{}, instancesLeft: maxInstances,
		dependsOnResources: map[Block]bool{}, budget: c.Budget, costs: map[Block]int64{}}
	diags := p.declared.resolveAll()
	p.graph = p.declared.graph()
	diags = append(diags, p.declared.checkCycles(p.graph)...)
	p.demands, p.referrers = p.declared.findDemands(), newReferrers(p.declared).find()
	var resources []Block
	for _, b := range p.declared.inOrder {
		if b.name.IsResource() || b.name.isData() {
			resources = append(resources, b.name)
		}
	}
	for _, b := range p.graph.Dependents(resources...) {
		p.dependsOnResources[b] = true
	}
	p.kinds = newKindFinder(opts.Kinds)
	p.bases = map[*config.Config]*hcl.EvalContext{}
	p.base = p.functionsOf(c)
	p.modules[""] = []*module{{base: p.base}}
	return p, diags
}
