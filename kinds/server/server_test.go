package server_test

import (
	"context"
	crand "crypto/rand"
	"reflect"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
	"kplan.dev/kplan/kinds/server"
)

// What is said of a server is held against a real one: it is asked, by dry run, for a
// manifest of every kind in kindstest/minimal.yaml.

var (
	decode      = kindstest.Decode
	decodeValue = kindstest.DecodeValue
	lookup      = kindstest.Lookup
	path        = kindstest.Path
	fromCRD     = kindstest.FromCRD
	database    = kindstest.Database
)

// What was sent comes back in its canonical form, with the defaults, and what
// else the server adds is marked as its own choice.
func TestServerResult(t *testing.T) {
	kindstest.EachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		result, err := kindstest.Apply(client, k, obj, metav1.DryRunAll)
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

// A field that is reported immutable is one that the server does not change: a
// plan that replaces an object for it does so with reason.
func TestServerImmutable(t *testing.T) {
	config := kindstest.ControlPlane(t)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	namespace := newNamespace(t, client)
	kindstest.EachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
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
		live, err := kindstest.Apply(client, k, obj)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := kindstest.Resource(client, k, obj).Delete(context.Background(), live.GetName(), metav1.DeleteOptions{}); err != nil &&
				!apierrors.IsNotFound(err) { // a controller may have been faster
				t.Error(err)
			}
		}()
		for _, field := range kindstest.FieldPaths(addrs.Path{}, obj) {
			planned := runtime.DeepCopyJSON(obj)
			if !alter(planned, field) || !server.ForbidsChange(k, live.Object, planned, field) {
				continue
			}
			result, err := kindstest.Apply(client, k, planned, metav1.DryRunAll)
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
	if _, err := kindstest.Apply(client, k, obj); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kindstest.Resource(client, k, obj).Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
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
