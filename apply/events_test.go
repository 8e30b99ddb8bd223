package apply

import (
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply/readiness"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/plan"
)

// TestTallyOfReady: each object counts once, whoever waits for it, and one of which only a value
// is waited for does not count among those that are to be ready.
func TestTallyOfReady(t *testing.T) {
	named := func(name string) addrs.Instance { return addrs.Resource{Type: "Pod", Name: name}.Instance(addrs.Key{}) }
	var seen []Event
	e := &events{background: &background{stop: func() {}}, report: func(event Event) { seen = append(seen, event) }}
	tally := func() Tally {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.tally
	}
	e.expect(3, []addrs.Instance{named("a"), named("b")})
	e.expectReady(named("a"))
	ready := func(name string) { e.send(Event{Addr: named(name), Phase: Ready}) }
	ready("a")
	ready("a") // by the wait for a value and by that for the object
	ready("unawaited")
	if got, want := tally(), (Tally{Changes: 3, Ready: 1, Awaited: 2}); got != want || len(seen) != 2 {
		t.Errorf("%+v in %d events, want %+v in 2", got, len(seen), want)
	}

	w := &waiter{events: e, masker: func() redact.Masker { return redact.New() }}
	wait := func(name string, goal goal) {
		c := &applied{Change: &plan.Change{Addr: named(name), Action: plan.NoOp, Desired: &hclspec.Desired{}}}
		waiting := &waiting{w: w, c: c, goal: goal, start: time.Now()}
		waiting.observe(readiness.State{Why: "not yet"})
		waiting.reached = true
		waiting.end()
	}
	wait("value", goal{values: []hclspec.Later{{Paths: []addrs.Path{addrs.NewPath("status", "podIP")}}}})
	if got, want := tally(), (Tally{Changes: 3, Ready: 1, Awaited: 2}); got != want {
		t.Errorf("after a wait for a value: %+v, want %+v", got, want)
	}
	wait("unchanged", goal{ready: true})
	if got, want := tally(), (Tally{Changes: 3, Ready: 1, Awaited: 3}); got != want {
		t.Errorf("while one more is awaited: %+v, want %+v", got, want)
	}
	ready("unchanged")
	ready("b")
	if got, want := tally(), (Tally{Changes: 3, Ready: 3, Awaited: 3}); got != want {
		t.Errorf("at the end: %+v, want %+v", got, want)
	}
}
