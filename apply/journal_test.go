package apply

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds/kindstest"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

func creationOf(t testing.TB, o state.Object) *plan.Change {
	return &plan.Change{Addr: o.Addr, Object: o.Object, Action: plan.Create, Kind: kindstest.Lookup(t, o.Object.Kind),
		Desired: &hclspec.Desired{}}
}

// TestDeletionsAfterFullDisk: what was not started since the state could not be
// saved is missing also when it can be saved again, so nothing may be deleted.
func TestDeletionsAfterFullDisk(t *testing.T) {
	for name, halts := range map[string]bool{"something was left out": true, "nothing was": false} {
		t.Run(name, func(t *testing.T) {
			var full error
			ctx := context.Background()
			made := state.Object{
				Addr:   addrs.Resource{Type: "ConfigMap", Name: "a"}.Instance(addrs.Key{}),
				Object: addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "n", Name: "a"}, UID: "uid",
			}
			p := &plan.Plan{Changes: []*plan.Change{creationOf(t, made)}}
			save := func(context.Context, *state.State) error { return full }
			r := &runner{shutdown: newShutdown(Input{}), journal: newJournal(state.New(), save)}
			if err := r.journal.begin(ctx, p); err != nil {
				t.Fatal(err)
			}
			full = errors.New("no space left")
			r.journal.recordApplied(p.Changes[0], made)
			_ = r.journal.flush(ctx)
			if halts && r.journal.mayStart(ctx) == nil {
				t.Error("something starts that can't be recorded")
			}
			full = nil
			if err := r.journal.end(ctx); err != nil {
				t.Fatal(err)
			}
			if r.mayGoOn() == halts {
				t.Errorf("that deletions may follow is %v", !halts)
			}
		})
	}
}

// TestPanicBesideVisits: a bug in what goes on beside the visits lets nothing new
// start, comes to whoever waits, and what was done can still be saved.
func TestPanicBesideVisits(t *testing.T) {
	for name, stumble := range map[string]func(r *runner, made state.Object, panics *atomic.Bool){
		"writing": func(r *runner, made state.Object, panics *atomic.Bool) {
			panics.Store(true)
			r.journal.recordApplied(&plan.Change{Addr: made.Addr, Object: made.Object, Action: plan.Create}, made)
		},
		"telling": func(r *runner, made state.Object, panics *atomic.Bool) {
			r.journal.recordApplied(&plan.Change{Addr: made.Addr, Object: made.Object, Action: plan.Create}, made)
			panics.Store(true)
			r.waiter.events.repeatEvery(time.Millisecond, Event{}, Progress, time.Now(), &detail{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var panics atomic.Bool
			var saved *state.State
			stumbles := func() {
				if panics.Load() {
					panic("a bug")
				}
			}
			made := state.Object{
				Addr:   addrs.Resource{Type: "ConfigMap", Name: "a"}.Instance(addrs.Key{}),
				Object: addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "n", Name: "a"}, UID: "uid",
			}
			p := &plan.Plan{Changes: []*plan.Change{creationOf(t, made)}}
			r := newRunner(Input{
				Plan:     p,
				Save:     func(_ context.Context, s *state.State) error { stumbles(); saved = s; return nil },
				Progress: func(Event) { stumbles() },
			}, state.New())
			if err := r.journal.begin(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			stumble(r, made, &panics)
			select {
			case <-r.shutdown.ctx.Done():
			case <-time.After(10 * time.Second):
				t.Fatal("all goes on")
			}
			panics.Store(false)
			if err := r.journal.end(t.Context()); err != nil || len(saved.Objects) != 1 || len(saved.Pending) != 0 {
				t.Errorf("what was done is not saved: %v, %v", err, saved)
			}
			defer func() {
				if recover() == nil {
					t.Error("the bug comes to nobody")
				}
			}()
			r.background.trap.Rethrow()
		})
	}
}
