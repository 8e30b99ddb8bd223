package kubernetes_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/state/kubernetes"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
)

func connect(t testing.TB) *kube.Cluster {
	t.Helper()
	return connectAs(t, "")
}

// connectAs connects as somebody else than the administrator.
func connectAs(t testing.TB, user string) *kube.Cluster {
	t.Helper()
	path := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("needs a control plane: run make test")
	}
	cluster, err := kube.Connect(context.WithoutCancel(t.Context()), kube.Options{Auth: auth.Options{ConfigPath: path, ImpersonateUser: user}})
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// namespace makes a namespace for a test, and deletes it after it.
func namespace(t testing.TB, cluster *kube.Cluster) string {
	t.Helper()
	kind, err := kinds.Builtin().Lookup("Namespace", "v1")
	if err != nil {
		t.Fatal(err)
	}
	live, err := cluster.Create(t.Context(), kind, map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": fmt.Sprintf("state-%x", time.Now().UnixNano())}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cluster.Delete(context.Background(), kind, "", live.GetName(), kube.DeleteOptions{UID: string(live.GetUID())})
	})
	return live.GetName()
}

func TestMain(m *testing.M) { remotetest.Main(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	open := places(t)
	remotetest.Stores(t, open)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	remotetest.Run(t, places(t))
}

// places opens, for one name after another, two places that know of each other only through the cluster.
func places(t *testing.T) func(*testing.T) (one, other remote.Place) {
	clients := []*kube.Cluster{connect(t), connect(t)}
	ns := namespace(t, clients[0])
	return remotetest.Pairs(func(_ testing.TB, name string, client int) remote.Place {
		return kubernetes.At(clients[client], ns, name)
	})
}

// TestRights: a service account needs what docs/backend-kubernetes.md says, in the namespace of the state alone.
func TestRights(t *testing.T) {
	admin := connect(t)
	ns := namespace(t, admin)
	grant(t, admin, ns, "writer", map[string][]any{
		"leases": {"get", "create", "patch"}, "secrets": {"get", "list", "create", "patch", "delete"}})
	grant(t, admin, ns, "reader", map[string][]any{"leases": {"get"}, "secrets": {"get"}})
	as := func(name string) remote.Place {
		return kubernetes.At(connectAs(t, "system:serviceaccount:"+ns+":"+name), ns, "app")
	}
	remotetest.Rights(t, kubernetes.At(admin, ns, "app"), as("writer"), as("reader"), "leases")
}

func TestLinearizable(t *testing.T) {
	t.Parallel()
	remotetest.Linearizable(t, places(t))
}

// grant makes a service account with rights on the resources of one namespace.
func grant(t *testing.T, admin *kube.Cluster, ns, name string, rights map[string][]any) {
	t.Helper()
	var rules []any
	for resource, verbs := range rights {
		group := ""
		if resource == "leases" {
			group = "coordination.k8s.io"
		}
		rules = append(rules, map[string]any{"apiGroups": []any{group}, "resources": []any{resource}, "verbs": verbs})
	}
	meta := map[string]any{"name": name, "namespace": ns}
	for _, object := range []map[string]any{
		{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta, "rules": rules},
		{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": meta,
			"roleRef":  map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
			"subjects": []any{map[string]any{"kind": "ServiceAccount", "name": name, "namespace": ns}}},
	} {
		kind, err := kinds.Builtin().Lookup(object["kind"].(string), object["apiVersion"].(string))
		if err == nil {
			_, err = admin.Create(t.Context(), kind, object)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkLoad reads a state of 10,000 objects, and BenchmarkSave writes one.
func BenchmarkLoad(b *testing.B) { remotetest.Load(b, place(b)) }
func BenchmarkSave(b *testing.B) { remotetest.Save(b, place(b)) }

func place(b *testing.B) remote.Place {
	cluster := connect(b)
	return kubernetes.At(cluster, namespace(b, cluster), "large")
}
