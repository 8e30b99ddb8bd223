package kinds_test

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// What the descriptions say of a server is held against a real one: it is
// asked, by dry run, for a manifest of every kind in testdata/minimal.yaml.

func controlPlane(t testing.TB) *rest.Config {
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

// minimal are the manifests of testdata/minimal.yaml.
func minimal(t testing.TB) []map[string]any {
	t.Helper()
	text, err := os.ReadFile("testdata/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		all = append(all, decode(t, doc))
	}
	return all
}

func kindOf(t testing.TB, obj map[string]any) *kinds.Kind {
	t.Helper()
	k, err := kinds.Builtin().Lookup(obj["kind"].(string), obj["apiVersion"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestMinimalManifests(t *testing.T) {
	for _, obj := range minimal(t) {
		k := kindOf(t, obj)
		compareWithServer(t, k, obj)
	}
}

// apply is the object that an apply of a manifest makes.
func apply(client dynamic.Interface, k *kinds.Kind, obj map[string]any, dryRun ...string) (*unstructured.Unstructured, error) {
	body, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	metadata := obj["metadata"].(map[string]any)
	force := true
	return resource(client, k, obj).Patch(context.Background(), metadata["name"].(string), types.ApplyPatchType, body,
		metav1.PatchOptions{FieldManager: "kinds", DryRun: dryRun, Force: &force})
}

func resource(client dynamic.Interface, k *kinds.Kind, obj map[string]any) dynamic.ResourceInterface {
	in := client.Resource(runtimeschema.GroupVersionResource{Group: k.Group, Version: k.Version, Resource: k.Plural})
	if !k.Namespaced {
		return in
	}
	if namespace, ok := obj["metadata"].(map[string]any)["namespace"].(string); ok {
		return in.Namespace(namespace)
	}
	return in.Namespace("default")
}

// eachOnServer runs a test for every manifest that the server serves.
func eachOnServer(t *testing.T, test func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any)) {
	config := controlPlane(t)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	served := servedKinds(t, config)
	for _, obj := range minimal(t) {
		k := kindOf(t, obj)
		if served[gvk(k)] == nil {
			continue
		}
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) { test(t, client, k, obj) })
	}
}

func servedKinds(t testing.TB, config *rest.Config) map[runtimeschema.GroupVersionKind]*metav1.APIResource {
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

// Every kind that the server serves and that can be made and kept is known,
// with its resource and scope, and the preferred version is the server's.
func TestServerKinds(t *testing.T) {
	config := controlPlane(t)
	for gvk, r := range servedKinds(t, config) {
		verbs := strings.Join(r.Verbs, " ")
		if !strings.Contains(verbs, "create") || !strings.Contains(verbs, "get") {
			if k, err := kinds.Builtin().Lookup(gvk.Kind, gvk.GroupVersion().String()); err == nil {
				t.Errorf("%s %s is known, but can only be asked to %s", k.APIVersion(), k.Name, verbs)
			}
			continue
		}
		if !strings.HasSuffix(gvk.Group, "k8s.io") && strings.Contains(gvk.Group, ".") {
			continue // a custom resource that some other test made
		}
		k, err := kinds.Builtin().Lookup(gvk.Kind, gvk.GroupVersion().String())
		if err != nil {
			t.Error(err)
			continue
		}
		if k.Plural != r.Name || k.Namespaced != r.Namespaced {
			t.Errorf("%s: %s namespaced=%t, the server has %s %t", k.Name, k.Plural, k.Namespaced, r.Name, r.Namespaced)
		}
	}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	preferred, err := client.ServerPreferredResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		t.Fatal(err)
	}
	for _, list := range preferred {
		for _, r := range list.APIResources {
			k, err := kinds.Builtin().Lookup(r.Kind, "")
			if err != nil || r.Kind == "Event" {
				continue
			}
			if got := k.APIVersion(); got != list.GroupVersion && !strings.Contains(list.GroupVersion, "example") {
				t.Errorf("%s: %s is preferred, the server prefers %s", r.Kind, got, list.GroupVersion)
			}
		}
	}
}

// The fields that an apply will own are those that the server records.
func TestServerOwnership(t *testing.T) {
	eachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		result, err := apply(client, k, obj, metav1.DryRunAll)
		if err != nil {
			t.Fatal(err)
		}
		want := &fieldpath.Set{}
		for _, m := range result.GetManagedFields() {
			if m.Manager == "kinds" && m.Subresource == "" {
				if err := want.FromJSON(m.FieldsV1.GetRawReader()); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, err := k.FieldSet(obj)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Equals(want) {
			t.Errorf("missing %v\nextra %v", want.Difference(got), got.Difference(want))
		}
	})
}

// What was sent comes back in its canonical form, with the defaults, and what
// else the server adds is marked as its own choice.
func TestServerResult(t *testing.T) {
	eachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		result, err := apply(client, k, obj, metav1.DryRunAll)
		if err != nil {
			t.Fatal(err)
		}
		expected := k.Root.Canonical(server.Complete(k, obj)).(map[string]any)
		c := resultCheck{t: t, kind: k, name: result.GetName()}
		c.compare(addrs.Path{}, k.Root, expected, result.Object)
	})
}

