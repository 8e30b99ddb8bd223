package apply

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// podsOf are those of the pods that belong to an object: itself, or what a
// controller's selector picks.
func podsOf(live *unstructured.Unstructured, pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	if live.GetKind() == "Pod" {
		return []*unstructured.Unstructured{live}
	}
	selector := selectorOf(live)
	var own []*unstructured.Unstructured
	for _, pod := range pods {
		if selector.Matches(labels.Set(pod.GetLabels())) && len(pod.GetOwnerReferences()) > 0 {
			own = append(own, pod)
		}
	}
	slices.SortFunc(own, byName)
	return own
}

// revisionLabels tell the pods of a controller's revisions apart.
var revisionLabels = []string{"pod-template-hash", "controller-revision-hash"}

// latest are the pods of the newest revision among a controller's pods: those of
// the ones before may fail for what has been mended since. What makes no
// revisions has no newer pods than it has.
func latest(pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	if len(pods) == 0 {
		return nil
	}
	newest := slices.MaxFunc(pods, func(a, b *unstructured.Unstructured) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	return slices.DeleteFunc(slices.Clone(pods), func(pod *unstructured.Unstructured) bool {
		return slices.ContainsFunc(revisionLabels, func(label string) bool {
			return pod.GetLabels()[label] != newest.GetLabels()[label]
		})
	})
}

// selectorOf is how a controller finds its pods; one that picks nothing for
// what is no controller.
func selectorOf(live *unstructured.Unstructured) labels.Selector {
	if live.GetKind() == "ReplicationController" {
		simple, _, _ := unstructured.NestedStringMap(live.Object, "spec", "selector")
		return labels.SelectorFromSet(simple)
	}
	spec, found, _ := unstructured.NestedMap(live.Object, "spec", "selector")
	if !found {
		return labels.Nothing()
	}
	var full metav1.LabelSelector
	if runtime.DefaultUnstructuredConverter.FromUnstructured(spec, &full) != nil {
		return labels.Nothing()
	}
	selector, err := metav1.LabelSelectorAsSelector(&full)
	if err != nil || selector.Empty() {
		return labels.Nothing()
	}
	return selector
}

// makesPods says whether objects of the kind run as pods.
func makesPods(live *unstructured.Unstructured) bool {
	switch live.GetKind() {
	case "Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job":
		return true
	}
	return false
}
