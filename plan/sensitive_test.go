package plan

import (
	"fmt"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds/kindstest"
	"kplan.dev/kplan/state"
)

// The keys of a map that is sensitive as a whole are as secret as its values: no list of
// fields names one, and neither does a saved plan.
func TestSensitiveKeys(t *testing.T) {
	data, password := addrs.NewPath("data"), addrs.NewPath("spec", "password")
	c := &Change{
		Addr: addrs.Resource{Type: "ConfigMap", Name: "c"}.Instance(addrs.Key{}), Kind: kindstest.Lookup(t, "ConfigMap"), Action: Update,
		Sensitive: addrs.NewPathSet(data, data.Field("hunter2"), password),
		Drift:     []Drift{{Path: data.Field("hunter2"), Manager: "eve"}, {Path: data.Field("hunter3"), Manager: "eve"}, {Path: password}},
		Taken:     []Drift{{Path: data.Field("hunter2")}}, Unmanaged: []Drift{{Path: data.Field("hunter2")}},
		Relinquished: []Relinquished{{Path: data.Field("hunter2")}}, NewlyManaged: []addrs.Path{data.Field("hunter2")},
		Before: kindstest.Decode(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: c, managedFields: [{manager: kplan, operation: Apply,
			apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {.: {}, "f:hunter2": {}}, "f:metadata": {"f:labels": {"f:shown": {}}}}}]},
			data: {hunter2: x}}`),
		After: map[string]any{"data": map[string]any{"hunter2": "y"}},
	}
	hideKeys(c)
	if got, want := fmt.Sprint(c.Drift), fmt.Sprint([]Drift{{Path: data, Manager: "eve"}, {Path: password}}); got != want {
		t.Errorf("drift: got %s, want %s", got, want)
	}
	saved, err := (&Plan{Changes: []*Change{c}}).Encode(state.New(), "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "hunter3"} {
		if strings.Contains(string(saved), secret) {
			t.Errorf("the saved plan has %s:\n%s", secret, saved)
		}
	}
	if !strings.Contains(string(saved), "f:shown") {
		t.Error("the saved plan has lost who owns other fields")
	}
}
