package kindstest

import (
	"context"
	_ "embed"
	"encoding/json"
	"os"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"kplan.dev/kplan/kinds"
)

//go:embed minimal.yaml
var manifests string

// ControlPlane is how to reach the cluster to test against; without one the test is
// skipped.
func ControlPlane(t testing.TB) *rest.Config {
	t.Helper()
	file := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if file == "" {
		if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
			t.Fatal("KPLAN_TEST_KUBECONFIG is not set")
		}
		t.Skip("KPLAN_TEST_KUBECONFIG does not name the kubeconfig of a cluster to test against")
	}
	config, err := clientcmd.BuildConfigFromFlags("", file)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1
	return config
}

// Minimal are the manifests of minimal.yaml.
func Minimal(t testing.TB) []map[string]any {
	t.Helper()
	var all []map[string]any
	for doc := range strings.SplitSeq(manifests, "\n---\n") {
		all = append(all, Decode(t, doc))
	}
	return all
}

// KindOf is the built-in description of an object.
func KindOf(t testing.TB, obj map[string]any) *kinds.Kind {
	t.Helper()
	k, err := kinds.Builtin().Lookup(obj["kind"].(string), obj["apiVersion"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Apply is the object that an apply of a manifest makes.
func Apply(client dynamic.Interface, k *kinds.Kind, obj map[string]any, dryRun ...string) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	metadata := obj["metadata"].(map[string]any)
	force := true
	return Resource(client, k, obj).Patch(context.Background(), metadata["name"].(string), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: "kinds", DryRun: dryRun, Force: &force})
}

// Resource is where an object of a kind is read and written.
func Resource(client dynamic.Interface, k *kinds.Kind, obj map[string]any) dynamic.ResourceInterface {
	in := client.Resource(runtimeschema.GroupVersionResource{Group: k.Group, Version: k.Version, Resource: k.Plural})
	if !k.Namespaced {
		return in
	}
	if namespace, ok := obj["metadata"].(map[string]any)["namespace"].(string); ok {
		return in.Namespace(namespace)
	}
	return in.Namespace("default")
}

// EachOnServer runs a test for every manifest that the server serves.
func EachOnServer(t *testing.T, test func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any)) {
	config := ControlPlane(t)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	served := ServedKinds(t, config)
	for _, obj := range Minimal(t) {
		k := KindOf(t, obj)
		if served[runtimeschema.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Name}] == nil {
			continue
		}
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) { test(t, client, k, obj) })
	}
}

// ServedKinds are the resources that the server serves.
func ServedKinds(t testing.TB, config *rest.Config) map[runtimeschema.GroupVersionKind]*metav1.APIResource {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	_, lists, err := client.ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) { // kinds of other tests come and go
		t.Fatal(err)
	}
	served := map[runtimeschema.GroupVersionKind]*metav1.APIResource{}
	for _, list := range lists {
		gv, err := runtimeschema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range list.APIResources {
			if !strings.Contains(r.Name, "/") {
				served[gv.WithKind(r.Kind)] = &list.APIResources[i]
			}
		}
	}
	return served
}
