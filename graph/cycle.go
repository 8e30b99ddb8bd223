package graph

import "slices"

// Cycles returns one shortest cycle of every group of nodes that depend on one
// another. Each node of a cycle depends on the next, the last on the first; it
// begins with the node that was added first.
func (g *Graph[K]) Cycles() [][]K {
	var cycles [][]K
	for _, group := range g.components() {
		if cycle := g.shortestCycle(group); cycle != nil {
			cycles = append(cycles, g.named(cycle))
		}
	}
	return cycles
}

// components are the strongly connected groups, by Tarjan's algorithm with a
// stack of its own, since a graph may be deeper than goroutine stacks like.
func (g *Graph[K]) components() [][]int {
	const unseen = -1
	var (
		groups  [][]int
		number  = slices.Repeat([]int{unseen}, len(g.nodes))
		low     = make([]int, len(g.nodes))
		onStack = make([]bool, len(g.nodes))
		stack   []int
		counter int
	)
	type frame struct{ node, edge int }
	enter := func(n int) frame {
		number[n], low[n] = counter, counter
		counter++
		stack, onStack[n] = append(stack, n), true
		return frame{node: n}
	}
	leave := func(n int) {
		if low[n] != number[n] {
			return
		}
		at := slices.Index(stack, n)
		group := slices.Clone(stack[at:])
		for _, m := range group {
			onStack[m] = false
		}
		stack = stack[:at]
		slices.Sort(group)
		groups = append(groups, group)
	}
	for root := range g.nodes {
		if number[root] != unseen {
			continue
		}
		calls := []frame{enter(root)}
		for len(calls) > 0 {
			f := &calls[len(calls)-1]
			if f.edge == len(g.deps[f.node]) {
				done := f.node
				calls = calls[:len(calls)-1]
				leave(done)
				if len(calls) > 0 {
					above := calls[len(calls)-1].node
					low[above] = min(low[above], low[done])
				}
				continue
			}
			next := g.deps[f.node][f.edge]
			f.edge++
			switch {
			case number[next] == unseen:
				calls = append(calls, enter(next))
			case onStack[next]:
				low[f.node] = min(low[f.node], number[next])
			}
		}
	}
	slices.SortFunc(groups, func(a, b []int) int { return a[0] - b[0] })
	return groups
}

// shortestCycle finds the shortest way from a node of the group back to it.
func (g *Graph[K]) shortestCycle(group []int) []int {
	member := make(map[int]bool, len(group))
	for _, n := range group {
		member[n] = true
	}
	var best []int
	for _, start := range group {
		if cycle := g.wayBack(start, member); cycle != nil && (best == nil || len(cycle) < len(best)) {
			best = cycle
		}
		if len(best) == 1 || len(group) > 1000 && best != nil {
			break // a large knot: any short cycle helps, the shortest costs too much
		}
	}
	if best == nil {
		return nil
	}
	first := slices.Index(best, slices.Min(best))
	return append(slices.Clone(best[first:]), best[:first]...)
}

func (g *Graph[K]) wayBack(start int, member map[int]bool) []int {
	from := map[int]int{}
	for todo := []int{start}; len(todo) > 0; todo = todo[1:] {
		for _, next := range g.deps[todo[0]] {
			if next == start {
				cycle := []int{todo[0]}
				for n := todo[0]; n != start; n = from[n] {
					cycle = append(cycle, from[n])
				}
				slices.Reverse(cycle)
				return cycle
			}
			if _, seen := from[next]; member[next] && !seen {
				from[next] = todo[0]
				todo = append(todo, next)
			}
		}
	}
	return nil
}
