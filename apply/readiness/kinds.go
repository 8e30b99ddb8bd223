package readiness

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// kindRules judge objects of kinds that kstatus does not know, or takes to be
// ready too soon or never. A rule that does not apply to an object leaves it to
// kstatus.
var kindRules = map[addrs.GroupKind]func(live *unstructured.Unstructured, c Criteria) (state State, judged bool){
	kinds.Pod:                                             podReady,
	{Kind: "ReplicationController"}:                       replicasReady,
	{Group: "apps", Kind: "Deployment"}:                   pausedReady,
	{Group: "apps", Kind: "StatefulSet"}:                  statefulReady,
	{Group: "apps", Kind: "DaemonSet"}:                    onDeleteReady,
	{Group: "batch", Kind: "Job"}:                         jobDone,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}: apiServiceAvailable,
}

// IsJudged reports whether an object of the kind may exist without being ready, as
// far as that is known of a kind: that of another one shows only in its status.
func IsJudged(kind *kinds.Kind) bool {
	switch group := kind.GroupKind(); {
	case kindRules[group] != nil, runsAsPods(kind.Name), group == kinds.PersistentVolumeClaim, group == kinds.CustomResourceDefinition:
		return true
	}
	return kind.IsCustom() && kind.Root.Field("status") != nil
}

const notObserved = "the controller has not seen the change yet"

// podReady judges a pod that has failed, which kstatus takes to be as ready as one
// that has succeeded.
func podReady(live *unstructured.Unstructured, _ Criteria) (State, bool) {
	if text(live, "status", "phase") != "Failed" {
		return State{}, false
	}
	return State{Terminal: true, Why: "it has failed"}, true
}

// jobDone judges a Job, which kstatus takes to be ready once it has started: what
// depends on a Job depends on its completion. One that the configuration suspends
// is ready while it is suspended.
func jobDone(live *unstructured.Unstructured, c Criteria) (State, bool) {
	if conditionOf(live, "Complete")["status"] == "True" {
		return State{Ready: true}, true
	}
	if failed := conditionOf(live, "Failed"); failed["status"] == "True" {
		return State{Terminal: true, Why: fmt.Sprintf("it failed: %v: %v", failed["reason"], failed["message"])}, true
	}
	if isTrue(live.Object, "spec", "suspend") {
		return State{Ready: isTrue(c.Configured, "spec", "suspend"), Why: "it is suspended, and not by this configuration"}, true
	}
	return State{Why: fmt.Sprintf("it has not completed; %d of its pods have succeeded", number(live, "status", "succeeded"))}, true
}

// HasFinished reports whether the object is a Job that has completed or failed,
// and may be deleted from then on: ttlSecondsAfterFinished does that.
func HasFinished(live *unstructured.Unstructured) bool {
	return live.GetKind() == "Job" && (conditionOf(live, "Complete")["status"] == "True" || conditionOf(live, "Failed")["status"] == "True")
}

// IsDeletedOnceFinished reports whether the object is a Job with
// ttlSecondsAfterFinished.
func IsDeletedOnceFinished(live *unstructured.Unstructured) bool {
	_, found, _ := unstructured.NestedInt64(live.Object, "spec", "ttlSecondsAfterFinished")
	return live.GetKind() == "Job" && found
}

// replicasReady judges a ReplicationController, which kstatus does not know.
func replicasReady(live *unstructured.Unstructured, _ Criteria) (State, bool) {
	want := number(live, "spec", "replicas")
	counts := []podCount{{"readyReplicas", "ready", want}}
	return podsReady(live, "replicas", want, append(counts, available(live, want)...)...), true
}

// statefulReady judges a StatefulSet. kstatus looks at no pod of one with the
// strategy OnDelete, and not at minReadySeconds.
func statefulReady(live *unstructured.Unstructured, _ Criteria) (State, bool) {
	want := number(live, "spec", "replicas")
	counts := []podCount{{"readyReplicas", "ready", want}}
	if !isOnDelete(live) {
		updated := max(0, want-number(live, "spec", "updateStrategy", "rollingUpdate", "partition"))
		counts = append(counts, podCount{"updatedReplicas", "up to date", updated})
	}
	return podsReady(live, "replicas", want, append(counts, available(live, want)...)...), true
}

// available counts the pods that have been ready for minReadySeconds.
func available(live *unstructured.Unstructured, want int64) []podCount {
	if number(live, "spec", "minReadySeconds") == 0 {
		return nil // older servers do not count them in a StatefulSet
	}
	return []podCount{{"availableReplicas", "available", want}}
}

// onDeleteReady judges a DaemonSet with the strategy OnDelete: kstatus waits until
// somebody has deleted all old pods.
func onDeleteReady(live *unstructured.Unstructured, _ Criteria) (State, bool) {
	if !isOnDelete(live) {
		return State{}, false
	}
	want := number(live, "status", "desiredNumberScheduled")
	return podsReady(live, "currentNumberScheduled", want, podCount{"numberReady", "ready", want},
		podCount{"numberAvailable", "available", want}), true
}

// isOnDelete reports whether a controller updates pods only when somebody deletes
// them. Then there are no new pods to wait for.
func isOnDelete(live *unstructured.Unstructured) bool {
	return text(live, "spec", "updateStrategy", "type") == "OnDelete"
}

// pausedReady judges a Deployment whose rollout is paused, for which kstatus waits
// for ever. One that the configuration pauses is ready while it is paused.
func pausedReady(live *unstructured.Unstructured, c Criteria) (State, bool) {
	if !isTrue(live.Object, "spec", "paused") {
		return State{}, false
	}
	want := number(live, "spec", "replicas")
	state := podsReady(live, "replicas", want, podCount{"updatedReplicas", "up to date", want},
		podCount{"availableReplicas", "available", want})
	switch {
	case state.Ready || state.Why == notObserved:
	case isTrue(c.Configured, "spec", "paused"):
		state = State{Ready: true}
	default:
		state = State{Retried: true, Reason: "paused",
			Why: state.Why + "; the rollout is paused (spec.paused), and not by this configuration"}
	}
	return state, true
}

// apiServiceAvailable judges an APIService, of which kstatus knows only that it
// exists: its kinds are served once its server answers.
func apiServiceAvailable(live *unstructured.Unstructured, _ Criteria) (State, bool) {
	why := unmetCondition(live, Condition{Type: "Available", Status: "True"})
	return State{Ready: why == "", Why: why}, true
}

// podCount is how many pods are to be in some state, and the field of the status
// that counts those that are.
type podCount struct {
	field, what string
	want        int64
}

// podsReady judges a workload: it is ready when its controller has seen the last
// change, and there are as many pods as it asks for, of each count.
func podsReady(live *unstructured.Unstructured, existing string, want int64, counts ...podCount) State {
	if isBehind(live) {
		return State{Why: notObserved}
	}
	if exist := number(live, "status", existing); exist != want {
		return State{Why: fmt.Sprintf("%d of %d pods exist", exist, want)}
	}
	for _, c := range counts {
		if have := number(live, "status", c.field); have < c.want {
			return State{Why: fmt.Sprintf("%d of %d pods are %s", have, c.want, c.what)}
		}
	}
	return State{Ready: true}
}
