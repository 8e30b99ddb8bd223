// Package remotetest is what implementations of remote.Place are tested with, besides the conformance suite of
// stores: answers that are lost, runs that are killed, places that show what is old, damaged or gone.
package remotetest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/internal/encryption"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// quick is a rhythm in which a lock is lost within seconds, also where much else is going on.
var quick = remote.Timing{
	Renew: 200 * time.Millisecond, Attempt: time.Second, Unsure: 2 * time.Second, Stale: 4 * time.Second, Patience: time.Second,
}

// Main runs the tests of a package, more of them at once than there are processors: most of them wait.
func Main(m *testing.M) {
	flag.Parse()
	if n, err := strconv.Atoi(flag.Lookup("test.parallel").Value.String()); err == nil && n < 6 {
		_ = flag.Set("test.parallel", "6")
	}
	os.Exit(m.Run())
}

// Pairs opens, for one name after another, two places that know of each other only through the server.
func Pairs(open func(t testing.TB, name string, client int) remote.Place) func(t *testing.T) (one, other remote.Place) {
	var n atomic.Int32
	return func(t *testing.T) (remote.Place, remote.Place) {
		name := fmt.Sprint("s", n.Add(1))
		return open(t, name, 0), open(t, name, 1)
	}
}

// Stores runs the conformance suite of stores on an implementation.
func Stores(t *testing.T, open func(t *testing.T) (one, other remote.Place)) {
	storetest.Run(t, func(t *testing.T) (state.Store, state.Store) {
		one, other := open(t)
		return remote.Open(one), remote.Open(other)
	})
}

// Run tests an implementation. open returns, for a new state, two clients that know of each other only through it.
func Run(t *testing.T, open func(t *testing.T) (one, other remote.Place)) {
	for name, test := range map[string]func(t *testing.T, one, other remote.Place){
		"swaps are atomic":           atomicSwaps,
		"answers are lost":           answersLost,
		"requests are lost":          requestsLost,
		"a swap that comes late":     lateSwap,
		"a part can't be stored":     partRefused,
		"a part can't be deleted":    deletionRefused,
		"killed at each call":        killedAtEachCall,
		"renewal is blocked":         renewalBlocked,
		"the holder was stopped":     holderStopped,
		"clocks differ":              clocksDiffer,
		"an abandoned lock":          abandoned,
		"the head is garbage":        garbage,
		"parts are damaged or gone":  damagedParts,
		"old content":                oldContent,
		"the head is gone":           headGone,
		"earlier versions are kept":  earlierKept,
		"many runs":                  manyRuns,
		"read while it is written":   readWhileWritten,
		"a user who may only read":   readOnly,
		"holders with hostile names": hostileHolder,
		"encrypted":                  encrypted,
		"a migration is killed":      migrationKilled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of them wait
			one, other := open(t)
			test(t, one, other)
		})
	}
}

// Linearizable runs the test of that name in storetest. Each client has a store of its own, as each run has.
func Linearizable(t *testing.T, open func(t *testing.T) (one, other remote.Place)) {
	one, other := open(t)
	storetest.Linearizable(t, func(client int) state.Store { return remote.Open([]remote.Place{one, other}[client%2]) })
}

// faulty is a place on which things go wrong.
type faulty struct {
	remote.Place
	mu     sync.Mutex
	calls  int
	before func(call int, name string) error // instead of the call
	after  func(call int, name string) error // instead of its answer
}

func (f *faulty) call(name string, do func() error) error {
	f.mu.Lock()
	f.calls++
	call, before, after := f.calls, f.before, f.after
	f.mu.Unlock()
	if before != nil {
		if err := before(call, name); err != nil {
			return err
		}
	}
	err := do()
	if after != nil {
		if lost := after(call, name); lost != nil {
			return lost
		}
	}
	return err
}

func (f *faulty) Head(ctx context.Context) (head []byte, version string, err error) {
	err = f.call("head", func() error {
		var err error
		head, version, err = f.Place.Head(ctx)
		return err
	})
	return head, version, err
}

