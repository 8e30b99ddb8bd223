package readiness

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kube"
)

// runsPods reports whether an object runs as pods.
func runsPods(live *unstructured.Unstructured) bool { return runsAsPods(live.GetKind()) }

func runsAsPods(kind string) bool {
	switch kind {
	case "Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job":
		return true
	}
	return false
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

// podsOf are those of the pods that belong to an object: itself, or those that a
// controller's selector matches.
func podsOf(live *unstructured.Unstructured, pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	if live.GetKind() == "Pod" {
		return []*unstructured.Unstructured{live}
	}
	selector := selectorOf(live)
	var own []*unstructured.Unstructured
	for _, pod := range pods {
		if selector.Matches(labels.Set(pod.GetLabels())) && len(pod.GetOwnerReferences()) > 0 {
			own = append(own, pod)
		}
	}
	slices.SortFunc(own, byName)
	return own
}

// byName orders objects of one namespace.
func byName(a, b *unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) }

// selectorOf is the selector of a controller; one that matches nothing for any
// other object.
func selectorOf(live *unstructured.Unstructured) labels.Selector {
	if live.GetKind() == "ReplicationController" {
		simple, _, _ := unstructured.NestedStringMap(live.Object, "spec", "selector")
		return labels.SelectorFromSet(simple)
	}
	spec, found, _ := unstructured.NestedMap(live.Object, "spec", "selector")
	if !found {
		return labels.Nothing()
	}
	var full metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &full) != nil {
		return labels.Nothing()
	}
	selector, err := metav1.LabelSelectorAsSelector(&full)
	if err != nil || selector.Empty() {
		return labels.Nothing()
	}
	return selector
}

// revisionLabel is the revision of a pod of a StatefulSet or DaemonSet, and
// templateLabel that of a pod of a Deployment.
const (
	revisionLabel = "controller-revision-hash"
	templateLabel = "pod-template-hash"
)

func revisionOf(pod *unstructured.Unstructured) string {
	return pod.GetLabels()[revisionLabel] + pod.GetLabels()[templateLabel]
}

// failuresAmong are the failures of those of an object's pods that keep it from
// being ready.
func failuresAmong(live *unstructured.Unstructured, pods []*unstructured.Unstructured) []*PodFailure {
	failures := podFailures(blockingPods(live, pods))
	for _, f := range failures {
		switch {
		case isOfOldRevision(f.pod, live):
			f.holdRollout()
		case live.GetKind() == "Job" && f.retry == startRetry:
			f.terminal = false // a Job counts these itself, and has failed after the last
		}
	}
	return failures
}

// holdRollout makes the most of a pod of an old revision that is not ready: a
// StatefulSet replaces it once it is, and its probes are what it has to get so far.
func (f *PodFailure) holdRollout() {
	if !f.terminal {
		f.terminal, f.gracePeriod = true, retryPeriod+probePeriod(f.pod)
	}
	f.message = join(f.message, "it is of an old revision, and a StatefulSet replaces it only once it is ready, or somebody deletes it")
}

// probePeriod is how long a pod's probes let a container take until it is ready.
func probePeriod(pod *corev1.Pod) time.Duration {
	var longest int32
	for _, c := range pod.Spec.Containers {
		var seconds int32
		if p := c.StartupProbe; p != nil {
			seconds += p.InitialDelaySeconds + p.PeriodSeconds*p.FailureThreshold
		}
		if p := c.ReadinessProbe; p != nil {
			seconds += p.InitialDelaySeconds + p.PeriodSeconds*p.SuccessThreshold
		}
		longest = max(longest, seconds)
	}
	return time.Duration(longest) * time.Second
}

// blockingPods are those of an object's pods that may keep it from being ready. A
// StatefulSet goes on to its next pod only when the one at hand is ready, of
// whatever revision that is, unless its pods are managed in parallel.
func blockingPods(live *unstructured.Unstructured, pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	if live.GetKind() == "StatefulSet" && text(live, "spec", "podManagementPolicy") != "Parallel" {
		return pods
	}
	return ofLatestRevision(pods)
}

// isOfOldRevision reports whether a pod of a StatefulSet is of another revision
// than the one it is being updated to.
func isOfOldRevision(pod *corev1.Pod, live *unstructured.Unstructured) bool {
	update := text(live, "status", "updateRevision")
	return live.GetKind() == "StatefulSet" && update != "" && pod.Labels[revisionLabel] != update
}

// ofLatestRevision are the pods of the newest revision among a controller's pods:
// those of old ones may fail for what has been fixed since. Creation times are
// whole seconds, so several revisions may be the newest. Where there are no
// revisions all pods are of the newest.
func ofLatestRevision(pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	var last metav1.Time
	for _, pod := range pods {
		if created := pod.GetCreationTimestamp(); last.Before(&created) {
			last = created
		}
	}
	newest := map[string]bool{}
	for _, pod := range pods {
		if created := pod.GetCreationTimestamp(); created.Equal(&last) {
			newest[revisionOf(pod)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(pods), func(pod *unstructured.Unstructured) bool { return !newest[revisionOf(pod)] })
}

// refusedCondition is the condition by which a controller reports that it can't
// create pods, nil where it can.
func refusedCondition(live *unstructured.Unstructured) map[string]any {
	condition := conditionOf(live, "ReplicaFailure")
	if condition["status"] != "True" {
		return nil
	}
	return condition
}

// creationFailure is why a controller can't create pods, by its condition; ""
// where it can.
func creationFailure(live *unstructured.Unstructured) string {
	condition := refusedCondition(live)
	if condition == nil {
		return ""
	}
	return fmt.Sprintf("%v: %v", condition["reason"], condition["message"])
}

// reportsOn reports whether an event is about an object or, where it is a
// Deployment, about one of its ReplicaSets.
func reportsOn(event, live *unstructured.Unstructured) bool {
	if text(event, "involvedObject", "uid") == string(live.GetUID()) {
		return true
	}
	set := text(event, "involvedObject", "name")
	hash := strings.LastIndexByte(set, '-')
	return live.GetKind() == "Deployment" && text(event, "involvedObject", "kind") == "ReplicaSet" && hash > 0 && set[:hash] == live.GetName()
}

// creationFailureEvent is why a controller could not create a pod after the newest
// that it has, and after its object was last applied: what it reported before may
// have been fixed.
func creationFailureEvent(live *unstructured.Unstructured, pods, events []*unstructured.Unstructured) string {
	var newest, applied time.Time
	for _, pod := range pods {
		if created := pod.GetCreationTimestamp().Time; created.After(newest) {
			newest = created
		}
	}
	if own := ownership.Of(live.Object).OwnEntry(); own != nil {
		applied = own.Time
	}
	var latest corev1.Event
	for _, u := range events {
		var event corev1.Event
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &event) != nil {
			continue
		}
		at := kube.EventTime(event)
		if event.InvolvedObject.UID == live.GetUID() && event.Message != "" && !at.Before(applied) && (newest.IsZero() || at.After(newest)) &&
			at.After(kube.EventTime(latest)) {
			latest = event
		}
	}
	if latest.Message == "" {
		return ""
	}
	return "FailedCreate: " + latest.Message
}
