//go:build unix

package kubernetes_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/state/kubernetes"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
)

// TestMessages: for each thing that a server does wrong there is a message, which the documentation has.
func TestMessages(t *testing.T) {
	admin := connect(t)
	ns := namespace(t, admin)
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	grant(t, admin, ns, "stranger", map[string][]any{"leases": {"list"}})
	grant(t, admin, ns, "reader", map[string][]any{"leases": {"get"}, "secrets": {"get"}})
	as := func(name string) func(t *testing.T) remote.Place {
		return func(t *testing.T) remote.Place {
			return kubernetes.At(connectAs(t, "system:serviceaccount:"+ns+":"+name), ns, "app")
		}
	}
	// behind opens a state through a proxy that has the faults once it is connected.
	behind := func(name string, faults ...faulttest.Fault) func(t *testing.T) remote.Place {
		return func(t *testing.T) remote.Place {
			p, err := faulttest.NewProxy(kubeconfig, filepath.Join(t.TempDir(), "kubeconfig"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { p.Close() })
			o := kube.Options{Auth: auth.Options{ConfigPath: p.Kubeconfig}, RequestTimeout: 2 * time.Second}
			cluster, err := kube.Connect(context.WithoutCancel(t.Context()), o)
			if err != nil {
				t.Fatal(err)
			}
			p.Arm(faults...)
			return kubernetes.At(cluster, ns, name)
		}
	}
	// all is a fault of everything of a verb, "" for any.
	all := func(verb string, f faulttest.Fault) faulttest.Fault {
		f.Verb, f.Nth, f.Ever, f.When = verb, 1, true, faulttest.Before
		return f
	}
	answer := func(verb string, status int, reason, message string) faulttest.Fault {
		return all(verb, faulttest.Fault{Do: faulttest.Answer, Status: status, Reason: reason, Message: message})
	}
	plain := all("", faulttest.Fault{Do: faulttest.Answer, Status: 503, Plain: true, Message: "no upstream"})
	lease, err := kinds.Builtin().Lookup("Lease", "coordination.k8s.io/v1")
	if err != nil {
		t.Fatal(err)
	}
	bare := func(t *testing.T) remote.Place { // a Lease that somebody has emptied
		_, err := admin.Create(t.Context(), lease, map[string]any{"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
			"metadata": map[string]any{"name": "kplan-state-bare", "namespace": ns}})
		if err != nil {
			t.Fatal(err)
		}
		return kubernetes.At(admin, ns, "bare")
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }))
	t.Cleanup(page.Close)
	reads, locks, writes := remotetest.Reads, remotetest.Locks, remotetest.Writes
	remotetest.Messages(t, "../../docs/backend-kubernetes.md", places(t), []remotetest.Message{
		{Name: "no namespace", Place: func(*testing.T) remote.Place { return kubernetes.At(admin, "nowhere-"+ns, "app") }, Does: locks,
			Want: "of the backend does not exist"},
		{Name: "no rights", Place: as("stranger"), Does: reads, Want: "the backend needs the verbs"},
		{Name: "no right to write", Place: as("reader"), Does: locks, Want: "the backend needs the verbs"},
		{Name: "an emptied lease", Place: bare, Does: reads, Want: "it has no annotation kplan.dev/state-head"},
		{Name: "credentials that ended", Place: behind("a", answer("", 401, "Unauthorized", "Unauthorized")), Does: reads,
			Want: "Unauthorized"},
		{Name: "a quota", Place: behind("b", answer("create", 403, "Forbidden", "exceeded quota: states")), Does: writes,
			Want: "exceeded quota"},
		{Name: "a policy", Place: behind("c", answer("create", 403, "Forbidden", `admission webhook "p" denied the request`)), Does: locks,
			Want: "denied the request"},
		{Name: "broken", Place: behind("d", answer("", 500, "InternalError", "etcdserver: no leader")), Does: reads,
			Want: "etcdserver: no leader"},
		{Name: "a load balancer without a server", Place: behind("f", plain), Does: locks, Want: "no upstream"},
		{Name: "a slow store", Place: behind("g", answer("", 504, "Timeout", "request did not complete within the requested timeout")),
			Does: writes, Want: "did not complete within"},
		{Name: "garbage", Place: behind("h", all("", faulttest.Fault{Do: faulttest.Garbage})), Does: reads,
			Want: "the server's answer can't be read"},
		{Name: "cut off", Place: behind("i", all("", faulttest.Fault{Do: faulttest.Cut})), Does: reads, Want: "the connection to"},
		{Name: "hanging", Place: behind("j", all("", faulttest.Fault{Do: faulttest.Delay, Delay: time.Minute})), Does: reads,
			Want: "did not answer within"},
		{Name: "gone", Place: behind("k", all("", faulttest.Fault{Do: faulttest.Vanish})), Does: locks, Want: "connection refused"},
	}, "The state is in another file")
}
