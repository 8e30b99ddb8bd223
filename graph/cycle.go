package graph

import "slices"

// Cycles returns one shortest cycle of every strongly connected component. Each node of
// a cycle depends on the next, the last on the first; it begins with the node that was
// added first. In components of many thousands of nodes the cycle may be one that is
// merely short.
func (g *Graph[K]) Cycles() [][]K {
	search := cycleSearch{
		deps:  g.deps,
		group: make([]int, len(g.nodes)),
		from:  make([]int, len(g.nodes)),
		seen:  make([]int, len(g.nodes)),
	}
	var cycles [][]K
	for _, group := range g.components() {
		if len(group) == 1 && !slices.Contains(g.deps[group[0]], group[0]) {
			continue
		}
		cycles = append(cycles, g.named(search.shortest(group)))
	}
	return cycles
}

// components are the strongly connected components, by Tarjan's algorithm with a stack
// of its own, since a graph may be deeper than a goroutine's stack should be.
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
		at := len(stack) - 1
		for stack[at] != n {
			at--
		}
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

// cycleSearch finds short cycles, breadth first.
type cycleSearch struct {
	deps  [][]int
	group []int // by node: the number of its component, 0 if that was not searched yet
	from  []int // by node: the one before it on the path from the start
	seen  []int // by node: the search that last visited it
	runs  int
}

// shortest returns a shortest cycle of nodes that all depend on one another.
func (s *cycleSearch) shortest(group []int) []int {
	for _, n := range group {
		s.group[n] = group[0] + 1
	}
	budget := 20_000_000 // edges looked at: a fraction of a second
	var best []int
	for _, start := range group {
		within := len(group)
		if best != nil {
			within = len(best) - 1
		}
		if within == 0 || budget <= 0 {
			break
		}
		if cycle := s.pathBack(start, within, &budget); cycle != nil {
			best = cycle
		}
	}
	first := slices.Index(best, slices.Min(best))
	return append(slices.Clone(best[first:]), best[:first]...)
}

// pathBack returns a shortest cycle through start, if it has no more than within
// nodes.
func (s *cycleSearch) pathBack(start, within int, budget *int) []int {
	s.runs++
	todo, depth, levelEnd := []int{start}, 1, 1
	for i := 0; i < len(todo); i++ {
		if i == levelEnd {
			depth, levelEnd = depth+1, len(todo)
		}
		if depth > within {
			return nil
		}
		*budget -= len(s.deps[todo[i]])
		for _, next := range s.deps[todo[i]] {
			if next == start {
				return s.trace(start, todo[i])
			}
			if s.seen[next] != s.runs && s.group[next] == s.group[start] {
				s.seen[next], s.from[next] = s.runs, todo[i]
				todo = append(todo, next)
			}
		}
	}
	return nil
}

// trace is the path that was found from start to end.
func (s *cycleSearch) trace(start, end int) []int {
	way := []int{end}
	for n := end; n != start; n = s.from[n] {
		way = append(way, s.from[n])
	}
	slices.Reverse(way)
	return way
}
