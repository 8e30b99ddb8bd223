package graph

import (
	"context"
	"fmt"
)

// Result is what a visit came to.
type Result[R any] struct {
	Value R
	Err   error // of the visit itself, HeldBack, or the context's
	Ran   bool  // false: the visit was never made
}

// HeldBack is the error of a node that was not visited because one it depends
// on failed or was itself held back.
type HeldBack[K comparable] struct{ By K }

func (h HeldBack[K]) Error() string { return fmt.Sprintf("%v failed", h.By) }

// Walk visits every node after all it depends on, independent ones side by
// side, and returns each node's result. A visit is given what the visits of
// its direct dependencies returned. A failed visit holds back its dependents
// and nothing else. When ctx ends no further visit starts; Walk returns once
// those under way have returned.
//
// limit bounds the visits under way at once; 0 means no bound. The graph must
// have no cycle: nodes in one, and those behind it, are never visited.
func Walk[K comparable, R any](ctx context.Context, g *Graph[K], limit int, visit func(ctx context.Context, node K, deps map[K]R) (R, error)) map[K]Result[R] {
	w := &walk[K, R]{g: g, results: make([]Result[R], len(g.nodes)), done: make(chan int)}
	s := newSchedule(g)
	ready := s.start()
	running := 0
	for len(ready) > 0 || running > 0 {
		for len(ready) > 0 && (limit <= 0 || running < limit) {
			node := ready[0]
			ready = ready[1:]
			if err := w.obstacle(ctx, node); err != nil {
				w.results[node].Err = err
				ready = append(ready, s.finish(node)...)
				continue
			}
			running++
			w.start(ctx, node, visit)
		}
		if running == 0 {
			continue
		}
		node := <-w.done
		running--
		ready = append(ready, s.finish(node)...)
	}
	return w.byNode()
}

// walk is owned by the goroutine that runs Walk; a visit writes its own result
// before it sends on done, and results are read only after that.
type walk[K comparable, R any] struct {
	g       *Graph[K]
	results []Result[R]
	done    chan int
}

// obstacle says why a node can't be visited, or nil.
func (w *walk[K, R]) obstacle(ctx context.Context, node int) error {
	for _, d := range w.g.deps[node] {
		if w.results[d].Err != nil {
			return HeldBack[K]{By: w.g.nodes[d]}
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
		value, err := visit(ctx, w.g.nodes[node], deps)
		w.results[node] = Result[R]{Value: value, Err: err, Ran: true}
		w.done <- node
	}()
}

func (w *walk[K, R]) byNode() map[K]Result[R] {
	results := make(map[K]Result[R], len(w.results))
	for i, r := range w.results {
		results[w.g.nodes[i]] = r
	}
	return results
}
