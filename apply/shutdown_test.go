package apply

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// TestShutdownDiagnostic: a run that lost its lock was not interrupted by its user.
func TestShutdownDiagnostic(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	open := make(chan struct{})
	ended, end := context.WithCancel(t.Context())
	end()
	for want, in := range map[string]Input{
		"":                {Lost: func() <-chan struct{} { return open }},
		"Interrupted":     {Stop: ended},
		"State lock lost": {Stop: ended, Lost: func() <-chan struct{} { return closed }},
	} {
		s := newShutdown(in)
		if s.begun() != (want != "") {
			t.Errorf("%s: begun is %v", want, s.begun())
		}
		if got := s.diagnostic().Summary; want != "" && got != want {
			t.Errorf("it says %s, not %s", got, want)
		}
	}
}

// TestWaitsEnd: every wait of an apply ends at once when the shutdown begins, or
// when its context ends.
func TestWaitsEnd(t *testing.T) {
	creation := creationOf(t, state.Object{Addr: testAddr, Object: testObject})
	waits := map[string]func(ctx context.Context, s *shutdown) error{
		"before another try": func(ctx context.Context, s *shutdown) error {
			if s.sleep(ctx, time.Hour) {
				return nil
			}
			return errNotStarted
		},
		"for a slot to delete in": func(ctx context.Context, s *shutdown) error {
			d := &deleter{shutdown: s, slots: newSlots(1), journal: newJournal(state.New(), nil)}
			if err := d.slots.acquire(ctx); err != nil {
				return err
			}
			return d.deleteOne(ctx, deletion)
		},
		"for the state to be written": func(ctx context.Context, s *shutdown) error {
			ctx, cancel := s.waiting(ctx)
			defer cancel()
			j := newJournal(state.New(), nil)
			j.writing <- struct{}{} // somebody else writes
			j.failure, j.dirty = errors.New("no space left"), true
			return j.mayStart(ctx)
		},
		"for a new name to be written": func(ctx context.Context, s *shutdown) error {
			ctx, cancel := s.waiting(ctx)
			defer cancel()
			j := newJournal(state.New(), nil)
			j.writing <- struct{}{}
			return j.recordPending(ctx, creation)
		},
	}
	for name, wait := range waits {
		for how, ends := range map[string]func(s *shutdown, cancel context.CancelFunc){
			"interrupt": func(s *shutdown, _ context.CancelFunc) { s.cancel(nil) },
			"context":   func(_ *shutdown, cancel context.CancelFunc) { cancel() },
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					s := newShutdown(Input{})
					begun := time.Now()
					time.AfterFunc(time.Second, func() { ends(s, cancel) })
					err := wait(ctx, s)
					if !errors.Is(err, errNotStarted) && !errors.Is(err, context.Canceled) {
						t.Errorf("the wait ended with %v", err)
					}
					if took := time.Since(begun); took != time.Second {
						t.Errorf("the wait took %v", took)
					}
				})
			})
		}
	}
}

// TestSleep: what is tried again is tried after the pause.
func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if !newShutdown(Input{}).sleep(t.Context(), time.Second) || time.Since(begun) != time.Second {
			t.Errorf("slept for %v", time.Since(begun))
		}
	})
}

var (
	testAddr   = addrs.Resource{Type: "ConfigMap", Name: "a"}.Instance(addrs.Key{})
	testObject = addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "n", Name: "a"}
	deletion   = &plan.Change{Addr: testAddr, Object: testObject, Action: plan.Delete}
)
