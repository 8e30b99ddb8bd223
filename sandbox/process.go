package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// ProcessID names a process so that no later one is taken for it: pids are used again, start times are not.
type ProcessID struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
}

// identify names a running process.
func identify(pid int) (ProcessID, error) {
	start, err := startTime(pid)
	return ProcessID{PID: pid, Start: start}, err
}

// startTime is when the process started, in the system's own words: /proc where there is one, else ps.
func startTime(pid int) (string, error) {
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		return statStartTime(string(text))
	} else if _, proc := os.Stat("/proc/self/stat"); proc == nil {
		return "", err
	}
	out, err := exec.Command("ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", fmt.Errorf("no process %d: %w", pid, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// statStartTime finds the start time, field 22, in a line of /proc/PID/stat. Field 2 is the program's name in
// brackets and may hold anything, blanks and brackets too.
func statStartTime(stat string) (string, error) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return "", fmt.Errorf("malformed process status %q", stat)
	}
	if fields[0] == "Z" {
		return "", errors.New("process has ended")
	}
	return fields[19], nil
}

// signal sends a signal to this very process, and reports whether it was there. The handle is taken before the
// start time is compared, so the pid can't change hands in between.
func (id ProcessID) signal(sig os.Signal) bool {
	if id.PID <= 0 {
		return false
	}
	p, err := os.FindProcess(id.PID)
	if err != nil {
		return false
	}
	defer p.Release()
	if now, err := startTime(id.PID); err != nil || now != id.Start {
		return false
	}
	return p.Signal(sig) == nil
}

// alive reports whether this very process still runs.
func (id ProcessID) alive() bool { return id.signal(syscall.Signal(0)) }

// end asks the process to stop, and kills it if it has not after a while.
func (id ProcessID) end(waitTimeout time.Duration) {
	id.signal(syscall.SIGTERM)
	for until := time.Now().Add(waitTimeout); id.alive(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			id.signal(syscall.SIGKILL)
		}
	}
}

// process is a part that was started.
type process struct {
	part part
	id   ProcessID
	log  string

	cmd     *exec.Cmd
	asked   atomic.Bool   // it was asked to end
	gone    chan struct{} // closed when it has ended; err is set before
	err     error
	started time.Time
}

// launch starts a part, in a process group of its own so that a Ctrl-C meant for us doesn't reach it.
func launch(p part, log string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(p.path, p.args...)
	// Collecting garbage is a fifth of the API server's work. Half of that is saved for some 200 MB; who sets
	// GOGC knows better.
	cmd.Env = append([]string{"GOGC=200"}, os.Environ()...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	proc := &process{part: p, log: log, cmd: cmd, gone: make(chan struct{}), started: time.Now()}
	proc.id, _ = identify(cmd.Process.Pid) // it may have ended already, then there is nothing to find later
	proc.id.PID = cmd.Process.Pid
	go func() {
		proc.err = cmd.Wait()
		close(proc.gone)
	}()
	return proc, nil
}

// stop asks the process to end and waits until it has; what lingers is killed.
func (p *process) stop(waitTimeout time.Duration) {
	p.asked.Store(true)
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.gone:
	case <-time.After(waitTimeout):
		p.cmd.Process.Kill()
		<-p.gone
	}
}

// kill ends the process at once, as a crash would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.gone
}

// running reports whether the process has not ended.
func (p *process) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// crashError reports that a part ended unexpectedly, and what it said last.
type crashError struct {
	Part string
	Log  string
	Err  error
	Tail string
}

func (e *crashError) Error() string {
	how := "exit status 0"
	if e.Err != nil {
		how = e.Err.Error()
	}
	return fmt.Sprintf("%s ended: %s; the last lines of %s:\n%s", e.Part, how, e.Log, e.Tail)
}

// portTaken reports whether the part ended because another program had taken its port.
func (e *crashError) portTaken() bool { return strings.Contains(e.Tail, "address already in use") }

// crash describes how the process ended; only to be called when it has.
func (p *process) crash() *crashError {
	return &crashError{Part: p.part.name, Log: p.log, Err: p.err, Tail: tail(p.log, 15)}
}

// tail is the last lines of a log.
func tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}
