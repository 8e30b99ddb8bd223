package plan_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply"
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

// What a killed run has created is known as if it had recorded it: what others change of
// it is drift, and no conflict, and what the configuration protects stays protected.
func TestRecoveredAsRecorded(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: make test starts a control plane and sets it")
	}
	s := newSituation(t, "recovered", kubeconfig, &txtar.Archive{})
	source := strings.ReplaceAll(`
resource "Namespace" "n" {
  metadata { name = "NS" }
}
resource "Secret" "a" {
  metadata {
    name      = "a"
    namespace = Namespace.n.metadata.name
  }
  stringData = { k = "canary", l = "canary" }
  lifecycle { prevent_destroy = true }
}
`, "NS", s.namespace)
	in := plan.Input{Cluster: s.cluster}
	p, diags := s.plan(source, in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s.load(source, &in)
	var killed *state.State // as a run that was killed before it recorded anything has left it
	_, diags = apply.Run(t.Context(), apply.Input{
		Plan: p, Config: in.Config, Cluster: s.cluster, State: s.state,
		Save: func(_ context.Context, written *state.State) error {
			if killed == nil {
				killed = written.Clone()
			}
			return nil
		},
	})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s.state = killed
	s.kubectl("patch secret a -n " + s.namespace + " --type=merge -p '{\"data\":{\"k\":\"b3RoZXI=\"}}'")
	p, diags = s.plan(strings.Replace(source, `l = "canary"`, `l = "canary too"`, 1), in)
	want := "Secret.a update computed\n  drift of data.k by \"kubectl-patch\""
	if got := s.summary(p, diags); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	p, diags = s.plan("", in)
	if got := s.summary(p, diags); !strings.Contains(got, "error: Object is protected from deletion") {
		t.Errorf("not protected:\n%s", got)
	}
}