type resultCheck struct {
	t    *testing.T
	kind *kinds.Kind
	name string
}

func (c resultCheck) compare(at addrs.Path, f *kinds.Field, want, got any) {
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok {
			c.fields(at, f, want, got)
			return
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) >= len(want) && f.Type == kinds.List {
			for i := range want {
				c.compare(at.Index(i), f.Elem, want[i], got[i])
			}
			if len(got) > len(want) {
				c.added(at, f, got[len(want):])
			}
			return
		}
	}
	if !reflect.DeepEqual(want, got) {
		c.t.Errorf("%s: the server has %v, expected %v", at, got, want)
	}
}

func (c resultCheck) fields(at addrs.Path, f *kinds.Field, want, got map[string]any) {
	for name, v := range got {
		field := at.Field(name)
		child := f.Field(name)
		switch desired, there := want[name]; {
		case child == nil:
			c.t.Errorf("%s: not a field", field)
		case there:
			c.compare(field, child, desired, v)
		case field == addrs.NewPath("metadata", "namespace"):
		case !child.Allocated && !child.Equal(v, nil):
			c.added(field, child, v)
		}
	}
	for name := range want {
		if _, there := got[name]; !there {
			c.t.Errorf("%s: expected %v, the server has nothing", at.Field(name), want[name])
		}
	}
}

// added is a value that the server derives from others, which no table predicts.
func (c resultCheck) added(at addrs.Path, f *kinds.Field, v any) {
	if text := c.kind.Name + " " + at.String(); !derived[withoutIndexes(text)] {
		c.t.Errorf("%s: the server adds %v", text, v)
	}
}

// derived is what the server makes of other fields, or its admission plugins
// of the cluster, so that no static default says it.
var derived = map[string]bool{
	"CSIDriver spec.seLinuxMount":                                  true, // behind feature gates
	"CSIDriver spec.preventPodSchedulingIfMissing":                 true,
	"StatefulSet spec.updateStrategy.rollingUpdate.maxUnavailable": true,
	"DaemonSet metadata.annotations":                               true, // the generation of its template
	"Job metadata.labels":                                          true, // its uid and name
	"Job spec.template.metadata":                                   true,
	"Node spec.taints":                                             true,
	"Pod spec.volumes":                                             true, // the service account's token
	"Pod spec.containers[].volumeMounts":                           true,
	"Pod spec.tolerations":                                         true,
}

func withoutIndexes(text string) string {
	var b strings.Builder
	inside := false
	for _, c := range text {
		switch {
		case c == '[':
			inside = true
			b.WriteString("[]")
		case c == ']':
			inside = false
		case !inside:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// A manifest is refused without each of its required fields, and by no other
// reading of "required" than the server's.
func TestServerRequires(t *testing.T) {
	eachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		for _, field := range fieldPaths(addrs.Path{}, obj) {
			cut := runtime.DeepCopyJSON(obj)
			remove(cut, field)
			if !lacksRequired(k.Root, cut) || strings.HasPrefix(field.String(), "metadata") {
				continue
			}
			if _, err := apply(client, k, cut, metav1.DryRunAll); err == nil {
				t.Errorf("the server accepts it without %s", field)
			}
		}
	})
}

// lacksRequired reports whether a value, or one in it, lacks a field that its
// description calls required and the server does not fill in.
func lacksRequired(f *kinds.Field, v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, child := range f.Fields() {
			if child.Required && v[child.Name] == nil && child.Default == nil && !f.Allocated {
				return true
			}
		}
		for name, inner := range v {
			if child := f.Field(name); child != nil && lacksRequired(child, inner) {
				return true
			}
		}
	case []any:
		return f.Type == kinds.List && slices.ContainsFunc(v, func(elem any) bool { return lacksRequired(f.Elem, elem) })
	}
	return false
}

