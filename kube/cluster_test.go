package kube_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// What a cluster does is tested against a real API server; nothing here plays
// one. make test starts a control plane and sets the variable.
func connect(t testing.TB, change ...func(*kube.Options)) *kube.Cluster {
	t.Helper()
	path := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if path == "" {
		t.Skip("KPLAN_TEST_KUBECONFIG does not name the kubeconfig of a cluster to test against")
	}
	opts := kube.Options{Auth: auth.Options{ConfigPath: path}}
	for _, f := range change {
		f(&opts)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	c, err := kube.Connect(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// eventually waits until a look at the cluster finds nothing wrong any more. It
// may take a busy machine long; only a machine that never gets there fails.
func eventually(t testing.TB, look func() error) {
	t.Helper()
	end := time.Now().Add(3 * time.Minute)
	for err := look(); err != nil; err = look() {
		if time.Now().After(end) {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// countRequests counts the requests of one method that a cluster is sent from
// here on.
func countRequests(c *kube.Cluster, method string) *atomic.Int32 {
	counter := &counter{next: c.HTTP().Transport, method: method}
	c.HTTP().Transport = counter
	return &counter.n
}

type counter struct {
	next   http.RoundTripper
	method string
	n      atomic.Int32
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == c.method {
		c.n.Add(1)
	}
	return c.next.RoundTrip(r)
}

// namespace makes a namespace for one test and deletes it afterwards.
func namespace(t testing.TB, c *kube.Cluster) string {
	t.Helper()
	name := "kube-dev-" + strings.ToLower(rand.Text()[:10])
	ns, err := c.Create(t.Context(), lookup(t, c, "Namespace"), manifest(t, "metadata: {name: "+name+"}"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, c, ns) })
	return name
}

func remove(t testing.TB, c *kube.Cluster, obj *unstructured.Unstructured) {
	k, err := c.Lookup(obj.GetKind(), obj.GetAPIVersion())
	if err == nil {
		err = c.Delete(context.Background(), k, obj.GetNamespace(), obj.GetName(), kube.DeleteOptions{UID: string(obj.GetUID())})
	}
	if err != nil && kube.ReasonOf(err) != kube.NotFound {
		t.Error(err)
	}
}

func lookup(t testing.TB, c *kube.Cluster, kind string) *kinds.Kind {
	t.Helper()
	k, err := c.Lookup(kind, "")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// manifest reads YAML in which NS stands for a namespace.
func manifest(t testing.TB, text string, namespace ...string) map[string]any {
	t.Helper()
	for _, ns := range namespace {
		text = strings.ReplaceAll(text, "NS", ns)
	}
	var u unstructured.Unstructured
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := utiljson.Unmarshal(data, &u.Object); err != nil {
		t.Fatal(err)
	}
	return u.Object
}

func wantReason(t testing.TB, err error, want kube.Reason) *kube.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", want)
	}
	e, ok := err.(*kube.Error)
	if !ok {
		t.Fatalf("%T, want a kube.Error: %v", err, err)
	}
	if e.Reason != want {
		t.Fatalf("reason %s, want %s: %v", e.Reason, want, err)
	}
	return e
}
