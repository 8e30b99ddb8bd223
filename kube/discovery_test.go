package kube_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

func TestLookup(t *testing.T) {
	c := connect(t)
	for kind, want := range map[string]string{
		"Pod": "v1", "ReplicationController": "v1", "Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1",
		"HorizontalPodAutoscaler": "autoscaling/v2", "CustomResourceDefinition": "apiextensions.k8s.io/v1",
		"ValidatingAdmissionPolicy": "admissionregistration.k8s.io/v1", "APIService": "apiregistration.k8s.io/v1",
	} {
		k, err := c.Lookup(kind, "")
		if err != nil {
			t.Error(err)
			continue
		}
		if k.APIVersion() != want {
			t.Errorf("%s is %s, want %s", kind, k.APIVersion(), want)
		}
		if known, err := kinds.Builtin().Lookup(kind, want); err == nil && known != k {
			t.Errorf("%s is not the built-in description", kind)
		}
	}
	for _, test := range []struct{ kind, apiVersion, nearest string }{
		{"Deploymen", "", "Deployment"}, {"Deploymnet", "", "Deployment"}, {"pods", "", "Pod"}, {"TokenReview", "", ""},
		{"Deployment", "apps/v9", ""},
	} {
		_, err := c.Lookup(test.kind, test.apiVersion)
		e := wantReason(t, err, kube.NotServed)
		var unknown *kinds.UnknownError
		if !errors.As(e, &unknown) || unknown.Nearest != test.nearest {
			t.Errorf("%s %s: %v", test.apiVersion, test.kind, err)
		}
	}
	listable, err := c.ListableKinds(t.Context())
	if err != nil || len(listable) < 40 {
		t.Error(len(listable), err)
	}
	_, err = c.Lookup("Event", "")
	var ambiguous *kinds.AmbiguousError
	if !errors.As(err, &ambiguous) {
		t.Error(err)
	}
}

// awaitKind waits until discovery shows a kind.
func awaitKind(t *testing.T, c *kube.Cluster, kind string) *kinds.Kind {
	t.Helper()
	var err error
	for range 100 {
		c.Refresh()
		var k *kinds.Kind
		if k, err = c.Lookup(kind, ""); err == nil {
			return k
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal(err)
	return nil
}

func TestLookupCustomKind(t *testing.T) {
	t.Parallel()
	c := connect(t)
	ns := namespace(t, c)
	kind := "Thing" + ns[len("kube-dev-"):]
	create(t, c, "CustomResourceDefinition", `
metadata: {name: things.NS.example.com}
spec:
  group: NS.example.com
  scope: Namespaced
  names: {kind: `+kind+`, plural: things}
  versions:
  - name: v1beta1
    served: true
    storage: false
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {old: {type: string}}}}}}
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {type: integer, default: 3}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [port]
                items: {type: object, required: [port], properties: {port: {type: integer}}}
          status: {type: object, properties: {phase: {type: string}}}`, ns)
	k := awaitKind(t, c, kind)
	if k.APIVersion() != ns+".example.com/v1" || k.Plural != "things" || !k.Namespaced {
		t.Errorf("%s %s %s %v", k.APIVersion(), k.Name, k.Plural, k.Namespaced)
	}
	size := k.At(addrs.NewPath("spec", "size"))
	if size == nil || size.Default != int64(3) {
		t.Errorf("size: %+v", size)
	}
	if again, err := c.Lookup(kind, ""); err != nil || again != k {
		t.Error("described again", err)
	}
	old, err := c.Lookup(kind, ns+".example.com/v1beta1")
	if err != nil || old.At(addrs.NewPath("spec", "old")) == nil || old.At(addrs.NewPath("spec", "size")) != nil {
		t.Error(old, err)
	}
	obj := manifest(t, "metadata: {name: a, namespace: NS, labels: {a: b}}\nspec: {ports: [{port: 1}]}", ns)
	live, err := c.Create(t.Context(), k, obj)
	if err != nil {
		t.Fatal(err)
	}
	delete(at(obj, "metadata"), "labels")
	less, err := c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: string(live.GetUID()), ResourceVersion: live.GetResourceVersion()})
	if err != nil || len(less.GetLabels()) > 0 {
		t.Error(less.GetLabels(), err)
	}
	_, err = c.Create(t.Context(), k, obj)
	wantReason(t, err, kube.AlreadyExists)
}

