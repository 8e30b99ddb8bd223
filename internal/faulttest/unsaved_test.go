package faulttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/state"
)

// TestStateCannotBeSaved takes the state's folder away, or fills its disk, in
// the middle of an apply: nothing new starts, the exit code says so, and what
// was done is in a file that the message names and from which all goes on.
func TestStateCannotBeSaved(t *testing.T) {
	r := newRig(t)
	for name, fail := range map[string]func(x *trial, folder string) (mend func()){
		"folder gone": func(x *trial, folder string) func() {
			x.must(os.Rename(folder, folder+".gone"))
			return func() { x.must(os.Rename(folder+".gone", folder)) }
		},
		"disk full": func(x *trial, folder string) func() {
			filler := filepath.Join(folder, "filler")
			x.must(fill(filler))
			return func() { x.must(os.Remove(filler)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			folder := filepath.Join(x.folder, "state")
			x.must(os.Mkdir(folder, 0o700))
			if name == "disk full" {
				smallDisk(t, folder)
			}
			_, after := faulttest.CrashStack()
			x.write(after)
			// The creations drag on until the next group of results is written.
			x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 5, Ever: true, When: faulttest.After, Do: faulttest.Delay, Delay: 1500 * time.Millisecond})
			path := filepath.Join(folder, "kplan.state.json")
			process := x.start(nil, "apply", "-auto-approve", "-state="+path)
			x.waitForCalls("create", 6)
			mend := fail(x, folder)
			run := x.end(process)
			if run.Code != 1 || run.Elapsed > 30*time.Second {
				t.Errorf("it should stop and fail: %v", run)
			}
			errored := filepath.Join(x.folder, state.ErroredFile)
			if !strings.Contains(run.Stderr, state.ErroredFile) {
				t.Errorf("the message does not name the file: %v", run)
			}
			mend()
			x.must(os.Rename(errored, filepath.Join(x.folder, "kplan.state.json")))
			x.checkOrderly()
			x.checkConverges("")
		})
	}
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