func (f *faulty) Swap(ctx context.Context, head []byte, version string) (next string, err error) {
	err = f.call("swap", func() error {
		var err error
		next, err = f.Place.Swap(ctx, head, version)
		return err
	})
	return next, err
}

func (f *faulty) Put(ctx context.Context, name string, part []byte) error {
	return f.call("put", func() error { return f.Place.Put(ctx, name, part) })
}

func (f *faulty) Get(ctx context.Context, name string) (part []byte, err error) {
	err = f.call("get", func() error {
		var err error
		part, err = f.Place.Get(ctx, name)
		return err
	})
	return part, err
}

func (f *faulty) Delete(ctx context.Context, name string) error {
	return f.call("delete", func() error { return f.Place.Delete(ctx, name) })
}

func (f *faulty) set(before, after func(call int, name string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after, f.calls = before, after, 0
}

// only fails the calls of a name.
func only(name string, err error) func(int, string) error {
	return func(_ int, called string) error {
		if called == name {
			return err
		}
		return nil
	}
}

// once fails the first call of a name.
func once(name string, err error) func(int, string) error {
	var done sync.Once
	return func(_ int, called string) (failure error) {
		if called == name {
			done.Do(func() { failure = err })
		}
		return failure
	}
}

func store(p remote.Place) *remote.Store { return remote.Open(p).WithTiming(quick) }

// seed writes a state with n objects, and returns it.
func seed(t *testing.T, p remote.Place, n int) *state.State {
	t.Helper()
	lease := lock(t, store(p))
	s := state.New()
	s.Put(storetest.Objects(n)...)
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
	return s
}

func lock(t *testing.T, s *remote.Store) state.Lease {
	t.Helper()
	lease, err := s.Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	t.Cleanup(func() { lease.Unlock() })
	return lease
}

func read(t *testing.T, p remote.Place) *state.State {
	t.Helper()
	s, err := store(p).Read(t.Context())
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lost(t *testing.T, err error) {
	t.Helper()
	if !errors.As(err, new(*state.LostLockError)) {
		t.Errorf("%v, want a *state.LostLockError", err)
	}
}

// parts fails the test if there are parts that no version has. The head has the names of those that one has.
func noLeftovers(t *testing.T, p remote.Place) {
	t.Helper()
	head, _, err := p.Head(t.Context())
	must(t, err)
	names, err := p.List(t.Context())
	must(t, err)
	for _, name := range names {
		if !bytes.Contains(head, []byte(`"`+name+`"`)) {
			t.Errorf("the part %s is left over; the head is %s", name, head)
		}
	}
}

// atomicSwaps: of those that swap one version of the head, one does.
func atomicSwaps(t *testing.T, one, other remote.Place) {
	const clients, swaps = 16, 100
	var mu sync.Mutex
	winners := map[string]int{} // by the version they replaced
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			place := []remote.Place{one, other}[n%2]
			for i := range swaps {
				_, at, err := place.Head(t.Context())
				if err != nil && !errors.Is(err, state.ErrNotExist) {
					t.Error(err)
					return
				}
				_, err = place.Swap(t.Context(), fmt.Appendf(nil, `{"client": %d, "swap": %d}`, n, i), at)
				if err != nil && !errors.Is(err, remote.ErrChanged) {
					t.Error(err)
					return
				}
				if err == nil {
					mu.Lock()
					winners[at]++
					mu.Unlock()
				}
			}
		})
	}
	all.Wait()
	for at, n := range winners {
		if n != 1 {
			t.Errorf("%d swaps have replaced the version %q", n, at)
		}
	}
	t.Logf("%d swaps, of which %d were carried out", clients*swaps, len(winners))
}

