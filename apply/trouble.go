package apply

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
)

// schedulingGrace is how long a pod may wait for a node before waiting is
// taken to be hopeless: a cluster that adds nodes needs minutes.
const schedulingGrace = 3 * time.Minute

// trouble is why a pod does not get to run.
type trouble struct {
	pod       *corev1.Pod
	container string // "" where the pod as a whole is concerned
	reason    string // the API's word: ImagePullBackOff
	message   string
	hopeless  bool // it will not go away by waiting
	crashed   bool // the container has run: its log may tell why it ended
}

// String is the trouble in a line.
func (t *trouble) String() string {
	what := fmt.Sprintf("pod %s/%s", t.pod.Namespace, t.pod.Name)
	if t.container != "" {
		what += fmt.Sprintf(", container %s", t.container)
	}
	if t.message == "" {
		return what + ": " + t.reason
	}
	return what + ": " + t.reason + ": " + t.message
}

// hopelessReasons are why a container waits that no waiting mends. A first
// ErrImagePull is not among them, since registries stumble.
var hopelessReasons = map[string]bool{
	"ImagePullBackOff": true, "ErrImageNeverPull": true, "InvalidImageName": true,
	"CrashLoopBackOff": true, "CreateContainerConfigError": true, "RunContainerError": true,
}

// worstTrouble finds the most telling trouble among pods, nil when none has any.
func worstTrouble(pods []*unstructured.Unstructured) *trouble {
	var worst *trouble
	for _, u := range pods {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pod) != nil {
			continue // a pod of a newer server: it has no trouble that can be told
		}
		if t := troubleOf(&pod); t != nil && (worst == nil || t.hopeless && !worst.hopeless) {
			worst = t
		}
	}
	return worst
}

func troubleOf(pod *corev1.Pod) *trouble {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			if t := containerTrouble(pod, status); t != nil {
				return t
			}
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return &trouble{pod: pod, reason: c.Reason, message: c.Message,
				hopeless: time.Since(c.LastTransitionTime.Time) > schedulingGrace}
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return &trouble{pod: pod, reason: "Failed", message: pod.Status.Message, hopeless: metav1.GetControllerOf(pod) == nil}
	}
	return nil
}

func containerTrouble(pod *corev1.Pod, status corev1.ContainerStatus) *trouble {
	t := &trouble{pod: pod, container: status.Name}
	switch waiting, ended := status.State.Waiting, status.State.Terminated; {
	case waiting != nil && waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing":
		t.reason, t.message = waiting.Reason, waiting.Message
		t.hopeless = hopelessReasons[waiting.Reason]
		t.crashed = status.LastTerminationState.Terminated != nil
	case ended != nil && ended.ExitCode != 0:
		t.reason, t.message, t.crashed = "exit code "+fmt.Sprint(ended.ExitCode), ended.Message, true
		t.hopeless = pod.Spec.RestartPolicy == corev1.RestartPolicyNever && metav1.GetControllerOf(pod) == nil
	default:
		return nil
	}
	return t
}

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

// refusedPods is why a controller may not make its pods, such as a quota; ""
// where nothing is wrong.
func refusedPods(live *unstructured.Unstructured) string {
	conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		if condition["type"] == "ReplicaFailure" && condition["status"] == "True" {
			return fmt.Sprintf("%v: %v", condition["reason"], condition["message"])
		}
	}
	return ""
}
