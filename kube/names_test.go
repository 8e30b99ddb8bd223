package kube_test

import (
	"testing"

	"kplan.dev/kplan/kube"
)

// TestNames asks for objects whose names need care in a URL.
func TestNames(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := lookup(t, c, "ClusterRole")
	for _, name := range []string{":a", " a b", "?x=y#z", "+&;", "ä€", "..a", "a\\b", "\"'"} {
		name = ns + name
		live, err := c.Create(t.Context(), k, map[string]any{"metadata": map[string]any{"name": name}})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		t.Cleanup(func() { remove(t, c, live) })
		if got, err := c.Get(t.Context(), k, "", name); err != nil || got.GetUID() != live.GetUID() {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, bad := range []struct{ kind, namespace, name string }{
		{"ConfigMap", "", "a"}, {"ConfigMap", "n", ""}, {"ConfigMap", "n", ".."}, {"ConfigMap", "n", "a/b"}, {"ConfigMap", "..", "a"},
		{"ConfigMap", "n/configmaps/x", "a"}, {"ClusterRole", "n", "a"}, {"ClusterRole", "", "%2e%2e"},
	} {
		_, err := c.Get(t.Context(), lookup(t, c, bad.kind), bad.namespace, bad.name)
		wantReason(t, err, kube.Invalid)
	}
}

// TestDeleteTwice deletes what is being deleted already.
func TestDeleteTwice(t *testing.T) {
	c := connect(t)
	for kind, text := range map[string]string{
		"Namespace": "metadata: {name: NS-twice}",
		"Pod":       sampleManifests["Pod"],
	} {
		ns := namespace(t, c)
		live := create(t, c, kind, text, ns)
		for range 3 {
			err := c.Delete(t.Context(), lookup(t, c, kind), live.GetNamespace(), live.GetName(), kube.DeleteOptions{UID: string(live.GetUID())})
			if err != nil && kube.ReasonOf(err) != kube.NotFound {
				t.Error(err)
			}
		}
	}
}
