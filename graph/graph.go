// Package graph orders nodes by their dependencies and visits them, in parallel where
// they are independent. It knows nothing of kplan.
//
// A Graph keeps its nodes and edges in the order in which they were added, and all
// results follow that order, so the same graph always gives the same results.
package graph

import "slices"

// Graph is a set of nodes and, for each, the nodes it depends on. The zero
// Graph is empty and ready to use.
type Graph[K comparable] struct {
	nodes []K
	index map[K]int
	deps  [][]int // by node: what it depends on, without repetition
	edges map[[2]int]struct{}
}

// Add puts a node into the graph, once.
func (g *Graph[K]) Add(node K) { g.intern(node) }

// Connect adds an edge: node depends on dep. It adds both where they are missing.
func (g *Graph[K]) Connect(node, dep K) {
	from, to := g.intern(node), g.intern(dep)
	if _, known := g.edges[[2]int{from, to}]; known {
		return
	}
	if g.edges == nil {
		g.edges = map[[2]int]struct{}{}
	}
	g.edges[[2]int{from, to}] = struct{}{}
	g.deps[from] = append(g.deps[from], to)
}

func (g *Graph[K]) intern(node K) int {
	if i, ok := g.index[node]; ok {
		return i
	}
	if g.index == nil {
		g.index = map[K]int{}
	}
	g.index[node] = len(g.nodes)
	g.nodes = append(g.nodes, node)
	g.deps = append(g.deps, nil)
	return len(g.nodes) - 1
}

// Has reports whether node is in the graph.
func (g *Graph[K]) Has(node K) bool {
	_, ok := g.index[node]
	return ok
}

// Len is the number of nodes.
func (g *Graph[K]) Len() int { return len(g.nodes) }

// Nodes are the nodes in the order they were added.
func (g *Graph[K]) Nodes() []K { return slices.Clone(g.nodes) }

// Dependencies are the nodes that node depends on, in the order of Connect.
func (g *Graph[K]) Dependencies(node K) []K {
	i, ok := g.index[node]
	if !ok {
		return nil
	}
	return g.named(g.deps[i])
}

// Closure is the given nodes and all they depend on, in the graph's order.
func (g *Graph[K]) Closure(start ...K) []K { return g.reach(start, g.deps) }

// Dependents is the given nodes and all that depends on them, in the graph's
// order.
func (g *Graph[K]) Dependents(start ...K) []K { return g.reach(start, g.reversed()) }

func (g *Graph[K]) reach(start []K, next [][]int) []K {
	seen := make([]bool, len(g.nodes))
	var todo []int
	for _, node := range start {
		if i, ok := g.index[node]; ok && !seen[i] {
			seen[i] = true
			todo = append(todo, i)
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, n := range next[i] {
			if !seen[n] {
				seen[n] = true
				todo = append(todo, n)
			}
		}
	}
	var reached []K
	for i, node := range g.nodes {
		if seen[i] {
			reached = append(reached, node)
		}
	}
	return reached
}

func (g *Graph[K]) reversed() [][]int {
	reversed := make([][]int, len(g.nodes))
	for from, deps := range g.deps {
		for _, to := range deps {
			reversed[to] = append(reversed[to], from)
		}
	}
	return reversed
}

func (g *Graph[K]) named(indices []int) []K {
	nodes := make([]K, len(indices))
	for i, n := range indices {
		nodes[i] = g.nodes[n]
	}
	return nodes
}

// DependsOn reports whether node depends on dep, directly or through others.
func (g *Graph[K]) DependsOn(node, dep K) bool {
	return node != dep && slices.Contains(g.Closure(node), dep)
}

// Order returns the nodes so that each comes after all it depends on, and
// otherwise in the order they were added. The nodes of a cycle, and those that
// depend on one, are left out: ask Cycles first.
func (g *Graph[K]) Order() []K {
	order := make([]int, 0, len(g.nodes))
	s := newSchedule(g)
	for s.ready.len() > 0 {
		next := s.ready.pop()
		order = append(order, next)
		s.finish(next)
	}
	return g.named(order)
}

// schedule is which nodes are ready to be visited: those whose dependencies have all
// finished.
type schedule struct {
	dependents [][]int
	open       []int // by node: the dependencies that have not finished
	ready      queue
}

func newSchedule[K comparable](g *Graph[K]) *schedule {
	s := &schedule{dependents: g.reversed(), open: make([]int, len(g.nodes))}
	for i, deps := range g.deps {
		s.open[i] = len(deps)
		if len(deps) == 0 {
			s.ready.push(i)
		}
	}
	return s
}

// finish makes those nodes ready for which this one was the last open
// dependency.
func (s *schedule) finish(node int) {
	for _, d := range s.dependents[node] {
		if s.open[d]--; s.open[d] == 0 {
			s.ready.push(d)
		}
	}
}
