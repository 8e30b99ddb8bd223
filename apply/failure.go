package apply

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/kube"
)

const (
	// schedulingGrace is how long a pod may wait for a node before waiting is
	// taken to be hopeless: a cluster that adds nodes needs minutes.
	schedulingGrace = 3 * time.Minute
	// settlingGrace is how long something may lack what is perhaps being made
	// just now, such as the service account of a controller's pods: who looks for
	// it looks again, but not at once.
	settlingGrace = 20 * time.Second
	// replacingGrace is how long a pod that is to be replaced may fail, if it has to
	// be ready for that.
	replacingGrace = time.Minute
)

// trouble is why a pod does not get to run.
type failure struct {
	pod       *corev1.Pod
	container string // "" where the pod as a whole is concerned
	reason    string // the API's word: ImagePullBackOff
	message   string
	terminal  bool // it will not go away by waiting longer than grace
	grace     time.Duration
	crashed   bool // the container has ended: its log may tell why
	runs      bool // the container runs: its log may tell why it is not ready
}

// String is the trouble in a line.
func (t *failure) String() string {
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
var terminalReasons = map[string]time.Duration{
	"ImagePullBackOff": 0, "ErrImageNeverPull": 0, "InvalidImageName": 0, "CrashLoopBackOff": 0,
	"CreateContainerConfigError": settlingGrace, "RunContainerError": settlingGrace,
}

// worstTrouble finds the most telling trouble among pods, nil when none has any.
func worstFailure(pods []*unstructured.Unstructured) *failure {
	var worst *failure
	for _, u := range pods {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pod) != nil {
			continue // a pod of a newer server: it has no trouble that can be told
		}
		if t := failureOf(&pod); t != nil && (worst == nil || t.weight() > worst.weight()) {
			worst = t
		}
	}
	return worst
}

// weight orders troubles by how much they tell.
func (t *failure) weight() int {
	switch {
	case t.terminal && t.grace == 0:
		return 3
	case t.terminal:
		return 2
	case !t.runs:
		return 1
	}
	return 0
}

func failureOf(pod *corev1.Pod) *failure {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			if t := containerFailure(pod, status); t != nil {
				return t
			}
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			// Who gates pods lets them go in his own time.
			return &failure{pod: pod, reason: c.Reason, message: c.Message, terminal: c.Reason != corev1.PodReasonSchedulingGated, grace: schedulingGrace}
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return &failure{pod: pod, reason: "Failed", message: pod.Status.Message, terminal: metav1.GetControllerOf(pod) == nil}
	}
	return unreadiness(pod)
}

// unreadiness is the trouble of a pod that runs and is not ready.
func unreadiness(pod *corev1.Pod) *failure {
	for _, c := range pod.Status.Conditions {
		if c.Type != corev1.PodReady || c.Status != corev1.ConditionFalse || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		t := &failure{pod: pod, reason: c.Reason, message: c.Message}
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

func containerFailure(pod *corev1.Pod, status corev1.ContainerStatus) *failure {
	t := &failure{pod: pod, container: status.Name}
	switch waiting, ended := status.State.Waiting, status.State.Terminated; {
	case waiting != nil && waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing":
		t.reason, t.message = waiting.Reason, waiting.Message
		t.grace, t.terminal = terminalReasons[waiting.Reason]
		if last := status.LastTerminationState.Terminated; last != nil {
			t.crashed = true
			t.message = join(waiting.Message, "it last ended with "+exitOf(last))
		}
	case ended != nil && ended.ExitCode != 0:
		t.reason, t.message, t.crashed = exitOf(ended), ended.Message, true
		t.terminal = pod.Spec.RestartPolicy == corev1.RestartPolicyNever && metav1.GetControllerOf(pod) == nil
	default:
		return nil
	}
	return t
}

// exitOf is how a container ended: "exit code 137, OOMKilled".
func exitOf(ended *corev1.ContainerStateTerminated) string {
	text := fmt.Sprintf("exit code %d", ended.ExitCode)
	if ended.Reason == "" || ended.Reason == "Error" || ended.Reason == "Completed" {
		return text
	}
	return text + ", " + ended.Reason
}

func refusedByCondition(live *unstructured.Unstructured) string {
	condition := conditionOf(live, "ReplicaFailure")
	if condition["status"] != "True" {
		return ""
	}
	return fmt.Sprintf("%v: %v", condition["reason"], condition["message"])
}

// refusedByEvent is why a controller could not make a pod after the newest that
// it has, and after its object was last applied: what it said before may be mended.
func refusedByEvent(live *unstructured.Unstructured, pods, events []*unstructured.Unstructured) string {
	var newest, applied time.Time
	for _, pod := range pods {
		if made := pod.GetCreationTimestamp().Time; made.After(newest) {
			newest = made
		}
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager == kube.Manager && entry.Subresource == "" && entry.Time != nil {
			applied = entry.Time.Time
		}
	}
	slices.SortFunc(events, byName)
	for _, u := range events {
		var event corev1.Event
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &event) != nil {
			continue
		}
		at := kube.EventTime(event)
		if event.InvolvedObject.UID == live.GetUID() && event.Message != "" && !at.Before(applied) && (newest.IsZero() || at.After(newest)) {
			return "FailedCreate: " + event.Message
		}
	}
	return ""
}
