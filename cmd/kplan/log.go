package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/state"
)

// The environment variables of the log.
const logEnv, logFileEnv = "KPLAN_LOG", "KPLAN_LOG_FILE"

// openLog opens the log that the environment asks for, on standard error or in a file that only its
// owner can read.
func (s *session) openLog(ctx context.Context) error {
	word := strings.TrimSpace(s.env(logEnv))
	if word == "" && s.env(logFileEnv) != "" { // who names a file wants a log
		word = log.Levels[0]
	}
	if word == "" || strings.EqualFold(word, log.Off) {
		return nil
	}
	level, ok := log.Level(word)
	if !ok {
		return &cli.UsageError{Summary: "Invalid " + logEnv,
			Detail: fmt.Sprintf("The environment variable %s is %q. It is %s, in upper or lower case.%s",
				logEnv, word, words.Or(log.Levels), words.Suggest(strings.ToLower(word), log.Levels))}
	}
	to := &logWriter{to: s.ui.Err}
	if path := s.env(logFileEnv); path != "" {
		file, err := files.Await(ctx, func() (*os.File, error) { return appendTo(path) }) // a pipe waits for its reader
		if ctx.Err() != nil {
			err = errors.New("kplan was interrupted while it waited for a reader")
		}
		if err != nil {
			return &cli.UsageError{Summary: "Can't write the log", Detail: fmt.Sprintf("The environment variable %s is %s: %v.",
				logFileEnv, path, files.Reason(err))}
		}
		to.to, to.file = file, file
	}
	s.logTo, s.log = to, log.New(to, level, &s.ui.Secrets)
	return nil
}

// appendTo opens a file to append to, which nobody else may read.
func appendTo(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		err = file.Chmod(0o600)
		if err != nil {
			file.Close()
			return nil, err
		}
	}
	return file, nil
}

// closeLog ends the log. It reports that not all of it could be written.
func (s *session) closeLog() hcl.Diagnostics {
	if s.logTo == nil || s.logTo.file == nil {
		return nil
	}
	_ = s.logTo.file.Close()
	if err := s.logTo.failed(); err != nil {
		return warning("The log is not complete", fmt.Sprintf("%s: %v. Everything else was done as shown.", s.env(logFileEnv), files.Reason(err)))
	}
	return nil
}

// logWriter is where the log goes. It remembers the first error.
type logWriter struct {
	to interface {
		Write([]byte) (int, error)
	}
	file *os.File // nil for standard error

	mu  sync.Mutex
	err error
}

func (w *logWriter) Write(line []byte) (int, error) {
	n, err := w.to.Write(line)
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.err == nil {
			w.err = err
		}
	}
	return n, err
}

func (w *logWriter) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

var phaseWords = map[apply.Phase]string{
	apply.Started: "started", apply.Progress: "in progress", apply.Done: "done", apply.Failed: "failed",
	apply.Waiting: "waiting", apply.Ready: "ready", apply.NotReady: "not ready",
}

// logStep logs a step of an apply, what is waited for, and what was seen of it.
func logStep(to *slog.Logger, e apply.Event) {
	if !log.Debugs(to) {
		return
	}
	attrs := []any{"address", e.Addr.String(), "action", string(e.Action), "phase", phaseWords[e.Phase]}
	if e.Elapsed > 0 {
		attrs = append(attrs, "elapsed", e.Elapsed)
	}
	if e.Detail != "" {
		attrs = append(attrs, "detail", e.Detail)
	}
	to.Debug("step", attrs...)
}

// logState logs which state was read.
func (s *session) logState(path string, st *state.State) {
	s.log.Debug("state", "path", path, "serial", st.Serial, "lineage", st.Lineage, "objects", len(st.Objects), "pending", len(st.Pending))
}

// sensitiveIn are the fields of the objects in a state that hold sensitive values; nil without a
// state.
func sensitiveIn(st *state.State) func(addrs.Object) addrs.PathSet {
	if st == nil {
		return nil
	}
	byIdentity := sync.OnceValue(func() map[addrs.Object]state.Object { return st.ByIdentity() })
	return func(o addrs.Object) addrs.PathSet { return addrs.NewPathSet(byIdentity()[o].Sensitive...) }
}
