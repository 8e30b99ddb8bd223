package readiness

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// conditionsOf are the conditions that an object's controllers report.
func conditionsOf(live *unstructured.Unstructured) []map[string]any {
	list, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	conditions := make([]map[string]any, len(list))
	for i, c := range list {
		conditions[i], _ = c.(map[string]any)
	}
	return conditions
}

// conditionOf is one of these, nil where it does not exist.
func conditionOf(live *unstructured.Unstructured, conditionType string) map[string]any {
	for _, condition := range conditionsOf(live) {
		if condition["type"] == conditionType {
			return condition
		}
	}
	return nil
}

// isBehind reports whether the controller has not seen the object's last change:
// neither its status nor its pods say anything about that one yet. Pods and Jobs
// don't change, and have no observed generation.
func isBehind(live *unstructured.Unstructured) bool {
	if live.GetKind() == "Pod" || live.GetKind() == "Job" {
		return false
	}
	observed, found, _ := unstructured.NestedInt64(live.Object, "status", "observedGeneration")
	return !found || observed < live.GetGeneration()
}

func number(live *unstructured.Unstructured, fields ...string) int64 {
	n, _, _ := unstructured.NestedInt64(live.Object, fields...)
	return n
}

func text(live *unstructured.Unstructured, fields ...string) string {
	value, _, _ := unstructured.NestedString(live.Object, fields...)
	return value
}

func isTrue(object map[string]any, fields ...string) bool {
	is, _, _ := unstructured.NestedBool(object, fields...)
	return is
}

// join makes one line of several statements.
func join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, strings.TrimRight(p, "."))
		}
	}
	return strings.Join(kept, "; ")
}
