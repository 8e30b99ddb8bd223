// Package readiness judges whether an object is ready, and explains why one is
// not, or why one that is being deleted is still there.
//
// An object is ready when its criteria, a wait block of the configuration, are
// met or, where there are none, by the rule of its kind: one of kplan's own, else
// that of kstatus. Of fails early only where waiting is pointless: what Kubernetes
// retries by itself has a grace period, which Check measures. A Diagnoser adds what
// pods, controllers, events and logs report.
package readiness

import (
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// State is how far a live object is from doing what it is for.
type State struct {
	Live     *unstructured.Unstructured // the object that was judged, nil where there is none
	Ready    bool
	Terminal bool        // waiting longer than the grace period won't help
	Why      string      // what is missing, in the cluster's words, so maybe with secrets
	Failure  *PodFailure // of the pod that keeps the object from being ready, if one does

	// GracePeriod is how long Reason, the API's word for what is wrong, may last.
	GracePeriod time.Duration
	Reason      string
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
		return State{Terminal: state.Terminal && runsPods(live), Why: missing}, nil
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
		return State{Terminal: !isPod(live), Why: result.Message}, nil
	}
	return State{Why: result.Message}, nil
}

// isReadyOutdated reports whether a custom object's condition Ready is of before
// its last change. Some controllers write observedGeneration into each condition
// and not into the status as a whole, which is all that kstatus looks at.
func isReadyOutdated(live *unstructured.Unstructured) bool {
	observed, ok := conditionOf(live, "Ready")["observedGeneration"].(int64)
	return ok && observed < live.GetGeneration()
}

// isPod reports whether the object is a pod. kstatus fails one that found no node
// within seconds, which is less than a cluster needs that adds nodes; Diagnose has
// its own grace period.
func isPod(live *unstructured.Unstructured) bool { return groupKindOf(live) == kinds.Pod }

func groupKindOf(live *unstructured.Unstructured) addrs.GroupKind {
	gvk := live.GroupVersionKind()
	return addrs.GroupKind{Group: gvk.Group, Kind: gvk.Kind}
}
