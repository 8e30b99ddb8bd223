package kube_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kube"
)

// TestCharacters checks that every character arrives as it was sent, though the server reads
// what is applied as YAML.
func TestCharacters(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	odd := "\x00\x01\b\t\n\v\f\r\x1b\x1f \x7f\u0080\u0084\u0085\u0086\u009f\u00a0\u200b\u2028\u2029\u202e" +
		"\ufdd0\ufeff\ufffd\ufffe\uffff\U0001f600\U0010ffff<&>'\"\\"
	values := map[string]string{"all": odd, "before": "a \u0085 b", "mark": "\ufeffa", "delete": "a\x7f"}
	for _, r := range odd {
		values["lines"] += "x" + string(r) + "\n"
	}
	objects := map[string]func(value string) map[string]any{
		"ConfigMap": func(value string) map[string]any { return map[string]any{"data": map[string]any{"v": value}} },
		"Service": func(value string) map[string]any {
			return map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}},
				"metadata": map[string]any{"annotations": map[string]any{"v": value}}}
		},
		"Pod": func(value string) map[string]any {
			return map[string]any{"spec": map[string]any{"containers": []any{
				map[string]any{"name": "c", "image": "registry.example/c:1", "args": []any{value}}}}}
		},
	}
	for kind, object := range objects {
		k := lookup(t, c, kind)
		for key, value := range values {
			obj := object(value)
			metadata, _ := obj["metadata"].(map[string]any)
			if metadata == nil {
				metadata = map[string]any{}
			}
			metadata["name"], metadata["namespace"] = key, ns
			obj["metadata"], obj["kind"], obj["apiVersion"] = metadata, kind, k.APIVersion()
			live, err := c.Create(t.Context(), k, obj)
			if err != nil {
				t.Errorf("%s: %s: %v", kind, key, err)
				continue
			}
			check := func(what string, live *unstructured.Unstructured) {
				for _, at := range [][]string{{"data"}, {"metadata", "annotations"}} {
					want, _, _ := unstructured.NestedMap(obj, at...)
					got, _, _ := unstructured.NestedMap(live.Object, at...)
					if diff := cmp.Diff(want, got); want != nil && diff != "" {
						t.Errorf("%s: %s of %s (-want +got):\n%s", kind, what, key, diff)
					}
				}
				if kind == "Pod" {
					containers, _, _ := unstructured.NestedSlice(live.Object, "spec", "containers")
					if got := containers[0].(map[string]any)["args"].([]any)[0]; got != value {
						t.Errorf("%s: %s of %s: %q, want %q", kind, what, key, got, value)
					}
				}
			}
			check("create", live)
			labelled := map[string]any{"of": "kplan"}
			metadata["labels"] = labelled
			live, err = c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: string(live.GetUID())})
			if err != nil {
				t.Errorf("%s: update of %s: %v", kind, key, err)
				continue
			}
			check("update", live)
		}
	}
}