func answersLost(t *testing.T, one, other remote.Place) {
	f := &faulty{Place: one}
	for _, name := range []string{"swap", "put"} {
		f.set(nil, once(name, remote.ErrUnanswered))
		lease := lock(t, store(f))
		s, err := lease.Read(t.Context())
		if errors.Is(err, state.ErrNotExist) {
			s, err = state.New(), nil
		}
		must(t, err)
		before := s.Serial
		f.set(nil, once(name, remote.ErrUnanswered))
		s.Put(storetest.Object(int(s.Serial)))
		if err := lease.Write(t.Context(), s); err != nil && name == "swap" {
			t.Fatalf("a write whose answer was lost: %v", err)
		} else if err != nil { // of a part the run asks no more
			must(t, lease.Write(t.Context(), s))
		}
		if s.Serial != before+1 {
			t.Errorf("%s: the serial went from %d to %d", name, before, s.Serial)
		}
		f.set(nil, once("swap", remote.ErrUnanswered))
		must(t, lease.Unlock())
		if got := read(t, other); !got.Equal(s) {
			t.Errorf("%s: another state is stored than was written", name)
		}
		f.set(nil, nil)
	}
	seedAgain(t, other)
	noLeftovers(t, other)
}

// seedAgain writes once more, as the next run does.
func seedAgain(t *testing.T, p remote.Place) {
	t.Helper()
	lease := lock(t, store(p))
	s, err := lease.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	must(t, err)
	s.Put(storetest.Object(1000 + int(s.Serial)))
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
}

func requestsLost(t *testing.T, one, other remote.Place) {
	f := &faulty{Place: one}
	f.set(once("swap", remote.ErrUnanswered), nil)
	lease := lock(t, store(f))
	s := state.New()
	s.Put(storetest.Object(1))
	f.set(once("swap", remote.ErrUnanswered), nil)
	must(t, lease.Write(t.Context(), s))
	if s.Serial != 1 || !read(t, other).Equal(s) {
		t.Errorf("the state was written as serial %d", s.Serial)
	}
}

// lateSwap: a swap that got no answer is carried out when the run has given up on it.
func lateSwap(t *testing.T, one, other remote.Place) {
	late := &lateSwaps{Place: one}
	lease := lock(t, store(late))
	s := state.New()
	s.Put(storetest.Object(1))
	late.hold(true)
	if err := lease.Write(t.Context(), s); err == nil {
		t.Fatal("a write succeeded that was not carried out")
	}
	late.hold(false)
	late.deliver(t.Context())
	s.Put(storetest.Object(2))
	for tries := 0; ; tries++ { // as the journal does
		err := lease.Write(t.Context(), s)
		if err == nil {
			break
		}
		if tries == 5 {
			t.Fatalf("after a swap that came late: %v", err)
		}
	}
	got := read(t, other)
	if !got.Equal(s) || len(got.Objects) != 2 {
		t.Errorf("%d objects are stored, as serial %d, and serial %d was written", len(got.Objects), got.Serial, s.Serial)
	}
	must(t, lease.Unlock())
	seedAgain(t, other)
	noLeftovers(t, other)
}

// lateSwaps keeps swaps to itself until they are delivered.
type lateSwaps struct {
	remote.Place
	mu    sync.Mutex
	holds bool
	late  []func(context.Context)
}

func (l *lateSwaps) hold(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.holds = on
}

func (l *lateSwaps) deliver(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, send := range l.late {
		send(ctx)
	}
	l.late = nil
}

func (l *lateSwaps) Swap(ctx context.Context, head []byte, version string) (string, error) {
	l.mu.Lock()
	if l.holds {
		l.late = append(l.late, func(ctx context.Context) { _, _ = l.Place.Swap(ctx, head, version) })
		l.mu.Unlock()
		return "", remote.ErrUnanswered
	}
	l.mu.Unlock()
	return l.Place.Swap(ctx, head, version)
}

func partRefused(t *testing.T, one, other remote.Place) {
	want := seed(t, one, 3)
	f := &faulty{Place: one}
	lease := lock(t, store(f))
	s, err := lease.Read(t.Context())
	must(t, err)
	s.Put(storetest.Object(9))
	f.set(only("put", errors.New("no space left")), nil)
	if err := lease.Write(t.Context(), s); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a write that can't be stored: %v", err)
	}
	if !read(t, other).Equal(want) {
		t.Error("the stored state is another one")
	}
	f.set(nil, nil)
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
	noLeftovers(t, other)
}

