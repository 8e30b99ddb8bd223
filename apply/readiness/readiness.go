// Package readiness judges whether an object is ready, and explains why one is
// not, or why one that is being deleted is still there.
//
// An object is ready when its criteria, a wait block of the configuration, are
// met or, where there are none, by the rule of its kind: one of kplan's own, else
// that of kstatus. It fails early only where waiting is pointless: what Kubernetes
// tries again by itself has time for several tries, which Check measures. A
// Diagnoser adds what pods, controllers, events and logs report.
package readiness

import (
	"fmt"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// State is how far a live object is from doing what it is for.
type State struct {
	Live     *unstructured.Unstructured // the object that was judged, nil where there is none
	Ready    bool
	Terminal bool // it has failed for good, and no time and no other object will help
	// Stuck means that what keeps the object has been tried again for long enough:
	// waiting won't help, unless something else changes.
	Stuck   bool
	Why     string      // what is missing, in the cluster's words, so maybe with secrets
	Failure *PodFailure // of the pod that keeps the object from being ready, if one does
	// Retried means that the object is stuck once Reason, a word for what is wrong,
	// has been the same for a minute.
	Retried bool
	Reason  string
}

// Of judges a live object by its criteria or, where these leave it open, by the
// rule of its kind.
func Of(live *unstructured.Unstructured, c Criteria) (State, error) {
	if live.GetDeletionTimestamp() != nil && !HasFinished(live) {
		return State{Terminal: true, Why: "it is being deleted"}, nil
	}
	rollout := c.Rollout == nil && !c.isOwn() || c.Rollout != nil && *c.Rollout
	if !c.isOwn() && rollout {
		return byKind(live, c)
	}
	missing := unmet(live, c)
	if missing == "" && !rollout {
		return State{Ready: true}, nil
	}
	state, err := byKind(live, c)
	if !rollout {
		// What the kind's rule finds missing was not asked for. That a workload has
		// failed for good means that what was asked for won't come either; of other
		// kinds only the author of the wait block knows what a failure means.
		pods := runsPods(live)
		return State{Terminal: state.Terminal && pods, Retried: state.Retried && pods, Reason: state.Reason, Why: missing}, nil
	}
	if err != nil {
		return State{}, err
	}
	state.Ready, state.Why = state.Ready && missing == "", join(missing, state.Why)
	return state, nil
}

// byKind judges by a rule of kplan's own where the kind has one, else by kstatus,
// which reads the status that the object's controller writes.
func byKind(live *unstructured.Unstructured, c Criteria) (State, error) {
	if rule := kindRules[groupKindOf(live)]; rule != nil {
		if state, judged := rule(live, c); judged {
			return state, nil
		}
	} else if status.GetLegacyConditionsFn(live) == nil && isReadyOutdated(live) {
		return State{Why: notObserved}, nil
	}
	result, err := status.Compute(live)
	if err != nil {
		return State{}, fmt.Errorf("the status of %s %s can't be read (a wait block with condition or field can replace it): "+
			"%w", live.GetKind(), live.GetName(), err)
	}
	switch result.Status {
	case status.CurrentStatus:
		return State{Ready: true}, nil
	case status.FailedStatus:
		return failedByStatus(live, result.Message), nil
	}
	return State{Why: result.Message}, nil
}

// failedByStatus is an object that its own controller reports as failed. That is
// the end of a rollout, which has a deadline. Other controllers try again when
// something changes, a Secret for example. A pod that found no node has failed for
// kstatus within seconds, which is less than a cluster needs that adds nodes: the
// Diagnoser has its own grace period.
func failedByStatus(live *unstructured.Unstructured, why string) State {
	switch {
	case isPod(live):
		return State{Why: why}
	case runsPods(live):
		return State{Terminal: true, Why: why}
	}
	return State{Retried: true, Reason: "failed", Why: why}
}

// isReadyOutdated reports whether a custom object's condition Ready is of before
// its last change. Some controllers write observedGeneration into each condition
// and not into the status as a whole, which is all that kstatus looks at.
func isReadyOutdated(live *unstructured.Unstructured) bool {
	observed, ok := conditionOf(live, "Ready")["observedGeneration"].(int64)
	return ok && observed < live.GetGeneration()
}

// isPod reports whether the object is a pod.
func isPod(live *unstructured.Unstructured) bool { return groupKindOf(live) == kinds.Pod }

func groupKindOf(live *unstructured.Unstructured) addrs.GroupKind {
	gvk := live.GroupVersionKind()
	return addrs.GroupKind{Group: gvk.Group, Kind: gvk.Kind}
}
