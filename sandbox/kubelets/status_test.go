package kubelets

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestStatusFollowsTheImage(t *testing.T) {
	for _, test := range []struct {
		image   string
		restart corev1.RestartPolicy
		owner   string // kind
		phase   corev1.PodPhase
		ready   bool
		waiting string // reason
	}{
		{image: "nginx", phase: corev1.PodRunning, ready: true},
		{image: "nginx", restart: corev1.RestartPolicyNever, phase: corev1.PodRunning, ready: true},
		{image: "nginx", restart: corev1.RestartPolicyNever, owner: "Job", phase: corev1.PodSucceeded},
		{image: "kplan.test/does-not-exist", phase: corev1.PodPending, waiting: "ImagePullBackOff"},
		{image: "kplan.test/does-not-exist-either:v1", phase: corev1.PodPending, waiting: "ImagePullBackOff"},
		{image: "kplan.test/unheard-of", phase: corev1.PodPending, waiting: "ImagePullBackOff"},
		{image: "kplan.test/crashes", phase: corev1.PodRunning, waiting: "CrashLoopBackOff"},
		{image: "kplan.test/crashes", restart: corev1.RestartPolicyNever, owner: "Job", phase: corev1.PodFailed},
		{image: "kplan.test/completes", restart: corev1.RestartPolicyOnFailure, phase: corev1.PodSucceeded},
		{image: "kplan.test/never-ready", phase: corev1.PodRunning},
		{image: "kplan.test/slow:1h", phase: corev1.PodRunning},
		{image: "kplan.test/slow:1s", phase: corev1.PodRunning, ready: true},
		{image: "kplan.test/ignores-term", phase: corev1.PodRunning, ready: true},
	} {
		t.Run(test.image+string(test.restart), func(t *testing.T) {
			pod := newPod(test.image, test.restart, test.owner)
			status := settle(pod)
			if status.Phase != test.phase {
				t.Errorf("phase %s, want %s", status.Phase, test.phase)
			}
			if got := holds(status, corev1.PodReady); got != test.ready {
				t.Errorf("ready %t, want %t", got, test.ready)
			}
			if got := waitingReason(status.ContainerStatuses[0]); got != test.waiting {
				t.Errorf("waiting for %q, want %q", got, test.waiting)
			}
		})
	}
}

func TestPullIsTriedBeforeItIsPutOff(t *testing.T) {
	status, again := nextStatus(newPod("kplan.test/does-not-exist", "", ""), time.Now())
	if got := waitingReason(status.ContainerStatuses[0]); got != "ErrImagePull" || again != pullBackOff {
		t.Errorf("waiting for %q, to change after %s", got, again)
	}
}

func TestFailingInitContainerHoldsTheOthers(t *testing.T) {
	pod := newPod("nginx", "", "")
	pod.Spec.InitContainers = []corev1.Container{{Name: "first", Image: "busybox"}, {Name: "second", Image: "kplan.test/crashes"}}
	status := settle(pod)
	if status.Phase != corev1.PodPending || holds(status, corev1.PodInitialized) {
		t.Errorf("phase %s, initialized %t", status.Phase, holds(status, corev1.PodInitialized))
	}
	if got := waitingReason(status.ContainerStatuses[0]); got != "PodInitializing" {
		t.Errorf("container waits for %q", got)
	}
	if got := waitingReason(status.InitContainerStatuses[1]); got != "CrashLoopBackOff" {
		t.Errorf("second init container waits for %q", got)
	}
}

func TestSettledStatusStaysAsItIs(t *testing.T) {
	for _, image := range []string{"nginx", "kplan.test/does-not-exist", "kplan.test/crashes", "kplan.test/never-ready"} {
		pod := newPod(image, "", "")
		pod.Status = settle(pod)
		later, again := nextStatus(pod, time.Now().Add(time.Hour))
		if later.String() != pod.Status.String() || again != 0 {
			t.Errorf("%s: from\n%v\nto\n%v, and again after %s", image, pod.Status, later, again)
		}
	}
}

func newPod(image string, restart corev1.RestartPolicy, owner string) *corev1.Pod {
	if restart == "" {
		restart = corev1.RestartPolicyAlways
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "acme", UID: "1"},
		Spec:       corev1.PodSpec{RestartPolicy: restart, Containers: []corev1.Container{{Name: "c", Image: image}}},
	}
	if owner != "" {
		yes := true
		pod.OwnerReferences = []metav1.OwnerReference{{Kind: owner, Controller: &yes}}
	}
	return pod
}

// settle is the pod's status after a minute on its node.
func settle(pod *corev1.Pod) corev1.PodStatus {
	pod = pod.DeepCopy()
	start := time.Now()
	for _, after := range []time.Duration{0, 2 * time.Second, time.Minute} {
		pod.Status, _ = nextStatus(pod, start.Add(after))
	}
	return pod.Status
}

func holds(status corev1.PodStatus, kind corev1.PodConditionType) bool {
	for _, c := range status.Conditions {
		if c.Type == kind {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

func waitingReason(s corev1.ContainerStatus) string {
	if s.State.Waiting == nil {
		return ""
	}
	return s.State.Waiting.Reason
}
