package plan

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/state"
)

func kindNamed(t testing.TB, name string) *kinds.Kind {
	t.Helper()
	kind, err := kinds.Builtin().Lookup(name, "")
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

// TestVerifyCluster holds a plan against one that was made of another cluster
// with the same state, as a copied kubeconfig brings about.
func TestVerifyCluster(t *testing.T) {
	saved := &Plan{Cluster: "one", Host: "https://a"}
	diags := saved.Verify(&Plan{Cluster: "two", Host: "https://b"}, state.New())
	if len(diags) != 1 || diags[0].Summary != "Saved plan is for another cluster" {
		t.Errorf("got %v", diags)
	}
	if diags := saved.Verify(&Plan{Cluster: "one", Host: "https://b"}, state.New()); diags.HasErrors() {
		t.Errorf("the same cluster at another address: %v", diags)
	}
	unseen := &Plan{Cluster: "host:https://a", Host: "https://a"} // of a user who may not see the uid
	if diags := unseen.Verify(saved, state.New()); diags.HasErrors() {
		t.Errorf("planned by a user with fewer rights: %v", diags)
	}
	if diags := unseen.Verify(&Plan{Cluster: "one", Host: "https://b"}, state.New()); !diags.HasErrors() {
		t.Error("planned without the uid at another address: nothing is said")
	}
}

// TestVerifyPrediction holds what a user who may only read could predict against
// what the server says to one who may ask it.
func TestVerifyPrediction(t *testing.T) {
	pod, err := kinds.Builtin().Lookup("Pod", "v1")
	if err != nil {
		t.Fatal(err)
	}
	podWith := func(spec map[string]any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "p"}, "spec": spec}
	}
	change := func(certainty Certainty, spec map[string]any) *Plan {
		return &Plan{Changes: []*Change{{Kind: pod, Object: pod.Object("default", "p"), Action: Create, Certainty: certainty,
			DesiredFields: podWith(map[string]any{"hostname": "h", "priority": int64(3)}), After: podWith(spec)}}}
	}
	predicted := map[string]any{"hostname": "h", "priority": int64(3), "dnsPolicy": "ClusterFirst"}
	with := func(name string, value any) map[string]any {
		spec := maps.Clone(predicted)
		spec[name] = value
		return spec
	}
	for name, test := range map[string]struct {
		approved Certainty
		computed map[string]any
		stale    bool
	}{
		"the same":                              {Predicted, predicted, false},
		"added by admission":                    {Predicted, with("tolerations", []any{map[string]any{"key": "a", "operator": "Exists"}}), false},
		"a default is another":                  {Predicted, with("dnsPolicy", "None"), true},
		"a value is not followed":               {Predicted, with("priority", int64(4)), true},
		"added, but not computed by the server": {Computed, with("schedulerName", "other"), true},
	} {
		diags := change(test.approved, predicted).Verify(change(Computed, test.computed), state.New())
		if diags.HasErrors() != test.stale {
			t.Errorf("%s: %v", name, diags)
		}
	}
}

// TestVerifyPredictionOfOther changes what a prediction was made from: what comes
// of that is not what the server adds by itself.
func TestVerifyPredictionOfOther(t *testing.T) {
	config, pod := kindNamed(t, "ConfigMap"), kindNamed(t, "Pod")
	holding := func(data map[string]any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "c"}, "data": data}
	}
	listening := func(ports ...any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "p"}, "spec": map[string]any{
			"containers": []any{map[string]any{"name": "c", "ports": ports}}}}
	}
	port := func(number int64) any { return map[string]any{"containerPort": number} }
	desired, old := holding(map[string]any{"a": "2"}), holding(map[string]any{"a": "1"})
	for name, test := range map[string]struct {
		kind          *kinds.Kind
		action        Action
		approved, now Change
	}{
		"a replacement would lose what somebody added": {config, Replace,
			Change{DesiredFields: desired, Before: old, After: desired},
			Change{DesiredFields: desired, Before: holding(map[string]any{"a": "1", "b": "precious"}), After: desired}},
		"the configuration has come to another list": {pod, Create,
			Change{DesiredFields: listening(port(80)), After: server.Complete(pod, listening(port(80)))},
			Change{DesiredFields: listening(port(80), port(443)), After: server.Complete(pod, listening(port(80), port(443)))}},
	} {
		plans := [2]*Plan{}
		for i, c := range []Change{test.approved, test.now} {
			c.Kind, c.Object, c.Action = test.kind, test.kind.Object("default", "x"), test.action
			c.Certainty = []Certainty{Predicted, Computed}[i]
			plans[i] = &Plan{Changes: []*Change{&c}}
		}
		if diags := plans[0].Verify(plans[1], state.New()); !diags.HasErrors() {
			t.Errorf("%s: nothing is said", name)
		}
	}
}

