package readiness

import (
	"context"
	"reflect"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/apply/informers"
)

// Check follows one object from the moment that it was applied until it is ready
// or has failed.
type Check struct {
	Diagnoser *Diagnoser
	Criteria  Criteria
	Applied   *unstructured.Unstructured // the object right after it was applied
	Changed   bool                       // applying changed it
	Start     time.Time
	// LastChange, when set, is when the run last changed something that may be what
	// the object needs; zero if it has not yet.
	LastChange func() time.Time

	clocks   clocks
	refusals refusals
}

// changed is when the run last changed something that may be what the object
// needs, the object itself among it.
func (c *Check) changed() time.Time {
	if c.LastChange == nil {
		return time.Time{}
	}
	return c.LastChange()
}

// isUntouched reports whether the run has changed neither the object nor anything
// that it may need: then all that is reported of it is true.
func (c *Check) isUntouched() bool { return !c.Changed && c.changed().IsZero() }

// deletionPeriod is how long an object that was applied may be missing from the
// watch before it counts as deleted.
const deletionPeriod = 10 * time.Second

// Next judges the object as it is now and returns its state, or the previous one
// while the watch is behind what was applied. It reports whether the object has
// been seen.
func (c *Check) Next(ctx context.Context, view informers.View, previous State) (state State, seen bool, err error) {
	live, waited := view.Live, time.Since(c.Start)
	if live == nil && view.Deleted != nil && view.Deleted.GetUID() == c.Applied.GetUID() {
		live = view.Deleted
	}
	if live == nil { // the watch may be behind, but not for long
		return State{Why: "it does not exist; somebody deleted it", Terminal: waited > deletionPeriod}, false, nil
	}
	if isOlder(live, c.Applied) {
		return previous, false, nil
	}
	if state, err = Of(c.withoutOldDeadline(live), c.Criteria); err != nil {
		return State{}, true, err
	}
	state.Live = live
	state = c.Diagnoser.diagnose(ctx, c, state)
	if lasting := c.clocks.lasting(state.Reason, c.changed()); state.Retried && lasting >= retryPeriod {
		state.Stuck = true
	}
	return state, true, nil
}

// withoutOldDeadline is a Deployment without the condition that its controller had
// written before this change, or before one that may be what it needs: that its
// progress deadline was exceeded. It stays until there is progress, so it counts
// again once the deadline has passed since. Without this a rollback from a failed
// rollout would count as failed, too.
func (c *Check) withoutOldDeadline(live *unstructured.Unstructured) *unstructured.Unstructured {
	const progressing, exceeded = "Progressing", "ProgressDeadlineExceeded"
	before, now := conditionOf(c.Applied, progressing), conditionOf(live, progressing)
	deadline := time.Duration(number(live, "spec", "progressDeadlineSeconds")) * time.Second
	waited := sinceBoth(c.Start, c.changed())
	if c.isUntouched() || live.GetKind() != "Deployment" || now["reason"] != exceeded || !reflect.DeepEqual(before, now) || waited > deadline {
		return live
	}
	live = live.DeepCopy()
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	conditions = slices.DeleteFunc(conditions, func(c any) bool { return reflect.DeepEqual(c, any(now)) })
	_ = unstructured.SetNestedSlice(live.Object, conditions, "status", "conditions")
	return live
}

// isOlder reports whether one view of an object is older than another, as the API
// server numbers its writes. An object of another uid is older, too: the one that
// was applied came after it.
func isOlder(a, b *unstructured.Unstructured) bool {
	if a.GetUID() != b.GetUID() {
		return true
	}
	x, errX := strconv.ParseUint(a.GetResourceVersion(), 10, 64)
	y, errY := strconv.ParseUint(b.GetResourceVersion(), 10, 64)
	return errX == nil && errY == nil && x < y
}
