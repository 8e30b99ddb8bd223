package kinds_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

// What the descriptions say of a server is held against a real one: it is asked, by
// dry run, for a manifest of every kind in kindstest/minimal.yaml.

func TestMinimalManifests(t *testing.T) {
	for _, obj := range kindstest.Minimal(t) {
		k := kindstest.KindOf(t, obj)
		compareWithServer(t, k, obj)
	}
}

// Every kind that the server serves and that can be made and kept is known,
// with its resource and scope, and the preferred version is the server's.
func TestServerKinds(t *testing.T) {
	config := kindstest.ControlPlane(t)
	for gvk, r := range kindstest.ServedKinds(t, config) {
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
	kindstest.EachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		result, err := kindstest.Apply(client, k, obj, metav1.DryRunAll)
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

// A manifest is refused without each of its required fields, and by no other
// reading of "required" than the server's.
func TestServerRequires(t *testing.T) {
	kindstest.EachOnServer(t, func(t *testing.T, client dynamic.Interface, k *kinds.Kind, obj map[string]any) {
		for _, field := range kindstest.FieldPaths(addrs.Path{}, obj) {
			cut := runtime.DeepCopyJSON(obj)
			remove(cut, field)
			if !lacksRequired(k.Root, cut) || strings.HasPrefix(field.String(), "metadata") {
				continue
			}
			if _, err := kindstest.Apply(client, k, cut, metav1.DryRunAll); err == nil {
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
