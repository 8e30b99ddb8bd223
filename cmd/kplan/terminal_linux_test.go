package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// onTerminal runs a command on a terminal of its own and compares its exit code.
// What it sent to the terminal is in the file screen then. With a text other than
// "" an interrupt is typed once that is on the screen; with TEXT|KEYS, which may
// be repeated behind another |, those keys are. ^C, ^D and ^P (up) are control keys, a
// text that ends with ^I is completed, and any other ends with Enter.
//
//	terminal 80x24 130 'Still waiting' kplan apply
//	terminal 80x24 1 'var.a|5|Do you want|no' kplan apply
func onTerminal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: terminal COLUMNSxROWS CODE TEXT COMMAND...")
	}
	var columns, rows uint16
	if _, err := fmt.Sscanf(args[0], "%dx%d", &columns, &rows); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	us, them, err := openTerminal(columns, rows)
	ts.Check(err)
	defer us.Close()
	path := filepath.Join(filepath.SplitList(ts.Getenv("PATH"))[0], args[3])
	cmd := exec.Command(path, args[4:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), append(os.Environ(), scriptEnv(ts)...)
	cmd.Env = append(cmd.Env, "TERM="+ts.Getenv("TERM"), "CI="+ts.Getenv("CI"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = them, them, them
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	them.Close()
	var screen watched
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&screen, us) // ends with an error when nobody has the terminal open
	}()
	for text, keys := range typed(args[2]) {
		if !screen.await(text, 30*time.Second) {
			_ = cmd.Process.Kill()
			ts.Fatalf("%q was never shown:\n%s", text, &screen)
		}
		time.Sleep(100 * time.Millisecond) // the question is there before kplan reads
		_, err = us.Write(keys)
		ts.Check(err)
	}
	defer time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }).Stop()
	_ = cmd.Wait()
	<-read
	text := bytes.ReplaceAll([]byte(screen.String()), []byte("\r\n"), []byte("\n"))
	ts.Check(os.WriteFile(ts.MkAbs("screen"), text, 0o600))
	if code := fmt.Sprint(cmd.ProcessState.ExitCode()); code != args[1] {
		ts.Fatalf("exit code %s, not %s:\n%s", code, args[1], text)
	}
}

// typed are the texts to wait for and the keys to press then.
func typed(script string) iter.Seq2[string, []byte] {
	control := map[string][]byte{"^C": {3}, "^D": {4}, "^P": {16}}
	return func(yield func(string, []byte) bool) {
		words := strings.Split(script, "|")
		if len(words) == 1 && script != "" {
			words = append(words, "^C")
		}
		for i := 0; i+1 < len(words); i += 2 {
			keys, ok := control[words[i+1]]
			if word, completed := strings.CutSuffix(words[i+1], "^I"); completed {
				keys = []byte(word + "\t")
			} else if !ok {
				keys = []byte(words[i+1] + "\n")
			}
			if !yield(words[i], keys) {
				return
			}
		}
	}
}

// openTerminal makes a pseudo-terminal: our end of it and the program's.
func openTerminal(columns, rows uint16) (us, them *os.File, err error) {
	if us, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	fd := int(us.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	}
	if err == nil {
		them, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		us.Close()
	}
	return us, them, err
}

func init() { moreScriptCommands["terminal"] = onTerminal }