// deletionRefused: what a run could not delete, the next one does.
func deletionRefused(t *testing.T, one, other remote.Place) {
	f := &faulty{Place: one}
	f.set(only("delete", remote.ErrUnanswered), nil)
	lease := lock(t, store(f))
	s := state.New()
	for i := range 3 {
		s.Put(storetest.Object(i))
		must(t, lease.Write(t.Context(), s))
	}
	must(t, lease.Unlock())
	seedAgain(t, other)
	noLeftovers(t, other)
}

var errKilled = errors.New("killed")

// killedAtEachCall: whatever the last call of a run was, the next one finds a whole state, old or new, and leaves nothing over.
func killedAtEachCall(t *testing.T, one, other remote.Place) {
	was := seed(t, one, 5)
	for call, done := 1, false; !done; call++ {
		for _, carriedOut := range []bool{false, true} {
			s, finished := runUntil(t, one, call, carriedOut)
			done = finished && carriedOut
			got := read(t, other)
			if !got.Equal(was) && !got.Equal(s) {
				t.Fatalf("killed at call %d, carried out %v: neither the old nor the new state is stored", call, carriedOut)
			}
			lease := lockAfterKill(t, store(other))
			var err error
			was, err = lease.Read(t.Context())
			must(t, err)
			was.Put(storetest.Object(1000 + int(was.Serial))) // something new, or nothing is written
			must(t, lease.Write(t.Context(), was))
			must(t, lease.Unlock())
			if noLeftovers(t, other); t.Failed() {
				t.Fatalf("killed at call %d, carried out %v", call, carriedOut)
			}
		}
	}
}

// lockAfterKill breaks the lock that a killed run has left, and takes it.
func lockAfterKill(t *testing.T, s *remote.Store) state.Lease {
	t.Helper()
	lease, err := s.Lock(t.Context(), state.NewLockInfo("next", "test"))
	var locked *state.LockedError
	if !errors.As(err, &locked) {
		must(t, err)
		return lease
	}
	must(t, s.ForceUnlock(t.Context(), locked.Info.ID))
	return lock(t, s)
}

// runUntil is a run that is killed at a call. It returns the state that it was about to write.
func runUntil(t *testing.T, p remote.Place, kill int, carriedOut bool) (s *state.State, finished bool) {
	t.Helper()
	f := &faulty{Place: p}
	dead := func(call int, _ string) error {
		if call >= kill {
			return errKilled
		}
		return nil
	}
	if carriedOut {
		f.set(func(call int, _ string) error {
			if call > kill {
				return errKilled
			}
			return nil
		}, dead)
	} else {
		f.set(dead, nil)
	}
	never := quick
	never.Renew = time.Hour // or the calls would not be the same ones
	lease, err := remote.Open(f).WithTiming(never).Lock(t.Context(), state.NewLockInfo("killed", "test"))
	if err != nil {
		return nil, false
	}
	if s, err = lease.Read(t.Context()); err != nil {
		return nil, false
	}
	s.Put(storetest.Object(50 + kill))
	if err := lease.Write(t.Context(), s); err != nil {
		s.Serial++ // as which it may be stored
		return s, false
	}
	return s, lease.Unlock() == nil
}

// renewalBlocked: a holder that can't renew starts nothing new before another one takes over, and can't write after that.
func renewalBlocked(t *testing.T, one, other remote.Place) {
	seed(t, one, 2)
	f := &faulty{Place: one}
	lease := lock(t, store(f))
	s, err := lease.Read(t.Context())
	must(t, err)
	block := func(int, string) error { return remote.ErrUnanswered }
	f.set(block, nil)
	next, err := state.Acquire(t.Context(), store(other), state.NewLockInfo("next", "test"), time.Minute)
	must(t, err)
	select {
	case <-lease.Lost():
	default:
		t.Error("the lock was taken over before its holder knew")
	}
	f.set(nil, nil)
	s.Put(storetest.Object(7))
	lost(t, lease.Write(t.Context(), s))
	lost(t, lease.Unlock())
	must(t, next.Unlock())
	if got := read(t, other); len(got.Objects) != 2 {
		t.Errorf("a run without the lock wrote %d objects", len(got.Objects))
	}
}

