package hclspec

import (
	"context"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// WalkOptions are what to visit, and how much of it at once.
type WalkOptions struct {
	// Only, when set, leaves out the resources for which it is false.
	Only func(addrs.Resource) bool
	// Parallelism bounds the visits in progress at once, without those that released their slot; 0
	// means no bound. Of those that could begin, the one whose kind has the lowest rank begins, and
	// a rank waits until most of those before it are done.
	Parallelism int
}

// A Visitor handles the objects of a walk.
type Visitor[R any] struct {
	Visit Visit[R]
	// Await, when set, waits until an object that was visited has a value of the Later of its Desired
	// or, for Ready, until it is ready. It is called once for each that something else needs before
	// it can go on, and may be called again after that. An error fails what needs it, and nothing else.
	Await func(ctx context.Context, result R, d *Desired, n int) error
	// Visited, when set, is called once all objects were visited or skipped, before the outputs wait
	// for values that may appear only after what is done then.
	Visited func(Outcome[R])
	// Latest is the object as it is by then, in JSON form.
	Latest func(result R) map[string]any
}

// Ready is what Await is given where others wait until the object is ready.
const Ready = -1

// Visit handles one object and returns what is known of it afterwards. It is given the results of
// the visits to the instances in d.Dependencies and d.Awaits. An error fails this object. Those that refer
// to it go on with what was seen, and are skipped where that is nothing.
type Visit[R any] func(ctx context.Context, d *Desired, needs map[addrs.Instance]R) (Observed, R, error)

// Outcome is the result of a walk.
type Outcome[R any] struct {
	Visited []Visited[R]  // in configuration order, for_each keys sorted
	Outputs []OutputValue // in configuration order; none when visits failed that they refer to
	Skipped []Skipped     // in configuration order
	Checks  []CheckResult // in configuration order
	// Scope is for expressions about what was visited; nil where nothing was.
	Scope *Scope
}

// Visited is one visit's own result.
type Visited[R any] struct {
	Desired *Desired
	Result  R
	Err     error // what the visit returned
}

// Skipped is an instance that was not visited since one it needs failed. Its
// key is missing when not even that could be known.
type Skipped struct {
	Addr addrs.Instance
	By   addrs.Instance // the one that failed, maybe several steps away
}

// Walk visits the objects of a configuration, each after those it needs. Where the
// preview found something wrong with it, nothing is visited. When ctx ends no
// further visit starts.
func Walk[R any](ctx context.Context, pre *Preview, opts WalkOptions, visit Visit[R]) (Outcome[R], hcl.Diagnostics) {
	return Visitor[R]{Visit: visit}.Walk(ctx, pre, opts)
}

// Walk visits the objects of a configuration as the function does, and waits for the values that
// blocks need.
func (visitor Visitor[R]) Walk(ctx context.Context, pre *Preview, opts WalkOptions) (Outcome[R], hcl.Diagnostics) {
	diags := pre.Problems(opts.Only)
	if diags.HasErrors() {
		return Outcome[R]{}, diags
	}
	pre.program.budget.Refill()
	pre.program.reading = ctx
	w := &walker[R]{preview: pre, only: opts.Only, visitor: visitor}
	if opts.Parallelism > 0 {
		w.slots = graph.NewSlots(opts.Parallelism, kinds.Ranks)
	}
	walked := graph.Walk(ctx, pre.order, 0, w.block)
	out := Outcome[R]{}
	results, seen := map[Block]*result{}, map[Block][]*Observed{}
	report := reporter{}
	report.add(diags)
	for _, b := range pre.program.names.inOrder {
		r := walked[b.name]
		if r.Err != nil {
			continue // ctx ended
		}
		results[b.name], seen[b.name] = r.Value.result, r.Value.seen
		report.add(r.Value.problems)
		out.Visited = append(out.Visited, r.Value.visited...)
		out.Skipped = append(out.Skipped, r.Value.skipped...)
	}
	if visitor.Visited != nil {
		visitor.Visited(out)
	}
	outputs := w.outputs(ctx, results)
	for _, o := range outputs {
		report.add(o.diags)
	}
	out.Outputs = outputValues(outputs)
	checks, warnings := evaluateChecks(pre, results, func(b *block) bool { return pre.program.complete(b, results, opts.Only) })
	out.Checks = checks
	report.add(warnings)
	out.Scope = &Scope{program: pre.program, results: results, seen: seen}
	source.SortDiagnostics(report.diags)
	return out, report.diags
}

// walker makes the visits of a walk.
type walker[R any] struct {
	preview *Preview
	only    func(addrs.Resource) bool // nil for all
	visitor Visitor[R]
	blocks  sync.Map     // Block -> *walkedBlock[R], those that were walked
	slots   *graph.Slots // nil for no bound
	// objects holds the instance that made each object, since two names that were not known before
	// may turn out to be the same.
	objects sync.Map // addrs.Object -> *instance
}

// walkedBlock is the result of walking a block.
type walkedBlock[R any] struct {
	*result
	visited  []Visited[R]
	at       map[addrs.Instance]int // where in visited
	skipped  []Skipped
	problems hcl.Diagnostics // that the preview could not find

	mu   sync.Mutex
	seen []*Observed // of each instance, as far as is known by now
}

// block evaluates a block again where something it refers to is not what the
// preview found, and visits its instances.
func (w *walker[R]) block(ctx context.Context, name Block, walked map[Block]*walkedBlock[R]) (*walkedBlock[R], error) {
	b := w.preview.program.names.byBlock[name]
	out := &walkedBlock[R]{result: w.preview.results[name]}
	deps := make(map[Block]*result, len(walked))
	for dep, r := range walked {
		deps[dep] = r.result
	}
	switch {
	case anyChanged(b, deps):
		w.evaluate(b, out, deps)
	case awaitsAgain(b, deps):
		out.result = w.relinked(b, out.result, deps)
	}
	if n, ok := b.node.(dataNode); ok {
		w.readOwn(b, n, out)
	}
	if name.hasObjects() && (w.only == nil || w.only(name.resource())) {
		for w.awaitValues(ctx, out.later()) {
			w.evaluate(b, out, w.latest(b, map[Block]*result{}))
		}
		v := &blockVisit[R]{walk: w, block: b, walked: walked, out: out}
		v.all(ctx)
	}
	w.blocks.Store(name, out)
	return out, nil
}

// evaluate evaluates a block again.
func (w *walker[R]) evaluate(b *block, out *walkedBlock[R], deps map[Block]*result) {
	out.result = w.preview.program.evaluate(b, deps)
	out.problems = forDisplay(w.preview.program.withChain(b, out.diags))
	for _, i := range out.instances {
		w.preview.linkInstance(b, i, w.preview.implied(i), deps)
	}
	out.again = true
	out.changed = !out.value.RawEquals(w.preview.results[b.name].value)
}

func anyChanged(b *block, deps map[Block]*result) bool {
	for _, ref := range b.refs {
		if deps[ref.to].changed {
			return true
		}
	}
	return false
}

// awaitsAgain reports whether a block that depends_on names may have other
// instances than the preview found.
func awaitsAgain(b *block, deps map[Block]*result) bool {
	for _, awaited := range b.awaits {
		if deps[awaited.to].again {
			return true
		}
	}
	return false
}

// relinked is the same result with instances that await those there are now.
func (w *walker[R]) relinked(b *block, res *result, deps map[Block]*result) *result {
	fresh := *res
	fresh.instances = nil
	for _, i := range res.instances {
		desired := *i.Desired
		i = &instance{Desired: &desired, origins: i.origins, diags: i.diags}
		w.preview.linkInstance(b, i, w.preview.implied(i), deps)
		fresh.instances = append(fresh.instances, i)
	}
	return &fresh
}

// blockVisit visits the instances of one block.
type blockVisit[R any] struct {
	walk   *walker[R]
	block  *block
	walked map[Block]*walkedBlock[R] // what the block depends on
	out    *walkedBlock[R]
	// notReady are those that were awaited in vain.
	notReady map[addrs.Instance]bool
	rank     int // of its kind among those that wait for a slot
}

// visited is the result of one instance.
type visited[R any] struct {
	done   bool
	seen   Observed
	result R
	err    error
}

func (v *blockVisit[R]) all(ctx context.Context) {
	before := v.out.result
	v.out.result = &result{value: before.value, kind: before.kind, instances: before.instances, again: before.again,
		failed: map[addrs.Instance]addrs.Instance{}}
	if before.unexpanded {
		v.skipBlock(before)
	} else {
		v.awaitReady(ctx)
		made := v.start(ctx)
		v.checkPostconditions(ctx, made)
		v.collect(made)
	}
	v.out.changed = !v.out.value.RawEquals(v.walk.preview.results[v.block.name].value)
}

// skipBlock fails a block whose instances are not known.
func (v *blockVisit[R]) skipBlock(before *result) {
	all := v.block.name.instance()
	v.out.instances = nil
	v.fail(all, all)
	if by, skip := before.failed[all]; skip {
		v.fail(all, by)
	}
}

// start visits the instances in parallel and waits for them.
func (v *blockVisit[R]) start(ctx context.Context) []visited[R] {
	made := make([]visited[R], len(v.out.instances))
	if v.out.kind != nil {
		v.rank = v.out.kind.Rank()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	var trap graph.Trap
	for n, i := range v.out.instances {
		if by, skip := v.failedDependency(i); skip {
			v.fail(i.Addr, by)
			continue
		}
		if !v.acquire(ctx) {
			break
		}
		release := sync.OnceFunc(v.release)
		visiting := context.WithValue(ctx, slot{}, release)
		running.Go(func() {
			defer release()
			m := &made[n]
			trap.Run(cancel, func() {
				m.seen, m.result, m.err = v.walk.visitor.Visit(visiting, i.Desired, v.needs(i))
				m.done = true
			})
		})
	}
	running.Wait()
	trap.Rethrow()
	return made
}

// collect stores the results of the visits.
func (v *blockVisit[R]) collect(made []visited[R]) {
	v.out.at = make(map[addrs.Instance]int, len(made))
	v.out.seen = make([]*Observed, len(made))
	for n, i := range v.out.instances {
		m := &made[n]
		v.out.seen[n] = &m.seen
		if m.done {
			v.out.at[i.Addr] = len(v.out.visited)
			v.out.visited = append(v.out.visited, Visited[R]{Desired: i.Desired, Result: m.result, Err: m.err})
		}
		if _, failed := v.out.failed[i.Addr]; !failed && (!m.done || m.err != nil && m.seen.Object == nil && !m.seen.Presumed) {
			v.out.failed[i.Addr] = i.Addr // an interrupted one too: nothing is known of it
		}
	}
	v.out.value = v.walk.preview.program.resourceValue(v.block, v.out.result, v.out.seen)
}

// fail records an instance that is not visited.
func (v *blockVisit[R]) fail(addr, by addrs.Instance) {
	v.out.failed[addr] = by
	if by != addr {
		v.out.skipped = append(v.out.skipped, Skipped{Addr: addr, By: by})
	}
	v.out.value = cty.DynamicVal.Mark(manifest.SkippedMark{By: by})
}

// needs are the results of the visits to what an instance needs.
func (v *blockVisit[R]) needs(i *instance) map[addrs.Instance]R {
	results := map[addrs.Instance]R{}
	for _, needed := range [][]addrs.Instance{i.Dependencies, i.Awaits} {
		for _, addr := range needed {
			if dep := v.walked[objectBlock(addr)]; dep != nil {
				if at, ok := dep.at[addr]; ok {
					results[addr] = dep.visited[at].Result
				}
			}
		}
	}
	return results
}

// failedDependency returns the failed instance for which this one is skipped; the instance itself where its
// own values are wrong.
func (v *blockVisit[R]) failedDependency(i *instance) (by addrs.Instance, skip bool) {
	if i.origins.Skipped != nil {
		return *i.origins.Skipped, true
	}
	for _, awaited := range v.block.awaits {
		if by, failed := v.failedBy(awaited.to.instance()); failed {
			return by, true // not even its instances are known
		}
	}
	for _, needed := range [][]addrs.Instance{i.Dependencies, i.Awaits} {
		for _, addr := range needed {
			if by, failed := v.failedBy(addr); failed {
				return by, true
			}
		}
	}
	for _, addr := range i.Awaits {
		if v.notReady[addr] {
			return addr, true
		}
	}
	return i.Addr, i.diags.HasErrors() || !v.reserve(i)
}

func (v *blockVisit[R]) failedBy(addr addrs.Instance) (by addrs.Instance, failed bool) {
	if dep := v.walked[objectBlock(addr)]; dep != nil {
		by, failed = dep.failed[addr]
	}
	return by, failed
}

// reserve reserves the object for the instance. It reports an object that another instance has.
func (v *blockVisit[R]) reserve(i *instance) bool {
	if !i.identified() {
		return true
	}
	first, exists := v.walk.objects.LoadOrStore(i.Object.Identity(), i)
	if !exists {
		return true
	}
	v.out.problems = append(v.out.problems, duplicate(i, first.(*instance))...)
	return false
}

// acquire waits for a slot; false means that ctx ended.
func (v *blockVisit[R]) acquire(ctx context.Context) bool {
	if v.walk.slots == nil {
		return ctx.Err() == nil
	}
	return v.walk.slots.Acquire(ctx, v.rank)
}

func (v *blockVisit[R]) release() {
	if v.walk.slots != nil {
		v.walk.slots.Release(v.rank)
	}
}

// slot is the key by which a visit's context has the function that frees its slot.
type slot struct{}

// ReleaseSlot lets another visit begin before the one with this ctx ends, which only waits from
// then on.
func ReleaseSlot(ctx context.Context) {
	if release, ok := ctx.Value(slot{}).(func()); ok {
		release()
	}
}
