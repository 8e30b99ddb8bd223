package plan

import (
	"encoding/json"
	"strings"
	"testing"

	"kplan.dev/kplan/state"
)

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

// TestOtherValue looks for the values of sensitive variables in what is said of
// them, also where they became sensitive only later.
func TestOtherValue(t *testing.T) {
	open, secret := Variable{Value: json.RawMessage(`"canary"`)}, Variable{Value: json.RawMessage(`"canary"`), Sensitive: true}
	for name, pair := range map[string][2]Variable{"both": {secret, secret}, "now": {open, secret}, "then": {secret, open}} {
		if text := otherValue("v", pair[0], pair[1]); strings.Contains(text, "canary") {
			t.Errorf("sensitive %s: %s", name, text)
		}
	}
	long := Variable{Value: json.RawMessage(`"` + strings.Repeat("x", 1000) + `"`)}
	if text := otherValue("v", open, long); len(text) > 400 {
		t.Errorf("a long value is repeated: %s", text)
	}
}
