package graph

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// build makes a graph of lines such as "web: ns secret", in which web depends on
// ns and on secret.
func build(lines ...string) *Graph[string] {
	var g Graph[string]
	for _, line := range lines {
		node, deps, _ := strings.Cut(line, ":")
		g.Add(node)
		for dep := range strings.FieldsSeq(deps) {
			g.Connect(node, dep)
		}
	}
	return &g
}

func wantNodes(t *testing.T, what string, got []string, want string) {
	t.Helper()
	if text := strings.Join(got, " "); text != want {
		t.Errorf("%s: got %q, want %q", what, text, want)
	}
}

func TestOrder(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"nothing", nil, ""},
		{"independent", []string{"c", "a", "b"}, "c a b"},
		{"chain", []string{"c: b", "b: a", "a"}, "a b c"},
		{"dependency named first by its dependent", []string{"web: ns", "other"}, "ns web other"},
		{"diamond", []string{"a", "d: b c", "b: a", "c: a"}, "a b c d"},
		{"diamond the other way", []string{"a", "d: c b", "b: a", "c: a"}, "a c b d"},
		{"late dependency", []string{"x: z", "y", "z"}, "z x y"},
		{"repeated edge", []string{"b: a a a"}, "a b"},
		{"cycle is left out", []string{"a: b", "b: a", "c"}, "c"},
		{"so is what depends on it", []string{"a: a", "b: a", "c"}, "c"},
	} {
		wantNodes(t, test.name, build(test.lines...).Order(), test.want)
	}
}

func TestReach(t *testing.T) {
	g := build("ns", "secret: ns", "web: secret", "other: ns", "alone")
	wantNodes(t, "nodes", g.Nodes(), "ns secret web other alone")
	wantNodes(t, "closure of web", g.Closure("web"), "ns secret web")
	wantNodes(t, "closure of two", g.Closure("other", "alone"), "ns other alone")
	wantNodes(t, "closure of nothing", g.Closure(), "")
	wantNodes(t, "closure of a unknown", g.Closure("unknown"), "")
	wantNodes(t, "dependents of ns", g.Dependents("ns"), "ns secret web other")
	wantNodes(t, "dependents of web", g.Dependents("web"), "web")
	wantNodes(t, "dependencies of web", g.Dependencies("web"), "secret")
	wantNodes(t, "dependencies of a unknown", g.Dependencies("unknown"), "")
	for _, test := range []struct {
		node, dep string
		want      bool
	}{
		{"web", "ns", true}, {"web", "secret", true}, {"ns", "web", false}, {"web", "web", false}, {"web", "other", false}, {"unknown",
			"ns", false},
	} {
		if got := g.DependsOn(test.node, test.dep); got != test.want {
			t.Errorf("%s depends on %s: %v", test.node, test.dep, got)
		}
	}
	if !g.Has("ns") || g.Has("unknown") || g.Len() != 5 {
		t.Errorf("Has or Len is wrong")
	}
}

// TestAnswersAreCopies: nobody can change a graph by what it has answered.
func TestAnswersAreCopies(t *testing.T) {
	g := build("a", "b: a")
	g.Nodes()[0] = "x"
	g.Dependencies("b")[0] = "x"
	g.Order()[0] = "x"
	wantNodes(t, "nodes", g.Nodes(), "a b")
	wantNodes(t, "dependencies", g.Dependencies("b"), "a")
}

func TestCycles(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"none", []string{"a: b c", "b: c", "c"}, ""},
		{"itself", []string{"a", "b: b"}, "b"},
		{"two", []string{"a: b", "b: a"}, "a b"},
		{"begins with the first added", []string{"x", "c: a", "a: b", "b: c"}, "c a b"},
		{"the shortest of two", []string{"a: b", "b: c", "c: d", "d: a b"}, "b c d"},
		{"itself is the shortest", []string{"a: b", "b: a", "c: a"}, "a b"},
		{"shortest far from the first", []string{"a: b", "b: c", "c: d e", "d: a", "e: c"}, "c e"},
		{"a longer one with a self-reference", []string{"a: b", "b: c", "c: a c"}, "c"},
		{"each component has one", []string{"a: b", "b: a", "c: d a", "d: c", "e: d"}, "a b, c d"},
		{"knots in the order of their first nodes", []string{"z: y", "a: b z", "b: a", "y: z"}, "z y, a b"},
		{"edges out of the component", []string{"a: x b", "x: y", "y", "b: y a"}, "a b"},
	} {
		var cycles []string
		for _, cycle := range build(test.lines...).Cycles() {
			cycles = append(cycles, strings.Join(cycle, " "))
		}
		wantNodes(t, test.name, []string{strings.Join(cycles, ", ")}, test.want)
	}
}

