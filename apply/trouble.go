package apply

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// schedulingGrace is how long a pod may wait for a node before waiting is
	// taken to be hopeless: a cluster that adds nodes needs minutes.
	schedulingGrace = 3 * time.Minute
	// settlingGrace is how long something may lack what is perhaps being made
	// just now, such as the service account of a controller's pods: who looks for
	// it looks again, but not at once.
	settlingGrace = 20 * time.Second
)

// trouble is why a pod does not get to run.
type trouble struct {
	pod       *corev1.Pod
	container string // "" where the pod as a whole is concerned
	reason    string // the API's word: ImagePullBackOff
	message   string
	hopeless  bool // it will not go away by waiting longer than grace
	grace     time.Duration
	crashed   bool // the container has ended: its log may tell why
	runs      bool // the container runs: its log may tell why it is not ready
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

// hopelessReasons are why a container waits that no waiting mends, or none that
// is longer than this. A first ErrImagePull is not among them, since registries
// stumble.
var hopelessReasons = map[string]time.Duration{
	"ImagePullBackOff": 0, "ErrImageNeverPull": 0, "InvalidImageName": 0, "CrashLoopBackOff": 0,
	"CreateContainerConfigError": settlingGrace, "RunContainerError": settlingGrace,
}

// worstTrouble finds the most telling trouble among pods, nil when none has any.
func worstTrouble(pods []*unstructured.Unstructured) *trouble {
	var worst *trouble
	for _, u := range pods {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pod) != nil {
			continue // a pod of a newer server: it has no trouble that can be told
		}
		if t := troubleOf(&pod); t != nil && (worst == nil || t.weight() > worst.weight()) {
			worst = t
		}
	}
	return worst
}

// weight orders troubles by how much they tell.
func (t *trouble) weight() int {
	switch {
	case t.hopeless && t.grace == 0:
		return 3
	case t.hopeless:
		return 2
	case !t.runs:
		return 1
	}
	return 0
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
			return &trouble{pod: pod, reason: c.Reason, message: c.Message, hopeless: true, grace: schedulingGrace}
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return &trouble{pod: pod, reason: "Failed", message: pod.Status.Message, hopeless: metav1.GetControllerOf(pod) == nil}
	}
	return unreadiness(pod)
}

// unreadiness is the trouble of a pod that runs and is not ready.
func unreadiness(pod *corev1.Pod) *trouble {
	for _, c := range pod.Status.Conditions {
		if c.Type != corev1.PodReady || c.Status != corev1.ConditionFalse || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		t := &trouble{pod: pod, reason: c.Reason, message: c.Message}
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready && status.State.Running != nil {
				t.container, t.runs = status.Name, true
				break
			}
		}
		return t
	}
	return nil
}

func containerTrouble(pod *corev1.Pod, status corev1.ContainerStatus) *trouble {
	t := &trouble{pod: pod, container: status.Name}
	switch waiting, ended := status.State.Waiting, status.State.Terminated; {
	case waiting != nil && waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing":
		t.reason, t.message = waiting.Reason, waiting.Message
		t.grace, t.hopeless = hopelessReasons[waiting.Reason]
		t.crashed = status.LastTerminationState.Terminated != nil
	case ended != nil && ended.ExitCode != 0:
		t.reason, t.message, t.crashed = "exit code "+fmt.Sprint(ended.ExitCode), ended.Message, true
		t.hopeless = pod.Spec.RestartPolicy == corev1.RestartPolicyNever && metav1.GetControllerOf(pod) == nil
	default:
		return nil
	}
	return t
}

func refusedByCondition(live *unstructured.Unstructured) string {
	for _, condition := range conditionsOf(live) {
		if condition["type"] == "ReplicaFailure" && condition["status"] == "True" {
			return fmt.Sprintf("%v: %v", condition["reason"], condition["message"])
		}
	}
	return ""
}

func refusedByEvent(live *unstructured.Unstructured, events []*unstructured.Unstructured) string {
	slices.SortFunc(events, byName)
	for _, event := range events {
		about, _, _ := unstructured.NestedString(event.Object, "involvedObject", "uid")
		if message, _, _ := unstructured.NestedString(event.Object, "message"); about == string(live.GetUID()) && message != "" {
			return "FailedCreate: " + message
		}
	}
	return ""
}
