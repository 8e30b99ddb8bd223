package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// signalled runs a command, sends it signals once it has printed a text, and
// compares its exit code. What it printed is in the files out and err then.
//
//	signalled INT 130 'Pod.a: Creation complete' kplan apply
//
// INT,INT sends a second one once the first is noticed. A text that begins with
// file: names a file to wait for instead, one that begins with reads: a named pipe
// that the command is to wait at, - for standard input, and one that begins with
// after: a time from when the command begins, which is later than its process, and
// behind a comma the time within which the command must end.
func signalled(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: signalled SIGNAL[,SIGNAL] CODE TEXT COMMAND...")
	}
	signals := map[string][]os.Signal{
		"INT":     {syscall.SIGINT},
		"TERM":    {syscall.SIGTERM},
		"HUP":     {syscall.SIGHUP},
		"KILL":    {syscall.SIGKILL},
		"INT,INT": {syscall.SIGINT, syscall.SIGINT},
	}[args[0]]
	path, err := exec.LookPath(args[3])
	if err != nil {
		path = filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], args[3])
	}
	var out, errOut watched
	cmd := exec.Command(path, args[4:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), scriptEnv(ts)...)
	cmd.Stdout, cmd.Stderr = &out, &errOut
	stdin, err := cmd.StdinPipe() // stays open: a question waits for its answer
	ts.Check(err)
	ready := out.await
	if file, is := strings.CutPrefix(args[2], "file:"); is {
		ready = func(string, time.Duration) bool { appears(ts, false, []string{file}); return true }
	}
	if args[2] == "reads:-" {
		ready = func(string, time.Duration) bool {
			_, err := stdin.Write(make([]byte, pipeHolds+1))
			return err == nil
		}
	} else if pipe, is := strings.CutPrefix(args[2], "reads:"); is {
		var writer *os.File // which is there to the end, and writes nothing
		ready = func(_ string, timeout time.Duration) bool {
			writer = openForReader(ts.MkAbs(pipe), timeout)
			return writer != nil
		}
		defer func() { writer.Close() }()
	}
	mostEnding := 5 * time.Second
	if text, is := strings.CutPrefix(args[2], "after:"); is {
		text, most, limited := strings.Cut(text, ",")
		wait, err := time.ParseDuration(text)
		ts.Check(err)
		if limited {
			mostEnding, err = time.ParseDuration(most)
			ts.Check(err)
			if os.Getenv("KPLAN_TORTURE") == "" { // beside other tests
				mostEnding *= 4
			}
		}
		log := filepath.Join(ts.Getenv("WORK"), fmt.Sprintf("log-%d", time.Now().UnixNano()))
		cmd.Env = append(cmd.Env, logEnv+"=debug", logFileEnv+"="+log)
		ready = func(string, time.Duration) bool {
			appears(ts, false, []string{log})
			time.Sleep(wait)
			return true
		}
	}
	ts.Check(cmd.Start())
	if !ready(args[2], 30*time.Second) {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		ts.Fatalf("%q was never printed:\n%s%s", args[2], &out, &errOut)
	}
	signalledAt := time.Now()
	for i, s := range signals {
		if i > 0 && !errOut.await("Interrupt received.", 5*time.Second) {
			ts.Fatalf("the first signal was not noticed")
		}
		ts.Check(cmd.Process.Signal(s))
	}
	_ = cmd.Wait()
	if took := time.Since(signalledAt); took > mostEnding {
		ts.Fatalf("it took %v to end:\n%s%s", took, &out, &errOut)
	}
	code := fmt.Sprint(cmd.ProcessState.ExitCode())
	if code == "-1" {
		code = "killed"
	}
	if code != args[1] {
		ts.Fatalf("exit code %s, not %s:\n%s%s", code, args[1], &out, &errOut)
	}
	ts.Check(os.WriteFile(ts.MkAbs("out"), []byte(out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), []byte(errOut.String()), 0o600))
}

// pipeHolds is what a pipe takes before somebody reads.
const pipeHolds = 64 << 10

// openForReader opens a named pipe for writing as soon as somebody reads it.
func openForReader(pipe string, timeout time.Duration) *os.File {
	for end := time.Now().Add(timeout); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if writer, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0); err == nil {
			return writer
		}
	}
	return nil
}

// scriptEnv is the part of a script's environment that kplan reads.
func scriptEnv(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "KUBECONFIG", "KPLAN_VAR_ns", "NO_COLOR"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// watched is the output of a command up to now.
type watched struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

func (w *watched) await(text string, waitTimeout time.Duration) bool {
	for end := time.Now().Add(waitTimeout); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if bytes.Contains([]byte(w.String()), []byte(text)) {
			return true
		}
	}
	return false
}

// TestSignalsToBlockedOutput: whoever reads the output may have stopped reading.
// Two signals end kplan all the same.
func TestSignalsToBlockedOutput(t *testing.T) {
	dir := t.TempDir()
	var config strings.Builder
	for i := range 4000 { // more than a pipe holds
		fmt.Fprintf(&config, `resource "ConfigMap" "of_a_long_name_%d" {
  metadata {
    name = "c%d"
    namespace = "n"
  }
}
`, i, i)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	stuck, output, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	cmd := exec.Command("kplan", "graph")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	output.Close()
	if _, err := stuck.Read(make([]byte, 1)); err != nil { // it has begun, and soon can't go on
		t.Fatal(err)
	}
	giveUp := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	defer giveUp.Stop()
	for range 2 {
		time.Sleep(300 * time.Millisecond)
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != int(exitTerminated) {
		t.Errorf("exit code %d, not %d: %v", code, exitTerminated, cmd.ProcessState)
	}
}
