//go:build unix

package faulttest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/state"
)

// TestStateCannotBeSaved removes the state's directory, or fills its disk, in the middle of
// an apply: nothing new starts, the run fails, and what was done is in a file that the
// message names and that can be pushed.
func TestStateCannotBeSaved(t *testing.T) {
	r := newRig(t)
	for name, fail := range map[string]func(x *trial, directory string) (repair func()){
		"directory gone": func(x *trial, directory string) func() {
			x.must(os.Rename(directory, directory+".gone"))
			return func() { x.must(os.Rename(directory+".gone", directory)) }
		},
		"disk full": func(x *trial, directory string) func() {
			filler := filepath.Join(directory, "filler")
			x.must(fill(filler))
			return func() { x.must(os.Remove(filler)) }
		},
		"directory read-only": func(x *trial, directory string) func() {
			x.must(os.Chmod(directory, 0o500))
			return func() { x.must(os.Chmod(directory, 0o700)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			directory := filepath.Join(x.directory, "state")
			x.must(os.Mkdir(directory, 0o700))
			if name == "disk full" {
				smallDisk(t, directory)
			}
			_, after := faulttest.CrashStack()
			x.write(after)
			// The creations are slow until the next group of results is written.
			x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 5, Ever: true, When: faulttest.After, Do: faulttest.Delay,
				Delay: 1500 * time.Millisecond})
			path := filepath.Join(directory, "kplan.state.json")
			process := x.startUnprivileged("apply", "-auto-approve", "-state="+path)
			x.waitForCalls("create", 6)
			repair := fail(x, directory)
			run := x.end(process)
			if run.Code != 1 || run.Elapsed > 30*time.Second {
				t.Errorf("it should stop and fail: %v", run)
			}
			errored := filepath.Join(x.directory, state.ErroredFile)
			if !strings.Contains(run.Stderr, state.ErroredFile) {
				t.Errorf("the message does not name the file: %v", run)
			}
			repair()
			x.must(os.Rename(errored, filepath.Join(x.directory, "kplan.state.json")))
			x.checkOrderly()
			x.checkConverges("")
		})
	}
}

// TestNothingCanBeWritten runs kplan where the state can be read, and nothing can be written
// from the beginning. A plan works. An apply fails before it has changed anything.
func TestNothingCanBeWritten(t *testing.T) {
	r := newRig(t)
	for name, shut := range map[string]func(x *trial, directory string) (open func()){
		"read-only": func(x *trial, directory string) func() {
			files, _ := filepath.Glob(filepath.Join(directory, "*"))
			for _, file := range files {
				x.must(os.Chmod(file, 0o400))
			}
			x.must(os.Chmod(directory, 0o500))
			return func() {
				x.must(os.Chmod(directory, 0o700))
				for _, file := range files {
					x.must(os.Chmod(file, 0o600))
				}
			}
		},
		"directory read-only": func(x *trial, directory string) func() {
			x.must(os.Chmod(directory, 0o500))
			return func() { x.must(os.Chmod(directory, 0o700)) }
		},
		"disk full": func(x *trial, directory string) func() {
			filler := filepath.Join(directory, "filler")
			x.must(fill(filler))
			return func() { x.must(os.Remove(filler)) }
		},
	} {
		for _, stored := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, state %v", name, stored), func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				directory := filepath.Join(x.directory, "state")
				x.must(os.Mkdir(directory, 0o700))
				if name == "disk full" {
					smallDisk(t, directory)
				}
				where := "-state=" + filepath.Join(directory, "kplan.state.json")
				x.proxy.Arm()
				x.write(faulttest.Stack{{Kind: "ConfigMap", Name: "a"}})
				if stored {
					if run := x.kplan("apply", "-auto-approve", where); run.Code != 0 {
						t.Fatal(run)
					}
				}
				x.write(faulttest.Stack{{Kind: "ConfigMap", Name: "b"}})
				before := list(t, directory)
				open := shut(x, directory)
				shutNow := list(t, directory)
				for _, c := range []struct {
					args []string
					code int
					says string
				}{
					{[]string{"plan"}, 0, "Plan: 1 to add"},
					{[]string{"plan", "-out=" + filepath.Join(directory, "a.plan")}, 1, "Can't save the plan|Error acquiring the state lock"},
					{[]string{"apply", "-auto-approve"}, 1, "Error acquiring the state lock|State could not be saved"},
					{[]string{"destroy", "-auto-approve"}, 1, "Error acquiring the state lock|State could not be saved"},
				} {
					if c.args[0] == "destroy" && !stored {
						continue // there is nothing to do, nor to write
					}
					x.proxy.Arm()
					run := x.end(x.startUnprivileged(append(c.args, where)...))
					if run.Code != c.code || !saysOneOf(run, c.says) || !run.Documented() {
						t.Errorf("it should end with %d and report %q: %v", c.code, c.says, run)
					}
					for _, call := range x.proxy.Calls() {
						if call.Mutates() {
							t.Errorf("it changed something: %v", call)
						}
					}
				}
				if now := list(t, directory); name != "disk full" && now != shutNow { // an empty file fits on any disk
					t.Errorf("the directory had %s, and now %s", shutNow, now)
				}
				open()
				if now := list(t, directory); stored && now != before {
					t.Errorf("the directory had %s, and now %s", before, now)
				}
				if run := x.kplan("apply", "-auto-approve", where); run.Code != 0 {
					t.Errorf("once it can be written: %v", run)
				}
			})
		}
	}
}

// list is the names of the files in a directory.
func list(t *testing.T, directory string) string {
	t.Helper()
	entries, err := os.ReadDir(directory)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestStateWriteFails has each durable step of the state's writes fail as on a full disk,
// once or from then on. A run that succeeds has done everything and recorded it; what the
// stored state of any other lacks is in an errored one, which state push accepts.
func TestStateWriteFails(t *testing.T) {
	r := newRig(t)
	want, _ := undisturbed(t, r)
	times := []int{1, 3} // before the first change, and once there is something to lose
	if *torture {
		times = []int{1, 2, 3, 4, 5}
	}
	var failed atomic.Int64
	t.Run("at", func(t *testing.T) {
		for _, step := range failpoints(t) {
			for i := range 2 * len(times) {
				point := fmt.Sprintf("%s:%s:%d", step, []string{"fail", "fails"}[i%2], times[i/2])
				t.Run(point, func(t *testing.T) {
					t.Parallel()
					x := r.newTrial(t)
					x.setUpCrash()
					x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 5, Ever: true, When: faulttest.After, Do: faulttest.Delay,
						Delay: 300 * time.Millisecond})
					run := x.apply("KPLAN_FAILPOINT=" + point)
					if !run.Documented() {
						t.Errorf("undocumented end: %v", run)
					}
					_, err := os.Stat(filepath.Join(x.directory, state.ErroredFile))
					if err == nil {
						failed.Add(1)
						if run.Code == 0 || !strings.Contains(run.Stderr, state.ErroredFile) {
							t.Errorf("it left an errored state, and does not fail or name it: %v", run)
						}
						x.proxy.Arm()
						if run := x.kplan("state", "push", state.ErroredFile); run.Code != 0 {
							t.Errorf("the errored state can't be pushed: %v", run)
						}
					}
					if run.Code == 0 {
						x.checkSucceeded()
					}
					x.checkAfterCrash(want)
				})
			}
		}
	})
	t.Logf("%d runs left an errored state", failed.Load())
}

// fill writes until the disk is full.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for range 1 << 12 {
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return nil
		}
	}
	return os.ErrInvalid // not that small
}
