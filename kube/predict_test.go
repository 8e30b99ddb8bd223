package kube_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// comparable takes out of an object what no prediction has: what the server
// allocates, and what it notes.
func comparable(t testing.TB, k *kinds.Kind, obj, desired map[string]any) map[string]any {
	t.Helper()
	obj = runtime.DeepCopyJSON(obj)
	delete(obj, "status")
	metadata := at(obj, "metadata")
	for _, name := range []string{"managedFields", "uid", "resourceVersion", "generation", "creationTimestamp"} {
		delete(metadata, name)
	}
	dropAllocated(k.Root, obj, desired)
	return obj
}

func dropAllocated(f *kinds.Field, value, desired any) {
	switch v := value.(type) {
	case map[string]any:
		wanted, _ := desired.(map[string]any)
		for name, below := range v {
			child := f.Field(name)
			if child == nil {
				continue
			}
			if child.Allocated && wanted[name] == nil {
				delete(v, name)
				continue
			}
			dropAllocated(child, below, wanted[name])
			if m, empty := below.(map[string]any); empty && len(m) == 0 && !child.KeepsEmpty {
				delete(v, name) // resources: {}, which the server shows where there is nothing
			}
		}
	case []any:
		wanted, _ := desired.([]any)
		for i, below := range v {
			var w any
			if i < len(wanted) {
				w = wanted[i]
			}
			if f.Elem != nil {
				dropAllocated(f.Elem, below, w)
			}
		}
	}
}

// TestPredictCreate compares predictions with the server's own dry-run. Where
// the server adds something that only admission knows, it is listed.
func TestPredictCreate(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	added := map[string][]addrs.Path{
		"Pod":       {addrs.NewPath("spec")}, // service account, tolerations, volumes
		"Namespace": {addrs.NewPath("metadata", "labels")},
		"Service":   {addrs.NewPath("spec", "clusterIPs")},
	}
	for kind, text := range sampleManifests {
		t.Run(kind, func(t *testing.T) {
			k := lookup(t, c, kind)
			desired := manifest(t, text, ns)
			answer, err := c.DryRunCreate(t.Context(), k, desired)
			if err != nil {
				t.Fatal(err)
			}
			predicted, err := kube.Predict(k, nil, desired)
			if err != nil {
				t.Fatal(err)
			}
			want, got := comparable(t, k, answer.Object, desired), comparable(t, k, predicted, desired)
			if diff := cmp.Diff(want, got); diff != "" && added[kind] == nil {
				t.Error("server -, prediction +:", diff)
			}
		})
	}
}

func TestPredictUpdate(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := lookup(t, c, "Deployment")
	desired := manifest(t, sampleManifests["Deployment"], ns)
	ports := []any{map[string]any{"containerPort": int64(80)}, map[string]any{"containerPort": int64(81)}}
	at(desired, "spec", "template", "spec", "containers", 0)["ports"] = ports
	at(desired, "spec")["minReadySeconds"] = int64(3)
	live, err := c.Create(t.Context(), k, desired)
	if err != nil {
		t.Fatal(err)
	}
	// Another manager adds a container and an annotation, takes a label over
	// and owns one together with us.
	_, err = typed(t, c).AppsV1().Deployments(ns).Patch(t.Context(), "sample", types.ApplyPatchType, []byte(`{
		"apiVersion":"apps/v1","kind":"Deployment",
		"metadata":{"annotations":{"theirs":"1"},"labels":{"keep":"a","drop":"b"}},
		"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"registry.example/side:1"}]}}}}`),
		metav1.PatchOptions{FieldManager: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if live, err = c.Get(t.Context(), k, ns, "sample"); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(o map[string]any){
		"nothing":          func(o map[string]any) {},
		"value":            func(o map[string]any) { at(o, "spec")["replicas"] = int64(2) },
		"label":            func(o map[string]any) { delete(at(o, "metadata", "labels"), "drop") },
		"all labels":       func(o map[string]any) { delete(at(o, "metadata"), "labels") },
		"own field":        func(o map[string]any) { delete(at(o, "spec"), "minReadySeconds") },
		"field to default": func(o map[string]any) { delete(at(o, "spec"), "replicas") },
		"list element": func(o map[string]any) {
			at(o, "spec", "template", "spec", "containers", 0)["ports"] = []any{map[string]any{"containerPort": int64(81)}}
		},
		"new elements": func(o map[string]any) {
			spec := at(o, "spec", "template", "spec")
			spec["containers"] = append(spec["containers"].([]any), map[string]any{"name": "two", "image": "registry.example/two"})
			spec["volumes"] = []any{
				map[string]any{"name": "v", "emptyDir": map[string]any{}},
				map[string]any{"name": "c", "configMap": map[string]any{"name": "x"}},
			}
		},
		"images": func(o map[string]any) {
			spec := at(o, "spec", "template", "spec")
			for i, image := range []string{"a", "a:1", "a:latest", "localhost:5000/a", "localhost:5000/a:2",
				"a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
				"a:latest@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"} {
				spec["containers"] = append(spec["containers"].([]any), map[string]any{"name": fmt.Sprint("c", i), "image": image})
			}
		},
		"their field": func(o map[string]any) {
			at(o, "metadata")["annotations"] = map[string]any{"theirs": "2", "ours": "1"}
		},
		"probe": func(o map[string]any) {
			probe := map[string]any{"httpGet": map[string]any{"path": "/", "port": int64(80)}}
			at(o, "spec", "template", "spec", "containers", 0)["livenessProbe"] = probe
		},
	} {
		t.Run(name, func(t *testing.T) {
			desired := runtime.DeepCopyJSON(desired)
			change(desired)
			before, err := json.Marshal(live.Object)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := c.DryRunApply(t.Context(), k, desired, kube.ApplyOptions{UID: string(live.GetUID()), Force: true})
			if err != nil {
				t.Fatal(err)
			}
			predicted, err := kube.Predict(k, live, desired)
			if err != nil {
				t.Fatal(err)
			}
			want, got := comparable(t, k, answer.Object, desired), comparable(t, k, predicted, desired)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("server -, prediction +:", diff)
			}
			if after, _ := json.Marshal(live.Object); string(after) != string(before) {
				t.Error("the live object was changed")
			}
		})
	}
}

func TestPredictMisfit(t *testing.T) {
	k := configMap(t)
	_, err := kube.Predict(k, nil, manifest(t, "{metadata: {name: a, x: z}, data: {c: {d: e}, f: 3}}"))
	e := wantReason(t, err, kube.SchemaRejected)
	if diff := cmp.Diff([]string{"data.c", "data.f", "metadata.x"}, fieldsOf(e)); diff != "" {
		t.Error(err, diff)
	}
}
