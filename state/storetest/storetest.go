// Package storetest is the conformance suite for implementations of state.Store. Each
// runs it in its own tests.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
)

// Exception is a case that a store can't hold.
type Exception struct {
	Case string // by its name
	Why  string
}

// Run tests an implementation. open returns, for a new store, two clients that know of
// each other only through it.
func Run(t *testing.T, open func(t *testing.T) (one, other state.Store), except ...Exception) {
	for name, test := range map[string]func(t *testing.T, one, other state.Store){
		"nothing yet":             nothingYet,
		"write and read":          writeAndRead,
		"unchanged":               unchanged,
		"one lease at a time":     oneLease,
		"who holds the lock":      inspected,
		"waiting":                 waiting,
		"waiting ends":            waitingEnds,
		"a state read too early":  readTooEarly,
		"a state never read":      neverRead,
		"a lease follows another": leaseFollows,
		"force-unlock":            forceUnlock,
		"force-unlock another's":  forceUnlockOther,
		"force-unlock nothing":    forceUnlockNothing,
		"a lost lock is noticed":  lostIsNoticed,
		"no write after unlock":   writeAfterUnlock,
		"a canceled write":        canceledWrite,
		"replace":                 replace,
		"push":                    push,
		"a state that is refused": refused,
		"many objects":            manyObjects,
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range except {
				if e.Case == name {
					t.Skip(e.Why)
				}
			}
			t.Parallel() // most of them wait
			one, other := open(t)
			test(t, one, other)
		})
	}
}

func nothingYet(t *testing.T, one, other state.Store) {
	if _, err := one.Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("Read without a lease: %v, want ErrNotExist", err)
	}
	lease := lock(t, one)
	if _, err := lease.Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("Read: %v, want ErrNotExist", err)
	}
}

func writeAndRead(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	s := state.New()
	for i := range 3 {
		s.Put(Object(i))
		must(t, lease.Write(t.Context(), s))
		if want := uint64(i + 1); s.Serial != want {
			t.Fatalf("the serial is %d after %d writes", s.Serial, want)
		}
		same(t, s, read(t, other))
	}
	got, err := lease.Read(t.Context())
	must(t, err)
	same(t, s, got)
	unlock(t, lease)
	same(t, s, read(t, one))
}

func unchanged(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	s := state.New()
	s.Put(Object(1))
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Write(t.Context(), s))
	if s.Serial != 1 {
		t.Errorf("a state with nothing new was written, as serial %d", s.Serial)
	}
	unlock(t, lease)
	lease = lock(t, other)
	s, err := lease.Read(t.Context())
	must(t, err)
	must(t, lease.Write(t.Context(), s))
	if s.Serial != 1 {
		t.Errorf("a state that was read and is unchanged was written, as serial %d", s.Serial)
	}
}

func oneLease(t *testing.T, one, other state.Store) {
	info := state.NewLockInfo("apply", "v1.2.3")
	lease, err := one.Lock(t.Context(), info)
	must(t, err)
	_, err = other.Lock(t.Context(), state.NewLockInfo("plan", "v1.2.3"))
	var locked *state.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("the second Lock: %v, want a *LockedError", err)
	}
	if locked.Info.Path == "" {
		t.Errorf("the lock does not have the path of what it locks")
	}
	locked.Info.Path = ""
	if locked.Info != info {
		t.Errorf("the lock is reported to be held by\n%+v, not\n%+v", locked.Info, info)
	}
	unlock(t, lease)
	unlock(t, lock(t, other))
}

// inspected: to ask who holds the lock takes it from nobody.
func inspected(t *testing.T, one, other state.Store) {
	asked, ok := other.(state.Inspector)
	if !ok {
		t.Skip("this store can't be asked")
	}
	none := func() {
		t.Helper()
		locked, err := asked.Locked(t.Context())
		must(t, err)
		if locked != nil {
			t.Errorf("nobody holds the lock, and it is said to be held by %+v", locked.Info)
		}
	}
	none()
	lease := lock(t, one)
	for range 2 {
		locked, err := asked.Locked(t.Context())
		must(t, err)
		if locked == nil || locked.Info.ID == "" {
			t.Fatalf("the lock is held, and is said to be %+v", locked)
		}
	}
	must(t, lease.Write(t.Context(), state.New()))
	unlock(t, lease)
	none()
}

func waiting(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	time.AfterFunc(300*time.Millisecond, func() { lease.Unlock() })
	waited, err := state.Acquire(t.Context(), other, state.NewLockInfo("apply", "test"), 30*time.Second)
	must(t, err)
	unlock(t, waited)
}

func waitingEnds(t *testing.T, one, other state.Store) {
	lock(t, one)
	var locked *state.LockedError
	begin := time.Now()
	_, err := state.Acquire(t.Context(), other, state.NewLockInfo("apply", "test"), 200*time.Millisecond)
	if !errors.As(err, &locked) {
		t.Errorf("after the time to wait: %v, want a *LockedError", err)
	}
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("waiting ended after %v", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	_, err = state.Acquire(ctx, other, state.NewLockInfo("apply", "test"), time.Hour)
	if !errors.As(err, &locked) || !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v, want a *LockedError and context.Canceled", err)
	}
}

