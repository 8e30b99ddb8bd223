package hclspec

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

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
	found, _ := w.blocks.Load(objectBlock(addr))
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
			if dep := v.walked[objectBlock(addr)]; dep != nil {
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
	for _, awaited := range b.awaits {
		deps[awaited.to] = w.current(awaited.to, made)
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
	case handingNode, manifestsNode:
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

// checkPostconditions checks what has to be true of the objects that were visited, once they are ready. An
// object that fails is one that failed.
func (v *blockVisit[R]) checkPostconditions(ctx context.Context, made []visited[R]) {
	for n, i := range v.out.instances {
		m := &made[n]
		if i.scope == nil || !m.done || m.err != nil || ctx.Err() != nil {
			continue
		}
		if v.walk.visitor.Await != nil {
			if v.walk.visitor.Await(ctx, m.result, i.Desired, Ready) != nil {
				continue // which is reported, and nothing that needs the object goes on
			}
			if now := v.walk.visitor.Latest(m.result); now != nil {
				m.seen.Object = now
			}
		}
		scope := i.scope.NewChild()
		scope.Variables = map[string]cty.Value{"self": i.value(&m.seen, everything)}
		var diags hcl.Diagnostics
		tooMuch := v.walk.preview.program.budget.Within(func() {
			for _, check := range i.Lifecycle.Postconditions {
				diags = append(diags, condition("Resource postcondition failed", check, scope)...)
			}
		})
		diags = forDisplay(append(diags, tooMuch...))
		for _, d := range diags {
			d.Extra = i.Addr
		}
		v.out.problems = append(v.out.problems, v.walk.preview.program.withChain(v.block, diags)...)
		if diags.HasErrors() {
			v.out.failed[i.Addr] = i.Addr
		}
	}
}

// readOwn gives a data block the objects of this configuration as they are after their visits.
func (w *walker[R]) readOwn(b *block, n dataNode, out *walkedBlock[R]) {
	now := *out.result
	now.asked = append([]asked(nil), out.asked...)
	changed := false
	for i, a := range now.asked {
		own := w.preview.related.own(a)
		if own == nil && out.again && len(a.missing) > 0 { // otherwise the preview reported it
			changed = true
			out.problems = append(out.problems, a.missing...)
			now.asked[i].value = cty.DynamicVal.Mark(manifest.SkippedMark{By: b.name.resource().Instance(a.key)})
		}
		if own == nil {
			continue
		}
		found, ok := w.blocks.Load(objectBlock(own.Addr))
		if !ok {
			continue
		}
		changed = true
		now.asked[i].value = found.(*walkedBlock[R]).whole(own)
		now.asked[i].missing = nil
		problems := n.postconditions(now.asked[i])
		out.problems = append(out.problems, w.preview.program.withChain(b, forDisplay(problems))...)
		if problems.HasErrors() {
			now.asked[i].value = cty.DynamicVal.Mark(manifest.SkippedMark{By: b.name.resource().Instance(a.key)})
		}
	}
	if changed {
		now.value = n.of(now.asked)
		now.changed = !now.value.RawEquals(w.preview.results[b.name].value)
		out.result = &now
	}
}

// whole is all of an instance as it was seen.
func (o *walkedBlock[R]) whole(own *instance) cty.Value {
	if by, failed := o.failed[own.Addr]; failed {
		return cty.DynamicVal.Mark(manifest.SkippedMark{By: by})
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, instance := range o.instances {
		if instance.Addr == own.Addr && i < len(o.seen) {
			return instance.value(o.seen[i], everything)
		}
	}
	return cty.DynamicVal
}
