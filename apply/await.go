package apply

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/plan"
)

// waits says whether kplan is to wait until the object is ready.
func (r *runner) waits(d *hclspec.Desired) bool {
	if d.Wait.Enabled != nil {
		return *d.Wait.Enabled && r.Wait.Enabled
	}
	return r.Wait.Enabled
}

// patience is how long to wait for a change of an object, also of one that is
// to go.
func (r *runner) waitTimeout(addr addrs.Instance) time.Duration {
	for _, resource := range r.Config.Resources {
		if resource.Addr == addr.Resource && resource.Wait.Timeout > 0 {
			return resource.Wait.Timeout
		}
	}
	return r.Wait.Timeout
}

// awaitAll waits, side by side, until everything that was applied is ready.
func (r *runner) awaitAll(ctx context.Context, visited []hclspec.Visited[*applied]) hcl.Diagnostics {
	var g graph.Graph[*applied]
	for _, v := range visited {
		if v.Err == nil && v.Result != nil && r.waits(v.Desired) && !r.awaited[v.Desired.Addr] {
			g.Add(v.Result)
		}
	}
	results := graph.Walk(ctx, &g, 0, func(ctx context.Context, c *applied, _ map[*applied]struct{}) (struct{}, error) {
		_, err := r.await(ctx, c)
		r.heed(err)
		return struct{}{}, err
	})
	var diags hcl.Diagnostics
	for _, c := range g.Nodes() {
		if results[c].Err != nil {
			r.unready = append(r.unready, c.Addr)
		}
		switch err := results[c].Err.(type) {
		case nil, notStarted:
		case hcl.Diagnostics:
			diags = append(diags, err...)
		default:
			diags = append(diags, diag.FromKube(err, c.Desired.RangeOf, c.Addr.String())...)
		}
	}
	return diags
}

// goneGrace is how long an object that was applied may be missing from the watch
// before it is taken to be deleted.
const goneGrace = 10 * time.Second

// await waits until the object is ready and returns it as it is then.
func (r *runner) await(ctx context.Context, c *applied) (*unstructured.Unstructured, error) {
	timeout := r.waitTimeout(c.Addr)
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	waiting := &waiting{r: r, c: c.Change, start: time.Now()}
	defer waiting.done()
	var (
		live  *unstructured.Unstructured
		state readiness
	)
	err := r.observer.until(deadline, c.Kind, c.Object, r.ending.Done(), func(v view) (bool, error) {
		var err error
		if live = v.live; live == nil && v.ended != nil && v.ended.GetUID() == c.live.GetUID() {
			live = v.ended
		}
		if live == nil {
			// A watch may lag behind what was just applied, but not for long.
			gone := time.Since(waiting.start) > goneGrace
			state = readiness{why: "it is not there; somebody deleted it", terminal: gone}
			return gone, nil
		}
		if isBefore(live, c.live) {
			return false, nil // the watch has not seen yet what was applied
		}
		if state, err = readinessOf(c.withoutOldDeadline(live, time.Since(waiting.start)), c.Desired); err != nil {
			return true, err
		}
		state = r.diagnose(live, state, time.Since(waiting.start))
		state.terminal = state.terminal && waiting.lasting(state.reason) >= state.grace
		waiting.observe(state)
		return state.ready || state.terminal, nil
	})
	switch {
	case err == nil && state.ready:
		return live, nil
	case err == nil:
		return nil, r.notReady(c.Change, state.why, "Waiting will not help."+r.evidence(live, state))
	case deadline.Err() == context.DeadlineExceeded && ctx.Err() == nil:
		return nil, r.notReady(c.Change, state.why, fmt.Sprintf("kplan waited for %s; a wait block or -wait-timeout sets another time.", timeout)+r.evidence(live, state))
	}
	return nil, err
}

// withoutOldDeadline is a Deployment without what its controller had said before
// it was changed: that its progress was too slow. It goes on saying that until
// there is progress, so it counts again once that could have come. Without this
// the way back from a rollout that failed would be taken to have failed, too.
func (c *applied) withoutOldDeadline(live *unstructured.Unstructured, waited time.Duration) *unstructured.Unstructured {
	const progressing, exceeded = "Progressing", "ProgressDeadlineExceeded"
	before, now := conditionOf(c.live, progressing), conditionOf(live, progressing)
	deadline := time.Duration(number(live, "spec", "progressDeadlineSeconds")) * time.Second
	if c.Action == plan.NoOp || live.GetKind() != "Deployment" || now["reason"] != exceeded || !reflect.DeepEqual(before, now) || waited > deadline {
		return live
	}
	live = live.DeepCopy()
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	conditions = slices.DeleteFunc(conditions, func(c any) bool { return reflect.DeepEqual(c, any(now)) })
	_ = unstructured.SetNestedSlice(live.Object, conditions, "status", "conditions")
	return live
}

// notReady tells what pods and controllers said, in their logs for example,
// without what this plan knows to be secret.
func (r *runner) notReady(c *plan.Change, why, more string) hcl.Diagnostics {
	what := "was applied and is not ready"
	if c.Action == plan.NoOp {
		what = "is as it was applied, and is not ready"
	}
	if why != "" {
		why = ": " + strings.TrimRight(why, ".")
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Object is not ready",
		Detail:   r.masker().Replace(fmt.Sprintf("%s (%s) %s%s. %s", c.Addr, c.Object, what, why, more)),
		Subject:  c.Range.Ptr(),
	}}
}

// isBefore says whether one view of an object is older than another, as the API
// server numbers its writes. An object of another uid is older, too: the one
// that was applied came after it.
func isBefore(a, b *unstructured.Unstructured) bool {
	if a.GetUID() != b.GetUID() {
		return true
	}
	x, errX := strconv.ParseUint(a.GetResourceVersion(), 10, 64)
	y, errY := strconv.ParseUint(b.GetResourceVersion(), 10, 64)
	return errX == nil && errY == nil && x < y
}

// waiting tells of an object that is not ready yet, from the first moment that
// it turns out not to be.
type waiting struct {
	r      *runner
	c      *plan.Change
	start  time.Time
	detail detail
	ready  bool
	why    string // as the cluster has it, with whatever secrets
	reason string // the API's word for what is wrong, and since when it is
	since  time.Time
	stop   func() // nil until it turned out not to be ready
}

// lasting is for how long the reason has been the same. It is kplan's own clock
// that counts: that of the cluster may be another.
func (w *waiting) lasting(reason string) time.Duration {
	if w.reason != reason || w.since.IsZero() {
		w.reason, w.since = reason, time.Now()
	}
	return time.Since(w.since)
}

func (w *waiting) event() Event {
	return Event{Addr: w.c.Addr, Object: w.c.Object, Action: w.c.Action}
}

func (w *waiting) observe(state readiness) {
	w.ready = state.ready
	if state.ready {
		return
	}
	if state.why != w.why || w.stop == nil {
		w.why = state.why
		w.r.events.note(w.event(), Waiting, w.start, &w.detail, w.r.masker().Replace(state.why))
	}
	if w.stop == nil {
		w.stop = w.r.events.repeat(w.event(), Waiting, w.start, &w.detail)
	}
}

func (w *waiting) done() {
	if w.stop == nil {
		return
	}
	w.stop()
	event := w.event()
	event.Phase, event.Elapsed = NotReady, time.Since(w.start)
	if w.ready {
		event.Phase = Ready
	}
	w.r.events.send(event)
}
