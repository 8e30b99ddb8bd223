package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

const (
	explainTime = 5 * time.Second // what finding out more may take
	logLines    = 10
	eventsShown = 3

	// refusalsAfter is how long a controller may take for its pods before it is
	// asked why it makes none.
	refusalsAfter = 3 * time.Second
)

// diagnose adds to what is known of an object that is not ready what keeps it:
// the trouble of its pods, or what a volume is not made from.
func (r *runner) diagnose(live *unstructured.Unstructured, state readiness, waited time.Duration) readiness {
	switch {
	case state.ready || live.GetDeletionTimestamp() != nil:
		return state
	case groupKindOf(live) == kinds.PersistentVolumeClaim:
		return r.diagnoseClaim(live, state)
	case !makesPods(live) || isBehind(live):
		return state
	}
	pods := r.podsOf(live)
	if t := failureAmong(live, pods); t != nil {
		state.failure, state.why = t, join(state.why, t.String())
		if !state.terminal {
			state.terminal, state.grace, state.reason = t.terminal, t.grace, t.reason
		}
	}
	if why := r.refusedPods(live, pods, waited); why != "" && !state.terminal {
		state.why, state.terminal, state.grace, state.reason = join(state.why, why), true, settlingGrace, "FailedCreate"
	}
	return state
}

// podsOf are the pods of an object as the cluster last told of them.
func (r *runner) podsOf(live *unstructured.Unstructured) []*unstructured.Unstructured {
	if live.GetKind() == "Pod" {
		return podsOf(live, nil)
	}
	stream, err := r.observer.pods(live.GetNamespace())
	if err != nil {
		return nil
	}
	return podsOf(live, stream.all())
}

// isBehind says whether the controller has not seen the last change: what its
// pods do says nothing of that one yet. Jobs don't change, and say no generation.
func isBehind(live *unstructured.Unstructured) bool {
	if live.GetKind() == "Pod" || live.GetKind() == "Job" {
		return false
	}
	observed, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	return !found || observed < live.GetGeneration()
}

// refusedPods is why a controller may not make its pods, such as a quota; ""
// where nothing is wrong. Those that write no condition write an event, which
// also tells of what has passed: it counts while there are fewer pods than asked
// for, and none has been made since.
func (r *runner) refusedPods(live *unstructured.Unstructured, pods []*unstructured.Unstructured, waited time.Duration) string {
	why := refusedByCondition(live)
	if why != "" || isPod(live) || waited < refusalsAfter || int64(len(pods)) >= podsWanted(live) {
		return why
	}
	stream, err := r.observer.refusals(live.GetNamespace())
	if err != nil {
		return ""
	}
	return refusedByEvent(live, pods, stream.all())
}

// podsWanted is how many pods a controller is to have at most.
func podsWanted(live *unstructured.Unstructured) int64 {
	switch live.GetKind() {
	case "DaemonSet":
		return max(1, number(live, "status", "desiredNumberScheduled"))
	case "Job":
		return number(live, "spec", "parallelism")
	}
	return number(live, "spec", "replicas")
}

// diagnoseClaim tells what a claim that is not bound waits for. One that waits
// for the first pod to use it is as ready as it can be.
func (r *runner) diagnoseClaim(live *unstructured.Unstructured, state readiness) readiness {
	name, _, _ := unstructured.NestedString(live.Object, "spec", "storageClassName")
	volume, _, _ := unstructured.NestedString(live.Object, "spec", "volumeName")
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	if name == "" || volume != "" || phase != "Pending" || state.terminal {
		return state
	}
	kind, err := r.Cluster.Lookup("StorageClass", "")
	if err != nil {
		return state
	}
	ctx, cancel := context.WithTimeout(r.ctx, explainTime)
	defer cancel()
	class, err := r.classes.get(name, func() (*unstructured.Unstructured, error) { return r.Cluster.Get(ctx, kind, "", name) })
	switch {
	case kube.ReasonOf(err) == kube.NotFound:
		state.why = join(state.why, fmt.Sprintf("there is no storage class %q", name))
		state.terminal, state.grace, state.reason = true, settlingGrace, "no storage class"
	case err == nil && class.Object["volumeBindingMode"] == "WaitForFirstConsumer":
		return readiness{ready: true}
	}
	return state
}

