package apply

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	explainTime = 5 * time.Second // what finding out more may take
	logLines    = 10
	eventsShown = 3
)

// diagnose adds to what is known of an object that is not ready what is wrong
// with its pods.
func (r *runner) diagnose(live *unstructured.Unstructured, state readiness) readiness {
	if state.ready || state.hopeless || !makesPods(live) || isBehind(live) {
		return state
	}
	if why := refusedPods(live); why != "" {
		state.why, state.hopeless = join(state.why, why), true
		return state
	}
	var pods []*unstructured.Unstructured
	if live.GetKind() != "Pod" {
		stream, err := r.observer.pods(live.GetNamespace())
		if err != nil {
			return state // nothing more to be told
		}
		pods = stream.all()
	}
	if t := worstTrouble(latest(podsOf(live, pods))); t != nil {
		state.why, state.hopeless, state.trouble = join(state.why, t.String()), t.hopeless, t
	}
	return state
}

// isBehind says whether the controller has not seen the last change: what its
// pods do says nothing of that one yet.
func isBehind(live *unstructured.Unstructured) bool {
	observed, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	return live.GetKind() != "Pod" && (!found || observed < live.GetGeneration())
}

func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, "; ")
}

// evidence is what the cluster noted about a pod in trouble: its last events
// and the last lines of its log, each on lines of their own.
func (r *runner) evidence(t *trouble) string {
	if t == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(r.ctx, explainTime)
	defer cancel()
	var b strings.Builder
	if events, err := r.Cluster.Events(ctx, t.pod.Namespace, string(t.pod.UID)); err == nil {
		for _, e := range events[max(0, len(events)-eventsShown):] {
			fmt.Fprintf(&b, "\n  event: %s: %s", e.Reason, e.Message)
		}
	}
	if t.crashed {
		log, err := r.Cluster.Logs(ctx, t.pod.Namespace, t.pod.Name, t.container, logLines, true)
		if err != nil || log == "" {
			log, _ = r.Cluster.Logs(ctx, t.pod.Namespace, t.pod.Name, t.container, logLines, false)
		}
		for line := range strings.Lines(log) {
			fmt.Fprintf(&b, "\n  log: %s", strings.TrimRight(line, "\n"))
		}
	}
	return b.String()
}
