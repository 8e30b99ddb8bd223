package remote

import (
	"context"
	"log/slog"
	"time"
)

// Logged is a place whose requests are logged: what was asked, how long it took, and what went wrong.
func Logged(place Place, to *slog.Logger) Place { return &logged{place, to} }

type logged struct {
	Place
	to *slog.Logger
}

func (l *logged) log(ctx context.Context, op, name string, bytes int, begun time.Time, err error) {
	l.to.DebugContext(ctx, "state request", "op", op, "place", l.String(), "part", name, "bytes", bytes,
		"took", time.Since(begun).Round(time.Microsecond), "error", err)
}

func (l *logged) Head(ctx context.Context) (head []byte, version string, err error) {
	begun := time.Now()
	head, version, err = l.Place.Head(ctx)
	l.log(ctx, "read head", "", len(head), begun, err)
	return head, version, err
}

func (l *logged) Swap(ctx context.Context, head []byte, version string) (string, error) {
	begun := time.Now()
	next, err := l.Place.Swap(ctx, head, version)
	l.log(ctx, "swap head", "", len(head), begun, err)
	return next, err
}

func (l *logged) Put(ctx context.Context, name string, part []byte) error {
	begun := time.Now()
	err := l.Place.Put(ctx, name, part)
	l.log(ctx, "write part", name, len(part), begun, err)
	return err
}

func (l *logged) Get(ctx context.Context, name string) ([]byte, error) {
	begun := time.Now()
	part, err := l.Place.Get(ctx, name)
	l.log(ctx, "read part", name, len(part), begun, err)
	return part, err
}

func (l *logged) List(ctx context.Context) ([]string, error) {
	begun := time.Now()
	names, err := l.Place.List(ctx)
	l.log(ctx, "list parts", "", 0, begun, err)
	return names, err
}

func (l *logged) Delete(ctx context.Context, name string) error {
	begun := time.Now()
	err := l.Place.Delete(ctx, name)
	l.log(ctx, "delete part", name, 0, begun, err)
	return err
}
