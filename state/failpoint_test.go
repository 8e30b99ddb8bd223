//go:build kplan_fp && !windows

package state_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

// failpoints are those in the sources, so that none is left out.
func failpoints(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("*.go")
	must(t, err)
	call := regexp.MustCompile(`failpoint\("([a-z-]+)"\)`)
	var names []string
	for _, source := range sources {
		text, err := os.ReadFile(source)
		must(t, err)
		for _, match := range call.FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
	}
	slices.Sort(names)
	if len(names) < 10 {
		t.Fatalf("only the failpoints %v were found", names)
	}
	return slices.Compact(names)
}

// crashes runs a test at every failpoint, the first few times it is reached, for
// a new state and for one that is there.
func crashes(t *testing.T, how string, test func(t *testing.T, f directory, before int, failpoint string)) {
	for _, name := range failpoints(t) {
		for _, nth := range []string{"1", "2", "3"} {
			for _, before := range []int{0, 2} {
				failpoint := name + ":" + how + ":" + nth
				t.Run(failpoint, func(t *testing.T) {
					f := newDirectory(t)
					for i := range before {
						f.put(t, i)
					}
					test(t, f, before, "KPLAN_FAILPOINT="+failpoint)
				})
			}
		}
	}
}

func TestKilledAtFailpoint(t *testing.T) {
	reached := map[string]bool{}
	crashes(t, "kill", func(t *testing.T, f directory, before int, failpoint string) {
		cmd, out := f.start(t, "write", failpoint)
		if err := cmd.Wait(); err == nil {
			return // not reached that often
		}
		if status := cmd.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
			t.Fatalf("%v\n%s", cmd.ProcessState, out)
		}
		reached[strings.Split(failpoint, ":")[0]] = true
		f.checkAfterCrash(t, before, out.String())
	})
	if len(reached) != len(failpoints(t)) {
		t.Errorf("of %d failpoints %d were reached", len(failpoints(t)), len(reached))
	}
}

// TestKilledTwice kills the run that follows a killed one as well.
func TestKilledTwice(t *testing.T) {
	for _, first := range failpoints(t) {
		f := newDirectory(t)
		f.put(t, 0)
		cmd, out := f.start(t, "write", "KPLAN_FAILPOINT="+first+":kill")
		cmd.Wait()
		before, _ := stored(out.String())
		for _, second := range failpoints(t) {
			before = max(before, 1)
			if s, err := f.open().Read(t.Context()); err == nil {
				before = max(before, len(s.Objects))
			}
			cmd, out := f.start(t, "write", "KPLAN_FAILPOINT="+second+":kill")
			cmd.Wait()
			if n, _ := stored(out.String()); n > before {
				before = n
			}
			s, err := f.open().Read(t.Context())
			if err != nil || len(s.Objects) < before {
				t.Fatalf("%s, then %s: %v, %d objects acknowledged\n%s", first, second, err, before, out)
			}
		}
		f.put(t, 1000)
	}
}

// TestFailsAtFailpoint has each step fail as on a full disk: the write
// reports it, and the next one may succeed.
func TestFailsAtFailpoint(t *testing.T) {
	crashes(t, "fail", func(t *testing.T, f directory, before int, failpoint string) {
		cmd, out := f.start(t, "write", failpoint)
		err := cmd.Wait()
		point := strings.Split(strings.TrimPrefix(failpoint, "KPLAN_FAILPOINT="), ":")[0]
		outsideWrites := point == "locked" || point == "info-written" || point == "unlock"
		reached := strings.Contains(out.String(), "error")
		if err != nil && (!outsideWrites || !strings.Contains(out.String(), "no space left")) {
			t.Fatalf("%v\n%s", err, out)
		}
		if strings.HasSuffix(failpoint, ":1") && !reached && !(point == "backed-up" && before == 0) {
			t.Errorf("the failure was not reported:\n%s", out)
		}
		if n, _ := stored(out.String()); !outsideWrites && n != before+4 {
			t.Errorf("%d objects were stored, want %d\n%s", n, before+4, out)
		}
		f.checkAfterCrash(t, before, out.String())
	})
}

// TestStoppedAtFailpoint stops a run at each step, removes its lock by force-unlock, has
// another run write, and continues the first: it must not overwrite the other's state.
func TestStoppedAtFailpoint(t *testing.T) {
	crashes(t, "stop", func(t *testing.T, f directory, before int, failpoint string) {
		cmd, out := f.start(t, "write", failpoint)
		if !waitStopped(t, cmd) {
			return // not reached that often
		}
		if data, err := os.ReadFile(f.path() + ".lock"); err == nil {
			info, err := state.DecodeLockInfo(data)
			if err != nil { // it has not written who it is: there is no id to give
				must(t, os.Remove(f.path()+".lock"))
			} else {
				must(t, f.open().ForceUnlock(t.Context(), info.ID))
			}
		}
		f.run(t, func(lease state.Lease, s *state.State) {
			s.Put(storetest.Object(500))
			must(t, lease.Write(t.Context(), s))
			want, err := s.Encode()
			must(t, err)
			must(t, cmd.Process.Signal(syscall.SIGCONT))
			if _, err := cmd.Process.Wait(); err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(f.path())
			must(t, err)
			if string(got) != string(want) {
				t.Errorf("the run that lost its lock has written\n%s", out)
			}
			s.Put(storetest.Object(501))
			must(t, lease.Write(t.Context(), s)) // and the other one still can
		})
	})
}

// waitStopped waits until a process has stopped itself.
func waitStopped(t *testing.T, cmd *exec.Cmd) bool {
	t.Helper()
	var status syscall.WaitStatus
	for {
		pid, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		must(t, err)
		return pid == cmd.Process.Pid && status.Stopped()
	}
}
