package plan

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// managedFields list those that apply before those that update, and whoever
// writes the status in the same second may come first.
func TestMadeBy(t *testing.T) {
	at := func(second int) *metav1.Time {
		return &metav1.Time{Time: time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC)}
	}
	live := &unstructured.Unstructured{Object: map[string]any{}}
	live.SetCreationTimestamp(*at(0))
	live.SetManagedFields([]metav1.ManagedFieldsEntry{
		{Manager: "argo", Operation: metav1.ManagedFieldsOperationApply, Time: at(1)},
		{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationUpdate, Subresource: "scale"},
		{Manager: "a-controller", Operation: metav1.ManagedFieldsOperationUpdate, Time: at(0), Subresource: "status"},
		{Manager: "kubectl-create", Operation: metav1.ManagedFieldsOperationUpdate, Time: at(0)},
	})
	want := `was not created by kplan (created by "kubectl-create" on 2026-03-01T12:00:00Z)`
	if got := madeBy(live); got != want {
		t.Errorf("madeBy: %s, want %s", got, want)
	}
}
