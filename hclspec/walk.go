package hclspec

import (
	"context"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kinds"
)

// Kinds finds the description of a kind. An empty apiVersion asks for the
// preferred version. Its errors are those of kinds.Set.Lookup.
type Kinds interface {
	Lookup(kind, apiVersion string) (*kinds.Kind, error)
}

// Options says how a configuration is to be evaluated.
type Options struct {
	Variables Values
	Kinds     Kinds
	// Only, when set, leaves out the resources for which it is false.
	Only func(addrs.Resource) bool
	// DefaultNamespace is the namespace of objects that name none; "" means
	// "default".
	DefaultNamespace string
	// Parallelism bounds the visits under way at once; 0 means no bound.
	Parallelism int
	// Partial allows values that are not known in places that decide which
	// objects there are, as `validate` meets them when a variable has no value:
	// such blocks are checked once, with each and count unknown.
	Partial bool
}

func (o Options) defaultNamespace() string {
	if o.DefaultNamespace == "" {
		return "default"
	}
	return o.DefaultNamespace
}

// Visit deals with one object and says what is known of it afterwards. An
// error fails this object and holds back those that refer to it, and nothing
// else.
type Visit[R any] func(ctx context.Context, d *Desired) (Seen, R, error)

// Outcome is what a walk came to.
type Outcome[R any] struct {
	Visited  []Visited[R]  // in configuration order, for_each keys sorted
	Outputs  []OutputValue // in configuration order; none when visits failed that they refer to
	HeldBack []HeldBack    // in configuration order
}

// Visited is one visit's own result.
type Visited[R any] struct {
	Desired *Desired
	Result  R
	Err     error // what the visit returned
}

// HeldBack is an instance that was not visited since one it needs failed. Its
// key is missing when not even that could be known.
type HeldBack struct {
	Addr addrs.Instance
	By   addrs.Instance // the one that failed, maybe several steps away
}

// Walk evaluates a configuration and visits its objects, each after those it
// needs. A preview comes first: what is wrong with the configuration is found
// before anything is visited. When ctx ends no further visit starts.
func Walk[R any](ctx context.Context, c *Config, opts Options, visit Visit[R]) (Outcome[R], hcl.Diagnostics) {
	pre, diags := newPreview(ctx, c, opts)
	if diags.HasErrors() {
		return Outcome[R]{}, diags
	}
	w := &walker[R]{preview: pre, visit: visit}
	if opts.Parallelism > 0 {
		w.slots = make(chan struct{}, opts.Parallelism)
	}
	walked := graph.Walk(ctx, pre.order, 0, w.block)
	out := Outcome[R]{}
	results := map[Block]*result{}
	for _, b := range pre.inOrder {
		r := walked[b.name]
		if r.Err != nil {
			continue // ctx ended
		}
		results[b.name] = r.Value.result
		diags = append(diags, r.Value.diags...)
		out.Visited = append(out.Visited, r.Value.visited...)
		out.HeldBack = append(out.HeldBack, r.Value.heldBack...)
	}
	outputs, problems := pre.evaluateOutputs(results)
	out.Outputs, diags = outputs, append(diags, problems...)
	sortDiagnostics(diags)
	return out, diags
}

// walker makes the visits of a walk.
type walker[R any] struct {
	*preview
	visit Visit[R]
	slots chan struct{} // nil for no bound
}

// walkedBlock is what walking a block came to.
type walkedBlock[R any] struct {
	*result
	visited  []Visited[R]
	heldBack []HeldBack
}

// block evaluates a block again where something it refers to is not what the
// preview found, and visits its instances.
func (w *walker[R]) block(ctx context.Context, name Block, walked map[Block]*walkedBlock[R]) (*walkedBlock[R], error) {
	b, before := w.byBlock[name], w.results[name]
	deps := make(map[Block]*result, len(walked))
	for dep, r := range walked {
		deps[dep] = r.result
	}
	res := before
	if b.output == nil && anyChanged(b, deps) {
		res = w.evaluate(b, deps)
		for _, i := range res.instances {
			w.linkInstance(b, i)
		}
		res.changed = !res.value.RawEquals(before.value)
	}
	if b.resource == nil || !w.included(b) {
		return &walkedBlock[R]{result: res}, nil
	}
	v := &blockVisit[R]{walker: w, deps: deps, block: b, made: make([]visit[R], len(res.instances))}
	out := v.all(ctx, res)
	return out, nil
}

func anyChanged(b *block, deps map[Block]*result) bool {
	for _, ref := range b.refs {
		if deps[ref.to].changed {
			return true
		}
	}
	return false
}

// blockVisit visits the instances of one block.
type blockVisit[R any] struct {
	*walker[R]
	deps  map[Block]*result
	block *block
	made  []visit[R] // by instance
}

// visit is what became of one instance.
type visit[R any] struct {
	done   bool
	seen   Seen
	result R
	err    error
}

func (v *blockVisit[R]) all(ctx context.Context, res *result) *walkedBlock[R] {
	out := &walkedBlock[R]{result: &result{kind: res.kind, instances: res.instances, diags: res.diags, failed: map[addrs.Instance]addrs.Instance{}}}
	for addr, by := range res.failed { // a block whose instances can't even be told
		out.failed[addr] = by
		out.heldBack = append(out.heldBack, HeldBack{Addr: addr, By: by})
	}
	var running sync.WaitGroup
	for n, i := range res.instances {
		if by, held := v.obstacle(i); held {
			out.failed[i.Addr] = by
			if by != i.Addr {
				out.heldBack = append(out.heldBack, HeldBack{Addr: i.Addr, By: by})
			}
			continue
		}
		if !v.acquire(ctx) {
			break
		}
		running.Add(1)
		go func() {
			defer running.Done()
			defer v.release()
			m := &v.made[n]
			m.seen, m.result, m.err = v.walker.visit(ctx, i.Desired)
			m.done = true
		}()
	}
	running.Wait()
	seen := make([]*Seen, len(res.instances))
	for n, i := range res.instances {
		m := &v.made[n]
		seen[n] = &m.seen
		if m.done {
			out.visited = append(out.visited, Visited[R]{Desired: i.Desired, Result: m.result, Err: m.err})
		}
		if m.err != nil {
			out.failed[i.Addr] = i.Addr
		}
	}
	out.value = res.value
	if len(res.instances) > 0 {
		out.value = v.resourceValue(v.block, out.result, seen)
	}
	out.changed = !out.value.RawEquals(v.results[v.block.name].value)
	return out
}

// obstacle says which failed instance keeps this one from being visited; the
// instance itself where its own values are wrong.
func (v *blockVisit[R]) obstacle(i *instance) (by addrs.Instance, held bool) {
	if i.origins.heldBack != nil {
		return *i.origins.heldBack, true
	}
	for _, needed := range [][]addrs.Instance{i.Needs, i.Awaits} {
		for _, n := range needed {
			if dep := v.deps[resourceBlock(n.Resource)]; dep != nil {
				if by, failed := dep.failed[n]; failed {
					return by, true
				}
			}
		}
	}
	return i.Addr, i.diags.HasErrors()
}

// acquire waits for a slot; false means that ctx ended.
func (v *blockVisit[R]) acquire(ctx context.Context) bool {
	if ctx.Err() != nil {
		return false
	}
	if v.slots == nil {
		return true
	}
	select {
	case v.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (v *blockVisit[R]) release() {
	if v.slots != nil {
		<-v.slots
	}
}
