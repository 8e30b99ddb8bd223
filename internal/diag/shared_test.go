package diag_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
)

func failing(name string, e kube.Error) hcl.Diagnostics {
	e.Op, e.Object = "create", addrs.Object{Version: "v1", Kind: "Pod", Namespace: "acme", Name: name}
	return diag.FromKube(&e, nil, "Pod."+name)
}

// TestMerge reports once what is the same for several objects, and each thing that
// an object has of its own.
func TestMerge(t *testing.T) {
	webhook := kube.Error{Reason: kube.WebhookFailed, Message: "webhook w did not answer", Advice: "Repair it."}
	var diags hcl.Diagnostics
	for _, d := range []hcl.Diagnostics{
		failing("a", webhook),
		failing("b", kube.Error{Reason: kube.Denied, Message: "no"}),
		failing("c", webhook),
		failing("d", kube.Error{Reason: kube.Denied, Message: "no"}),
		failing("e", kube.Error{Reason: kube.WebhookFailed, Message: "webhook v did not answer", Advice: "Repair it."}),
		failing("f", webhook),
	} {
		diags = append(diags, d...)
	}
	want := []string{
		"nowhere | Webhook failed | Could not create v1 Pod acme/a (Pod.a): webhook w did not answer. Repair it." +
			"\n\nThe same happened to Pod.c and Pod.f.",
		"nowhere | Denied by admission control | Could not create v1 Pod acme/b (Pod.b): no. " +
			"A policy or an admission webhook of this cluster forbids it. The cluster's administrators know which.",
		"nowhere | Denied by admission control | Could not create v1 Pod acme/d (Pod.d): no. " +
			"A policy or an admission webhook of this cluster forbids it. The cluster's administrators know which.",
		"nowhere | Webhook failed | Could not create v1 Pod acme/e (Pod.e): webhook v did not answer. Repair it.",
	}
	if diff := cmp.Diff(want, show(diag.Merge(diags))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCutShort: an outage is reported once, in words about the server.
func TestCutShort(t *testing.T) {
	const host = "https://k8s.test"
	for name, test := range map[string]struct {
		met  kube.Error
		want string
	}{
		"refused": {kube.Error{Reason: kube.Unreachable, Outage: true, Message: "nothing listens at " + host, Advice: "Is it up?"},
			"nowhere | Cluster unreachable | Nothing listens at https://k8s.test. How. Is it up? Then."},
		"silent, to a change": {kube.Error{Reason: kube.OutcomeUnknown, Outage: true, Message: host + " did not answer within 60s",
			Advice: "It may have been carried out."},
			"nowhere | Request timed out | The API server https://k8s.test did not answer within 60s. How. " +
				"Check the network, VPN or firewall, or allow more time for each request. Then."},
		"read failed, too": {kube.Error{Reason: kube.OutcomeUnknown, Message: "EOF",
			Err: &kube.Error{Reason: kube.Unreachable, Outage: true, Message: "no route", Advice: "Is it up?"}},
			"nowhere | Cluster unreachable | The API server https://k8s.test: no route. How. Is it up? Then."},
		"not let in": {kube.Error{Reason: kube.Unauthorized, Message: "Unauthorized", Advice: "Log in."},
			"nowhere | Credentials not accepted | The API server https://k8s.test no longer accepts the credentials: " +
				"Unauthorized. How. Log in. Then."},
	} {
		t.Run(name, func(t *testing.T) {
			diags := failing("a", kube.Error{Reason: kube.Timeout, Message: "in flight at the time"})
			diags = append(diags, failing("b", test.met)...)
			diags = append(diags, failing("c", kube.Error{Reason: kube.NamespaceMissing, Message: "no namespace", Advice: "Make it."})...)
			outage := diag.Outage(diags)
			if outage == nil {
				t.Fatal("that is an outage")
			}
			want := []string{"nowhere | Namespace not found | Could not create v1 Pod acme/c (Pod.c): no namespace. Make it.", test.want}
			if diff := cmp.Diff(want, show(diag.CutShort(diags, outage, host, "How.", "Then."))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if diag.Outage(failing("a", kube.Error{Reason: kube.Timeout, Message: "one late answer of many"})) != nil {
		t.Error("that is none")
	}
}
