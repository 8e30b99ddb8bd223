package server

import (
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// WithMatchLabels is a new pod with what the API server adds to its selectors: the values
// that its own labels have for matchLabelKeys and mismatchLabelKeys
// (applyMatchLabelKeys in pkg/registry/core/pod/strategy.go of the Kubernetes sources).
// Which of them it adds depends on its version. Objects of other kinds stay as they are.
func WithMatchLabels(k *kinds.Kind, obj map[string]any) map[string]any {
	if k.GroupKind() != kinds.Pod {
		return obj
	}
	pod := runtime.DeepCopyJSON(obj)
	labels, spec := manifest.Object(manifest.Object(pod, "metadata"), "labels"), manifest.Object(pod, "spec")
	for _, constraint := range manifest.List(spec, "topologySpreadConstraints") {
		addMatchLabels(constraint, labels)
	}
	for _, kind := range []string{"podAffinity", "podAntiAffinity"} {
		affinity := manifest.Object(manifest.Object(spec, "affinity"), kind)
		for _, term := range manifest.List(affinity, "requiredDuringSchedulingIgnoredDuringExecution") {
			addMatchLabels(term, labels)
		}
		for _, weighted := range manifest.List(affinity, "preferredDuringSchedulingIgnoredDuringExecution") {
			fields, _ := weighted.(map[string]any)
			addMatchLabels(fields["podAffinityTerm"], labels)
		}
	}
	return pod
}

func addMatchLabels(term any, labels map[string]any) {
	fields, _ := term.(map[string]any)
	selector := manifest.Object(fields, "labelSelector")
	if selector == nil {
		return
	}
	expressions := manifest.List(selector, "matchExpressions")
	for _, keys := range []struct{ field, operator string }{{"matchLabelKeys", "In"}, {"mismatchLabelKeys", "NotIn"}} {
		for _, key := range manifest.Texts(fields, keys.field) {
			if value, ok := labels[key]; ok {
				expressions = append(expressions, map[string]any{"key": key, "operator": keys.operator, "values": []any{value}})
			}
		}
	}
	if len(expressions) > 0 {
		selector["matchExpressions"] = expressions
	}
}
