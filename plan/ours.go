package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
)

var stackLabelPath = addrs.NewPath("metadata", "labels", addrs.StackLabel)

// MadeBy reports whether an object was made, or adopted, by a run of the stack: it
// bears the stack's label, and kplan has applied it. The label alone is no proof,
// for whoever copies an object copies its labels; who applied what is recorded by
// the API server.
func MadeBy(live *unstructured.Unstructured, stackID string) bool {
	return live.GetLabels()[addrs.StackLabel] == stackID && ownership.Of(live.Object).Own() != nil
}

// managingStack is the stack that adopted an object of ours, "" if none did. That
// others write the label changes nothing of whose the object is: another stack's
// kplan applies it.
func managingStack(live *unstructured.Unstructured, stackID string) string {
	stack := live.GetLabels()[addrs.StackLabel]
	if stack == stackID {
		return ""
	}
	if own := ownership.Of(live.Object).Own(); own == nil || !own.Owns(stackLabelPath) {
		return ""
	}
	return stack
}
