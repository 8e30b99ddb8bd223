package apply

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/hclspec"
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

func TestReadinessOf(t *testing.T) {
	controller := func(generation, observed, want, exist, ready string) string {
		return "{apiVersion: v1, kind: ReplicationController, metadata: {name: a, generation: " + generation + "}, spec: {replicas: " + want +
			"}, status: {observedGeneration: " + observed + ", replicas: " + exist + ", readyReplicas: " + ready + "}}"
	}
	cases := []struct {
		name, manifest  string
		ready, hopeless bool
		why             string
	}{
		{"controller ready", controller("1", "1", "2", "2", "2"), true, false, ""},
		{"controller of none", controller("1", "1", "0", "0", "0"), true, false, ""},
		{"controller behind", controller("2", "1", "2", "2", "2"), false, false, "has not seen the change"},
		{"controller making pods", controller("1", "1", "3", "1", "1"), false, false, "1 of 3 pods exist"},
		{"controller with pods to come down", controller("1", "1", "1", "3", "3"), false, false, "3 of 1 pods exist"},
		{"controller with pods not ready", controller("1", "1", "3", "3", "1"), false, false, "1 of 3 pods are ready"},
		{"config map", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", true, false, ""},
		{"pod to come", "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Pending}}", false, false, ""},
		{"pod ready", "{apiVersion: v1, kind: Pod, metadata: {name: a}, status: {phase: Running, conditions: [{type: Ready, status: 'True'}]}}", true, false, ""},
		{"being deleted", "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, deletionTimestamp: '2026-01-01T00:00:00Z'}}", false, true, "being deleted"},
		{"deployment past its deadline", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 1}, spec: {replicas: 1}, status: {observedGeneration: 1, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]}}", false, true, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := readinessOf(object(t, c.manifest), &hclspec.Wait{})
			if err != nil {
				t.Fatal(err)
			}
			if got.ready != c.ready || got.hopeless != c.hopeless || !strings.Contains(got.why, c.why) {
				t.Errorf("got %+v, want ready %v, hopeless %v, why with %q", got, c.ready, c.hopeless, c.why)
			}
		})
	}
}

func TestIsBefore(t *testing.T) {
	at := func(uid, version string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: '"+uid+"', resourceVersion: '"+version+"'}}")
	}
	cases := []struct {
		name string
		a, b *unstructured.Unstructured
		want bool
	}{
		{"older", at("u", "9"), at("u", "10"), true},
		{"the same", at("u", "10"), at("u", "10"), false},
		{"newer", at("u", "11"), at("u", "10"), false},
		{"another object", at("v", "11"), at("u", "10"), true},
		{"versions that are no numbers", at("u", "a"), at("u", "b"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := isBefore(c.a, c.b); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
