package faulttest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Program is a built kplan.
type Program string

// Build builds kplan from the sources of this package's module.
func Build(directory string, tags ...string) (Program, error) {
	name := strings.Join(append([]string{"kplan"}, tags...), "-")
	path := filepath.Join(directory, name)
	build := exec.Command("go", "build", "-tags", strings.Join(tags, ","), "-o", path, "kplan.dev/kplan/cmd/kplan")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building kplan on %s: %w\n%s", runtime.GOOS, err, out)
	}
	return Program(path), nil
}

// Run is one run of kplan, to its end.
type Run struct {
	Args    []string
	Code    int            // -1 when a signal ended it
	Signal  syscall.Signal // that ended it
	Stdout  string
	Stderr  string
	Elapsed time.Duration
}

func (r Run) String() string {
	end := fmt.Sprintf("exit code %d", r.Code)
	if r.Code < 0 {
		end = "ended by " + r.Signal.String()
	}
	done := r.Stdout
	if at := strings.LastIndex(done, "\nPlan: "); at >= 0 && r.Args[0] == "apply" {
		done = done[at:] // the plan is long, and not what a failure is about
	}
	return fmt.Sprintf("kplan %s: %s after %s\n%s%s", strings.Join(r.Args, " "), end, r.Elapsed.Round(time.Millisecond), done, r.Stderr)
}

// Documented reports whether the run ended as docs/reliability.md documents: with one of
// kplan's exit codes and without a panic.
func (r Run) Documented() bool {
	if strings.Contains(r.Stderr+r.Stdout, "panic:") || strings.Contains(r.Stderr, "goroutine ") {
		return false
	}
	switch r.Code {
	case 0, 1, 129, 130, 143:
		return true
	case 2:
		return len(r.Args) > 0 && r.Args[0] == "plan"
	}
	return false
}

// Process is a run in progress.
type Process struct {
	*exec.Cmd
	args           []string
	stdout, stderr bytes.Buffer
	start          time.Time
}

// Start starts kplan in a directory, with variables added to a minimal environment.
func (p Program) Start(directory string, env []string, args ...string) (*Process, error) {
	process := &Process{Cmd: exec.Command(string(p), args...), args: args, start: time.Now()}
	process.Dir = directory
	process.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + directory, "NO_COLOR=1"}, env...)
	process.Stdout, process.Stderr = &process.stdout, &process.stderr
	return process, process.Cmd.Start()
}

// longestRun is when a run counts as hanging. Then its goroutines are in its Stderr.
const longestRun = 3 * time.Minute

// End waits until the run ends.
func (p *Process) End() (Run, error) {
	hangs := time.AfterFunc(longestRun, func() { p.Process.Signal(syscall.SIGQUIT) })
	defer hangs.Stop()
	err := p.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Run{}, err
	}
	r := Run{Args: p.args, Stdout: p.stdout.String(), Stderr: p.stderr.String(), Elapsed: time.Since(p.start)}
	r.Code = p.ProcessState.ExitCode()
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = status.Signal()
	}
	return r, nil
}
