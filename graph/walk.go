package graph

import (
	"context"
	"errors"
	"fmt"
)

// Result is the result of a visit.
type Result[R any] struct {
	Value R
	Err   error // of the visit itself, Skipped, or the context's
	Ran   bool  // false: the visit was never made
}

// Skipped is the error of a node that was not visited because one that it depends on
// failed or was itself skipped.
type Skipped[K comparable] struct{ By K }

func (h Skipped[K]) Error() string { return fmt.Sprintf("%v failed", h.By) }

// Walk visits every node after all it depends on, independent ones in parallel, and
// returns each node's result. A visit is given what the visits of its direct
// dependencies returned. Where a visit fails, its dependents are skipped, and nothing
// else. When ctx ends no further visit starts; Walk returns once those in progress have
// returned.
//
// When a visit panics the visits' context ends, and once they have returned Walk
// panics with a *Panic, in the goroutine of its caller.
//
// limit bounds the visits in progress at once; 0 means no bound. Of the nodes that could
// be visited next the one that was added first is, so that with a limit of 1 they are
// visited in Order. The graph must have no cycle: nodes in one, and
// those behind it, are never visited, and their result is an error.
func Walk[K comparable, R any](
	ctx context.Context, g *Graph[K], limit int, visit func(ctx context.Context, node K, deps map[K]R) (R, error),
) map[K]Result[R] {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &walk[K, R]{g: g, results: make([]Result[R], len(g.nodes)), done: make(chan int), cancel: cancel}
	s := newSchedule(g)
	for running := 0; s.ready.len() > 0 || running > 0; {
		if s.ready.len() > 0 && (limit <= 0 || running < limit) {
			node := s.ready.pop()
			if err := w.obstacle(ctx, node); err != nil {
				w.results[node].Err = err
				s.finish(node)
				continue
			}
			running++
			w.start(ctx, node, visit)
			continue
		}
		s.finish(<-w.done)
		running--
	}
	w.trap.Rethrow()
	return w.byNode()
}

// walk is owned by the goroutine that runs Walk; a visit writes its own result
// before it sends on done, and results are read only after that.
type walk[K comparable, R any] struct {
	g       *Graph[K]
	results []Result[R]
	done    chan int
	cancel  context.CancelFunc
	trap    Trap
}

// obstacle is why a node can't be visited, or nil. A dependent of a node that was not
// visited because ctx ended is not visited for the same reason: nothing failed.
func (w *walk[K, R]) obstacle(ctx context.Context, node int) error {
	for _, d := range w.g.deps[node] {
		r := w.results[d]
		if _, skipped := r.Err.(Skipped[K]); skipped || r.Ran && r.Err != nil {
			return Skipped[K]{By: w.g.nodes[d]}
		}
	}
	return ctx.Err()
}

func (w *walk[K, R]) start(ctx context.Context, node int, visit func(context.Context, K, map[K]R) (R, error)) {
	deps := make(map[K]R, len(w.g.deps[node]))
	for _, d := range w.g.deps[node] {
		deps[w.g.nodes[d]] = w.results[d].Value
	}
	go func() {
		defer func() { w.done <- node }()
		w.results[node].Ran = true
		w.trap.Run(w.cancel, func() {
			w.results[node].Value, w.results[node].Err = visit(ctx, w.g.nodes[node], deps)
		})
	}()
}

// errCycle is never seen unless a caller walks a graph without asking for its cycles.
var errCycle = errors.New("this is part of a dependency cycle, or depends on one")

func (w *walk[K, R]) byNode() map[K]Result[R] {
	results := make(map[K]Result[R], len(w.results))
	for i, r := range w.results {
		if !r.Ran && r.Err == nil {
			r.Err = errCycle
		}
		results[w.g.nodes[i]] = r
	}
	return results
}
