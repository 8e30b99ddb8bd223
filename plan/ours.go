package plan

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
)

// MadeBy says whether an object was made, or taken over, by a run of the stack:
// it bears the stack's label, and kplan has applied it. The label alone is no
// proof, for whoever copies an object copies its labels; who applied what is
// recorded by the API server.
func MadeBy(live *unstructured.Unstructured, stackID string) bool {
	return live.GetLabels()[addrs.StackLabel] == stackID && slices.ContainsFunc(live.GetManagedFields(), appliedByKplan)
}

func appliedByKplan(m metav1.ManagedFieldsEntry) bool {
	return m.Manager == kube.Manager && m.Operation == metav1.ManagedFieldsOperationApply
}

// takenBy is the stack that took an object of ours over, "" if none did. Who
// else writes into the label changes nothing of whose the object is: another
// stack's kplan applies it.
func managingStack(live *unstructured.Unstructured, stackID string) string {
	stack := live.GetLabels()[addrs.StackLabel]
	applied, _, _ := unstructured.NestedMap(ownApply(live), "fieldsV1", "f:metadata", "f:labels", "f:"+addrs.StackLabel)
	if stack == stackID || applied == nil {
		return ""
	}
	return stack
}
