package apply

import (
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
)

// readiness is how far a live object is from doing what it is for.
type readiness struct {
	ready    bool
	terminal bool     // waiting longer than grace won't help
	why      string   // what is missing, in the cluster's words
	failure  *failure // of the pod that keeps it from being ready, if one does

	// grace is how long to bear with reason, the API's word for what is wrong.
	grace  time.Duration
	reason string
}

// readinessOf judges a live object as its wait block says or, where that leaves
// it open, by the rule of its kind.
func readinessOf(live *unstructured.Unstructured, d *hclspec.Desired) (readiness, error) {
	if live.GetDeletionTimestamp() != nil && !hasEnded(live) {
		return readiness{terminal: true, why: "it is being deleted"}, nil
	}
	w := &d.Wait
	rollout := w.Rollout == nil && !w.IsOwn() || w.Rollout != nil && *w.Rollout
	if !w.IsOwn() && rollout {
		return kindReadiness(live, d)
	}
	missing := unmet(live, w)
	if missing == "" && !rollout {
		return readiness{ready: true}, nil
	}
	state, err := kindReadiness(live, d)
	if !rollout {
		// What the kind's rule finds missing was not asked for. That a workload has
		// failed for good tells that what was asked for won't come either; of other
		// kinds only who wrote the wait block knows what a failure means.
		return readiness{terminal: state.terminal && makesPods(live), why: missing}, nil
	}
	if err != nil {
		return readiness{}, err
	}
	state.ready, state.why = state.ready && missing == "", join(missing, state.why)
	return state, nil
}

// kindReadiness judges by a rule of our own where the kind has one, else by the
// kstatus rules, which read the status that the object's controller writes.
func kindReadiness(live *unstructured.Unstructured, d *hclspec.Desired) (readiness, error) {
	if rule := kindRules[groupKindOf(live)]; rule != nil {
		if state, judged := rule(live, d); judged {
			return state, nil
		}
	} else if status.GetLegacyConditionsFn(live) == nil && isReadyOfBefore(live) {
		return readiness{why: unseen}, nil
	}
	result, err := status.Compute(live)
	if err != nil {
		return readiness{}, fmt.Errorf("the status of %s %s can't be read (a wait block with condition or field tells how): %w", live.GetKind(), live.GetName(), err)
	}
	switch result.Status {
	case status.CurrentStatus:
		return readiness{ready: true}, nil
	case status.FailedStatus:
		return readiness{terminal: !isPod(live), why: result.Message}, nil
	}
	return readiness{why: result.Message}, nil
}

// isReadyOfBefore says whether a custom object's condition Ready is of before its
// last change. Some controllers say what they have seen in each condition and
// not for the status as a whole, which is all that kstatus looks at.
func isReadyOfBefore(live *unstructured.Unstructured) bool {
	observed, ok := conditionOf(live, "Ready")["observedGeneration"].(int64)
	return ok && observed < live.GetGeneration()
}

// isPod says whether the object is a pod. kstatus gives one up that found no node
// within seconds, which is less than a cluster needs that adds nodes; diagnose
// has its own patience.
func isPod(live *unstructured.Unstructured) bool { return groupKindOf(live) == kinds.Pod }

func groupKindOf(live *unstructured.Unstructured) addrs.GroupKind {
	gvk := live.GroupVersionKind()
	return addrs.GroupKind{Group: gvk.Group, Kind: gvk.Kind}
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

// conditionOf is one of these, nil where it is not there.
func conditionOf(live *unstructured.Unstructured, typ string) map[string]any {
	for _, condition := range conditionsOf(live) {
		if condition["type"] == typ {
			return condition
		}
	}
	return nil
}
