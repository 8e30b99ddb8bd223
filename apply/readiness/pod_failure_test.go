package readiness

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestWorstFailure(t *testing.T) {
	waiting := func(name, reason string) string {
		return "{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", namespace: ns}, status: {phase: Pending, containerStatuses: " +
			"[{name: c, state: {waiting: {reason: " + reason + ", message: m}}}]}}"
	}
	const never = -1
	unscheduled := "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}, status: {phase: Pending, conditions: [{type: " +
		"PodScheduled, status: 'False', reason: Unschedulable, message: m, lastTransitionTime: '2026-01-01T00:00:00Z'}]}}"
	cases := []struct {
		name  string
		pods  []string
		want  string
		grace time.Duration // after which it is terminal
	}{
		{"none", nil, "", never},
		{"starting", []string{waiting("a", "ContainerCreating")}, "pod ns/a, container c: ContainerCreating: m", never},
		{"first pull failed", []string{waiting("a", "ErrImagePull")}, "pod ns/a, container c: ErrImagePull: m", retryPeriod},
		{"pulls keep failing", []string{waiting("a", "ImagePullBackOff")}, "pod ns/a, container c: ImagePullBackOff: m", retryPeriod},
		{"what failed counts", []string{waiting("a", "ContainerCreating"), waiting("b", "CrashLoopBackOff")}, "pod ns/b, container c: " +
			"CrashLoopBackOff: m", retryPeriod},
		{"no image has such a name", []string{waiting("a", "InvalidImageName")}, "pod ns/a, container c: InvalidImageName: m", 0},
		{"no node yet", []string{unscheduled}, "pod ns/a: Unschedulable: m", schedulingPeriod},
		{"a configuration that may be on its way", []string{waiting("a", "CreateContainerConfigError")}, "pod ns/a, container c: " +
			"CreateContainerConfigError: m", retryPeriod},
		{"what won't come counts more", []string{waiting("a", "CreateContainerConfigError"), waiting("b", "InvalidImageName")},
			"pod ns/b, container c: InvalidImageName: m", 0},
		{"runs and is not ready", []string{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}, status: {phase: Running, " +
			"conditions: [{type: Ready, status: 'False', reason: ContainersNotReady, message: m}], containerStatuses: [{name: c, state: " +
			"{running: {}}}]}}"}, "pod ns/a, container c: ContainersNotReady: m", never},
		{"an init container", []string{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}, status: {phase: Pending, " +
			"initContainerStatuses: [{name: i, state: {waiting: {reason: CrashLoopBackOff}}}], containerStatuses: [{name: c, state: " +
			"{waiting: {reason: PodInitializing}}}]}}"}, "pod ns/a, container i: CrashLoopBackOff", retryPeriod},
		{"gated", []string{strings.ReplaceAll(unscheduled, "Unschedulable", "SchedulingGated")}, "pod ns/a: SchedulingGated: m", never},
		{"killed again and again", []string{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}, status: {phase: Running, " +
			"containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff, message: back-off}}, lastState: {terminated: " +
			"{exitCode: 137, reason: OOMKilled}}}]}}"}, "pod ns/a, container c: CrashLoopBackOff: back-off; " +
			"it last ended with exit code 137, OOMKilled", retryPeriod},
		{"ended, to be restarted", []string{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}, spec: {restartPolicy: " +
			"OnFailure}, status: {phase: Running, containerStatuses: [{name: c, state: {terminated: {exitCode: 3}}}]}}"},
			"pod ns/a, container c: exit code 3", retryPeriod},
		{"on its way out", []string{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns, deletionTimestamp: " +
			"'2026-01-01T00:00:00Z'}, status: {containerStatuses: [{name: c, state: {waiting: {reason: CrashLoopBackOff}}}]}}"}, "", never},
		{"ended, not to be restarted", []string{"{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns}, spec: {restartPolicy: " +
			"Never}, status: {phase: Failed, containerStatuses: [{name: c, state: {terminated: {exitCode: 3}}}]}}"}, "pod ns/a, container c: " +
			"exit code 3", 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var pods []*unstructured.Unstructured
			for _, pod := range c.pods {
				pods = append(pods, object(t, pod))
			}
			got, grace := "", time.Duration(never)
			if worst, _ := new(clocks).worst(podFailures(pods), time.Time{}); worst != nil {
				got = worst.String()
				if worst.terminal {
					grace = worst.gracePeriod
				}
			}
			if got != c.want || grace != c.grace {
				t.Errorf("got %q, terminal after %v; want %q, %v", got, grace, c.want, c.grace)
			}
		})
	}
}

