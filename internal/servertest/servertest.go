//go:build unix

// Package servertest starts servers for tests. Each ends with the process of the test, however that ends.
package servertest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a program that runs in a directory of its own, which is removed with it.
type Server struct {
	// Dir is the directory.
	Dir string
	// Command is the program with its arguments.
	Command []string
	// Ready reports whether it answers.
	Ready func() error
	// Credential is the user it runs as, nil for the one of the test.
	Credential *syscall.Credential

	guard   *exec.Cmd
	control io.WriteCloser
}

// Missing skips a test for want of a server, or fails it where all of them must run.
func Missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
		t.Fatal(err)
	}
	t.Skip(err)
}

// Shared starts one server for all tests of a process, when the first one asks for it.
func Shared[T any](start func() (T, error)) func(t testing.TB) T {
	once := sync.OnceValues(start)
	return func(t testing.TB) T {
		t.Helper()
		s, err := once()
		if err != nil {
			Missing(t, err)
		}
		return s
	}
}

// FreePort is a port on 127.0.0.1 that nobody listens on.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// guard starts a program and ends it by the signal that it reads, or when the test is gone, and then removes the directory, too.
const guard = `dir=$1; shift; "$@" & server=$!
if read -r signal; then kill -s "$signal" $server; wait $server
else kill -s KILL $server; wait $server; rm -rf "$dir"; fi`

// held are the servers that were started: one that is collected loses its guard's input, and ends.
var held sync.Map

// startTime is how long a server may take to answer.
const startTime = 60 * time.Second

// Start starts the program and waits until it answers.
func (s *Server) Start() error {
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	s.guard = exec.Command("sh", append([]string{"-c", guard, "sh", s.Dir}, s.Command...)...)
	s.guard.Dir, s.guard.Stdout, s.guard.Stderr = s.Dir, log, log
	s.guard.SysProcAttr = &syscall.SysProcAttr{Credential: s.Credential, Setpgid: true} // no terminal's interrupt is for it
	if s.control, err = s.guard.StdinPipe(); err != nil {
		return err
	}
	if err := s.guard.Start(); err != nil {
		return err
	}
	held.Store(s, true)
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		err := s.Ready()
		if err == nil {
			return nil
		}
		if time.Since(begun) > startTime {
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%s does not answer: %w\n%s", s.Command[0], errors.Join(err, s.Stop("KILL")), text)
		}
	}
}

// Stop sends the program a signal, such as KILL, and waits for its end.
func (s *Server) Stop(signal string) error {
	if _, err := fmt.Fprintln(s.control, signal); err != nil {
		return err
	}
	_ = s.guard.Wait() // it reports the signal
	return nil
}

// MakeDir makes a directory for servers that belongs to the user.
func MakeDir(of *syscall.Credential) (string, error) {
	dir, err := os.MkdirTemp("", "kplan-server-")
	if err == nil && of != nil {
		err = os.Chown(dir, int(of.Uid), int(of.Gid))
	}
	return dir, err
}
