package kubernetes_test

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/kubernetes"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
	"kplan.dev/kplan/state/storetest"
)

func connect(t *testing.T) *kube.Cluster {
	t.Helper()
	path := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("needs a control plane: run make test")
	}
	cluster, err := kube.Connect(context.WithoutCancel(t.Context()), kube.Options{Auth: auth.Options{ConfigPath: path}})
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

// namespace makes a namespace for a test, and deletes it after it.
func namespace(t *testing.T, cluster *kube.Cluster) string {
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

func TestStore(t *testing.T) {
	cluster := connect(t)
	ns := namespace(t, cluster)
	other := connect(t)
	var n atomic.Int32
	storetest.Run(t, func(t *testing.T) (state.Store, state.Store) {
		name := fmt.Sprint("s", n.Add(1))
		return remote.Open(kubernetes.At(cluster, ns, name)), remote.Open(kubernetes.At(other, ns, name))
	})
}

func TestPlace(t *testing.T) {
	cluster := connect(t)
	ns := namespace(t, cluster)
	other := connect(t)
	var n atomic.Int32
	remotetest.Run(t, func(t *testing.T) (remote.Place, remote.Place) {
		name := fmt.Sprint("p", n.Add(1))
		return kubernetes.At(cluster, ns, name), kubernetes.At(other, ns, name)
	})
}
