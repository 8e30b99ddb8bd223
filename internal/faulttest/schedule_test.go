//go:build unix

package faulttest_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"kplan.dev/kplan/internal/faulttest"
)

// TestRandomFaults injects up to a dozen faults into an apply of a random stack. A trial
// that fails is printed as JSON, which -replay=FILE replays, without the faults and
// objects that it fails without.
func TestRandomFaults(t *testing.T) {
	r := newRig(t)
	if *replay != "" {
		var trial faulttest.Trial
		text, err := os.ReadFile(*replay)
		if err == nil {
			err = json.Unmarshal(text, &trial)
		}
		if err != nil {
			t.Fatal(err)
		}
		trial = faulttest.Shrink(trial, func(smaller faulttest.Trial) bool {
			name := fmt.Sprintf("%d faults, %d and %d objects", len(smaller.Faults), len(smaller.Before), len(smaller.After))
			return len(smaller.Faults) > 0 && !t.Run(name, func(t *testing.T) { r.play(t, smaller) })
		})
		t.Logf("it takes no more than\n%s\n%s", printed(trial), howToReplay(t, trial))
		return
	}
	var happened, ended [4]atomic.Int64
	first, trials := *seed, sized(30, 1000)
	t.Run("seed", func(t *testing.T) {
		for s := first; s < first+uint64(trials); s++ {
			t.Run(fmt.Sprint(s), func(t *testing.T) {
				t.Parallel()
				trial := faulttest.RandomTrial(s, 5+int(s%56))
				run, hit := r.play(t, trial)
				happened[0].Add(int64(hit))
				ended[endOf(run)].Add(1)
				if t.Failed() {
					t.Logf("trial:\n%s\n%s", printed(trial), howToReplay(t, trial))
				}
			})
		}
	})
	t.Logf("seeds %d to %d: %d faults happened; of the runs %d succeeded, %d failed, %d were interrupted, %d killed",
		first, first+uint64(trials)-1, happened[0].Load(), ended[0].Load(), ended[1].Load(), ended[2].Load(), ended[3].Load())
}

// howToReplay writes a trial to a file that outlives the test, without what it fails
// without, and returns how to replay it.
func howToReplay(t *testing.T, trial faulttest.Trial) string {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("kplan-trial-%d-%d.json", trial.Seed, len(trial.Faults)))
	if err := os.WriteFile(path, []byte(printed(trial)), 0o600); err != nil {
		t.Error(err)
	}
	return "replay it: make torture TORTUREFLAGS='-run TestRandomFaults$ -replay " + path + " -v'"
}

func endOf(run faulttest.Run) int {
	switch {
	case run.Signal == syscall.SIGKILL:
		return 3
	case run.Code == 0:
		return 0
	case run.Code == 1:
		return 1
	}
	return 2
}

// play runs a trial and checks what must hold whatever happens.
func (r *rig) play(t *testing.T, trial faulttest.Trial) (run faulttest.Run, hit int) {
	x := r.newTrial(t)
	x.write(trial.Before)
	x.mustApply()
	x.write(trial.After)
	x.proxy.Arm(trial.Faults...)
	run = x.apply()
	happened := x.proxy.Hit()
	defer func() {
		if t.Failed() {
			t.Logf("the run with faults: %v\nwhat happened: %s", run, printed(happened))
		}
	}()
	if run.Signal != syscall.SIGKILL && !run.Documented() {
		t.Errorf("undocumented end: exit code %d, %v", run.Code, run.Signal)
	}
	x.checkNoneLost()
	x.checkBystanders()
	if run.Code == 0 {
		x.checkSucceeded()
	}
	x.checkConverges("")
	return run, len(happened)
}

// checkSucceeded makes sure that a run that reports success has done everything.
func (x *trial) checkSucceeded() {
	x.Helper()
	x.proxy.Arm()
	if run := x.kplan("plan", "-detailed-exitcode"); run.Code != 0 {
		x.Errorf("a run that succeeded left something to do: %v", run)
	}
	x.checkNothingMissing()
}