// places are the fields that an object holds.
func fieldPaths(at addrs.Path, v any) []addrs.Path {
	var all []addrs.Path
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			field := at.Field(name)
			if field.String() != "kind" && field.String() != "apiVersion" {
				all = append(append(all, field), fieldPaths(field, inner)...)
			}
		}
	case []any:
		for i, inner := range v {
			all = append(all, fieldPaths(at.Index(i), inner)...)
		}
	}
	return all
}

// remove deletes a field from an object.
func remove(v any, field addrs.Path) {
	steps := field.Steps()
	for _, step := range steps[:len(steps)-1] {
		if step.IsIndex() {
			v = v.([]any)[step.Index]
		} else {
			v = v.(map[string]any)[step.Field]
		}
	}
	delete(v.(map[string]any), steps[len(steps)-1].Field)
}

// A field that is reported immutable is one that the server does not change: a
// plan that replaces an object for it does so with reason.
func TestServerImmutable(t *testing.T) {
	config := controlPlane(t)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	namespace := newNamespace(t, client)
	eachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		metadata := obj["metadata"].(map[string]any)
		switch {
		case k.Name == "Event":
			t.Skip("its namespace is that of what it is about")
		case k.Namespaced:
			metadata["namespace"] = namespace
		case k.Group == "storage.k8s.io" && k.Name != "CSINode" && k.Name != "CSIDriver", k.Group == "rbac.authorization.k8s.io",
			k.Group == "certificates.k8s.io",
			k.Name == "PersistentVolume", k.Name == "RuntimeClass", k.Name == "PriorityClass", k.Name == "IngressClass":
			metadata["name"] = namespace
		default:
			t.Skip("it would change how the cluster works")
		}
		live, err := apply(client, k, obj)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := resource(client, k, obj).Delete(context.Background(), live.GetName(), metav1.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}()
		for _, field := range fieldPaths(addrs.Path{}, obj) {
			planned := runtime.DeepCopyJSON(obj)
			if !alter(planned, field) || !server.ForbidsChange(k, live.Object, planned, field) {
				continue
			}
			result, err := apply(client, k, planned, metav1.DryRunAll)
			if err == nil && !k.At(field).Equal(at(t, live.Object, field), at(t, result.Object, field)) {
				t.Errorf("the server changes %s", field)
			}
		}
	})
}

// newNamespace makes a namespace in which pods can be made.
func newNamespace(t *testing.T, client dynamic.Interface) string {
	t.Helper()
	name := "kinds-" + strings.ToLower(crand.Text()[:10])
	k := lookup(t, "Namespace")
	obj := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}
	if _, err := apply(client, k, obj); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := resource(client, k, obj).Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	accounts := client.Resource(runtimeschema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}).Namespace(name)
	for range 100 {
		if _, err := accounts.Get(t.Context(), "default", metav1.GetOptions{}); err == nil {
			return name
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the namespace got no service account")
	return ""
}

// alter changes the scalar at a field path.
func alter(obj map[string]any, field addrs.Path) bool {
	steps := field.Steps()
	var v any = obj
	for _, step := range steps[:len(steps)-1] {
		if step.IsIndex() {
			v = v.([]any)[step.Index]
		} else {
			v = v.(map[string]any)[step.Field]
		}
	}
	m, name := v.(map[string]any), steps[len(steps)-1].Field
	switch old := m[name].(type) {
	case string:
		m[name] = old + "x"
	case int64:
		m[name] = old + 1
	case bool:
		m[name] = !old
	default:
		return false
	}
	return true
}

// at is the value at a path of fields and indexes.
func at(t *testing.T, obj map[string]any, field addrs.Path) any {
	t.Helper()
	var v any = obj
	for _, step := range field.Steps() {
		switch inside := v.(type) {
		case map[string]any:
			v = inside[step.Field]
		case []any:
			if step.Index >= len(inside) {
				return nil
			}
			v = inside[step.Index]
		default:
			return nil
		}
	}
	return v
}