func readTooEarly(t *testing.T, one, other state.Store) {
	seed(t, one)
	early := read(t, one)
	lease := lock(t, other)
	s, err := lease.Read(t.Context())
	must(t, err)
	s.Put(Object(50))
	must(t, lease.Write(t.Context(), s))
	unlock(t, lease)

	lease = lock(t, one)
	_, err = lease.Read(t.Context())
	must(t, err)
	early.Put(Object(51))
	stale(t, lease.Write(t.Context(), early))
	same(t, s, read(t, one))
}

func neverRead(t *testing.T, one, other state.Store) {
	seed(t, one)
	want := read(t, one)
	lease := lock(t, one)
	stale(t, lease.Write(t.Context(), state.New()))
	another := state.New()
	_, err := lease.Read(t.Context())
	must(t, err)
	another.Serial = want.Serial
	stale(t, lease.Write(t.Context(), another))
	same(t, want, read(t, one))
}

func leaseFollows(t *testing.T, one, other state.Store) {
	for i := range 4 {
		store := []state.Store{one, other}[i%2]
		lease := lock(t, store)
		s, err := lease.Read(t.Context())
		if errors.Is(err, state.ErrNotExist) {
			s, err = state.New(), nil
		}
		must(t, err)
		s.Put(Object(i))
		must(t, lease.Write(t.Context(), s))
		unlock(t, lease)
	}
	if s := read(t, one); s.Serial != 4 || len(s.Objects) != 4 {
		t.Errorf("four runs left serial %d and %d objects", s.Serial, len(s.Objects))
	}
}

func forceUnlock(t *testing.T, one, other state.Store) {
	seed(t, one)
	old := lock(t, one)
	s, err := old.Read(t.Context())
	must(t, err)
	must(t, other.ForceUnlock(t.Context(), holder(t, other).ID))

	before := read(t, one)
	s.Put(Object(60))
	lost(t, old.Write(t.Context(), s))
	lost(t, old.Replace(t.Context(), s))
	same(t, before, read(t, one))

	next := lock(t, other)
	current, err := next.Read(t.Context())
	must(t, err)
	current.Put(Object(61))
	must(t, next.Write(t.Context(), current))
	lost(t, old.Write(t.Context(), s))
	lost(t, old.Unlock())
	holder(t, one) // the old lease's Unlock has left the new one's lock alone
	current.Put(Object(62))
	must(t, next.Write(t.Context(), current))
	unlock(t, next)
	same(t, current, read(t, one))
}

func forceUnlockOther(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	for _, id := range []string{"", "no such id"} {
		var wrong *state.LockIDError
		if err := other.ForceUnlock(t.Context(), id); !errors.As(err, &wrong) {
			t.Errorf("ForceUnlock(%q): %v, want a *LockIDError", id, err)
		}
	}
	must(t, lease.Write(t.Context(), state.New()))
	unlock(t, lease)
}

func forceUnlockNothing(t *testing.T, one, other state.Store) {
	if err := one.ForceUnlock(t.Context(), "id"); err == nil {
		t.Errorf("a lock was removed that nobody held")
	}
}

func lostIsNoticed(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	select {
	case <-lease.Lost():
		t.Fatal("a lock that is held is reported as lost")
	default:
	}
	must(t, other.ForceUnlock(t.Context(), holder(t, other).ID))
	select {
	case <-lease.Lost():
	case <-time.After(30 * time.Second):
		t.Error("a lost lock was not noticed within half a minute")
	}
}

func writeAfterUnlock(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	unlock(t, lease)
	lost(t, lease.Write(t.Context(), state.New()))
	unlock(t, lease) // twice is fine
	if _, err := one.Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("Read: %v, want ErrNotExist", err)
	}
}

func canceledWrite(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := lease.Write(ctx, state.New()); !errors.Is(err, context.Canceled) {
		t.Errorf("Write: %v, want context.Canceled", err)
	}
	must(t, lease.Write(t.Context(), state.New()))
}

func replace(t *testing.T, one, other state.Store) {
	seed(t, one)
	before := read(t, one)
	lease := lock(t, other)
	s := state.New()
	must(t, lease.Replace(t.Context(), s))
	if s.Serial <= before.Serial {
		t.Errorf("the serial went from %d to %d", before.Serial, s.Serial)
	}
	same(t, s, read(t, one))
	s.Put(Object(70))
	must(t, lease.Write(t.Context(), s)) // goes on from there
	same(t, s, read(t, one))

	ahead := s.Clone()
	ahead.Serial += 10
	want := ahead.Serial
	must(t, lease.Replace(t.Context(), ahead))
	if ahead.Serial != want {
		t.Errorf("a state with serial %d was stored as %d", want, ahead.Serial)
	}
}

