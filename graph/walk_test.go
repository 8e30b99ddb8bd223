package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWalkPassesResults(t *testing.T) {
	g := build("ns", "secret: ns", "web: ns secret", "alone")
	results := Walk(t.Context(), g, 0, func(_ context.Context, node string, deps map[string]string) (string, error) {
		var of []string
		for _, dep := range slices.Sorted(maps.Keys(deps)) {
			of = append(of, deps[dep])
		}
		return node + "(" + strings.Join(of, ",") + ")", nil
	})
	want := map[string]string{
		"ns":     "ns()",
		"secret": "secret(ns())",
		"web":    "web(ns(),secret(ns()))",
		"alone":  "alone()",
	}
	if len(results) != len(want) {
		t.Errorf("got %d results, want %d", len(results), len(want))
	}
	for node, value := range want {
		if r := results[node]; r.Value != value || r.Err != nil || !r.Ran {
			t.Errorf("%s came to %+v, want %s", node, r, value)
		}
	}
}

func TestWalkOfNothing(t *testing.T) {
	results := Walk(t.Context(), &Graph[int]{}, 0, func(context.Context, int, map[int]int) (int, error) {
		t.Error("something was visited")
		return 0, nil
	})
	if len(results) != 0 {
		t.Errorf("got %v", results)
	}
}

func TestWalkFailureSkipsDependents(t *testing.T) {
	g := build("a", "b: a", "c: b", "d: c x", "x", "y: x", "z: y a")
	broken := errors.New("broken")
	results := Walk(t.Context(), g, 0, func(_ context.Context, node string, _ map[string]int) (int, error) {
		if node == "b" {
			return 7, broken
		}
		return 1, nil
	})
	for node, want := range map[string]error{
		"a": nil, "x": nil, "y": nil, "z": nil,
		"b": broken,
		"c": Skipped[string]{By: "b"},
		"d": Skipped[string]{By: "c"},
	} {
		r := results[node]
		if r.Err != want {
			t.Errorf("%s: %v, want %v", node, r.Err, want)
		}
		if _, skipped := want.(Skipped[string]); r.Ran == skipped {
			t.Errorf("%s: visited is %v", node, r.Ran)
		}
	}
	if got := results["c"].Err.Error(); got != "b failed" {
		t.Errorf("the error of a skipped node is %q", got)
	}
}

// TestWalkNamesTheFirstFailure: of several, the one connected first, whichever
// ended first.
func TestWalkNamesTheFirstFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := build("slow", "quick", "web: slow quick")
		results := Walk(t.Context(), g, 0, func(_ context.Context, node string, _ map[string]int) (int, error) {
			if node == "slow" {
				time.Sleep(time.Minute)
			}
			return 0, errors.New(node)
		})
		if want := (Skipped[string]{By: "slow"}); results["web"].Err != want {
			t.Errorf("got %v, want %v", results["web"].Err, want)
		}
	})
}

func TestWalkStopsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := build("a", "b: a", "c: b", "d")
	results := Walk(ctx, g, 1, func(ctx context.Context, node string, _ map[string]string) (string, error) {
		if node == "b" {
			cancel()
			return "finished", nil // a visit in progress may succeed
		}
		return node, nil
	})
	for node, ran := range map[string]bool{"a": true, "b": true, "c": false, "d": false} {
		if results[node].Ran != ran {
			t.Errorf("%s: visited is %v", node, results[node].Ran)
		}
	}
	if r := results["b"]; r.Value != "finished" || r.Err != nil {
		t.Errorf("the result of the visit in progress is %+v", r)
	}
	for _, node := range []string{"c", "d"} {
		if err := results[node].Err; err != context.Canceled {
			t.Errorf("%s: %v, want %v", node, err, context.Canceled)
		}
	}
}

// TestWalkAfterContext: nothing failed, so nothing is skipped because of a failure.
func TestWalkAfterContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := build("a", "b: a", "c: b")
	results := Walk(ctx, g, 0, func(context.Context, string, map[string]int) (int, error) {
		t.Error("something was visited")
		return 0, nil
	})
	for node, r := range results {
		if r.Err != context.Canceled || r.Ran {
			t.Errorf("%s: %+v", node, r)
		}
	}
}

// TestWalkFailureThenContext keeps the two reasons apart.
func TestWalkFailureThenContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := build("a", "b: a", "c: b", "x", "y: x")
	broken := errors.New("broken")
	results := Walk(ctx, g, 1, func(_ context.Context, node string, _ map[string]int) (int, error) {
		cancel()
		return 0, broken
	})
	for node, want := range map[string]error{
		"a": broken,
		"b": Skipped[string]{By: "a"},
		"c": Skipped[string]{By: "b"},
		"x": context.Canceled,
		"y": context.Canceled,
	} {
		if results[node].Err != want {
			t.Errorf("%s: %v, want %v", node, results[node].Err, want)
		}
	}
}

func TestWalkWaitsForVisitsInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var ended atomic.Int32
		Walk(ctx, build("a", "b", "c"), 0, func(ctx context.Context, node string, _ map[string]int) (int, error) {
			if node == "c" { // the last that is started
				cancel()
			}
			time.Sleep(time.Hour)
			ended.Add(1)
			return 0, ctx.Err()
		})
		if n := ended.Load(); n != 3 {
			t.Errorf("Walk returned when %d of 3 visits had ended", n)
		}
	})
}

