package readiness

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/internal/words"
)

const (
	logLines    = 10
	eventsShown = 3
	longestLine = 1000 // characters of a line of a log or of a message
)

// Evidence is what the cluster recorded about a failed pod, its last events and
// the last lines of its log, or about the object itself where no pod failed; each
// on lines of their own.
func (d *Diagnoser) Evidence(ctx context.Context, state State) string {
	live := state.Live
	if live == nil {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	var b strings.Builder
	f := state.Failure
	if f == nil {
		if f = d.failureOnceSynced(ctx, live); f != nil {
			f.message = d.excerpt(f.message)
			b.WriteString("\n  " + f.String())
		}
	}
	if f == nil {
		b.WriteString(d.eventLines(ctx, live.GetNamespace(), string(live.GetUID()), true, state.Why))
		return b.String()
	}
	b.WriteString(d.eventLines(ctx, f.pod.Namespace, string(f.pod.UID), false, state.Why))
	for line := range strings.Lines(uncolored(d.Secrets.HideExcerpt(d.logs(ctx, f)))) {
		fmt.Fprintf(&b, "\n  log: %s", words.Shorten(strings.TrimRight(line, "\r\n"), longestLine))
	}
	return b.String()
}

// excerpt is a line of what a container or its runtime wrote, of which the kubelet keeps the beginning or the end:
// without secrets, also half ones.
func (d *Diagnoser) excerpt(text string) string {
	text = uncolored(d.Secrets.HideExcerpt(text))
	return words.Shorten(strings.Join(strings.Fields(text), " "), longestLine)
}

var color = regexp.MustCompile("\x1b\\[[0-9;]*m")

// uncolored is a text without the sequences by which programs color what they log.
func uncolored(text string) string {
	if !strings.Contains(text, "\x1b") {
		return text
	}
	return color.ReplaceAllString(text, "")
}

// failureOnceSynced is the failure among the pods of an object that was judged
// before all of them had been reported.
func (d *Diagnoser) failureOnceSynced(ctx context.Context, live *unstructured.Unstructured) *PodFailure {
	if !runsPods(live) || live.GetKind() == "Pod" {
		return nil
	}
	pods, err := d.Informers.Pods(live.GetNamespace())
	if err != nil {
		return nil
	}
	pods.WaitForSync(ctx)
	f, _ := new(clocks).worst(failuresAmong(live, podsOf(live, pods.List())), time.Time{})
	return f
}

// eventLines are the last events of an object: warnings, where there are any or no
// others are wanted, and none that is part of what was shown already.
func (d *Diagnoser) eventLines(ctx context.Context, namespace, uid string, warningsOnly bool, shown string) string {
	events, err := d.Cluster.Events(ctx, namespace, uid)
	if err != nil {
		return ""
	}
	events = slices.DeleteFunc(events, func(e corev1.Event) bool { return strings.Contains(shown, strings.TrimRight(e.Message, ".")) })
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
		fmt.Fprintf(&b, "\n  event: %s: %s", e.Reason, d.excerpt(e.Message))
	}
	return b.String()
}

// logs are the last lines that the failed container wrote: before it crashed, or
// until now.
func (d *Diagnoser) logs(ctx context.Context, f *PodFailure) string {
	if f.crashed {
		log, err := d.Cluster.Logs(ctx, f.pod.Namespace, f.pod.Name, f.container, logLines, true)
		if err == nil && log != "" {
			return log
		}
	}
	if f.crashed || f.running {
		log, _ := d.Cluster.Logs(ctx, f.pod.Namespace, f.pod.Name, f.container, logLines, false)
		return log
	}
	return ""
}
