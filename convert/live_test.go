package convert

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/kinds/kindstest"
	"kplan.dev/kplan/kinds/server"
)

// TestLiveDefaults: of an object of each kind that a cluster has completed, what is left makes the same object again, and
// is not larger than what was applied.
func TestLiveDefaults(t *testing.T) {
	for _, applied := range kindstest.Minimal(t) {
		k := kindstest.KindOf(t, applied)
		live := server.Complete(k, applied)
		metadata := live["metadata"].(map[string]any)
		metadata["uid"], metadata["resourceVersion"], metadata["generation"] = "1-2-3", "5", int64(1)
		live["status"] = map[string]any{"observedGeneration": int64(1)}

		o := FromJSON(runtime.DeepCopyJSON(live))
		c, diags := New([]*Object{o}, Options{})
		if diags.HasErrors() {
			t.Fatal(diagnostics(diags))
		}
		found, diags := desired(t, c)
		if diags.HasErrors() || len(found) != 1 {
			t.Errorf("%s: %s\n%s", k.Name, diagnostics(diags), c.Whole().Text)
			continue
		}
		got, want := server.Complete(k, comparable(found[0].Fields)), server.Complete(k, comparable(applied))
		if !k.Root.Equal(got, want) {
			text, _ := yaml.Marshal(applied)
			t.Errorf("%s: of\n%s\nis left\n%s", k.Name, text, c.Whole().Text)
		}
		if left, most := size(comparable(found[0].Fields)), size(comparable(applied)); left > most {
			t.Errorf("%s: %d values were applied, and %d are left:\n%s", k.Name, most, left, c.Whole().Text)
		}
	}
}

// size is the number of values in a value.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			n += size(inner)
		}
	case []any:
		for _, inner := range v {
			n += size(inner)
		}
	}
	return n
}
