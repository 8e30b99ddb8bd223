package readiness

import (
	"cmp"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// retryPeriod is how long what Kubernetes tries again by itself may fail, which
	// is time for several tries: a pull, a start, a creation that was refused.
	retryPeriod = time.Minute
	// schedulingPeriod is how long a pod may wait for a node: a cluster that adds
	// nodes needs minutes.
	schedulingPeriod = 3 * time.Minute
)

// PodFailure is why a pod is not running, or not ready.
type PodFailure struct {
	pod         *corev1.Pod
	container   string // "" where the pod as a whole is concerned
	reason      string // the API's word: ImagePullBackOff
	message     string
	retry       retry
	terminal    bool // waiting longer than gracePeriod won't help
	gracePeriod time.Duration
	crashed     bool // the container has terminated: its log may show why
	running     bool // the container is running: its log may show why it is not ready
	starting    bool // nothing is wrong yet
	// run counts the times that the container ran for long before it ended: each is
	// a new beginning.
	run int32
}

// retry is what is tried again after a failure. The reasons alternate meanwhile:
// ErrImagePull and ImagePullBackOff are one failure.
type retry byte

const (
	otherRetry retry = iota
	imageRetry       // pulling the image
	startRetry       // starting the container, and again after it has ended
)

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

// retriedReasons are the reasons of waiting containers for which the kubelet tries
// again and again. InvalidImageName is the one that no try can cure.
var retriedReasons = map[string]retry{
	"ErrImagePull": imageRetry, "ImagePullBackOff": imageRetry, "ErrImageNeverPull": imageRetry, "ImageInspectError": imageRetry,
	"RegistryUnavailable": imageRetry, "SignatureValidationFailed": imageRetry, "InvalidImageName": imageRetry,
	"CrashLoopBackOff": startRetry, "CreateContainerConfigError": startRetry, "CreateContainerError": startRetry,
	"RunContainerError": startRetry, "PreCreateHookError": startRetry, "PreStartHookError": startRetry, "PostStartHookError": startRetry,
}

// podFailures finds the failure of each pod that has one.
func podFailures(pods []*unstructured.Unstructured) []*PodFailure {
	var failures []*PodFailure
	for _, u := range pods {
		var pod corev1.Pod
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &pod) != nil {
			continue // a pod of a newer server, about which nothing is known
		}
		if f := failureOf(&pod); f != nil {
			failures = append(failures, f)
		}
	}
	return failures
}

// severity orders failures by how much they explain.
func (f *PodFailure) severity() int {
	switch {
	case f.terminal && f.gracePeriod == 0:
		return 4
	case f.starting:
		return 0
	case f.terminal:
		return 3
	case !f.running:
		return 2
	}
	return 1
}

func failureOf(pod *corev1.Pod) *PodFailure {
	if pod.DeletionTimestamp != nil {
		return nil
	}
	var starting *PodFailure
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for _, status := range statuses {
			f := containerFailure(pod, status)
			if f != nil && !f.starting {
				return f
			}
			starting = cmp.Or(starting, f)
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
	return cmp.Or(unreadiness(pod), starting)
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
	last := status.LastTerminationState.Terminated
	switch waiting, ended := status.State.Waiting, status.State.Terminated; {
	case waiting != nil && waiting.Reason != "":
		f.reason, f.message = waiting.Reason, waiting.Message
		f.starting = waiting.Reason == "ContainerCreating" || waiting.Reason == "PodInitializing"
		if f.retry, f.terminal = retriedReasons[waiting.Reason]; waiting.Reason != "InvalidImageName" {
			f.gracePeriod = retryPeriod
		}
		if last != nil && !f.starting {
			f.crashed = true
			f.message = join(waiting.Message, "it last ended with "+exitOf(last))
		}
	case ended != nil && ended.ExitCode != 0:
		f.reason, f.message, f.crashed, f.retry, last = exitOf(ended), ended.Message, true, startRetry, ended
		if pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
			f.terminal = metav1.GetControllerOf(pod) == nil
		} else {
			f.terminal, f.gracePeriod = true, retryPeriod
		}
	default:
		return nil
	}
	if last != nil && last.FinishedAt.Sub(last.StartedAt.Time) > retryPeriod {
		f.run = status.RestartCount
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
