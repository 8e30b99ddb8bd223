package kubelets

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons as a kubelet words them.
const (
	reasonErrImagePull     = "ErrImagePull"
	reasonImagePullBackOff = "ImagePullBackOff"
	reasonCrashLoopBackOff = "CrashLoopBackOff"
	reasonPodInitializing  = "PodInitializing"
	reasonCompleted        = "Completed"
	reasonError            = "Error"
)

// pullBackOff is how long a failed pull is reported as such, before it is reported as being put off.
const pullBackOff = time.Second

// observation is what a kubelet would see of a pod at one moment.
type observation struct {
	pod *corev1.Pod
	now metav1.Time

	again time.Duration // when to look again, if anything will change by itself
}

// nextStatus is the status that a kubelet would report now for a pod on its node, and after what time it would
// report another one, or 0 if none. Addresses are not its business.
func nextStatus(pod *corev1.Pod, now time.Time) (corev1.PodStatus, time.Duration) {
	o := &observation{pod: pod, now: metav1.NewTime(now.Truncate(time.Second))}
	status := *pod.Status.DeepCopy()
	if status.StartTime == nil {
		status.StartTime = &o.now
	}
	// The start is stored in whole seconds, cut off. Counting from the next one, a delay is never too short.
	age := now.Sub(status.StartTime.Add(time.Second))

	initialized := true
	status.InitContainerStatuses = nil
	for _, c := range pod.Spec.InitContainers {
		var s corev1.ContainerStatus
		s, initialized = o.initContainer(c, age, initialized)
		status.InitContainerStatuses = append(status.InitContainerStatuses, s)
	}
	status.ContainerStatuses = nil
	for _, c := range pod.Spec.Containers {
		s := o.waiting(c, reasonPodInitializing, "")
		if initialized {
			s = o.container(c, age)
		}
		status.ContainerStatuses = append(status.ContainerStatuses, s)
	}
	status.Phase = phase(pod.Spec.RestartPolicy, status)
	o.conditions(&status, initialized)
	return status, o.again
}

// initContainer is the status of an init container, given whether those before it are done, and whether the
// ones after it may go on. An ordinary one ends well, a sidecar runs.
func (o *observation) initContainer(c corev1.Container, age time.Duration, before bool) (corev1.ContainerStatus, bool) {
	if !before {
		return o.waiting(c, reasonPodInitializing, ""), false
	}
	sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	b := behaviourOf(c.Image)
	if !sidecar && !b.exits {
		b.exits = true // an init container that runs well is one that ends
	}
	s := o.behave(c, b, age, sidecar)
	s.Ready = s.Ready || s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
	return s, s.Ready
}

func (o *observation) container(c corev1.Container, age time.Duration) corev1.ContainerStatus {
	b := behaviourOf(c.Image)
	if b == (behaviour{}) && metav1.GetControllerOf(o.pod) != nil && metav1.GetControllerOf(o.pod).Kind == "Job" {
		b.exits = true
	}
	return o.behave(c, b, age, o.pod.Spec.RestartPolicy == corev1.RestartPolicyAlways)
}

// behave is the status of a container that may run, by its behaviour.
func (o *observation) behave(c corev1.Container, b behaviour, age time.Duration, restartAlways bool) corev1.ContainerStatus {
	switch {
	case b.unpullable:
		return o.unpullable(c)
	case b.delay > 0 && age < b.delay:
		o.lookAgain(b.delay - age)
		return o.running(c, false)
	case !b.exits:
		return o.running(c, !b.unready)
	case restartAlways || b.exitCode != 0 && o.pod.Spec.RestartPolicy != corev1.RestartPolicyNever:
		return o.crashLoop(c, b.exitCode)
	}
	return o.terminated(c, b.exitCode)
}

func (o *observation) lookAgain(after time.Duration) {
	if o.again == 0 || after < o.again {
		o.again = after
	}
}

// status begins the status of a container.
func (o *observation) status(c corev1.Container, started bool) corev1.ContainerStatus {
	s := corev1.ContainerStatus{Name: c.Name, Image: c.Image, Started: &started}
	if before := o.before(c.Name); before != nil {
		s.RestartCount = before.RestartCount
	}
	return s
}

// before is what was last reported of a container.
func (o *observation) before(name string) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{o.pod.Status.InitContainerStatuses, o.pod.Status.ContainerStatuses} {
		for i := range list {
			if list[i].Name == name {
				return &list[i]
			}
		}
	}
	return nil
}

func (o *observation) waiting(c corev1.Container, reason, message string) corev1.ContainerStatus {
	s := o.status(c, false)
	s.State.Waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
	return s
}

func (o *observation) unpullable(c corev1.Container) corev1.ContainerStatus {
	b := o.before(c.Name)
	if b == nil || b.Image != c.Image || b.State.Waiting == nil {
		o.lookAgain(pullBackOff)
		return o.waiting(c, reasonErrImagePull, pullError(c.Image))
	}
	return o.waiting(c, reasonImagePullBackOff, fmt.Sprintf("Back-off pulling image %q: %s", c.Image, pullError(c.Image)))
}

func pullError(image string) string {
	return fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", image, image, image)
}

func (o *observation) running(c corev1.Container, ready bool) corev1.ContainerStatus {
	s := o.status(c, true)
	s.Ready = ready
	s.ImageID = imageID(c.Image)
	s.ContainerID = o.containerID(c)
	s.State.Running = &corev1.ContainerStateRunning{StartedAt: o.now}
	if before := o.before(c.Name); before != nil && before.Image == c.Image && before.State.Running != nil {
		s.State.Running = before.State.Running
	}
	return s
}