// holderStopped: a process that was stopped asks for its lock before it goes on.
func holderStopped(t *testing.T, one, other remote.Place) {
	seed(t, one, 2)
	f := &faulty{Place: one}
	stopped := make(chan struct{})
	lease := lock(t, store(f))
	f.set(func(int, string) error { <-stopped; return nil }, nil) // nothing of it moves on
	next, err := state.Acquire(t.Context(), store(other), state.NewLockInfo("next", "test"), time.Minute)
	must(t, err)
	f.set(nil, nil)
	close(stopped)
	select {
	case <-lease.Lost():
	case <-time.After(20 * time.Second):
		t.Error("the holder went on")
	}
	must(t, next.Unlock())
}

// abandoned: a lock whose holder is gone is taken over without being asked to wait.
func abandoned(t *testing.T, one, other remote.Place) {
	dead := quick
	dead.Renew = time.Hour
	_, err := remote.Open(one).WithTiming(dead).Lock(t.Context(), state.NewLockInfo("dead", "test"))
	must(t, err)
	var locked *state.LockedError
	if _, err := store(other).Lock(t.Context(), state.NewLockInfo("next", "test")); !errors.As(err, &locked) || locked.Abandoned {
		t.Fatalf("a fresh lock: %v, want a *state.LockedError, and not that it is abandoned", err)
	}
	time.Sleep(2 * quick.Stale)
	lease, err := state.Acquire(t.Context(), store(other), state.NewLockInfo("next", "test"), 0)
	must(t, err)
	must(t, lease.Unlock())
}

func garbage(t *testing.T, one, other remote.Place) {
	seed(t, one, 2)
	for _, text := range []string{
		"", "garbage", "[]", "null", `{"kplan_state_head": 2}`, `{"kplan_state_head": 1, "current": 5}`, strings.Repeat("[", 10_000),
	} {
		_, at, err := one.Head(t.Context())
		must(t, err)
		if _, err = one.Swap(t.Context(), []byte(text), at); err != nil {
			continue // a place may refuse it
		}
		if _, err := store(other).Read(t.Context()); err == nil || errors.Is(err, state.ErrNotExist) {
			t.Errorf("with the head %.20q: %v", text, err)
		}
		if _, err := store(other).Lock(t.Context(), state.NewLockInfo("test", "test")); err == nil {
			t.Errorf("a place with the head %.20q was locked", text)
		}
	}
}

func damagedParts(t *testing.T, one, other remote.Place) {
	seed(t, one, 50)
	names, err := one.List(t.Context())
	must(t, err)
	for what, get := range map[string]func([]byte, error) ([]byte, error){
		"gone":       func([]byte, error) ([]byte, error) { return nil, state.ErrNotExist },
		"empty":      func([]byte, error) ([]byte, error) { return nil, nil },
		"cut":        func(part []byte, err error) ([]byte, error) { return part[:len(part)/2], err },
		"changed":    func(part []byte, err error) ([]byte, error) { return append([]byte{^part[0]}, part[1:]...), err },
		"a bit more": func(part []byte, err error) ([]byte, error) { return append(part, 'x'), err },
	} {
		broken := &brokenParts{Place: other, get: get}
		var damaged *state.DecodeError
		if _, err := store(broken).Read(t.Context()); !errors.As(err, &damaged) {
			t.Errorf("a part that is %s: %v, want a *state.DecodeError", what, err)
		}
		lease := lock(t, store(broken))
		if _, err := lease.Read(t.Context()); !errors.As(err, &damaged) {
			t.Errorf("a part that is %s, under the lock: %v, want a *state.DecodeError", what, err)
		}
		must(t, lease.Unlock())
	}
	if len(names) == 0 {
		t.Error("there are no parts")
	}
	// A state that can't be read can be replaced.
	lease := lock(t, store(&brokenParts{Place: other, get: func([]byte, error) ([]byte, error) { return nil, nil }}))
	s := state.New()
	must(t, lease.Replace(t.Context(), s))
	must(t, lease.Unlock())
	if got := read(t, one); !got.Equal(s) || s.Serial != 2 {
		t.Errorf("serial %d was stored", got.Serial)
	}
}