// random draws a graph without cycles over 0..n-1, added in an arbitrary order.
func random(t *rapid.T) *Graph[int] {
	n := rapid.IntRange(0, 40).Draw(t, "nodes")
	rank := rapid.Permutation(slices.Collect(seq(n))).Draw(t, "rank")
	var g Graph[int]
	for i := range n {
		g.Add(i)
	}
	if n < 2 {
		return &g
	}
	for range rapid.IntRange(0, 3*n).Draw(t, "edges") {
		a, b := rapid.IntRange(0, n-1).Draw(t, "a"), rapid.IntRange(0, n-1).Draw(t, "b")
		switch {
		case rank[a] > rank[b]:
			g.Connect(a, b)
		case rank[a] < rank[b]:
			g.Connect(b, a)
		}
	}
	return &g
}

func seq(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func TestOrderOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := random(t)
		order := g.Order()
		if len(order) != g.Len() {
			t.Fatalf("%d of %d nodes are in the order", len(order), g.Len())
		}
		if cycles := g.Cycles(); len(cycles) > 0 {
			t.Fatalf("cycles in a graph without: %v", cycles)
		}
		if want := plainOrder(g); !slices.Equal(order, want) {
			t.Fatalf("the order is %v, want %v", order, want)
		}
	})
}

// plainOrder takes, again and again, the first node that depends on nothing
// still there.
func plainOrder(g *Graph[int]) []int {
	var order []int
	done := map[int]bool{}
	for {
		i := slices.IndexFunc(g.Nodes(), func(n int) bool {
			return !done[n] && !slices.ContainsFunc(g.Dependencies(n), func(d int) bool { return !done[d] })
		})
		if i < 0 {
			return order
		}
		done[g.Nodes()[i]] = true
		order = append(order, g.Nodes()[i])
	}
}

func TestReachOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := random(t)
		for _, a := range g.Nodes() {
			closure := g.Closure(a)
			for _, b := range g.Nodes() {
				needs := slices.Contains(closure, b)
				if needs != slices.Contains(g.Dependents(b), a) {
					t.Fatalf("closure of %d and dependents of %d disagree", a, b)
				}
				if needs != (a == b || g.DependsOn(a, b)) {
					t.Fatalf("DependsOn(%d, %d) and Closure disagree", a, b)
				}
			}
		}
	})
}

// TestCyclesOfRandomGraphs compares with all cycles of small graphs.
func TestCyclesOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(t, "nodes")
		var g Graph[int]
		for i := range n {
			g.Add(i)
		}
		for range rapid.IntRange(0, 2*n).Draw(t, "edges") {
			g.Connect(rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to"))
		}
		inCycle := map[int]bool{}
		for _, cycle := range g.Cycles() {
			checkCycle(t, &g, cycle)
			for _, member := range cycle {
				shortest := shortestThrough(&g, member)
				if shortest < len(cycle) {
					t.Fatalf("%v is not the shortest: there is one of %d nodes", cycle, shortest)
				}
			}
			if cycle[0] != slices.Min(cycle) {
				t.Fatalf("%v does not begin with the node added first", cycle)
			}
			for _, node := range g.Closure(cycle...) {
				if slices.Contains(g.Closure(node), cycle[0]) {
					if shortest := shortestThrough(&g, node); shortest > 0 && shortest < len(cycle) {
						t.Fatalf("%v is not the shortest of its component: %d is in one of %d nodes", cycle, node, shortest)
					}
					inCycle[node] = true
				}
			}
		}
		for node := range n {
			if (shortestThrough(&g, node) > 0) != inCycle[node] {
				t.Fatalf("%d is in a cycle that was not found, or the other way round", node)
			}
		}
		if len(g.Order()) == n != (len(inCycle) == 0) {
			t.Fatalf("Order and Cycles disagree on whether there is one")
		}
	})
}

