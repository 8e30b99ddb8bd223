package informers

import (
	"context"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// TestClientGoInformersWaitForever: where RBAC allows no list, whoever waits for one of
// client-go's shared informers waits until the time is up; kplan's wait ends with the
// server's answer (docs/decisions/0024).
func TestClientGoInformersWaitForever(t *testing.T) {
	t.Parallel()
	path := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("KPLAN_TEST_KUBECONFIG does not name the kubeconfig of a cluster to test against")
	}
	const nobody = "nobody-of-informers"
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	config.Impersonate.UserName = nobody
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	of := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"})
	shared := cache.NewSharedInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return of.List(ctx, o)
		},
		WatchFuncWithContext: of.Watch,
	}, &unstructured.Unstructured{}, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	ended := make(chan struct{})
	go func() { shared.RunWithContext(ctx); close(ended) }()
	if cache.WaitForCacheSync(ctx.Done(), shared.HasSynced) || ctx.Err() == nil {
		t.Error("client-go's informer did not wait to the end of its time")
	}
	<-ended

	cluster, err := kube.Connect(t.Context(), kube.Options{Auth: auth.Options{ConfigPath: path, ImpersonateUser: nobody}})
	if kube.ReasonOf(err) == kube.Forbidden || cluster == nil {
		t.Fatal(err)
	}
	life, end := context.WithCancel(t.Context())
	s := New(life, cluster, Options{})
	err = s.Until(t.Context(), configMaps, configMap, func(View) (bool, error) { return false, nil })
	if kube.ReasonOf(err) != kube.Forbidden {
		t.Errorf("kplan: %v", err)
	}
	end()
	s.Wait()
}