type brokenParts struct {
	remote.Place
	get func([]byte, error) ([]byte, error)
}

func (b *brokenParts) Get(ctx context.Context, name string) ([]byte, error) {
	return b.get(b.Place.Get(ctx, name))
}

// oldContent: a replica that is behind shows an old head. Nothing is written on top of it.
func oldContent(t *testing.T, one, other remote.Place) {
	seed(t, one, 1)
	head, at, err := one.Head(t.Context())
	must(t, err)
	seedAgain(t, one)
	want := read(t, one)
	old := &oldHead{Place: other, head: head, at: at}
	if lease, err := store(old).Lock(t.Context(), state.NewLockInfo("test", "test")); err == nil {
		lease.Unlock()
		t.Error("a lock was taken by a swap of an old head")
	}
	if !read(t, one).Equal(want) {
		t.Error("the stored state is another one")
	}
}

type oldHead struct {
	remote.Place
	head []byte
	at   string
}

func (o *oldHead) Head(context.Context) ([]byte, string, error) { return o.head, o.at, nil }

// headGone: who removes the head takes the lock away.
func headGone(t *testing.T, one, other remote.Place) {
	seed(t, one, 1)
	lease := lock(t, store(&goneHead{Place: one}))
	s := state.New()
	s.Put(storetest.Object(1))
	lost(t, lease.Replace(t.Context(), s))
}

type goneHead struct {
	remote.Place
	swaps int
}

func (g *goneHead) Swap(ctx context.Context, head []byte, version string) (string, error) {
	if g.swaps++; g.swaps > 1 {
		return "", remote.ErrChanged
	}
	return g.Place.Swap(ctx, head, version)
}

func (g *goneHead) Head(ctx context.Context) ([]byte, string, error) {
	if g.swaps > 1 {
		return nil, "", state.ErrNotExist
	}
	return g.Place.Head(ctx)
}

// earlierKept: the versions that runs have found are kept, up to a number, and their parts with them.
func earlierKept(t *testing.T, one, other remote.Place) {
	for range 13 {
		seedAgain(t, one)
	}
	noLeftovers(t, other)
	names, err := other.List(t.Context())
	must(t, err)
	if len(names) != 11 {
		t.Errorf("there are %d parts, and should be those of ten earlier versions and of the current one", len(names))
	}
}

// manyRuns: of runs that compete for the lock each adds its object, and none is lost.
func manyRuns(t *testing.T, one, other remote.Place) {
	seed(t, one, 0)
	const runs, rounds = 4, 3
	errs := make(chan error, runs)
	for r := range runs {
		go func() {
			errs <- func() error {
				s := store([]remote.Place{one, other}[r%2])
				for i := range rounds {
					lease, err := state.Acquire(context.Background(), s, state.NewLockInfo("run", "test"), time.Minute)
					if err != nil {
						return err
					}
					st, err := lease.Read(context.Background())
					if err != nil {
						return err
					}
					st.Put(storetest.Object(r*rounds + i))
					if err := lease.Write(context.Background(), st); err != nil {
						return err
					}
					if err := lease.Unlock(); err != nil {
						return err
					}
				}
				return nil
			}()
		}()
	}
	for range runs {
		must(t, <-errs)
	}
	if got := read(t, one); len(got.Objects) != runs*rounds || got.Serial != runs*rounds+1 {
		t.Errorf("%d objects, serial %d", len(got.Objects), got.Serial)
	}
}

