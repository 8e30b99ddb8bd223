package remotetest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
)

// clocksDiffer: a holder whose clock is an hour behind, or is set while it holds the lock, keeps it as long as it renews
// it; and whoever waits gets it soon after the last renewal, whatever time that names.
func clocksDiffer(t *testing.T, one, other remote.Place) {
	seed(t, other, 2)
	for _, off := range []time.Duration{-time.Hour, 0} {
		clock := &wrongClock{Place: one, off: off, moves: off == 0}
		lease := lock(t, store(clock))
		ctx, cancel := context.WithTimeout(t.Context(), 2*quick.Stale)
		_, err := state.Acquire(ctx, store(other), state.NewLockInfo("next", "test"), 2*quick.Stale)
		cancel()
		if !errors.As(err, new(*state.LockedError)) {
			t.Fatalf("the lock of a holder whose clock is off by %v: %v, want a *state.LockedError", off, err)
		}
		select {
		case <-lease.Lost():
			t.Errorf("a holder whose clock is off by %v has lost its lock", off)
		default:
		}
		s, err := lease.Read(t.Context())
		must(t, err)
		must(t, lease.Write(t.Context(), s))
		must(t, lease.Unlock())

		dead := quick
		dead.Renew = time.Hour
		_, err = remote.Open(clock).WithTiming(dead).Lock(t.Context(), state.NewLockInfo("dead", "test"))
		must(t, err)
		begun := time.Now()
		next, err := state.Acquire(t.Context(), store(other), state.NewLockInfo("next", "test"), time.Minute)
		must(t, err)
		if took := time.Since(begun); took < quick.Stale || took > 5*quick.Stale {
			t.Errorf("the lock of a dead holder whose clock was off by %v was taken after %v", off, took)
		}
		must(t, next.Unlock())
	}
}

// wrongClock is a place whose user has a wrong clock.
type wrongClock struct {
	remote.Place
	off   time.Duration
	moves bool // it is set again each time
}

func (w *wrongClock) Swap(ctx context.Context, head []byte, version string) (string, error) {
	var fields map[string]any
	if err := json.Unmarshal(head, &fields); err != nil {
		return "", err
	}
	if held, ok := fields["lock"].(map[string]any); ok {
		if w.moves {
			w.off = 24*time.Hour - w.off
		}
		held["renewed"] = time.Now().Add(w.off).UTC().Format(time.RFC3339Nano)
		head, _ = json.Marshal(fields)
	}
	return w.Place.Swap(ctx, head, version)
}
