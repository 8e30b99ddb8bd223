package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/apply/informers"
	"kplan.dev/kplan/apply/readiness"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
)

// waiter waits until objects are ready.
type waiter struct {
	enabled   bool
	timeouts  timeouts
	informers *informers.Set
	diagnoser *readiness.Diagnoser
	events    *events
	shutdown  *shutdown
	activity  *activity
	masker    func() redact.Masker // of all secrets that the plan knows
}

// waits reports whether kplan is to wait until the object is ready.
func (w *waiter) waits(d *hclspec.Desired) bool {
	if d.Wait.Enabled != nil {
		return *d.Wait.Enabled && w.enabled
	}
	return w.enabled
}

// goal is what an object is waited for.
type goal struct {
	ready  bool
	values []hclspec.Later // that it has to have
}

// missing are the values that the object does not have.
func (g goal) missing(live *unstructured.Unstructured) []hclspec.Later {
	return slices.DeleteFunc(slices.Clone(g.values), func(l hclspec.Later) bool { return live != nil && l.IsIn(live.Object) })
}

func (g goal) isReached(state readiness.State) bool {
	return state.Live != nil && (state.Ready || !g.ready) && len(g.missing(state.Live)) == 0
}

// why is what keeps the goal from being reached.
func (g goal) why(state readiness.State) string {
	missing := g.missing(state.Live)
	if len(missing) == 0 || g.ready && !state.Ready {
		return state.Why
	}
	var parts []string
	for _, later := range missing {
		parts = append(parts, fieldsOf(later)+" is not set yet")
	}
	if !state.Ready && state.Why != "" {
		parts = append(parts, state.Why)
	}
	return strings.Join(parts, "; ")
}

func fieldsOf(later hclspec.Later) string {
	var names []string
	for _, path := range later.Paths {
		names = append(names, path.String())
	}
	return words.Or(names)
}

// await waits until the object has reached the goal, and notes in c what it is
// meanwhile.
func (w *waiter) await(ctx context.Context, c *applied, goal goal) error {
	ctx, cancel := w.shutdown.waiting(ctx)
	defer cancel()
	timeout := w.timeouts.of(c.Addr)
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	check := readiness.Check{
		Diagnoser: w.diagnoser, Criteria: criteriaOf(c.Desired), Applied: c.live, Changed: c.Action != plan.NoOp, Start: time.Now(),
		LastChange: func() time.Time { return w.activity.lastChange(c.Object) },
	}
	w.activity.wait(c.Addr, false)
	defer w.activity.leave(c.Addr)
	waiting := &waiting{w: w, c: c, goal: goal, start: check.Start}
	defer waiting.end()
	var state readiness.State
	err := w.informers.Until(deadline, c.Kind, c.Object, func(v informers.View) (done bool, err error) {
		var seen bool
		if state, seen, err = check.Next(deadline, v, state); err != nil {
			return true, err
		}
		if seen {
			c.observe(state)
			waiting.observe(state)
			w.activity.wait(c.Addr, state.Stuck)
		}
		return seen && goal.isReached(state) || state.Terminal || state.Stuck && !w.activity.getsOn(), nil
	})
	switch {
	case err == nil && goal.isReached(state):
		w.activity.change(c.Object)
		waiting.reached = true
		return nil
	case err == nil && state.Terminal:
		return w.notReady(c.Change, goal.why(state), w.diagnoser.Evidence(ctx, state), "This failure is terminal, so kplan stopped waiting.")
	case err == nil:
		evidence := w.diagnoser.Evidence(ctx, state)
		return w.notReady(c.Change, goal.why(state), evidence, "Kubernetes has retried for a minute or more without success, "+
			"so kplan stopped waiting.")
	case deadline.Err() == context.DeadlineExceeded && ctx.Err() == nil:
		evidence := w.diagnoser.Evidence(ctx, state)
		end := w.timeouts.explain(c.Addr)
		diags := w.notReady(c.Change, goal.why(state), evidence, end)
		if missing := goal.missing(state.Live); len(missing) > 0 && (state.Ready || !goal.ready) {
			diags = w.notSet(c.Change, missing[0], goal.why(state), evidence, end)
		}
		return diags
	}
	return err
}