func push(t *testing.T, one, other state.Store) {
	for _, test := range []struct {
		name    string
		change  func(s *state.State)
		refused bool
	}{
		{"same", func(s *state.State) {}, false},
		{"newer", func(s *state.State) { s.Serial++; s.Put(Object(80)) }, false},
		{"much newer", func(s *state.State) { s.Serial += 5 }, false},
		{"older", func(s *state.State) { s.Serial-- }, true},
		{"stray copy", func(s *state.State) { s.Put(Object(81)) }, true},
		{"another stack's", func(s *state.State) { *s = *state.New(); s.Serial = 1000 }, true},
	} {
		for _, force := range []bool{false, true} {
			what := fmt.Sprintf("%s, force %v", test.name, force)
			seed(t, one)
			before := read(t, one)
			given := before.Clone()
			test.change(given)
			lease := lock(t, one)
			err := state.Push(t.Context(), lease, given.Clone(), force)
			unlock(t, lease)
			after := read(t, other)
			if test.refused && !force {
				var refused *state.PushError
				if !errors.As(err, &refused) {
					t.Errorf("%s: %v, want a *PushError", what, err)
				}
				same(t, before, after)
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if after.Serial < before.Serial {
				t.Errorf("%s: the serial went from %d to %d", what, before.Serial, after.Serial)
			}
			given.Serial = after.Serial
			same(t, given, after)
		}
	}
}

func refused(t *testing.T, one, other state.Store) {
	seed(t, one)
	before := read(t, one)
	lease := lock(t, one)
	s, err := lease.Read(t.Context())
	must(t, err)
	o := Object(90)
	o.UID = ""
	s.Put(o)
	if err := lease.Write(t.Context(), s); err == nil {
		t.Errorf("an object without uid was written")
	}
	same(t, before, read(t, other))
	s.Remove(o.Object)
	s.Put(Object(91))
	must(t, lease.Write(t.Context(), s))
}

// manyObjects makes a state larger than what some stores keep in one piece.
func manyObjects(t *testing.T, one, other state.Store) {
	lease := lock(t, one)
	s := state.New()
	s.Put(Objects(10_000)...)
	must(t, lease.Write(t.Context(), s))
	same(t, s, read(t, other))
	s.Objects = s.Objects[:10]
	must(t, lease.Write(t.Context(), s))
	same(t, s, read(t, other))
}

// Objects are the first n of a row of different entries for tests.
func Objects(n int) []state.Object {
	objects := make([]state.Object, n)
	for i := range objects {
		objects[i] = Object(i)
	}
	return objects
}

// Object is the i-th of a row of different entries for tests.
func Object(i int) state.Object {
	r := addrs.Resource{Type: "ConfigMap", Name: "test"}
	return state.Object{
		Addr:         r.Instance(addrs.IntKey(i)),
		Object:       addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "acme", Name: fmt.Sprintf("test-%d", i)},
		UID:          fmt.Sprintf("00000000-0000-4000-8000-%012d", i),
		Dependencies: []addrs.Instance{{Resource: addrs.Resource{Type: "Namespace", Name: "acme"}}},
	}
}

// seed writes something new into a store.
func seed(t *testing.T, store state.Store) {
	t.Helper()
	lease := lock(t, store)
	s, err := lease.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	must(t, err)
	s.Put(Object(int(s.Serial)))
	must(t, lease.Write(t.Context(), s))
	unlock(t, lease)
}

func lock(t *testing.T, store state.Store) state.Lease {
	t.Helper()
	lease, err := store.Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	t.Cleanup(func() { lease.Unlock() })
	return lease
}

func unlock(t *testing.T, lease state.Lease) {
	t.Helper()
	must(t, lease.Unlock())
}

func holder(t *testing.T, store state.Store) state.LockInfo {
	t.Helper()
	lease, err := store.Lock(t.Context(), state.NewLockInfo("test", "test"))
	if err == nil {
		lease.Unlock()
	}
	var locked *state.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("Lock: %v, want a *LockedError", err)
	}
	return locked.Info
}

func read(t *testing.T, store state.Store) *state.State {
	t.Helper()
	s, err := store.Read(t.Context())
	must(t, err)
	return s
}

func same(t *testing.T, want, got *state.State) {
	t.Helper()
	wantText, err := want.Encode()
	must(t, err)
	gotText, err := got.Encode()
	must(t, err)
	if string(wantText) != string(gotText) {
		t.Errorf("the states differ: want serial %d, %d objects, got serial %d, %d objects",
			want.Serial, len(want.Objects), got.Serial, len(got.Objects))
	}
}

func stale(t *testing.T, err error) {
	t.Helper()
	var stale *state.StaleError
	if !errors.As(err, &stale) {
		t.Errorf("got %v, want a *StaleError", err)
	}
}

func lost(t *testing.T, err error) {
	t.Helper()
	var lost *state.LostLockError
	if !errors.As(err, &lost) {
		t.Errorf("got %v, want a *LostLockError", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
