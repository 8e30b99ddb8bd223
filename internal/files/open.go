// Package files reads files that may be pipes, which an interrupt must not wait
// for, and replaces files as a whole.
package files

import (
	"context"
	"io"
	"os"

	"kplan.dev/kplan/graph"
)

// Open opens a file that may be a pipe, as that of a shell's <(command). Nobody
// may ever write into that: the end of ctx ends the opening and the reading.
func Open(ctx context.Context, path string) (io.ReadCloser, error) {
	file, err := Await(ctx, func() (*os.File, error) { return os.Open(path) })
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		return file, nil
	}
	return struct {
		io.Reader
		io.Closer
	}{Reader(ctx, file), file}, nil
}

// Opener is Open until ctx ends.
func Opener(ctx context.Context) func(path string) (io.ReadCloser, error) {
	return func(path string) (io.ReadCloser, error) { return Open(ctx, path) }
}

// Reader reads from what may keep its reader waiting, until ctx ends.
func Reader(ctx context.Context, from io.Reader) io.Reader { return &interruptible{ctx, from} }

type interruptible struct {
	ctx  context.Context
	from io.Reader
}

func (r *interruptible) Read(p []byte) (int, error) {
	own := make([]byte, len(p)) // which a read that was given up may still fill
	n, err := Await(r.ctx, func() (int, error) { return r.from.Read(own) })
	copy(p, own[:n])
	return n, err
}

// Await returns what f returns, or the cause of ctx's end if that comes first. f
// is then left to itself: what waits for a pipe can't be cancelled.
func Await[T any](ctx context.Context, f func() (T, error)) (T, error) {
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
