package apply

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/hclspec"
)

// readiness is how far a live object is from doing what it is for.
type readiness struct {
	ready    bool
	hopeless bool     // waiting longer than grace won't help
	why      string   // what is missing, in the cluster's words
	trouble  *trouble // of the pod that keeps it from being ready, if one does

	// grace is how long to bear with reason, the API's word for what is wrong.
	grace  time.Duration
	reason string
}

// readinessOf judges a live object as its wait block says or, where that leaves
// it open, by the rule of its kind.
func readinessOf(live *unstructured.Unstructured, w *hclspec.Wait) (readiness, error) {
	if live.GetDeletionTimestamp() != nil {
		return readiness{hopeless: true, why: "it is being deleted"}, nil
	}
	rollout := w.Rollout == nil && !w.IsOwn() || w.Rollout != nil && *w.Rollout
	if !w.IsOwn() && rollout {
		return kindReadiness(live)
	}
	missing := unmet(live, w)
	if missing == "" && !rollout {
		return readiness{ready: true}, nil
	}
	state, err := kindReadiness(live)
	if !rollout {
		// What the kind's rule finds missing was not asked for. That a workload has
		// failed for good tells that what was asked for won't come either; of other
		// kinds only who wrote the wait block knows what a failure means.
		return readiness{hopeless: state.hopeless && makesPods(live), why: missing}, nil
	}
	if err != nil {
		return readiness{}, err
	}
	state.ready, state.why = state.ready && missing == "", join(missing, state.why)
	return state, nil
}

// kindReadiness judges by the kstatus rules, which read the status that the
// object's controller writes, and by rules of our own for the kinds that kstatus
// takes to be ready as soon as they exist.
func kindReadiness(live *unstructured.Unstructured) (readiness, error) {
	if live.GetKind() == "ReplicationController" && live.GetAPIVersion() == "v1" {
		return replicasReady(live), nil
	}
	if live.GetKind() == "Job" && strings.HasPrefix(live.GetAPIVersion(), "batch/") {
		return jobDone(live), nil
	}
	result, err := status.Compute(live)
	if err != nil {
		return readiness{}, fmt.Errorf("the status of %s %s can't be read (a wait block with condition or field tells how): %w", live.GetKind(), live.GetName(), err)
	}
	switch result.Status {
	case status.CurrentStatus:
		return readiness{ready: true}, nil
	case status.FailedStatus:
		return readiness{hopeless: !isWaitingPod(live), why: result.Message}, nil
	}
	return readiness{why: result.Message}, nil
}

// conditionsOf are the conditions that an object's controllers report.
func conditionsOf(live *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	conditions := make([]map[string]any, len(list))
	for i, c := range list {
		conditions[i], _ = c.(map[string]any)
	}
	return conditions
}

// jobDone judges a Job, which kstatus takes to be ready once it has started:
// who depends on a Job depends on what it does. A suspended one is as it was
// asked to be.
func jobDone(live *unstructured.Unstructured) readiness {
	if suspended, _, _ := unstructured.NestedBool(live.Object, "spec", "suspend"); suspended {
		return readiness{ready: true}
	}
	for _, condition := range conditionsOf(live) {
		switch {
		case condition["status"] != "True":
		case condition["type"] == "Complete":
			return readiness{ready: true}
		case condition["type"] == "Failed":
			return readiness{hopeless: true, why: fmt.Sprintf("it failed: %v: %v", condition["reason"], condition["message"])}
		}
	}
	succeeded, _, _ := unstructured.NestedInt64(live.Object, "status", "succeeded")
	return readiness{why: fmt.Sprintf("it has not completed; %d of its pods have succeeded", succeeded)}
}

// isWaitingPod says whether the object is a pod that has not ended. kstatus gives
// one up that found no node within seconds, which is less than a cluster needs
// that adds nodes; diagnose has its own patience.
func isWaitingPod(live *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(live.Object, "status", "phase")
	return live.GetKind() == "Pod" && live.GetAPIVersion() == "v1" && phase != "Failed"
}

// replicasReady judges a ReplicationController, which kstatus does not know: it
// is ready when the controller has seen the last change and as many pods are
// ready as it asks for.
func replicasReady(live *unstructured.Unstructured) readiness {
	number := func(fields ...string) int64 {
		n, _, _ := unstructured.NestedInt64(live.Object, fields...)
		return n
	}
	want, ready := number("spec", "replicas"), number("status", "readyReplicas")
	switch {
	case number("status", "observedGeneration") < live.GetGeneration():
		return readiness{why: "the controller has not seen the change yet"}
	case number("status", "replicas") != want:
		return readiness{why: fmt.Sprintf("%d of %d pods exist", number("status", "replicas"), want)}
	case ready < want:
		return readiness{why: fmt.Sprintf("%d of %d pods are ready", ready, want)}
	}
	return readiness{ready: true}
}
