//go:build kplan_fp && !windows

package state

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// failpoint does at a step what KPLAN_FAILPOINT has for it: name:kill kills the process
// with SIGKILL, name:stop stops it until it is continued, name:fail lets the step fail
// as on a full disk, name:fails every time from then on. name:kill:3 does so the third
// time that the step is reached.
func failpoint(name string) error {
	wanted, how, _ := strings.Cut(os.Getenv("KPLAN_FAILPOINT"), ":")
	if wanted != name {
		return nil
	}
	how, nth, _ := strings.Cut(how, ":")
	n := 1
	if nth != "" {
		n, _ = strconv.Atoi(nth)
	}
	failpoints.Lock()
	defer failpoints.Unlock()
	failpoints.reached[name]++
	if reached := failpoints.reached[name]; reached < n || reached > n && how != "fails" {
		return nil
	}
	switch how {
	case "kill":
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			panic(err)
		}
		select {}
	case "stop":
		return syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	case "fail", "fails":
		return &os.PathError{Op: "failpoint", Path: name, Err: syscall.ENOSPC}
	}
	panic(fmt.Sprintf("KPLAN_FAILPOINT: %q is neither kill, stop, fail nor fails", how))
}

var failpoints = struct {
	sync.Mutex
	reached map[string]int
}{reached: map[string]int{}}
