// Package hclspec evaluates a configuration: from a config.Config it makes the objects
// that the configuration describes, each with the positions in the source that its
// values came from. It never sees a cluster.
//
// NewPreview evaluates every block without a cluster. Walk goes through a preview in
// dependency order and hands each Desired object to a visitor, whose answer is what
// references to that object see.
package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/kinds"
)

// Evaluation goes in two rounds. The first, the preview, knows no cluster: it evaluates each block
// after those it refers to, lets unset fields of objects count as unknown, and so finds all that is
// wrong with the configuration, and the namespaces and definitions that objects need without
// referring to them. The second, the walk, visits the objects in that order. The result of a visit
// replaces what the preview assumed, and a block is evaluated again only where that changes what it
// refers to.
//
// A body is read against its kind once (manifest.Reader) and evaluated for each instance
// (manifest.Decoder). Of an object only what some expression asks for is made a value (demand,
// view). Each such value is marked with the instance it came from (manifest.OriginMark); the marks
// are passed on through locals and functions, and show for every instance exactly which others it
// needs, and which of them failed (SkippedMark).

// program is a configuration with all that is known of it before evaluation, whatever the values of
// its expressions.
type program struct {
	names   *names
	opts    Options
	dir     string // of the configuration
	files   map[string]*hcl.File
	graph   *graph.Graph[Block]
	demands map[Block]*demand
	// referrers are the references to each resource.
	referrers map[Block][]reference
	// dependsOnResources are the blocks whose values may differ between the
	// preview and the walk.
	dependsOnResources map[Block]bool
	kinds              *kindFinder
	manifests          map[Block]*parsedBody
	base               *hcl.EvalContext // functions
	budget             *budget.Budget
	costs              map[Block]int64 // what each block took of the budget in the preview
	instancesLeft      int             // how many instances there may still be
}

// result is the result of evaluating a block.
type result struct {
	// value is what references to the block see. That of a resource holds only
	// what is asked of it.
	value     cty.Value
	kind      *kinds.Kind // of a resource; nil when its instances differ or it is not known
	instances []*instance
	// failed are the instances that failed or were skipped, each with the one that failed.
	failed map[addrs.Instance]addrs.Instance
	// later are values that have not appeared, and that decide which instances there are.
	later map[manifest.LaterMark]struct{}
	// unexpanded means that the instances of a resource are not known. The one in instances then
	// represents all of them.
	unexpanded bool
	// again reports whether the walk evaluated the block a second time.
	again bool
	// changed reports whether value differs from the preview.
	changed bool
	diags   hcl.Diagnostics
}

// evaluate finds the value of a block from those of the blocks it refers to.
func (p *program) evaluate(b *block, deps map[Block]*result) *result {
	res := &result{value: cty.DynamicVal, unexpanded: true}
	tooMuch := p.spend(b, func() { res = b.node.evaluate(p, b, deps) })
	res.diags = append(res.diags, tooMuch...)
	return res
}

// spend evaluates something of a block. The first time is the preview, which finds what it costs; when it is
// evaluated again, that much is granted, so that a walk does not fail where its preview did not.
func (p *program) spend(b *block, evaluate func()) hcl.Diagnostics {
	cost, again := p.costs[b.name]
	if again {
		p.budget.Grant(cost)
		return p.budget.Within(evaluate)
	}
	cost, diags := p.budget.Measure(evaluate)
	p.costs[b.name] = cost
	return diags
}

// Options are how to evaluate a configuration.
type Options struct {
	Variables config.Values
	Kinds     config.Kinds
	// Partial allows unknown values where they decide which objects there are, as in `validate`
	// when a variable has no value: such blocks are checked once, with each and count unknown.
	Partial bool
}