func (o *observation) terminated(c corev1.Container, exitCode int32) corev1.ContainerStatus {
	s := o.status(c, false)
	s.ImageID = imageID(c.Image)
	s.ContainerID = o.containerID(c)
	s.State.Terminated = o.termination(c, exitCode)
	if before := o.before(c.Name); before != nil && before.Image == c.Image && before.State.Terminated != nil {
		s.State.Terminated = before.State.Terminated
	}
	return s
}

// crashLoop is reported as after a few restarts, at once and for good: to a test, the wait between them is lost.
func (o *observation) crashLoop(c corev1.Container, exitCode int32) corev1.ContainerStatus {
	s := o.waiting(c, reasonCrashLoopBackOff, fmt.Sprintf("back-off 40s restarting failed container=%s pod=%s_%s(%s)",
		c.Name, o.pod.Name, o.pod.Namespace, o.pod.UID))
	s.RestartCount = 3
	s.ImageID = imageID(c.Image)
	s.ContainerID = o.containerID(c)
	s.LastTerminationState.Terminated = o.termination(c, exitCode)
	if before := o.before(c.Name); before != nil && before.LastTerminationState.Terminated != nil {
		s.LastTerminationState = before.LastTerminationState
	}
	return s
}

func (o *observation) termination(c corev1.Container, exitCode int32) *corev1.ContainerStateTerminated {
	reason := reasonCompleted
	if exitCode != 0 {
		reason = reasonError
	}
	return &corev1.ContainerStateTerminated{
		ExitCode: exitCode, Reason: reason, StartedAt: o.now, FinishedAt: o.now, ContainerID: o.containerID(c),
	}
}

func (o *observation) containerID(c corev1.Container) string {
	return fmt.Sprintf("none://%s/%s", o.pod.UID, c.Name)
}

func imageID(image string) string { return "none://" + image }

// phase sums up the containers, as the documentation of the pod's life has it.
func phase(restart corev1.RestartPolicy, status corev1.PodStatus) corev1.PodPhase {
	failedInit := slices.ContainsFunc(status.InitContainerStatuses, func(s corev1.ContainerStatus) bool {
		return s.State.Terminated != nil && s.State.Terminated.ExitCode != 0
	})
	if failedInit && restart == corev1.RestartPolicyNever {
		return corev1.PodFailed
	}
	ended, failed, begun := true, false, false
	for _, s := range status.ContainerStatuses {
		ended = ended && s.State.Terminated != nil
		failed = failed || s.State.Terminated != nil && s.State.Terminated.ExitCode != 0
		begun = begun || s.State.Waiting == nil || s.State.Waiting.Reason == reasonCrashLoopBackOff
	}
	switch {
	case ended && failed:
		return corev1.PodFailed
	case ended:
		return corev1.PodSucceeded
	case begun:
		return corev1.PodRunning
	}
	return corev1.PodPending
}

// conditions brings the conditions of a kubelet's in line with the containers; others stay.
func (o *observation) conditions(status *corev1.PodStatus, initialized bool) {
	var unready []string
	for _, s := range status.ContainerStatuses {
		if !s.Ready {
			unready = append(unready, s.Name)
		}
	}
	reason, message := "ContainersNotReady", fmt.Sprintf("containers with unready status: %v", unready)
	ended := status.Phase == corev1.PodSucceeded || status.Phase == corev1.PodFailed
	switch {
	case status.Phase == corev1.PodSucceeded:
		reason, message = "PodCompleted", ""
	case status.Phase == corev1.PodFailed:
		reason, message = "PodFailed", ""
	case len(unready) == 0:
		reason, message = "", ""
	}
	initReason := ""
	if !initialized {
		initReason = "ContainersNotInitialized"
	}
	ready := len(unready) == 0
	o.condition(status, corev1.PodReadyToStartContainers, !ended, "", "")
	o.condition(status, corev1.PodInitialized, initialized, initReason, "")
	o.condition(status, corev1.ContainersReady, ready, reason, message)
	if gate := o.closedGate(); ready && gate != "" {
		ready, reason, message = false, "ReadinessGatesNotReady",
			fmt.Sprintf("corresponding condition of pod readiness gate %q does not exist.", gate)
	}
	o.condition(status, corev1.PodReady, ready, reason, message)
}

// closedGate is a readiness gate of the pod whose condition isn't true.
func (o *observation) closedGate() corev1.PodConditionType {
	for _, gate := range o.pod.Spec.ReadinessGates {
		open := slices.ContainsFunc(o.pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == gate.ConditionType && c.Status == corev1.ConditionTrue
		})
		if !open {
			return gate.ConditionType
		}
	}
	return ""
}

// condition sets a condition. Its time changes only with its status.
func (o *observation) condition(status *corev1.PodStatus, kind corev1.PodConditionType, holds bool, reason, message string) {
	c := corev1.PodCondition{
		Type: kind, Status: corev1.ConditionFalse, Reason: reason, Message: message,
		LastTransitionTime: o.now, ObservedGeneration: o.pod.Generation,
	}
	if holds {
		c.Status = corev1.ConditionTrue
	}
	i := slices.IndexFunc(status.Conditions, func(old corev1.PodCondition) bool { return old.Type == kind })
	if i < 0 {
		status.Conditions = append(status.Conditions, c)
		return
	}
	if status.Conditions[i].Status == c.Status {
		c.LastTransitionTime = status.Conditions[i].LastTransitionTime
	}
	status.Conditions[i] = c
}
