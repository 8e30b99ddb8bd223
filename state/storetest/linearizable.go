package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"kplan.dev/kplan/state"
)

// Linearizable has many clients apply to one state, each under the lock, while others read, and looks for an order of
// all that happened in which a state that one after the other locks would have behaved the same. With KPLAN_TORTURE=1
// there are ten times as many.
func Linearizable(t *testing.T, open func(client int) state.Store) {
	rounds := 10
	if os.Getenv("KPLAN_TORTURE") != "" {
		rounds = 100
	}
	begun := time.Now()
	history, err := ApplyAtOnce(t.Context(), open, 16, rounds)
	must(t, err)
	took := time.Since(begun)
	if outcome := porcupine.CheckOperationsTimeout(LockedRegister, history, 2*time.Minute); outcome != porcupine.Ok {
		t.Errorf("no order of %d operations explains what the clients saw: %s", len(history), outcome)
	}
	t.Logf("%d clients, %d applies each: %d operations in %v", 16, rounds, len(history), took.Round(time.Millisecond))
}

// The operations of clients.
const (
	opLock   = "lock"
	opRead   = "read" // under the lock or without it
	opWrite  = "write"
	opUnlock = "unlock"
)

type input struct {
	op     string
	client int
	value  int // that is written
}

// register is a state with its lock.
type register struct {
	holder int // 0 for none
	value  int
}

// LockedRegister is how a register behaves: only its holder writes, and who reads finds what was written last.
var LockedRegister = porcupine.Model{
	Init: func() any { return register{} },
	Step: func(before, in, out any) (bool, any) {
		r, call := before.(register), in.(input)
		switch call.op {
		case opLock:
			return r.holder == 0, register{call.client, r.value}
		case opUnlock:
			return r.holder == call.client, register{0, r.value}
		case opWrite:
			return r.holder == call.client, register{r.holder, call.value}
		}
		return r.value == out.(int), r
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v: %v", in, out) },
}

// recorder collects what clients do.
type recorder struct {
	mu      sync.Mutex
	history []porcupine.Operation
}

// did records an operation that began then. What failed has not happened.
func (r *recorder) did(in input, began time.Time, out int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{
		ClientId: in.client, Input: in, Output: out, Call: began.UnixNano(), Return: time.Now().UnixNano(),
	})
}

// ApplyAtOnce returns what clients did that apply, and of some that read meanwhile.
func ApplyAtOnce(ctx context.Context, open func(client int) state.Store, clients, rounds int) ([]porcupine.Operation, error) {
	var r recorder
	const watching = 2
	errs := make(chan error, clients+watching)
	ended := make(chan struct{})
	var writers, readers sync.WaitGroup
	for n := range clients {
		writers.Go(func() {
			store := open(n)
			for i := range rounds {
				if err := r.apply(ctx, store, n+1, n*rounds+i+1); err != nil {
					errs <- fmt.Errorf("client %d: %w", n+1, err)
					return
				}
			}
		})
	}
	for n := range watching {
		readers.Go(func() {
			if err := r.watch(ctx, open(n), clients+n+1, ended); err != nil {
				errs <- fmt.Errorf("reader %d: %w", n+1, err)
			}
		})
	}
	writers.Wait()
	close(ended)
	readers.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return r.history, errors.Join(all...)
}

// apply is what an apply does to the state.
func (r *recorder) apply(ctx context.Context, store state.Store, client, value int) error {
	lease, err := r.lock(ctx, store, client)
	if err != nil {
		return err
	}
	began := time.Now()
	s, err := lease.Read(ctx)
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	if err != nil {
		return errors.Join(err, lease.Unlock())
	}
	r.did(input{op: opRead, client: client}, began, valueIn(s))
	setValue(s, value)
	began = time.Now()
	if err := lease.Write(ctx, s); err != nil {
		return errors.Join(err, lease.Unlock())
	}
	r.did(input{opWrite, client, value}, began, 0)
	began = time.Now()
	if err := lease.Unlock(); err != nil {
		return err
	}
	r.did(input{op: opUnlock, client: client}, began, 0)
	return nil
}

// lock tries until it has the lock. It does not wait as long between two tries as runs do, so that more of them compete.
func (r *recorder) lock(ctx context.Context, store state.Store, client int) (state.Lease, error) {
	for {
		began := time.Now()
		lease, err := store.Lock(ctx, state.NewLockInfo("test", "test"))
		if !errors.As(err, new(*state.LockedError)) {
			if err == nil {
				r.did(input{op: opLock, client: client}, began, 0)
			}
			return lease, err
		}
		time.Sleep(time.Duration(20+rand.IntN(100)) * time.Millisecond)
	}
}

// watch reads until the others have ended.
func (r *recorder) watch(ctx context.Context, store state.Store, client int, ended <-chan struct{}) error {
	for {
		began := time.Now()
		s, err := store.Read(ctx)
		if errors.Is(err, state.ErrNotExist) {
			s, err = state.New(), nil
		}
		if err != nil {
			return err
		}
		r.did(input{op: opRead, client: client}, began, valueIn(s))
		select {
		case <-ended:
			return nil
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// The value is the number of the only object.
func setValue(s *state.State, value int) {
	s.Objects = nil
	s.Put(Object(value))
}

func valueIn(s *state.State) (value int) {
	if len(s.Objects) == 0 {
		return 0
	}
	fmt.Sscanf(s.Objects[0].Object.Name, "test-%d", &value)
	return value
}
