package hclspec

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/manifest"
)

// A value that appears later is waited for by who needs it: a resource that refers to it, before it is
// evaluated for good, and an output at the end. Until then the value is not known, and its mark shows
// where it goes (manifest.LaterMark), through local values, too, which wait for nothing themselves.

// later are the values that a block needs and that have not appeared.
func (o *walkedBlock[R]) later() map[manifest.LaterMark]struct{} {
	var all manifest.Origins
	all.Add(manifest.Origins{Later: o.result.later})
	for _, i := range o.instances {
		all.Add(i.origins)
	}
	return all.Later
}

// awaitValues waits for values that have not appeared, and reports whether there were any. They
// are there then, or will not be.
func (w *walker[R]) awaitValues(ctx context.Context, values map[manifest.LaterMark]struct{}) bool {
	sideBySide(ctx, maps.Keys(values), func(ctx context.Context, m manifest.LaterMark) {
		o, n := w.visited(m.Instance)
		err := w.visitor.Await(ctx, o.visited[n].Result, o.visited[n].Desired, m.N)
		o.mu.Lock()
		defer o.mu.Unlock()
		for at, i := range o.instances {
			if i.Addr != m.Instance {
				continue
			}
			now := *o.seen[at]
			now.Pending = slices.DeleteFunc(slices.Clone(now.Pending), func(n int) bool { return n == m.N })
			if err != nil {
				now.failed = append(slices.Clip(now.failed), m.N)
			} else {
				now.Object = w.visitor.Latest(o.visited[n].Result)
			}
			o.seen[at] = &now
		}
	})
	return len(values) > 0
}

// visited is the block of an instance that was visited, and where among its visits that one is.
func (w *walker[R]) visited(addr addrs.Instance) (*walkedBlock[R], int) {
	found, _ := w.blocks.Load(resourceBlock(addr.Resource))
	o := found.(*walkedBlock[R])
	return o, o.at[addr]
}

// awaitReady waits until those are ready that the instances of a block depend on.
func (v *blockVisit[R]) awaitReady(ctx context.Context) {
	if v.walk.visitor.Await == nil {
		return
	}
	awaited := map[addrs.Instance]bool{}
	for _, i := range v.out.instances {
		for _, addr := range i.Awaits {
			if dep := v.walked[resourceBlock(addr.Resource)]; dep != nil {
				if _, ok := dep.at[addr]; ok {
					awaited[addr] = true
				}
			}
		}
	}
	var mu sync.Mutex
	v.notReady = map[addrs.Instance]bool{}
	sideBySide(ctx, maps.Keys(awaited), func(ctx context.Context, addr addrs.Instance) {
		o, n := v.walk.visited(addr)
		if v.walk.visitor.Await(ctx, o.visited[n].Result, o.visited[n].Desired, Ready) != nil {
			mu.Lock()
			defer mu.Unlock()
			v.notReady[addr] = true
		}
	})
}

// sideBySide waits for several things at once.
func sideBySide[T any](ctx context.Context, all iter.Seq[T], wait func(context.Context, T)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	var trap graph.Trap
	for one := range all {
		running.Go(func() { trap.Run(cancel, func() { wait(ctx, one) }) })
	}
	running.Wait()
	trap.Rethrow()
}

// latest are the results of what a block refers to, with the values that have appeared since.
// Local values go on without them, so they are evaluated again: each once, which made holds.
func (w *walker[R]) latest(b *block, made map[Block]*result) map[Block]*result {
	deps := map[Block]*result{}
	for _, ref := range b.refs {
		deps[ref.to] = w.current(ref.to, made)
	}
	for _, ref := range b.node.dependsOn() {
		to := resourceBlock(ref.Resource)
		deps[to] = w.current(to, made)
	}
	return deps
}

func (w *walker[R]) current(name Block, made map[Block]*result) *result {
	if known, ok := made[name]; ok {
		return known
	}
	found, ok := w.blocks.Load(name)
	if !ok {
		return nil
	}
	o, b := found.(*walkedBlock[R]), w.preview.program.names.byBlock[name]
	now := o.result
	switch b.node.(type) {
	case localNode:
		now = w.preview.program.evaluate(b, w.latest(b, made))
	case objectNode:
		now = o.current(w.preview.program, b)
	}
	made[name] = now
	return now
}

// current is the result of a block with the values that have appeared.
func (o *walkedBlock[R]) current(p *program, b *block) *result {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil || o.unexpanded {
		return o.result
	}
	now := *o.result
	now.value = p.resourceValue(b, o.result, o.seen)
	return &now
}

// outputs evaluates the outputs once the values that they refer to have appeared.
func (w *walker[R]) outputs(ctx context.Context, results map[Block]*result) []evaluatedOutput {
	for {
		outputs := w.preview.program.evaluateOutputs(results, w.only)
		var needed manifest.Origins
		for _, o := range outputs {
			needed.Add(manifest.Origins{Later: o.later})
		}
		if !w.awaitValues(ctx, needed.Later) {
			return outputs
		}
		made := map[Block]*result{}
		for name := range results {
			results[name] = w.current(name, made)
		}
	}
}
