package readiness

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// object reads a manifest as the cluster would send it.
func object(t *testing.T, manifest string) *unstructured.Unstructured {
	t.Helper()
	text, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	u := &unstructured.Unstructured{}
	if err := u.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestOf(t *testing.T) {
	controller := func(generation, observed, want, exist, ready string) string {
		return "{apiVersion: v1, kind: ReplicationController, metadata: {name: a, generation: " + generation + "}, spec: {replicas: " + want +
			"}, status: {observedGeneration: " + observed + ", replicas: " + exist + ", readyReplicas: " + ready + "}}"
	}
	deployment := func(paused, status string) string {
		return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 2}, spec: {replicas: 1, paused: " + paused + "}, " +
			"status: {" + status + "}}"
	}
	set := func(kind, spec, status string) string {
		return "{apiVersion: apps/v1, kind: " + kind + ", metadata: {name: a, generation: 2}, spec: {" + spec + "}, status: " +
			"{observedGeneration: 2, " + status + "}}"
	}
	job := func(meta, spec, status string) string {
		return "{apiVersion: batch/v1, kind: Job, metadata: {name: a" + meta + "}, spec: {" + spec + "}, status: {" + status + "}}"
	}
	widget := func(condition string) string {
		return "{apiVersion: acme.example/v1, kind: Widget, metadata: {name: a, generation: 2}, status: {conditions: [{" + condition + "}]}}"
	}
	service := func(status string) string {
		return "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.a.b}, status: {" + status + "}}"
	}
	const (
		onDelete = "replicas: 2, updateStrategy: {type: OnDelete}"
		rolling  = "replicas: 2, minReadySeconds: 9, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}"
		one      = "observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1"
		complete = "conditions: [{type: Complete, status: 'True'}]"
	)
	suspended := map[string]any{"spec": map[string]any{"suspend": true}}
	paused := map[string]any{"spec": map[string]any{"paused": true}}
	cases := []struct {
		name, manifest  string
		ready, terminal bool
		why             string
		configured      map[string]any
	}{
		{"controller ready", controller("1", "1", "2", "2", "2"), true, false, "", nil},
		{"controller of none", controller("1", "1", "0", "0", "0"), true, false, "", nil},
		{"controller behind", controller("2", "1", "2", "2", "2"), false, false, "has not seen the change", nil},
		{"controller making pods", controller("1", "1", "3", "1", "1"), false, false, "1 of 3 pods exist", nil},
		{"controller with pods to come down", controller("1", "1", "1", "3", "3"), false, false, "3 of 1 pods exist", nil},
		{"controller with pods not ready", controller("1", "1", "3", "3", "1"), false, false, "1 of 3 pods are ready", nil},
		{"config map", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", true, false, "", nil},
		{"pod to come", "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Pending}}", false, false, "", nil},
		{"pod ready", "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Running, conditions: [{type: Ready, status: " +
			"'True'}]}}", true, false, "", nil},
		{"being deleted", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: " +
			"'2026-01-01T00:00:00Z'}}", false, true, "being deleted", nil},
		{"deployment past its deadline", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: " +
			"1}, status: {observedGeneration: 1, conditions: [{type: Progressing, status: 'False', reason: " +
			"ProgressDeadlineExceeded}]}}", false, true, "", nil},
		{"pod failed", "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Failed}}", false, true, "it has failed", nil},
		{"pod succeeded", "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Succeeded}}", true, false, "", nil},
		{"job in progress", job("", "", "active: 1"), false, false, "has not completed", nil},
		{"job completed", job("", "", complete), true, false, "", nil},
		{"job completed and deleted", job(", deletionTimestamp: '2026-01-01T00:00:00Z'", "", complete), true, false, "", nil},
		{"job deleted", job(", deletionTimestamp: '2026-01-01T00:00:00Z'", "", "active: 1"), false, true, "being deleted", nil},
		{"job failed", job("", "", "conditions: [{type: Failed, status: 'True', reason: R, message: m}]"), false, true, "it failed: R: m", nil},
		{"job suspended", job("", "suspend: true", ""), true, false, "", suspended},
		{"job suspended by others", job("", "suspend: true", ""), false, false, "not by this configuration", nil},
		{"set updated by hand, without pods", set("StatefulSet", onDelete, "replicas: 1"), false, false, "1 of 2 pods exist", nil},
		{"set updated by hand, pods not ready", set("StatefulSet", onDelete, "replicas: 2, readyReplicas: "+
			"1"), false, false, "1 of 2 pods are ready", nil},
		{"set updated by hand", set("StatefulSet", onDelete, "replicas: 2, readyReplicas: 2"), true, false, "", nil},
		{"set in the middle of an update", set("StatefulSet", rolling, "replicas: 2, readyReplicas: 2, availableReplicas: "+
			"2"), false, false, "0 of 1 pods are up to date", nil},
		{"set with pods that have just become ready", set("StatefulSet", rolling, "replicas: 2, readyReplicas: 2, availableReplicas: 1, "+
			"updatedReplicas: 1"), false, false, "1 of 2 pods are available", nil},
		{"set updated as far as it is to be", set("StatefulSet", rolling, "replicas: 2, readyReplicas: 2, availableReplicas: 2, "+
			"updatedReplicas: 1"), true, false, "", nil},
		{"daemons updated by hand", set("DaemonSet", onDelete, "desiredNumberScheduled: 2, currentNumberScheduled: 2, numberReady: 2, "+
			"numberAvailable: 2"), true, false, "", nil},
		{"daemons updated by hand, not ready", set("DaemonSet", onDelete, "desiredNumberScheduled: 2, currentNumberScheduled: 2, "+
			"numberReady: 1"), false, false, "1 of 2 pods are ready", nil},
		{"daemons on no node", set("DaemonSet", onDelete, "desiredNumberScheduled: 0"), true, false, "", nil},
		{"paused", deployment("true", "observedGeneration: 2"), true, false, "", paused},
		{"paused, not yet seen", deployment("true", "observedGeneration: 1"), false, false, "has not seen", paused},
		{"paused by others", deployment("true", "observedGeneration: 2, replicas: 1"), false, true, "0 of 1 pods are up to date; " +
			"the rollout is paused", nil},
		{"paused by others with nothing to do", deployment("true", one), true, false, "", nil},
		{"service that answers", service("conditions: [{type: Available, status: 'True'}]"), true, false, "", nil},
		{"service that does not answer", service("conditions: [{type: Available, status: 'False', reason: ServiceNotFound, message: " +
			"m}]"), false, false, "ServiceNotFound: m", nil},
		{"custom object", widget("type: Ready, status: 'True', observedGeneration: 2"), true, false, "", nil},
		{"custom object as of before", widget("type: Ready, status: 'True', observedGeneration: 1"), false, false, "has not seen", nil},
		{"custom object without observedGeneration", widget("type: Ready, status: 'True'"), true, false, "", nil},
		{"custom object that its controller has given up", widget("type: Stalled, status: 'True', message: no account"), false, true,
			"no account", nil},
		{"custom object that is not ready", widget("type: Ready, status: 'False', message: slow"), false, false, "slow", nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Of(object(t, c.manifest), Criteria{Configured: c.configured})
			if err != nil {
				t.Fatal(err)
			}
			if got.Ready != c.ready || (got.Terminal || got.Retried) != c.terminal || !strings.Contains(got.Why, c.why) {
				t.Errorf("got %+v, want ready %v, terminal %v, why with %q", got, c.ready, c.terminal, c.why)
			}
		})
	}
}