func checkCycle(t *rapid.T, g *Graph[int], cycle []int) {
	for i, node := range cycle {
		next := cycle[(i+1)%len(cycle)]
		if !slices.Contains(g.Dependencies(node), next) {
			t.Fatalf("%v is no cycle: %d does not depend on %d", cycle, node, next)
		}
	}
}

// shortestThrough is the number of nodes of a shortest cycle through a node, 0
// if there is none.
func shortestThrough(g *Graph[int], node int) int {
	level := []int{node}
	for length := 1; length <= g.Len(); length++ {
		var next []int
		for _, n := range level {
			next = append(next, g.Dependencies(n)...)
		}
		if slices.Contains(next, node) {
			return length
		}
		slices.Sort(next)
		level = slices.Compact(next)
	}
	return 0
}

func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var model []int
		for range rapid.IntRange(0, 100).Draw(t, "steps") {
			if len(model) > 0 && rapid.Bool().Draw(t, "pop") {
				slices.Sort(model)
				if got := q.pop(); got != model[0] {
					t.Fatalf("popped %d, want %d", got, model[0])
				}
				model = model[1:]
				continue
			}
			n := rapid.IntRange(0, 50).Draw(t, "node")
			q.push(n)
			model = append(model, n)
		}
		if q.len() != len(model) {
			t.Fatalf("%d are left, want %d", q.len(), len(model))
		}
	})
}

// Large graphs, each of 50,000 nodes and up to 200,000 edges.
const (
	manyNodes = 50_000
	manyEdges = 200_000
)

var large = map[string]func() *Graph[int]{
	"random": func() *Graph[int] {
		var g Graph[int]
		random := rand.New(rand.NewPCG(1, 2))
		for i := range manyNodes {
			g.Add(i)
		}
		for range manyEdges {
			a, b := random.IntN(manyNodes), random.IntN(manyNodes)
			if a != b {
				g.Connect(max(a, b), min(a, b))
			}
		}
		return &g
	},
	"wide": func() *Graph[int] { // all depend on the first four
		var g Graph[int]
		for i := range manyNodes {
			g.Add(i)
			for d := range min(i, 4) {
				g.Connect(i, d)
			}
		}
		return &g
	},
	"deep": func() *Graph[int] { // each depends on the four after it
		var g Graph[int]
		for i := range manyNodes {
			g.Add(i)
			for d := i + 1; d <= min(i+4, manyNodes-1); d++ {
				g.Connect(i, d)
			}
		}
		return &g
	},
	"tenants": func() *Graph[int] { // a namespace with four things in it, and so on
		var g Graph[int]
		for i := range manyNodes {
			g.Add(i)
			if i%5 != 0 {
				g.Connect(i, i-i%5)
			}
		}
		return &g
	},
}

func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		large["random"]()
	}
}

func BenchmarkOrder(b *testing.B) {
	for _, name := range []string{"random", "wide", "deep", "tenants"} {
		b.Run(name, func(b *testing.B) {
			g := large[name]()
			for b.Loop() {
				if len(g.Order()) != manyNodes {
					b.Fatal("nodes are missing")
				}
			}
		})
	}
}

func BenchmarkCycles(b *testing.B) {
	closed := func(of string, from, to int) func() *Graph[int] {
		return func() *Graph[int] {
			g := large[of]()
			g.Connect(from, to)
			return g
		}
	}
	for _, test := range []struct {
		name string
		make func() *Graph[int]
		want int // length of the cycle
	}{
		{"none random", large["random"], 0},
		{"none deep", large["deep"], 0},
		{"component wide", closed("wide", 0, manyNodes-1), 2},
		{"component random", closed("random", 0, manyNodes-1), 12},
		{"component deep", closed("deep", manyNodes-1, 0), 1 + (manyNodes-1+3)/4},
		{"ring", func() *Graph[int] {
			var g Graph[int]
			for i := range manyNodes {
				g.Connect(i, (i+1)%manyNodes)
			}
			return &g
		}, manyNodes},
	} {
		b.Run(test.name, func(b *testing.B) {
			g := test.make()
			for b.Loop() {
				longest := 0
				for _, cycle := range g.Cycles() {
					longest = max(longest, len(cycle))
				}
				if longest != test.want {
					b.Fatalf("the longest cycle has %d nodes, want %d", longest, test.want)
				}
			}
		})
	}
}
