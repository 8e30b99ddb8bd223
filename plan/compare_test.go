package plan

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// liveController is a replication controller as a list has it, and the desired
// fields it was made from.
func liveController(b *testing.B) (*kinds.Kind, map[string]any, *unstructured.Unstructured) {
	kind, err := kinds.Builtin().Lookup("ReplicationController", "v1")
	if err != nil {
		b.Fatal(err)
	}
	desired, live := decodeJSON(b, controllerDesired), decodeJSON(b, controllerDesired)
	set, err := kind.FieldSet(desired)
	if err != nil {
		b.Fatal(err)
	}
	fields, err := set.ToJSON()
	if err != nil {
		b.Fatal(err)
	}
	metadata := live["metadata"].(map[string]any)
	metadata["uid"], metadata["resourceVersion"] = "36f66ab5-0c5d-4f0e-8a4c-7f4a6d4be0f4", "4711"
	metadata["managedFields"] = []any{decodeJSON(b, fmt.Sprintf(
		`{"manager":"kplan","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":%s}`, fields))}
	live["status"] = map[string]any{"replicas": int64(3)}
	return kind, desired, &unstructured.Unstructured{Object: live}
}

func decodeJSON(b *testing.B, text string) map[string]any {
	var object map[string]any
	if err := utiljson.Unmarshal([]byte(text), &object); err != nil {
		b.Fatal(err)
	}
	return object
}

const controllerDesired = `{"apiVersion":"v1","kind":"ReplicationController",
  "metadata":{"name":"app","namespace":"acme","labels":{"name":"app","kplan.dev/stack":"s"},"annotations":{"kplan.dev/address":"ReplicationController.app"}},
  "spec":{"replicas":3,"selector":{"name":"app"},"template":{"metadata":{"labels":{"name":"app"}},"spec":{"containers":[
    {"name":"app","image":"registry.example/app:1","ports":[{"containerPort":9080}],
     "env":[{"name":"TENANT","value":"acme"}],"resources":{"requests":{"cpu":"100m","memory":"128Mi"}}}]}}}}`

// BenchmarkUnchanged is what each object costs that does not change.
func BenchmarkUnchanged(b *testing.B) {
	kind, desired, live := liveController(b)
	b.ReportAllocs()
	for b.Loop() {
		if same, err := unchanged(kind, desired, live, ownership.Of(live.Object)); !same || err != nil {
			b.Fatal(same, err)
		}
	}
}

// BenchmarkDifferences is the comparison of two objects that differ in a value.
func BenchmarkDifferences(b *testing.B) {
	kind, desired, live := liveController(b)
	desired["spec"].(map[string]any)["replicas"] = int64(4)
	b.ReportAllocs()
	for b.Loop() {
		if len(differences(kind.Root, visible(live.Object), visible(desired))) != 1 {
			b.Fatal("one value differs")
		}
	}
}
