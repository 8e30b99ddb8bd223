//go:build unix

package faulttest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"kplan.dev/kplan/internal/faulttest"
)

// setUpCrash applies the stack before and writes the one after.
func (x *trial) setUpCrash() {
	before, after := faulttest.CrashStack()
	x.write(before)
	x.mustApply()
	x.write(after)
}

// undisturbed is the result of an apply of the crash stack without faults, and how many
// calls it makes.
func undisturbed(t *testing.T, r *rig) (dump string, calls int) {
	x := r.newTrial(t)
	x.setUpCrash()
	x.mustApply()
	calls = len(x.proxy.Calls())
	dump = x.dump()
	x.checkConverges(dump)
	return dump, calls
}

// TestKilledAtCall kills kplan at calls of an apply: before the server sees the call, once
// it has carried it out, and once kplan has its response.
func TestKilledAtCall(t *testing.T) {
	r := newRig(t)
	want, calls := undisturbed(t, r)
	var points []faulttest.Fault
	for n := 1; n <= calls; n++ {
		for _, when := range []faulttest.When{faulttest.Before, faulttest.After, faulttest.Replied} {
			points = append(points, faulttest.Fault{Nth: n, When: when, Do: faulttest.Kill})
		}
	}
	rng := rand.New(rand.NewPCG(*seed, 0))
	rng.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	points = points[:min(len(points), sized(24, len(points)))]
	var killed atomic.Int64
	t.Run("at", func(t *testing.T) {
		for _, fault := range points {
			t.Run(fault.String(), func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.setUpCrash()
				x.proxy.Arm(fault)
				if run := x.apply(); run.Signal == syscall.SIGKILL {
					killed.Add(1)
				} else if run.Code != 0 {
					t.Fatalf("not killed: %v", run)
				}
				x.checkAfterCrash(want)
			})
		}
	})
	t.Logf("seed %d: %d calls, %d kills", *seed, calls, killed.Load())
}

// TestKilledTwice kills an apply, and then the one that recovers from that and does the
// rest.
func TestKilledTwice(t *testing.T) {
	r := newRig(t)
	want, calls := undisturbed(t, r)
	rng := rand.New(rand.NewPCG(*seed, 4))
	var killed [3]atomic.Int64
	t.Run("at", func(t *testing.T) {
		for range sized(20, 1000) {
			first, second := randomKill(rng, calls), randomKill(rng, calls)
			t.Run(first.String()+" "+second.String(), func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.setUpCrash()
				kills := 0
				for _, fault := range []faulttest.Fault{first, second} {
					x.proxy.Arm(fault)
					if run := x.apply(); run.Signal == syscall.SIGKILL {
						kills++
					} else if run.Code != 0 {
						t.Fatalf("not killed: %v", run)
					}
					x.checkNoneLost()
				}
				killed[kills].Add(1)
				x.checkAfterCrash(want)
			})
		}
	})
	t.Logf("seed %d: killed twice in %d trials, once in %d", *seed, killed[2].Load(), killed[1].Load())
}

func randomKill(rng *rand.Rand, calls int) faulttest.Fault {
	when := []faulttest.When{faulttest.Before, faulttest.After, faulttest.Replied}
	return faulttest.Fault{Nth: 1 + rng.IntN(calls), When: when[rng.IntN(len(when))], Do: faulttest.Kill}
}

func (x *trial) checkAfterCrash(want string) {
	x.checkNoneLost()
	x.checkBystanders()
	x.checkConverges(want)
}

// TestKilledAtFailpoint kills kplan at every durable step of the state's writes.
func TestKilledAtFailpoint(t *testing.T) {
	r := newRig(t)
	want, _ := undisturbed(t, r)
	times := []int{1, 2, 3, 4}
	if !*torture {
		times = []int{2}
	}
	var killed atomic.Int64
	t.Run("at", func(t *testing.T) {
		for _, name := range failpoints(t) {
			for _, nth := range times {
				point := fmt.Sprintf("%s:kill:%d", name, nth)
				if !*torture && slices.Contains([]string{"locked", "info-written", "unlock", "backed-up"}, name) {
					point = name + ":kill:1" // there is no second time
				}
				t.Run(point, func(t *testing.T) {
					t.Parallel()
					x := r.newTrial(t)
					x.setUpCrash()
					x.proxy.Arm()
					if run := x.apply("KPLAN_FAILPOINT=" + point); run.Signal == syscall.SIGKILL {
						killed.Add(1)
					} else if run.Code != 0 {
						t.Fatalf("not killed: %v", run)
					}
					x.checkAfterCrash(want)
				})
			}
		}
	})
	t.Logf("%d kills", killed.Load())
}

// failpoints are those in the sources of package state, so that none is left out.
func failpoints(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("../../state/*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`failpoint\("([a-z-]+)"\)`)
	var names []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range call.FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) < 10 {
		t.Fatalf("only the failpoints %v were found", names)
	}
	return names
}
