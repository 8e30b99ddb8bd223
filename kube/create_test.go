package kube_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kube"
)

var sampleManifests = map[string]string{
	"ConfigMap": `
apiVersion: v1
kind: ConfigMap
metadata: {name: sample, namespace: NS, labels: {keep: a, drop: b}}
data: {a: b}`,
	"Secret": `
apiVersion: v1
kind: Secret
metadata: {name: sample, namespace: NS, labels: {keep: a, drop: b}}
data: {a: Yg==}`,
	"Service": `
apiVersion: v1
kind: Service
metadata: {name: sample, namespace: NS, labels: {keep: a, drop: b}}
spec: {selector: {a: b}, ports: [{port: 80, name: web}, {port: 53, protocol: UDP, name: dns}]}`,
	"Pod": `
apiVersion: v1
kind: Pod
metadata: {name: sample, namespace: NS, labels: {keep: a, drop: b}}
spec:
  containers:
  - name: app
    image: registry.example/app:1
    ports: [{containerPort: 80}]
    env: [{name: A, value: b}]
    resources: {requests: {cpu: 100m}}`,
	"ReplicationController": `
apiVersion: v1
kind: ReplicationController
metadata: {name: sample, namespace: NS, labels: {keep: a, drop: b}}
spec:
  replicas: 0
  selector: {a: b}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: app, image: registry.example/app:1}]}`,
	"Deployment": `
apiVersion: apps/v1
kind: Deployment
metadata: {name: sample, namespace: NS, labels: {keep: a, drop: b}}
spec:
  replicas: 0
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec: {containers: [{name: app, image: registry.example/app:1}]}`,
	"Namespace": `
apiVersion: v1
kind: Namespace
metadata: {name: NS-sample, labels: {keep: a, drop: b}}`,
	"CustomResourceDefinition": `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: samples.NS.example.com, labels: {keep: a, drop: b}}
spec:
  group: NS.example.com
  scope: Namespaced
  names: {kind: Sample, plural: samples}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {n: {type: integer, default: 3}}}}}}`,
}

// TestCreateOwnsExactly checks the guarantee of Create: the fields it leaves
// kplan with are those that apply would, so that an apply of the same changes
// nothing and an apply of less removes what is missing.
func TestCreateOwnsExactly(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	for kind, text := range sampleManifests {
		t.Run(kind, func(t *testing.T) {
			k, obj := lookup(t, c, kind), manifest(t, text, ns)
			live := create(t, c, kind, text, ns)
			if n := len(live.GetManagedFields()); n != 1 {
				t.Errorf("%d managers, want kplan alone: %v", n, live.GetManagedFields())
			}
			guard := kube.ApplyOptions{UID: string(live.GetUID())}
			again, err := c.DryRunApply(t.Context(), k, obj, guard)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(owned(live), owned(again)); diff != "" {
				t.Error("apply of the same changes what is owned:", diff)
			}

			_, err = c.Create(t.Context(), k, obj)
			wantReason(t, err, kube.AlreadyExists)
			_, err = c.DryRunCreate(t.Context(), k, obj)
			wantReason(t, err, kube.AlreadyExists)

			delete(obj["metadata"].(map[string]any)["labels"].(map[string]any), "drop")
			less, err := c.Apply(t.Context(), k, obj, guard)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"keep": "a"}
			if kind == "Namespace" {
				want["kubernetes.io/metadata.name"] = ns + "-sample"
			}
			if diff := cmp.Diff(want, less.GetLabels()); diff != "" {
				t.Error("labels after one is left out:", diff)
			}
		})
	}
}

// TestCreateKeepsUnmanaged tries to create over an object of another
// manager, with other values.
func TestCreateKeepsUnmanaged(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	for kind, text := range sampleManifests {
		t.Run(kind, func(t *testing.T) {
			k, obj := lookup(t, c, kind), manifest(t, text, ns)
			live := create(t, c, kind, text, ns)
			obj["metadata"].(map[string]any)["labels"] = map[string]any{"other": "x"}
			_, err := c.Create(t.Context(), k, obj)
			wantReason(t, err, kube.AlreadyExists)
			now, err := c.Get(t.Context(), k, live.GetNamespace(), live.GetName())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(live.GetLabels(), now.GetLabels()); diff != "" {
				t.Error("the object was changed:", diff)
			}
		})
	}
}

// owned spells who owns what through which operation, without times.
func owned(u *unstructured.Unstructured) []string {
	var out []string
	for _, m := range u.GetManagedFields() {
		if m.Subresource == "" {
			out = append(out, fmt.Sprintf("%s %s %s", m.Manager, m.Operation, m.FieldsV1.GetRawString()))
		}
	}
	return out
}
