// Package hclspec evaluates a configuration: from a config.Config it makes the objects
// that the configuration describes, each with the positions in the source that its
// values came from. It never sees a cluster.
//
// NewPreview evaluates every block without a cluster. Walk goes through a preview in
// dependency order and hands each Desired object to a visitor, whose answer is what
// references to that object see.
package hclspec

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
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
	// declared are the blocks that are written, each once, without keys in the path of their module, and names
	// those of the modules that there are.
	declared, names *names
	// modules are the instances of each call, by its path without keys; "" is the root.
	modules map[string][]*module
	opts    Options
	dir     string // of the configuration
	files   map[string]*hcl.File
	graph   *graph.Graph[Block]
	demands map[Block]*demand // of declared blocks, as are the next two
	// referrers are the references to each resource.
	referrers map[Block][]reference
	// dependsOnResources are the blocks whose values may differ between the
	// preview and the walk.
	dependsOnResources map[Block]bool
	kinds              *kindFinder
	manifests          map[Block]*parsedBody
	objects            map[Block][]addrs.Key // of each manifests block, those of its objects
	base               *hcl.EvalContext      // functions
	bases              map[*config.Config]*hcl.EvalContext
	inModules          reporter // of what was reported there already
	budget             *budget.Budget
	reading            context.Context // that what data blocks read ends with: of the preview, then of each walk
	costs              map[Block]int64 // what each block took of the budget in the preview
	instancesLeft      int             // how many instances there may still be
}

// result is the result of evaluating a block.
type result struct {
	// value is what references to the block see. That of a resource holds only
	// what is asked of it.
	value     cty.Value
	kind      *kinds.Kind // of a resource or what is read; nil when its instances differ or it is not known
	expansion *expansion  // of a module block
	asked     []asked     // of a data block
	imports   []*config.Import
	objects   *objectList // of the list of a manifests block
	keys      []addrs.Key // of a manifests block, those of its objects
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
	// Read returns the objects that a data block asks for; none where there is no such object. Where it is nil,
	// what data blocks read is not known.
	Read func(context.Context, Query) ([]map[string]any, hcl.Diagnostics)
	// Partial allows unknown values where they decide which objects there are, as in `validate`
	// when a variable has no value: such blocks are checked once, with each and count unknown.
	Partial bool
}

// Query is what a data block asks the cluster for.
type Query struct {
	Kind *kinds.Kind
	// Namespace and Name are of one object. A list has no name; without a namespace it is of all.
	Namespace, Name              string
	List                         bool
	LabelSelector, FieldSelector string
	Fresh                        bool      // as it is now, although it was read before
	Range                        hcl.Range // the head of the block
	Address                      string    // of the block
}

// asked is what one instance of a data block asked for, and got.
type asked struct {
	key   addrs.Key
	query Query // the zero Query where it is not known yet
	value cty.Value
	// missing is the error that there is no such object. It may be one of this configuration.
	missing hcl.Diagnostics
	scope   *hcl.EvalContext // of the instance
}

// objectList is the value of the list of a manifests block.
type objectList struct {
	objects []listedObject
	// origins are those of the list: they hold for all objects.
	origins   manifest.Origins
	namespace cty.Value // a string; cty.NilVal where none is set
}

// listedObject is an object of the list, as far as it is known before its kind is.
type listedObject struct {
	value                             cty.Value
	apiVersion, kind, namespace, name string
	isGenerated                       bool      // the name is the beginning of one that the server makes up
	definition                        *instance // of a CustomResourceDefinition, which is decoded at once
}

func (o listedObject) String() string {
	return strings.TrimSuffix(o.kind+" "+strings.TrimPrefix(o.namespace+"/"+o.name, "/"), " ")
}

// isSame reports whether an object that was evaluated again is the one that it was.
func (o listedObject) isSame(other listedObject) bool {
	return o.apiVersion == other.apiVersion && o.kind == other.kind && o.namespace == other.namespace && o.name == other.name
}

// definitions are the instances of a result that may define kinds.
func (r *result) definitions() []*instance {
	all := r.instances
	if r.objects != nil {
		for _, o := range r.objects.objects {
			if o.definition != nil {
				all = append(slices.Clip(all), o.definition)
			}
		}
	}
	return all
}

// functionsOf are the functions for a configuration: those that read files do so in its directory.
func (p *program) functionsOf(c *config.Config) *hcl.EvalContext {
	if p.bases[c] == nil {
		p.bases[c] = &hcl.EvalContext{Functions: manifest.KeepingOrigins(funcs.Table(c.Dir, c.Budget))}
	}
	return p.bases[c]
}