// notSet reports a value that something refers to and that did not appear.
func (w *waiter) notSet(c *plan.Change, missing hclspec.Later, why, evidence, end string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Referenced value is not set",
		Detail: w.masker().Hide(fmt.Sprintf("%s (%s) was applied, and what refers to %s needs its value: %s.%s\n%s If the value may be missing, "+
			"give another one: try(…, \"\").", c.Addr, c.Object, fieldsOf(missing), strings.TrimRight(why, "."), evidence, end)),
		Subject: missing.Range.Ptr(),
	}}
}

// criteriaOf is what the configuration defines about when an object is ready.
func criteriaOf(d *hclspec.Desired) readiness.Criteria {
	c := readiness.Criteria{Rollout: d.Wait.Rollout, Configured: d.Fields}
	for _, condition := range d.Wait.Conditions {
		c.Conditions = append(c.Conditions, readiness.Condition(condition))
	}
	for _, field := range d.Wait.Fields {
		c.Fields = append(c.Fields, readiness.Field{Path: field.Path, Value: field.Value, Pattern: field.Pattern})
	}
	return c
}

// notReady reports what pods and controllers wrote, into their logs for example,
// without what this plan knows to be secret.
func (w *waiter) notReady(c *plan.Change, why, evidence, end string) hcl.Diagnostics {
	what := "was applied and is not ready"
	if c.Action == plan.NoOp {
		what = "is unchanged and not ready"
	}
	if why != "" {
		why = ": " + strings.TrimRight(why, ".")
	}
	if evidence == "" {
		end = " " + end
	} else {
		end = evidence + "\n" + end
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Object is not ready",
		Detail:   w.masker().Hide(fmt.Sprintf("%s (%s) %s%s.%s", c.Addr, c.Object, what, why, end)),
		Subject:  c.Range.Ptr(),
	}}
}

// waiting reports an object that is waited for: from the first time that it is
// found not to be ready or, where that is worth a line, when it is.
type waiting struct {
	w       *waiter
	c       *applied
	goal    goal
	start   time.Time
	detail  detail
	ready   bool
	reached bool
	why     string // as the cluster has it, with whatever secrets
	stop    func() // nil until it is found not to be ready
}

func (w *waiting) event() Event {
	return Event{Addr: w.c.Addr, Object: w.c.Object, Action: w.c.Action}
}

func (w *waiting) observe(state readiness.State) {
	if w.ready = state.Ready; w.goal.isReached(state) {
		return
	}
	state.Why = w.goal.why(state)
	if w.goal.ready {
		w.w.events.expectReady(w.c.Addr)
	}
	if state.Why != w.why || w.stop == nil {
		w.why = state.Why
		w.w.events.note(w.event(), Waiting, w.start, &w.detail, w.w.masker().Hide(state.Why))
	}
	if w.stop == nil {
		w.stop = w.w.events.repeat(w.event(), Waiting, w.start, &w.detail)
	}
}

func (w *waiting) end() {
	if w.stop != nil {
		w.stop()
	} else if !w.ready || !becomesReady(w.c.Change) {
		return
	}
	if w.reached && !w.ready {
		return // it is still waited for, or nobody waits until it is ready
	}
	event := w.event()
	event.Phase, event.Elapsed = NotReady, time.Since(w.start)
	if w.reached {
		event.Phase = Ready
	}
	w.w.events.send(event)
}

// becomesReady reports whether it is news that the object is ready: it was changed,
// and is more than a manifest in a database.
func becomesReady(c *plan.Change) bool {
	own := len(c.Desired.Wait.Conditions)+len(c.Desired.Wait.Fields) > 0
	return c.Action != plan.NoOp && (own || readiness.IsJudged(c.Kind))
}