// TestWalkIsParallel: independent nodes take the time of one, up to the limit.
func TestWalkIsParallel(t *testing.T) {
	for limit, want := range map[int]time.Duration{0: 2 * time.Second, 1: 12 * time.Second, 3: 5 * time.Second, 100: 2 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var g Graph[int]
			for i := range 10 { // ten in a row, and two behind the first
				g.Add(i)
			}
			g.Connect(10, 0)
			g.Connect(11, 0)
			begin := time.Now()
			Walk(t.Context(), &g, limit, func(context.Context, int, map[int]int) (int, error) {
				time.Sleep(time.Second)
				return 0, nil
			})
			if took := time.Since(begin); took > want || limit != 3 && took != want || took < want-time.Second {
				t.Errorf("with limit %d the walk took %v, want %v", limit, took, want)
			}
		})
	}
}

// TestWalkHasCycle: there is an answer for every node, and no hanging.
func TestWalkHasCycle(t *testing.T) {
	g := build("a", "b: c a", "c: b", "d: c")
	results := Walk(t.Context(), g, 0, func(_ context.Context, node string, _ map[string]int) (int, error) {
		if node != "a" {
			t.Errorf("%s was visited", node)
		}
		return 0, nil
	})
	for _, node := range []string{"b", "c", "d"} {
		if r := results[node]; r.Ran || r.Err == nil {
			t.Errorf("%s: %+v", node, r)
		}
	}
}

func TestWalkOneByOneIsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := random(t)
		var visited []int
		Walk(context.Background(), g, 1, func(_ context.Context, node int, _ map[int]int) (int, error) {
			visited = append(visited, node)
			return 0, nil
		})
		if !slices.Equal(visited, g.Order()) {
			t.Fatalf("visited %v, in order %v", visited, g.Order())
		}
	})
}

// TestWalkOfRandomGraphs walks with random failures and checks all that Walk
// promises.
func TestWalkOfRandomGraphs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := random(t)
		limit := rapid.IntRange(0, 5).Draw(t, "limit")
		fails := map[int]bool{}
		for _, node := range g.Nodes() {
			fails[node] = rapid.IntRange(0, 9).Draw(t, "luck") == 0
		}
		var mu sync.Mutex
		ended := map[int]bool{}
		running, most := 0, 0
		visit := func(_ context.Context, node int, deps map[int]int) (int, error) {
			mu.Lock()
			defer mu.Unlock()
			running++
			most = max(most, running)
			if len(deps) != len(g.Dependencies(node)) {
				return 0, fmt.Errorf("%d got the results of %d dependencies, has %d", node, len(deps), len(g.Dependencies(node)))
			}
			for dep, value := range deps {
				if !ended[dep] || value != dep*dep {
					return 0, fmt.Errorf("%d was visited before %d, or got %d from it", node, dep, value)
				}
			}
			mu.Unlock() // let others in, to see how many there are
			mu.Lock()
			running--
			ended[node] = true
			if fails[node] {
				return 0, errPlanned
			}
			return node * node, nil
		}
		results := Walk(context.Background(), g, limit, visit)
		if limit > 0 && most > limit {
			t.Fatalf("%d visits at once, the limit is %d", most, limit)
		}
		for _, node := range g.Nodes() {
			checkResult(t, g, results, node, fails[node])
		}
	})
}

var errPlanned = errors.New("planned to fail")

func checkResult(t *rapid.T, g *Graph[int], results map[int]Result[int], node int, fails bool) {
	var want error
	for _, dep := range g.Dependencies(node) {
		if results[dep].Err != nil {
			want = Skipped[int]{By: dep}
			break
		}
	}
	ran := want == nil
	if ran && fails {
		want = errPlanned
	}
	r := results[node]
	if r.Err != want || r.Ran != ran || want == nil && r.Value != node*node {
		t.Fatalf("%d came to %+v, want error %v, visited %v", node, r, want, ran)
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, name := range []string{"random", "wide", "deep", "tenants"} {
		for _, limit := range []int{0, 10} {
			b.Run(fmt.Sprintf("%s limit %d", name, limit), func(b *testing.B) {
				g := large[name]()
				for b.Loop() {
					results := Walk(b.Context(), g, limit, func(context.Context, int, map[int]int) (int, error) { return 1, nil })
					if len(results) != manyNodes {
						b.Fatal("nodes are missing")
					}
				}
			})
		}
	}
}

// A panic in a visit reaches the caller of Walk, after the other visits have
// ended, which are reported.
func TestWalkCarriesPanics(t *testing.T) {
	var g Graph[string]
	for _, name := range []string{"bad", "other", "behind"} {
		g.Add(name)
	}
	g.Connect("behind", "bad")
	var others, after atomic.Bool
	started := make(chan struct{})
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "a bug" || !strings.Contains(string(p.Stack), "TestWalkCarriesPanics") {
			t.Errorf("panicked with %v", p)
		}
		if !others.Load() {
			t.Error("the visit in progress was not waited for")
		}
		if after.Load() {
			t.Error("a visit was begun after the panic")
		}
	}()
	Walk(context.Background(), &g, 0, func(ctx context.Context, name string, _ map[string]int) (int, error) {
		switch name {
		case "other":
			close(started)
			<-ctx.Done()
			others.Store(true)
		case "bad":
			<-started
			panic("a bug")
		case "behind":
			after.Store(true)
		}
		return 0, nil
	})
	t.Error("Walk returned")
}

// A panic that comes through several walks keeps the stack of where it began.
func TestTrapKeepsTheFirstStack(t *testing.T) {
	var inner, outer Trap
	outer.Run(nil, func() {
		inner.Run(nil, func() { panic(errors.New("deep")) })
		inner.Rethrow()
	})
	defer func() {
		p, _ := recover().(*Panic)
		if p == nil || p != inner.first {
			t.Errorf("panicked with %v", p)
		}
	}()
	outer.Rethrow()
}
