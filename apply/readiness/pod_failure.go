package readiness

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// schedulingPeriod is how long a pod may wait for a node: a cluster that adds
	// nodes needs minutes.
	schedulingPeriod = 3 * time.Minute
	// propagationPeriod is how long something may be missing that is perhaps being
	// created just now, such as the service account of a controller's pods: whoever
	// looks for it looks again, but not at once.
	propagationPeriod = 20 * time.Second
	// replacementPeriod is how long a pod of an old revision may fail, if it has to
	// be ready before it is replaced.
	replacementPeriod = time.Minute
)

// PodFailure is why a pod is not running, or not ready.
type PodFailure struct {
	pod         *corev1.Pod
	container   string // "" where the pod as a whole is concerned
	reason      string // the API's word: ImagePullBackOff
	message     string
	terminal    bool // waiting longer than gracePeriod won't help
	gracePeriod time.Duration
	crashed     bool // the container has terminated: its log may tell why
	running     bool // the container is running: its log may tell why it is not ready
}

// String is the failure in a line.
func (f *PodFailure) String() string {
	what := fmt.Sprintf("pod %s/%s", f.pod.Namespace, f.pod.Name)
	if f.container != "" {
		what += fmt.Sprintf(", container %s", f.container)
	}
	if f.message == "" {
		return what + ": " + f.reason
	}
	return what + ": " + f.reason + ": " + f.message
}

// terminalReasons are the reasons of waiting containers for which waiting longer
// than their grace period won't help. A first ErrImagePull is not among them, since
// registries fail now and then.
var terminalReasons = map[string]time.Duration{
	"ImagePullBackOff": 0, "ErrImageNeverPull": 0, "InvalidImageName": 0, "CrashLoopBackOff": 0,
	"CreateContainerConfigError": propagationPeriod, "RunContainerError": propagationPeriod,
}

// worstFailure finds the most telling failure among pods, nil when none has any.
func worstFailure(pods []*unstructured.Unstructured) *PodFailure {
	var worst *PodFailure
	for _, u := range pods {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pod) != nil {
			continue // a pod of a newer server, about which nothing is known
		}
		if f := failureOf(&pod); f != nil && (worst == nil || f.severity() > worst.severity()) {
			worst = f
		}
	}
	return worst
}

// severity orders failures by how much they explain.
func (f *PodFailure) severity() int {
	switch {
	case f.terminal && f.gracePeriod == 0:
		return 3
	case f.terminal:
		return 2
	case !f.running:
		return 1
	}
	return 0
}

func failureOf(pod *corev1.Pod) *PodFailure {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			if f := containerFailure(pod, status); f != nil {
				return f
			}
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			// Scheduling gates are removed whenever their owner likes.
			return &PodFailure{pod: pod, reason: c.Reason, message: c.Message, terminal: c.Reason != corev1.PodReasonSchedulingGated,
				gracePeriod: schedulingPeriod}
		}
	}
	if pod.Status.Phase == corev1.PodFailed {
		return &PodFailure{pod: pod, reason: "Failed", message: pod.Status.Message, terminal: metav1.GetControllerOf(pod) == nil}
	}
	return unreadiness(pod)
}

// unreadiness is the failure of a pod that is running and not ready.
func unreadiness(pod *corev1.Pod) *PodFailure {
	for _, c := range pod.Status.Conditions {
		if c.Type != corev1.PodReady || c.Status != corev1.ConditionFalse || pod.Status.Phase != corev1.PodRunning {
			continue
		}
		f := &PodFailure{pod: pod, reason: c.Reason, message: c.Message}
		for _, status := range pod.Status.ContainerStatuses {
			if !status.Ready && status.State.Running != nil {
				f.container, f.running = status.Name, true
				break
			}
		}
		return f
	}
	return nil
}

func containerFailure(pod *corev1.Pod, status corev1.ContainerStatus) *PodFailure {
	f := &PodFailure{pod: pod, container: status.Name}
	switch waiting, ended := status.State.Waiting, status.State.Terminated; {
	case waiting != nil && waiting.Reason != "" && waiting.Reason != "ContainerCreating" && waiting.Reason != "PodInitializing":
		f.reason, f.message = waiting.Reason, waiting.Message
		f.gracePeriod, f.terminal = terminalReasons[waiting.Reason]
		if last := status.LastTerminationState.Terminated; last != nil {
			f.crashed = true
			f.message = join(waiting.Message, "it last ended with "+exitOf(last))
		}
	case ended != nil && ended.ExitCode != 0:
		f.reason, f.message, f.crashed = exitOf(ended), ended.Message, true
		f.terminal = pod.Spec.RestartPolicy == corev1.RestartPolicyNever && metav1.GetControllerOf(pod) == nil
	default:
		return nil
	}
	return f
}

// exitOf is how a container ended: "exit code 137, OOMKilled".
func exitOf(ended *corev1.ContainerStateTerminated) string {
	code := fmt.Sprintf("exit code %d", ended.ExitCode)
	if ended.Reason == "" || ended.Reason == "Error" || ended.Reason == "Completed" {
		return code
	}
	return code + ", " + ended.Reason
}