// TestOtherValue looks for the values of sensitive variables in what is said of
// them, also where they became sensitive only later.
func TestOtherValue(t *testing.T) {
	plain, secret := Variable{Value: json.RawMessage(`"canary"`)}, Variable{Value: json.RawMessage(`"canary"`), Sensitive: true}
	for name, pair := range map[string][2]Variable{"both": {secret, secret}, "now": {plain, secret}, "then": {secret, plain}} {
		if text := otherValue("v", pair[0], pair[1]); strings.Contains(text, "canary") {
			t.Errorf("sensitive %s: %s", name, text)
		}
	}
	long := Variable{Value: json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`)}
	if text := otherValue("v", plain, long); len(text) > 400 {
		t.Errorf("a long value is repeated: %s", text)
	}
}

// TestVerifyFilledIn fills in fields of an object after a plan that replaces or deletes it.
func TestVerifyFilledIn(t *testing.T) {
	object := func(kind *kinds.Kind, manager string, field string, value any) map[string]any {
		object := map[string]any{"apiVersion": kind.APIVersion(), "kind": kind.Name, "metadata": map[string]any{"name": "x"},
			"spec": map[string]any{}}
		if field == "" {
			return object
		}
		inner, name := object["spec"].(map[string]any), field
		owned := map[string]any{"f:spec": map[string]any{"f:" + field: map[string]any{}}}
		if field == "secrets" {
			inner, owned = object, map[string]any{"f:secrets": map[string]any{}}
		}
		inner[name] = value
		if manager != "" {
			object["metadata"].(map[string]any)["managedFields"] = []any{map[string]any{"manager": manager, "operation": "Update",
				"apiVersion": kind.APIVersion(), "fieldsType": "FieldsV1", "time": "2026-01-01T00:00:00Z", "fieldsV1": owned}}
		}
		return object
	}
	for _, test := range []struct {
		kind, manager, field string
		value                any
		stale                bool
	}{
		{"Pod", "", "nodeName", "node-1", false},
		{"Pod", "kubectl", "nodeName", "node-1", true},
		{"Pod", "", "hostname", "h", true},
		{"PersistentVolumeClaim", "kube-controller-manager", "volumeName", "v", false},
		{"PersistentVolumeClaim", "csi-provisioner", "volumeName", "v", false},
		{"PersistentVolumeClaim", "kubectl-patch", "volumeName", "v", true},
		{"PersistentVolume", "kube-controller-manager", "claimRef", map[string]any{"name": "c"}, false},
		{"ServiceAccount", "openshift-controller-manager", "secrets", []any{map[string]any{"name": "token"}}, false},
		{"Node", "kube-controller-manager", "podCIDR", "10.0.0.0/24", false},
		{"Node", "other-cloud-controller", "providerID", "a/b", false},
		{"Job", "kube-controller-manager", "manualSelector", true, false},
		{"Job", "kubectl", "manualSelector", true, true},
	} {
		for _, action := range []Action{Replace, Delete} {
			kind := kindNamed(t, test.kind)
			change := func(before map[string]any) *Plan {
				c := &Change{Kind: kind, Object: kind.Object("", "x"), Action: action, Certainty: Computed, Before: before}
				if action == Replace {
					c.DesiredFields, c.After = object(kind, "", "", nil), object(kind, "", "", nil)
				}
				return &Plan{Changes: []*Change{c}}
			}
			saved, fresh := change(object(kind, "", "", nil)), change(object(kind, test.manager, test.field, test.value))
			if diags := saved.Verify(fresh, state.New()); diags.HasErrors() != test.stale {
				t.Errorf("%s of a %s whose %s was set by %q: %v", action, test.kind, test.field, test.manager, diags)
			}
		}
	}
}
