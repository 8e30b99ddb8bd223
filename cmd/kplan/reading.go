package main

import (
	"context"
	"io"
	"os"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/diag"
)

// open opens a file that may be a pipe, as that of a shell's <(command). Nobody
// may ever write into that: the end of ctx ends the opening and the reading.
func open(ctx context.Context, path string) (io.ReadCloser, error) {
	file, err := unlessEnded(ctx, func() (*os.File, error) { return os.Open(path) })
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		return file, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{endingWith(ctx, file), file}, nil
}

// opener is open until ctx ends.
func opener(ctx context.Context) func(path string) (io.ReadCloser, error) {
	return func(path string) (io.ReadCloser, error) { return open(ctx, path) }
}

// endingWith reads from what may keep its reader waiting, until ctx ends.
func endingWith(ctx context.Context, from io.Reader) io.Reader { return &interruptible{ctx, from} }

type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	own := make([]byte, len(p)) // which a read that was given up may still fill
	n, err := unlessEnded(r.ctx, func() (int, error) { return r.from.Read(own) })
	copy(p, own[:n])
	return n, err
}

// unlessEnded is what f comes to. Where ctx ends before that f is left to itself:
// what waits for a pipe can't be called off.
func unlessEnded[T any](ctx context.Context, f func() (T, error)) (T, error) {
	var (
		value T
		err   error
		trap  graph.Trap
	)
	done := make(chan struct{})
	go func() {
		defer close(done)
		trap.Run(nil, func() { value, err = f() })
	}()
	select {
	case <-done:
		trap.Rethrow()
		return value, err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}

// failReading says why something could not be read, or that an interrupt came
// first. hint is a sentence with a space before it, or "".
func (s *session) failReading(ctx context.Context, what, path string, err error, hint string) {
	if ctx.Err() != nil {
		s.report(interruptedAt(path))
		return
	}
	s.fail("Can't read "+what, "%s: %v.%s", path, reason(err), hint)
}

// interruptedAt says that an interrupt came while a file was waited for.
func interruptedAt(path string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: diag.Interrupted,
		Detail: "Nothing was changed: kplan was interrupted while it waited for " + path + "."}}
}
