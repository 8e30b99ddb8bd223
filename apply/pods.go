package apply

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
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

// revisionLabel tells the pods of a StatefulSet's or DaemonSet's revisions apart,
// and templateLabel those of a Deployment's.
const (
	revisionLabel = "controller-revision-hash"
	templateLabel = "pod-template-hash"
)

func revisionOf(pod *unstructured.Unstructured) string {
	return pod.GetLabels()[revisionLabel] + pod.GetLabels()[templateLabel]
}

// troublesome are those of an object's pods that may keep it from being ready. A
// StatefulSet goes on to its next pod only when the one at hand is ready, of
// whatever revision that is, unless it may do several at once.
func troublesome(live *unstructured.Unstructured, pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	policy, _, _ := unstructured.NestedString(live.Object, "spec", "podManagementPolicy")
	if live.GetKind() == "StatefulSet" && policy != "Parallel" {
		return pods
	}
	return latest(pods)
}

// isOfBefore says whether a pod of a StatefulSet is of another revision than the
// one it is being updated to.
func isOfBefore(pod *corev1.Pod, live *unstructured.Unstructured) bool {
	update, _, _ := unstructured.NestedString(live.Object, "status", "updateRevision")
	return live.GetKind() == "StatefulSet" && update != "" && pod.Labels[revisionLabel] != update
}

// latest are the pods of the newest revision among a controller's pods: those of
// the ones before may fail for what has been mended since. Times are told in
// seconds, so that several revisions may be the newest. What makes no revisions
// has no newer pods than it has.
func latest(pods []*unstructured.Unstructured) []*unstructured.Unstructured {
	var last metav1.Time
	for _, pod := range pods {
		if made := pod.GetCreationTimestamp(); last.Before(&made) {
			last = made
		}
	}
	newest := map[string]bool{}
	for _, pod := range pods {
		if made := pod.GetCreationTimestamp(); made.Equal(&last) {
			newest[revisionOf(pod)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(pods), func(pod *unstructured.Unstructured) bool { return !newest[revisionOf(pod)] })
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