// readWhileWritten: a reader never sees half a state, nor that there is none.
func readWhileWritten(t *testing.T, one, other remote.Place) {
	seed(t, one, 500)
	lease := lock(t, store(one))
	s, err := lease.Read(t.Context())
	must(t, err)
	ended := make(chan error)
	go func() {
		for i := range 10 {
			s.Put(storetest.Object(1000 + i))
			if err := lease.Write(context.Background(), s); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	for reads := 0; ; reads++ {
		select {
		case err := <-ended:
			must(t, err)
			t.Logf("%d reads", reads)
			return
		default:
		}
		if got := read(t, other); len(got.Objects) < 500 {
			t.Fatalf("%d objects were read", len(got.Objects))
		}
	}
}

// readOnly: who may only read plans without a lock, but not beside a run that has it.
func readOnly(t *testing.T, one, other remote.Place) {
	seed(t, one, 1)
	denied := &faulty{Place: other}
	denied.set(only("swap", fmt.Errorf("%w: forbidden", remote.ErrReadOnly)), nil)
	if _, err := store(denied).ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.Is(err, state.ErrNoLock) {
		t.Errorf("a reader's lock: %v, want ErrNoLock", err)
	}
	_, err := store(denied).Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err == nil || !strings.Contains(err.Error(), "forbidden") {
		t.Errorf("a writer's lock: %v", err)
	}
	lock(t, store(one))
	if _, err := store(denied).ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.As(err, new(*state.LockedError)) {
		t.Errorf("a reader's lock beside a run: %v, want a *state.LockedError", err)
	}
}

// encrypted: the place has nothing in the clear but whose state it is, and who has no key is told so.
func encrypted(t *testing.T, one, other remote.Place) {
	codec := func(passphrases ...string) state.Codec {
		keys, err := encryption.New(encryption.Options{Passphrases: passphrases})
		must(t, err)
		return state.Codec{Keys: keys}
	}
	mine := codec("old")
	lease := lock(t, store(one).With(mine))
	s := state.New()
	s.Put(storetest.Objects(20)...)
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
	if s.Serial != 1 {
		t.Errorf("a state with nothing new was written, as serial %d", s.Serial)
	}
	var locked *state.KeyError
	if _, err := store(other).Read(t.Context()); !errors.As(err, &locked) {
		t.Errorf("without a key: %v, want a *state.KeyError", err)
	}
	next := store(other).With(codec("new", "old"))
	lease = lock(t, next)
	got, err := lease.Read(t.Context())
	must(t, err)
	if !got.Equal(s) {
		t.Error("another state is stored than was written")
	}
	must(t, lease.Write(t.Context(), got))
	got.Put(storetest.Object(99))
	must(t, lease.Write(t.Context(), got))
	must(t, lease.Unlock())
	if got.Serial != 2 {
		t.Errorf("the serial is %d", got.Serial)
	}
	if _, err := store(one).With(mine).Read(t.Context()); !errors.As(err, &locked) {
		t.Errorf("with the old passphrase: %v, want a *state.KeyError", err)
	}
	earlier, err := next.ReadSerial(t.Context(), 1)
	must(t, err)
	if !earlier.Equal(s) {
		t.Error("another earlier version is stored than was written")
	}
}

func hostileHolder(t *testing.T, one, other remote.Place) {
	for _, who := range []string{"\x1b[2J\x1b]0;x\x07", strings.Repeat("x", 10_000), "a\nb\x00c", "\u202e", `"}],"lock":null`} {
		info := state.NewLockInfo("test", "test")
		info.Who, info.Info = who, who
		lease, err := store(one).Lock(t.Context(), info)
		must(t, err)
		var locked *state.LockedError
		_, err = store(other).Lock(t.Context(), state.NewLockInfo("test", "test"))
		if !errors.As(err, &locked) || locked.Info.Who != who {
			t.Errorf("a lock of %.20q: %v", who, err)
		}
		must(t, store(other).ForceUnlock(t.Context(), info.ID))
		lost(t, lease.Unlock())
	}
}
