package readiness

import (
	"fmt"
	"reflect"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// clocks measure how long failures last, by kplan's own clock: that of the cluster
// may be another. What the run changed after a failure was first met may cure it,
// so a clock starts no earlier than the last change.
type clocks struct {
	pods   map[string]time.Time // by what fails, also while it is tried again
	reason string               // of the last state, and since when it has been the same
	since  time.Time
}

// lasting is for how long the reason has been the same.
func (c *clocks) lasting(reason string, changed time.Time) time.Duration {
	if c.reason != reason || c.since.IsZero() {
		c.reason, c.since = reason, time.Now()
	}
	return sinceBoth(c.since, changed)
}

// failing is for how long a pod has failed in this way. That it runs for a moment
// in between is part of it.
func (c *clocks) failing(f *PodFailure, changed time.Time) time.Duration {
	key := fmt.Sprintf("%s/%s/%d/%d", f.pod.UID, f.container, f.retry, f.run)
	if c.pods == nil {
		c.pods = map[string]time.Time{}
	}
	first, known := c.pods[key]
	if !known {
		first = time.Now()
		c.pods[key] = first
	}
	return sinceBoth(first, changed)
}

func sinceBoth(a, b time.Time) time.Duration {
	if b.After(a) {
		a = b
	}
	return time.Since(a)
}

// worst is the most telling failure, among equals the one that lasts longest, and
// how long that is; nil when there is none.
func (c *clocks) worst(failures []*PodFailure, changed time.Time) (worst *PodFailure, lasting time.Duration) {
	for _, f := range failures {
		failing := c.failing(f, changed)
		if worst == nil || f.severity() > worst.severity() || f.severity() == worst.severity() && failing > lasting {
			worst, lasting = f, failing
		}
	}
	return worst, lasting
}

// refusals tell a refusal to create pods that a controller met just now from one
// that it met before the run last changed something. It tries again ever more
// rarely, after a quarter of an hour in the end, and reports the old refusal until
// then.
type refusals struct {
	looked    bool
	changed   time.Time            // the last change then
	known     map[types.UID]string // the events that there were, with their versions
	condition map[string]any       // that there was
	again     bool                 // it was refused again since
}

// since reports whether the controller was refused after that change, given its
// condition and its events as they are now. before is the condition that it had
// when the wait began.
func (r *refusals) since(changed time.Time, before, condition map[string]any, events []*unstructured.Unstructured) bool {
	switch {
	case !r.looked:
		*r = refusals{looked: true, changed: changed, known: versionsOf(events), condition: before}
	case changed.After(r.changed):
		*r = refusals{looked: true, changed: changed, known: versionsOf(events), condition: condition}
	}
	for _, event := range events {
		r.again = r.again || r.known[event.GetUID()] != event.GetResourceVersion()
	}
	r.again = r.again || condition != nil && !reflect.DeepEqual(condition, r.condition)
	return r.again
}

func versionsOf(events []*unstructured.Unstructured) map[types.UID]string {
	versions := make(map[types.UID]string, len(events))
	for _, event := range events {
		versions[event.GetUID()] = event.GetResourceVersion()
	}
	return versions
}