func TestPodsOf(t *testing.T) {
	pods := []*unstructured.Unstructured{
		object(t, "{apiVersion: v1, kind: Pod, metadata: {name: ours, labels: {app: web}, ownerReferences: [{kind: ReplicaSet, name: r, "+
			"uid: u, apiVersion: apps/v1}]}}"),
		object(t, "{apiVersion: v1, kind: Pod, metadata: {name: single, labels: {app: web}}}"),
		object(t, "{apiVersion: v1, kind: Pod, metadata: {name: other, labels: {app: db}, ownerReferences: [{kind: ReplicaSet, name: r, "+
			"uid: u, apiVersion: apps/v1}]}}"),
	}
	cases := []struct {
		name, manifest string
		want           int
	}{
		{"a controller", "{apiVersion: v1, kind: ReplicationController, metadata: {name: a}, spec: {selector: {app: web}}}", 1},
		{"a deployment", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchExpressions: [{key: app, " +
			"operator: In, values: [web, db]}]}}}", 2},
		{"a selector of nothing", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {}}}", 0},
		{"no controller", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", 0},
		{"a pod itself", "{apiVersion: v1, kind: Pod, metadata: {name: a}}", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := podsOf(object(t, c.manifest), pods); len(got) != c.want {
				t.Errorf("got %d pods, want %d", len(got), c.want)
			}
		})
	}
}

func TestCreationFailure(t *testing.T) {
	refused := object(t, "{apiVersion: v1, kind: ReplicationController, metadata: {name: a}, status: {conditions: [{type: "+
		"ReplicaFailure, status: 'True', reason: FailedCreate, message: exceeded quota}]}}")
	if got, want := creationFailure(refused), "FailedCreate: exceeded quota"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	fine := object(t, "{apiVersion: v1, kind: ReplicationController, metadata: {name: a, uid: u}, status: {conditions: [{type: "+
		"ReplicaFailure, status: 'False'}]}}")
	if got := creationFailure(fine); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestCreationFailureEvent(t *testing.T) {
	set := object(t, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a, uid: u, managedFields: [{manager: kplan, operation: "+
		"Apply, time: '2026-01-01T12:00:00Z'}]}}")
	event := func(uid, at string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: Event, metadata: {name: a}, involvedObject: {uid: "+uid+"}, reason: FailedCreate, "+
			"message: no account, lastTimestamp: '2026-01-01T"+at+"Z'}")
	}
	pod := func(at string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: Pod, metadata: {name: p, creationTimestamp: '2026-01-01T"+at+"Z'}}")
	}
	cases := []struct {
		name   string
		pods   []*unstructured.Unstructured
		event  *unstructured.Unstructured
		counts bool
	}{
		{"no pod", nil, event("u", "12:00:00"), true},
		{"of another object", nil, event("other", "12:00:00"), false},
		{"of before the change", nil, event("u", "11:59:59"), false},
		{"after the newest pod", []*unstructured.Unstructured{pod("11:00:00"), pod("12:00:01")}, event("u", "12:00:02"), true},
		{"before the newest pod", []*unstructured.Unstructured{pod("11:00:00"), pod("12:00:01")}, event("u", "12:00:01"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := ""
			if c.counts {
				want = "FailedCreate: no account"
			}
			if got := creationFailureEvent(set, c.pods, []*unstructured.Unstructured{c.event}); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestFailuresAmong(t *testing.T) {
	set := func(policy string) *unstructured.Unstructured {
		return object(t, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {podManagementPolicy: "+policy+"}, status: "+
			"{updateRevision: new}}")
	}
	job := object(t, "{apiVersion: batch/v1, kind: Job, metadata: {name: a}}")
	pod := func(name, revision, at, reason string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: Pod, metadata: {name: "+name+", namespace: ns, creationTimestamp: "+
			"'2026-01-01T00:00:0"+at+"Z', labels: {controller-revision-hash: "+revision+
			"}}, status: {containerStatuses: [{name: c, state: {waiting: {reason: "+reason+"}}}]}}")
	}
	unready := func(name, revision, probes string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: Pod, metadata: {name: "+name+", namespace: ns, labels: {controller-revision-hash: "+revision+
			"}}, spec: {containers: [{name: c"+probes+"}]}, status: {phase: Running, conditions: [{type: Ready, status: 'False', reason: "+
			"ContainersNotReady}], containerStatuses: [{name: c, state: {running: {}}}]}}")
	}
	const never = -1
	cases := []struct {
		name  string
		live  *unstructured.Unstructured
		pods  []*unstructured.Unstructured
		want  string // the pod
		grace time.Duration
	}{
		{"made in the same second as one of the revision before", set("OrderedReady"),
			[]*unstructured.Unstructured{pod("s-0", "old", "1", "ContainerCreating"), pod("s-1", "new", "1", "CrashLoopBackOff")},
			"s-1", retryPeriod},
		{"of the revision before, which must be ready first", set("OrderedReady"),
			[]*unstructured.Unstructured{pod("s-0", "new", "2", "ContainerCreating"), pod("s-1", "old", "1", "CrashLoopBackOff")},
			"s-1", retryPeriod},
		{"of the revision before, which never gets ready", set("OrderedReady"),
			[]*unstructured.Unstructured{unready("s-0", "new", ""), unready("s-1", "old", "")}, "s-1", retryPeriod},
		{"of the revision before, which may take its time", set("OrderedReady"), []*unstructured.Unstructured{unready("s-0", "old",
			", startupProbe: {periodSeconds: 10, failureThreshold: 30}")}, "s-0", retryPeriod + 5*time.Minute},
		{"of this revision, which is not ready yet", set("OrderedReady"), []*unstructured.Unstructured{unready("s-0", "new", "")}, "s-0", never},
		{"of the revision before, which is replaced anyhow", set("Parallel"),
			[]*unstructured.Unstructured{pod("s-0", "new", "2", "ContainerCreating"), pod("s-1", "old", "1", "CrashLoopBackOff")}, "s-0", never},
		{"in parallel, made in the same second", set("Parallel"), []*unstructured.Unstructured{pod("s-0", "old", "1",
			"ContainerCreating"), pod("s-1", "new", "1", "CrashLoopBackOff")}, "s-1", retryPeriod},
		{"of a Job, which counts the crashes", job, []*unstructured.Unstructured{pod("j", "", "1", "CrashLoopBackOff")}, "j", never},
		{"of a Job, which does not count the pulls", job, []*unstructured.Unstructured{pod("j", "", "1", "ImagePullBackOff")}, "j", retryPeriod},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, grace := "", time.Duration(never)
			if failure, _ := new(clocks).worst(failuresAmong(c.live, c.pods), time.Time{}); failure != nil {
				got = failure.pod.Name
				if failure.terminal {
					grace = failure.gracePeriod
				}
			}
			if got != c.want || grace != c.grace {
				t.Errorf("got %q, terminal after %v; want %q, %v", got, grace, c.want, c.grace)
			}
		})
	}
}
