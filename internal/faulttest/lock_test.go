//go:build unix

package faulttest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/state"
)

// register is a cell that is only ever swapped: what one apply finds is what the one before
// it has written.
var register = porcupine.Model{
	Init: func() any { return -1 }, // no object exists
	Step: func(held, input, output any) (bool, any) {
		return output.(int) == held.(int), input.(int)
	},
}

const contested = `variable "n" { type = string }
resource "ConfigMap" "c" {
  for_each = toset(["x", "y", "z"])
  metadata {
    name        = each.key
    namespace   = "NAMESPACE"
    annotations = { rev = var.n }
  }
}
`

// TestConcurrentApplies has many runs apply different values to one state at once: they run
// one after the other, and each finds what the last one left.
func TestConcurrentApplies(t *testing.T) {
	const runs = 16
	r := newRig(t)
	x := r.newTrial(t)
	x.writeHCL(strings.ReplaceAll(contested, "NAMESPACE", x.namespace))
	x.proxy.Arm()
	rounds := sized(1, 100)
	var mu sync.Mutex
	var history []porcupine.Operation
	for round := range rounds {
		var all sync.WaitGroup
		for n := range runs {
			all.Go(func() {
				put := round*runs + n
				called := time.Now().UnixNano()
				run := x.kplan("apply", "-auto-approve", "-lock-timeout=5m", fmt.Sprintf("-var=n=%d", put))
				if run.Code != 0 {
					t.Errorf("it should wait for its turn: %v", run)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				history = append(history, porcupine.Operation{
					ClientId: n, Input: put, Output: foundBy(run), Call: called, Return: time.Now().UnixNano(),
				})
			})
		}
		all.Wait()
	}
	if !porcupine.CheckOperations(register, history) {
		t.Errorf("no order of the runs explains what they found: %v", history)
	}
	x.checkInTurns()
	if s := x.state(); int(s.Serial) < len(history) {
		t.Errorf("%d applies have changed something, and the state's serial is %d", len(history), s.Serial)
	}
	t.Logf("%d runs in %d rounds, one after the other", len(history), rounds)
}

var replacedRev = regexp.MustCompile(`"rev" += "(\d+)" -> "\d+"`)

// foundBy is the value that a run's plan shows as the current one.
func foundBy(run faulttest.Run) int {
	m := replacedRev.FindStringSubmatch(run.Stdout)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// checkInTurns makes sure that no two runs were changing objects at once: once
// one has begun, the changes of the one before are over.
func (x *trial) checkInTurns() {
	x.Helper()
	over := map[string]bool{}
	last := ""
	for _, c := range x.proxy.Calls() {
		if !c.Mutates() || c.Rev == last {
			continue
		}
		if over[c.Rev] {
			x.Errorf("the run of %s went on after that of %s had begun", c.Rev, last)
		}
		over[last], last = true, c.Rev
	}
}

// TestForceUnlock removes the lock of a run in its middle and has another run follow at
// once: the first stops with what was in flight, can't write the stored state, and writes
// what it knows into an errored state.
func TestForceUnlock(t *testing.T) {
	r := newRig(t)
	for range sized(2, 50) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			_, after := faulttest.CrashStack()
			x.write(after)
			x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 5, Ever: true, When: faulttest.After, Do: faulttest.Delay,
				Delay: 700 * time.Millisecond})
			first := x.start(nil, "apply", "-auto-approve")
			x.waitForCalls("create", 6)
			x.forceUnlock()
			broken := time.Now()
			time.Sleep(200 * time.Millisecond)
			begun := x.mutations()
			other, err := faulttest.NewProxy(r.kubeconfig, filepath.Join(x.directory, "other.kubeconfig"))
			x.must(err)
			defer other.Close()
			second, err := x.program.Start(x.directory, []string{"KUBECONFIG=" + other.Kubeconfig}, "apply", "-auto-approve")
			x.must(err)
			run := x.end(first)
			if run.Code != 1 || time.Since(broken) > soon {
				t.Errorf("the first run should stop soon: %v", run)
			}
			if n := x.mutations(); n != begun {
				t.Errorf("the first run has begun %d changes since it lost its lock", n-begun)
			}
			if !strings.Contains(run.Stderr, "State lock lost") || !strings.Contains(run.Stderr, state.ErroredFile) {
				t.Errorf("the first run does not report what happened: %v", run)
			}
			if run, err := second.End(); err != nil || !run.Documented() {
				t.Errorf("the second run: %v %v", run, err)
			}
			x.must(os.Remove(filepath.Join(x.directory, state.ErroredFile)))
			x.checkNoneLost()
			x.checkConverges("")
		})
	}
}

func (x *trial) mutations() int {
	return len(slices.DeleteFunc(x.proxy.Calls(), func(c faulttest.Call) bool { return !c.Mutates() }))
}

// forceUnlock force-unlocks the state, with the id that a refused run shows.
func (x *trial) forceUnlock() {
	x.Helper()
	text, err := os.ReadFile(filepath.Join(x.directory, "kplan.state.json.lock"))
	x.must(err)
	info, err := state.DecodeLockInfo(text)
	x.must(err)
	process, err := x.program.Start(x.directory, nil, "force-unlock", "-force", info.ID)
	x.must(err)
	if run, err := process.End(); err != nil || run.Code != 0 {
		x.Fatalf("force-unlock: %v %v", run, err)
	}
}

// TestStoppedDuringForceUnlock stops a run in the middle of its changes, gives its lock to
// another run, which does everything, and continues the first: it sends at most what it
// was about to send, which harms nothing, and can't write the state.
func TestStoppedDuringForceUnlock(t *testing.T) {
	r := newRig(t)
	for range sized(2, 50) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			_, after := faulttest.CrashStack()
			x.write(after)
			x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 5, Ever: true, When: faulttest.After, Do: faulttest.Delay,
				Delay: 300 * time.Millisecond})
			first := x.start(nil, "apply", "-auto-approve", fmt.Sprintf("-parallelism=%d", atOnce))
			x.waitForCalls("create", 12)
			x.must(first.Process.Signal(syscall.SIGSTOP))
			x.forceUnlock()
			other, err := faulttest.NewProxy(r.kubeconfig, filepath.Join(x.directory, "other.kubeconfig"))
			x.must(err)
			defer other.Close()
			second, err := x.program.Start(x.directory, []string{"KUBECONFIG=" + other.Kubeconfig}, "apply", "-auto-approve")
			x.must(err)
			run, err := second.End()
			if err != nil || run.Code != 0 {
				t.Errorf("the second run: %v %v", run, err)
			}
			stored := *x.state()
			begun := x.mutations()
			x.must(first.Process.Signal(syscall.SIGCONT))
			run = x.end(first)
			if run.Code != 1 || !strings.Contains(run.Stderr, "State lock lost") {
				t.Errorf("the first run should report that it lost its lock: %v", run)
			}
			if n := x.mutations() - begun; n > atOnce {
				t.Errorf("the first run has begun %d changes since, more than it had at hand", n)
			}
			if now := x.state(); !now.Equal(&stored) {
				t.Errorf("the first run has written the state: serial %d, then %d", stored.Serial, now.Serial)
			}
			x.checkNoneLost()
			os.Remove(filepath.Join(x.directory, state.ErroredFile))
			x.checkConverges("")
		})
	}
}

// atOnce is how many objects the first run works on at once: far fewer than it has.
const atOnce = 10
