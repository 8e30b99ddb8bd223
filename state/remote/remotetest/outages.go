package remotetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// Outages tests a place whose server goes away and comes back: before a run, in its middle, for so long that the lock is
// lost, and at its end.
func Outages(t *testing.T, open func(t *testing.T) (one, other remote.Place), stop, start func() error) {
	for _, test := range []struct {
		name string
		test func(t *testing.T, one, other remote.Place, stop, start func() error)
	}{
		{"before", goneBefore}, {"again and again", goneOften}, {"for long", goneForLong}, {"at the end", goneAtTheEnd},
	} {
		t.Run(test.name, func(t *testing.T) { // one after the other: they share the server
			one, other := open(t)
			test.test(t, one, other, stop, start)
		})
	}
}

func goneBefore(t *testing.T, one, other remote.Place, stop, start func() error) {
	want := seed(t, one, 3)
	must(t, stop())
	if _, err := store(one).Read(t.Context()); err == nil || errors.Is(err, state.ErrNotExist) {
		t.Errorf("reading: %v", err)
	}
	if _, err := store(other).Lock(t.Context(), state.NewLockInfo("test", "test")); err == nil || errors.As(err, new(*state.LockedError)) {
		t.Errorf("locking: %v", err)
	}
	must(t, start())
	if !read(t, one).Equal(want) {
		t.Error("another state is stored than before")
	}
	must(t, lock(t, store(other)).Unlock())
}

// goneOften: whatever a run writes meanwhile is stored or not, and whoever reads finds the one or the other.
func goneOften(t *testing.T, one, other remote.Place, stop, start func() error) {
	seed(t, one, 50)
	lease := lock(t, remote.Open(one)) // which waits longer
	s, err := lease.Read(t.Context())
	must(t, err)
	ended := make(chan error, 1)
	go func() {
		for range 4 {
			time.Sleep(300 * time.Millisecond)
			if err := errors.Join(stop(), start()); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	stored, failed, reads := s.Serial, 0, 0
	for over := false; !over; {
		select {
		case err := <-ended:
			must(t, err)
			over = true // and once more, with the server there
		default:
		}
		s.Put(storetest.Object(1000 + int(s.Serial)))
		if err := writeSoon(t.Context(), lease, s); err != nil {
			if failed++; over || errors.As(err, new(*state.LostLockError)) {
				t.Fatal(err)
			}
			continue
		}
		stored = s.Serial
		if got, err := remote.Open(other).Read(t.Context()); err == nil {
			if reads++; got.Serial < stored {
				t.Fatalf("serial %d was read after serial %d had been written", got.Serial, stored)
			}
		}
	}
	if got := read(t, other); !got.Equal(s) {
		t.Errorf("serial %d is stored, and %d was written", got.Serial, s.Serial)
	}
	must(t, lease.Unlock())
	seedAgain(t, other)
	noLeftovers(t, other)
	t.Logf("serial %d, %d writes failed, %d reads", stored, failed, reads)
}

func writeSoon(ctx context.Context, lease state.Lease, s *state.State) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return lease.Write(ctx, s)
}

func goneForLong(t *testing.T, one, other remote.Place, stop, start func() error) {
	want := seed(t, one, 3)
	lease := lock(t, store(one))
	s, err := lease.Read(t.Context())
	must(t, err)
	must(t, stop())
	select {
	case <-lease.Lost():
	case <-time.After(20 * time.Second):
		t.Error("a run whose server is gone goes on")
	}
	must(t, start())
	next, err := state.Acquire(t.Context(), store(other), state.NewLockInfo("next", "test"), time.Minute)
	must(t, err)
	s.Put(storetest.Object(7))
	lost(t, lease.Write(t.Context(), s))
	must(t, next.Unlock())
	if !read(t, other).Equal(want) {
		t.Error("another state is stored than before")
	}
}

func goneAtTheEnd(t *testing.T, one, other remote.Place, stop, start func() error) {
	seed(t, one, 3)
	lease := lock(t, store(one))
	s, err := lease.Read(t.Context())
	must(t, err)
	s.Put(storetest.Object(7))
	must(t, lease.Write(t.Context(), s))
	must(t, stop())
	if err := lease.Unlock(); err == nil {
		t.Error("a lock was released at a server that is gone")
	}
	must(t, start())
	next, err := state.Acquire(t.Context(), store(other), state.NewLockInfo("next", "test"), time.Minute)
	must(t, err)
	must(t, next.Unlock())
	if !read(t, other).Equal(s) {
		t.Error("another state is stored than was written")
	}
}
