//go:build unix

package faulttest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/state"
)

// soon is how long a run may take to end once it was asked to, on a machine that is busy
// with other things.
const soon = 5 * time.Second

// TestSignalled signals an apply at some call: it ends soon, with all that was created in
// the state, the lock free and the signal's exit code.
func TestSignalled(t *testing.T) {
	r := newRig(t)
	want, calls := undisturbed(t, r)
	rng := rand.New(rand.NewPCG(*seed, 2))
	var ended atomic.Int64
	t.Run("at", func(t *testing.T) {
		for range sized(8, 200) {
			fault := faulttest.Fault{
				Nth:  1 + rng.IntN(calls),
				When: []faulttest.When{faulttest.Before, faulttest.After, faulttest.Replied}[rng.IntN(3)],
				Do:   []faulttest.Do{faulttest.Interrupt, faulttest.Terminate}[rng.IntN(2)],
			}
			t.Run(fault.String(), func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.setUpCrash()
				x.proxy.Arm(fault)
				run := x.apply()
				after := time.Since(x.proxy.Struck())
				code := 130
				if fault.Do == faulttest.Terminate {
					code = 143
				}
				if run.Code != code && run.Code != 0 {
					t.Errorf("it should end with %d, or 0 if it was done: %v", code, run)
				}
				if run.Code == code {
					ended.Add(1)
				}
				if len(x.proxy.Hit()) > 0 && after > soon {
					t.Errorf("it took %s to end: %v", after, run)
				}
				x.checkOrderly()
				x.checkBystanders()
				x.checkConverges(want)
			})
		}
	})
	t.Logf("seed %d: %d runs ended by a signal", *seed, ended.Load())
}

// checkOrderly makes sure that a run that was not killed has ended in order: what it created
// is in the state, not merely pending, and the lock is free.
func (x *trial) checkOrderly() {
	x.Helper()
	objects, err := x.cluster.Objects(x.ctx(), x.namespace)
	x.must(err)
	s := x.state()
	for _, o := range objects {
		known := func(known state.Object) bool { return known.UID == string(o.GetUID()) }
		if o.GetLabels()[addrs.StackLabel] != "" && !slices.ContainsFunc(s.Objects, known) {
			x.Errorf("%s %s is not in the state", o.GetKind(), o.GetName())
		}
	}
	x.checkLockFree()
}

func (x *trial) checkLockFree() {
	x.Helper()
	if lock, err := os.ReadFile(filepath.Join(x.directory, "kplan.state.json.lock")); err == nil && len(lock) > 0 {
		x.Errorf("the lock was not released: %s", lock)
	}
}

// TestSignalledTwice does not wait for the calls that are in flight.
func TestSignalledTwice(t *testing.T) {
	r := newRig(t)
	t.Parallel()
	x := r.newTrial(t)
	x.setUpCrash()
	x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 3, Ever: true, When: faulttest.After, Do: faulttest.Delay, Delay: 20 * time.Second})
	process := x.start(nil, "apply", "-auto-approve")
	x.waitForCalls("create", 3)
	process.Process.Signal(os.Interrupt)
	time.Sleep(300 * time.Millisecond)
	second := time.Now()
	process.Process.Signal(os.Interrupt)
	run := x.end(process)
	if run.Code != 130 || time.Since(second) > soon/2 {
		t.Errorf("it should end at once with 130, not after %s: %v", time.Since(second), run)
	}
	if !strings.Contains(run.Stderr, "Two interrupts received. Exiting immediately.") {
		t.Errorf("it does not report why it ended: %v", run)
	}
	x.checkNoneLost()
	x.checkConverges("")
}

// TestSignalledInSilence signals an apply whose server no longer responds. What was sent may
// or may not have been carried out, and is pending.
func TestSignalledInSilence(t *testing.T) {
	r := newRig(t)
	for _, verb := range []string{"", "create", "update", "delete"} {
		t.Run("silent "+verb, func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			x.setUpCrash()
			nth := 3
			if verb == "" {
				nth = 40
			}
			x.proxy.Arm(faulttest.Fault{Verb: verb, Nth: nth, Ever: true, When: faulttest.Before, Do: faulttest.Delay, Delay: time.Hour})
			process := x.start(nil, "apply", "-auto-approve")
			x.waitForHit()
			time.Sleep(300 * time.Millisecond)
			asked := time.Now()
			process.Process.Signal(os.Interrupt)
			run := x.end(process)
			// Each request in flight is waited for, and then its object is looked at.
			if took := time.Since(asked); run.Code != 130 || took > 4*soon {
				t.Errorf("it should end within seconds with 130, not after %s: %v", took, run)
			}
			x.checkNoneLost()
			x.checkConverges("")
		})
	}
}

// waitForHit returns when a fault has happened.
func (x *trial) waitForHit() {
	x.Helper()
	for range 1000 {
		if len(x.proxy.Hit()) > 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	x.Fatal("no fault has happened")
}

// waitForCalls returns when kplan has made n calls of a verb.
func (x *trial) waitForCalls(verb string, n int) {
	x.Helper()
	for range 1000 {
		calls := x.proxy.Calls()
		if len(slices.DeleteFunc(calls, func(c faulttest.Call) bool { return c.Verb != verb })) >= n {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	x.Fatalf("there were no %d calls to %s", n, verb)
}

// neverReady is a pod that never becomes ready.
const neverReady = `resource "Pod" "never" {
  metadata {
    name = "never"
    namespace = %q
  }
  spec {
    containers {
      name = "c"
      image = "kplan.test/never-ready"
    }
  }
}
`

// TestSignalledWhileWaiting signals a wait that would take minutes.
func TestSignalledWhileWaiting(t *testing.T) {
	r := newRig(t)
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			x.writeHCL(fmt.Sprintf(neverReady, x.namespace))
			x.proxy.Arm()
			process := x.start(nil, "apply", "-auto-approve")
			x.waitForCalls("watch", 1)
			time.Sleep(time.Second)
			asked := time.Now()
			process.Process.Signal(s)
			run := x.end(process)
			if run.Code != 128+int(s) || time.Since(asked) > soon {
				t.Errorf("it should end soon with %d, not after %s: %v", 128+int(s), time.Since(asked), run)
			}
			x.checkOrderly()
		})
	}
}
