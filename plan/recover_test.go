package plan_test

import (
	"os"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// An object that was pending when the scope of its kind became another is gone
// with the definition it was of, and does not stop the next run.
func TestRecoverOfAnotherScope(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: make test starts a control plane and sets it")
	}
	cluster, err := kube.Connect(t.Context(), kube.Options{Auth: auth.Options{ConfigPath: kubeconfig}})
	if err != nil {
		t.Fatal(err)
	}
	interrupted := state.New()
	interrupted.Pending = []state.Pending{{
		Addr:   addrs.Resource{Type: "Namespace", Name: "a"}.Instance(addrs.Key{}),
		Object: addrs.Object{Version: "v1", Kind: "Namespace", Namespace: "inside", Name: "default"},
		Action: state.PendingDelete,
	}}
	recovered, err := plan.Recover(t.Context(), cluster, interrupted)
	if err != nil {
		t.Fatal(err)
	}
	if len(recovered.Pending) > 0 || len(recovered.Objects) > 0 {
		t.Errorf("left: %+v, %+v", recovered.Pending, recovered.Objects)
	}
}
