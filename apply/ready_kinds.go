package apply

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
)

// kindRules say when objects of a kind are ready that kstatus does not know, or
// takes to be ready too soon or never. One that has nothing to say about an
// object leaves it to kstatus.
var kindRules = map[addrs.GroupKind]func(live *unstructured.Unstructured, d *hclspec.Desired) (state readiness, judged bool){
	kinds.Pod:                                             podReady,
	{Kind: "ReplicationController"}:                       replicasReady,
	{Group: "apps", Kind: "Deployment"}:                   pausedReady,
	{Group: "apps", Kind: "StatefulSet"}:                  statefulReady,
	{Group: "apps", Kind: "DaemonSet"}:                    onDeleteReady,
	{Group: "batch", Kind: "Job"}:                         jobDone,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}: serviceAnswers,
}

const unseen = "the controller has not seen the change yet"

// podReady judges a pod that has failed, which kstatus takes to be as ready as one
// that has succeeded.
func podReady(live *unstructured.Unstructured, _ *hclspec.Desired) (readiness, bool) {
	if phase, _, _ := unstructured.NestedString(live.Object, "status", "phase"); phase != "Failed" {
		return readiness{}, false
	}
	return readiness{terminal: true, why: "it has failed"}, true
}

// jobDone judges a Job, which kstatus takes to be ready once it has started:
// who depends on a Job depends on what it does. One that is to be suspended is as
// it was asked to be.
func jobDone(live *unstructured.Unstructured, d *hclspec.Desired) (readiness, bool) {
	if conditionOf(live, "Complete")["status"] == "True" {
		return readiness{ready: true}, true
	}
	if failed := conditionOf(live, "Failed"); failed["status"] == "True" {
		return readiness{terminal: true, why: fmt.Sprintf("it failed: %v: %v", failed["reason"], failed["message"])}, true
	}
	if isTrue(live.Object, "spec", "suspend") {
		return readiness{ready: isTrue(d.Fields, "spec", "suspend"), why: "it is suspended, by somebody else than this configuration"}, true
	}
	return readiness{why: fmt.Sprintf("it has not completed; %d of its pods have succeeded", number(live, "status", "succeeded"))}, true
}

// hasEnded says whether the object is a Job that has completed or failed, and may
// be deleted from then on: ttlSecondsAfterFinished does that.
func hasEnded(live *unstructured.Unstructured) bool {
	return live.GetKind() == "Job" && (conditionOf(live, "Complete")["status"] == "True" || conditionOf(live, "Failed")["status"] == "True")
}

// goesOnceEnded says whether the object is a Job that is deleted some time after it
// has ended.
func goesOnceEnded(live *unstructured.Unstructured) bool {
	_, goes, _ := unstructured.NestedInt64(live.Object, "spec", "ttlSecondsAfterFinished")
	return live.GetKind() == "Job" && goes
}

// replicasReady judges a ReplicationController, which kstatus does not know.
func replicasReady(live *unstructured.Unstructured, _ *hclspec.Desired) (readiness, bool) {
	want := number(live, "spec", "replicas")
	counts := []podCount{{"readyReplicas", "ready", want}}
	return podsReady(live, "replicas", want, append(counts, longReady(live, want)...)...), true
}

// statefulReady judges a StatefulSet. kstatus looks at no pod of one that is
// updated by hand, and not for how long pods are to have been ready.
func statefulReady(live *unstructured.Unstructured, _ *hclspec.Desired) (readiness, bool) {
	want := number(live, "spec", "replicas")
	counts := []podCount{{"readyReplicas", "ready", want}}
	if !isOnDelete(live) {
		updated := max(0, want-number(live, "spec", "updateStrategy", "rollingUpdate", "partition"))
		counts = append(counts, podCount{"updatedReplicas", "up to date", updated})
	}
	return podsReady(live, "replicas", want, append(counts, longReady(live, want)...)...), true
}

// longReady counts the pods that have been ready for as long as they are to be.
func longReady(live *unstructured.Unstructured, want int64) []podCount {
	if number(live, "spec", "minReadySeconds") == 0 {
		return nil // older servers do not count them in a StatefulSet
	}
	return []podCount{{"availableReplicas", "available", want}}
}

// onDeleteReady judges a DaemonSet that is updated by hand: kstatus waits until
// somebody has done that.
func onDeleteReady(live *unstructured.Unstructured, _ *hclspec.Desired) (readiness, bool) {
	if !isOnDelete(live) {
		return readiness{}, false
	}
	want := number(live, "status", "desiredNumberScheduled")
	return podsReady(live, "currentNumberScheduled", want, podCount{"numberReady", "ready", want}, podCount{"numberAvailable", "available", want}), true
}

// isOnDelete says whether a controller brings pods up to date only as somebody
// deletes them. Then new pods are none that could be waited for.
func isOnDelete(live *unstructured.Unstructured) bool {
	strategy, _, _ := unstructured.NestedString(live.Object, "spec", "updateStrategy", "type")
	return strategy == "OnDelete"
}

// pausedReady judges a Deployment whose rollout is paused, for which kstatus waits
// for ever. If the configuration asks for that, it is as it was asked to be.
func pausedReady(live *unstructured.Unstructured, d *hclspec.Desired) (readiness, bool) {
	if !isTrue(live.Object, "spec", "paused") {
		return readiness{}, false
	}
	want := number(live, "spec", "replicas")
	state := podsReady(live, "replicas", want, podCount{"updatedReplicas", "up to date", want}, podCount{"availableReplicas", "available", want})
	switch {
	case state.ready || state.why == unseen:
	case isTrue(d.Fields, "spec", "paused"):
		state = readiness{ready: true}
	default:
		state = readiness{terminal: true, grace: settlingGrace, reason: "paused",
			why: state.why + "; somebody else than this configuration has paused the rollout (spec.paused)"}
	}
	return state, true
}

// serviceAnswers judges an APIService, of which kstatus knows only that it exists:
// its kinds are served once its server answers.
func serviceAnswers(live *unstructured.Unstructured, _ *hclspec.Desired) (readiness, bool) {
	why := unmetCondition(live, hclspec.WaitCondition{Type: "Available", Status: "True"})
	return readiness{ready: why == "", why: why}, true
}

// podCount is how many pods are to be of some kind, and the field of the status
// that counts those that are.
type podCount struct {
	field, what string
	want        int64
}

// podsReady judges what makes pods: it is ready when its controller has seen the
// last change, and there are as many pods as it asks for, of each kind.
func podsReady(live *unstructured.Unstructured, existing string, want int64, counts ...podCount) readiness {
	if observed, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration"); !found || observed < live.GetGeneration() {
		return readiness{why: unseen}
	}
	if exist := number(live, "status", existing); exist != want {
		return readiness{why: fmt.Sprintf("%d of %d pods exist", exist, want)}
	}
	for _, c := range counts {
		if have := number(live, "status", c.field); have < c.want {
			return readiness{why: fmt.Sprintf("%d of %d pods are %s", have, c.want, c.what)}
		}
	}
	return readiness{ready: true}
}

func number(live *unstructured.Unstructured, fields ...string) int64 {
	n, _, _ := unstructured.NestedInt64(live.Object, fields...)
	return n
}

func isTrue(object map[string]any, fields ...string) bool {
	is, _, _ := unstructured.NestedBool(object, fields...)
	return is
}