// TestLookupWithoutOpenAPI has the server refuse its OpenAPI documents, as it
// does for a moment after a definition was made.
func TestLookupWithoutOpenAPI(t *testing.T) {
	const groups = `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[
		{"metadata":{"name":"example.com"},"versions":[{"version":"v1","freshness":"Current","resources":[
			{"resource":"things","responseKind":{"group":"example.com","version":"v1","kind":"Thing"},"scope":"Cluster","verbs":["get","list","patch"]}]}]},
		{"metadata":{"name":"down.example.com"},"versions":[{"version":"v1","freshness":"Stale"}]}]}`
	const definition = `{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"things.example.com"},"spec":{
		"group":"example.com","scope":"Cluster","names":{"kind":"Thing","plural":"things"},"versions":[{"name":"v1","served":true,"storage":true,
		"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer"}}}}}}}]}}`
	crd := says(200, definition)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api":
			says(200, `{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[]}`)(w, r)
		case r.URL.Path == "/apis":
			says(200, groups)(w, r)
		case strings.HasSuffix(r.URL.Path, "/things.example.com"):
			crd(w, r)
		default:
			says(404, "404 page not found")(w, r)
		}
	})
	spec := addrs.NewPath("spec", "n")
	k, err := c.Lookup("Thing", "")
	if err != nil || k.At(spec) == nil || k.At(spec).Type != kinds.Integer || k.Namespaced {
		t.Error(k, err)
	}
	crd = status(403, "Forbidden", `User "x" cannot get resource "customresourcedefinitions"`)
	c.Refresh()
	k, err = c.Lookup("Thing", "example.com/v1")
	if err != nil || k.At(spec) == nil || k.At(spec).Type != kinds.Any || k.Plural != "things" {
		t.Error(k, err)
	}

	// Not found is not the same as not known: a group's server is down.
	_, err = c.Lookup("Widget", "")
	wantReason(t, err, kube.Unavailable)
	_, err = c.Lookup("Widget", "down.example.com/v1")
	wantReason(t, err, kube.Unavailable)
	var unknown *kinds.UnknownError
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Unavailable, []string{"down.example.com/v1"}) {
		t.Errorf("the error does not say which API is silent: %+v", unknown)
	}
	_, err = c.Lookup("Widget", "example.com/v1")
	wantReason(t, err, kube.NotServed)
}

func TestOldServerIsRefused(t *testing.T) {
	t.Parallel()
	c := serve(t, says(200, `{"kind":"APIVersions","versions":["v1"]}`))
	_, err := c.Lookup("Pod", "")
	e := wantReason(t, err, kube.NotKubernetes)
	if !strings.Contains(e.Message, "1.27") {
		t.Error(e)
	}
}

// TestGroupThatIsDown registers an API group whose server is not there.
func TestGroupThatIsDown(t *testing.T) {
	t.Parallel()
	c := connect(t)
	ns := namespace(t, c)
	create(t, c, "APIService", `
metadata: {name: v1.NS.example.com}
spec: {group: NS.example.com, version: v1, groupPriorityMinimum: 10, versionPriority: 10, insecureSkipTLSVerify: true, service: {name: none, namespace: NS}}`, ns)
	var err error
	for range 100 {
		c.Refresh()
		if _, err = c.Lookup("Widget", ns+".example.com/v1"); kube.ReasonOf(err) == kube.Unavailable {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	wantReason(t, err, kube.Unavailable)
	if _, err := c.Lookup("Pod", ""); err != nil {
		t.Error("a group that is down keeps others from being found:", err)
	}
	k := &kinds.Kind{Group: ns + ".example.com", Version: "v1", Name: "Widget", Plural: "widgets", Namespaced: true}
	_, err = c.Get(t.Context(), k, ns, "a")
	wantReason(t, err, kube.Unavailable)
	_, err = c.List(t.Context(), k, kube.ListOptions{})
	wantReason(t, err, kube.Unavailable)
}