func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, strings.TrimRight(p, "."))
		}
	}
	return strings.Join(kept, "; ")
}

// evidence is what the cluster noted about a pod in trouble, its last events
// and the last lines of its log, or about the object itself where no pod is; each
// on lines of their own.
func (r *runner) evidence(live *unstructured.Unstructured, state readiness) string {
	if live == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.ctx, explainTime)
	defer cancel()
	var b strings.Builder
	t := state.failure
	if t == nil {
		if t = r.failureOnceKnown(ctx, live); t != nil {
			b.WriteString("\n  " + t.String())
		}
	}
	if t == nil {
		b.WriteString(r.eventLines(ctx, live.GetNamespace(), string(live.GetUID()), true, state.why))
		return b.String()
	}
	b.WriteString(r.eventLines(ctx, t.pod.Namespace, string(t.pod.UID), false, state.why))
	for line := range strings.Lines(r.logs(ctx, t)) {
		fmt.Fprintf(&b, "\n  log: %s", strings.TrimRight(line, "\n"))
	}
	return b.String()
}

// troubleOnceKnown is the trouble of the pods of an object about which all was
// clear before they had been looked at.
func (r *runner) failureOnceKnown(ctx context.Context, live *unstructured.Unstructured) *failure {
	if !makesPods(live) || live.GetKind() == "Pod" {
		return nil
	}
	stream, err := r.observer.pods(live.GetNamespace())
	if err != nil {
		return nil
	}
	stream.waitComplete(ctx)
	return failureAmong(live, podsOf(live, stream.all()))
}

// troubleAmong is the worst trouble of an object's pods. A StatefulSet replaces a
// pod of the revision before once it is ready, which one that crashes may be for
// a moment.
func failureAmong(live *unstructured.Unstructured, pods []*unstructured.Unstructured) *failure {
	t := worstFailure(troublesome(live, pods))
	if t != nil && isOfBefore(t.pod, live) {
		t.grace = max(t.grace, replacingGrace)
		t.message = join(t.message, "it is of the revision before, and a StatefulSet replaces it only once it is ready, or somebody deletes it")
	}
	return t
}

// eventLines are the last events of an object: those that warn, where there are
// any or no others are asked for, and none that was said before.
func (r *runner) eventLines(ctx context.Context, namespace, uid string, warningsOnly bool, said string) string {
	events, err := r.Cluster.Events(ctx, namespace, uid)
	if err != nil {
		return ""
	}
	events = slices.DeleteFunc(events, func(e corev1.Event) bool { return strings.Contains(said, strings.TrimRight(e.Message, ".")) })
	var warnings []corev1.Event
	for _, e := range events {
		if e.Type == corev1.EventTypeWarning {
			warnings = append(warnings, e)
		}
	}
	if len(warnings) > 0 || warningsOnly {
		events = warnings
	}
	var b strings.Builder
	for _, e := range events[max(0, len(events)-eventsShown):] {
		fmt.Fprintf(&b, "\n  event: %s: %s", e.Reason, e.Message)
	}
	return b.String()
}

// logs are the last lines that the container in trouble wrote: before it crashed,
// or until now.
func (r *runner) logs(ctx context.Context, t *failure) string {
	if t.crashed {
		log, err := r.Cluster.Logs(ctx, t.pod.Namespace, t.pod.Name, t.container, logLines, true)
		if err == nil && log != "" {
			return log
		}
	}
	if t.crashed || t.runs {
		log, _ := r.Cluster.Logs(ctx, t.pod.Namespace, t.pod.Name, t.container, logLines, false)
		return log
	}
	return ""
}
