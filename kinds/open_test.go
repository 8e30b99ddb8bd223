package kinds_test

import (
	"testing"

	"kplan.dev/kplan/kinds"
)

func TestOpenSet(t *testing.T) {
	open := kinds.OpenSet{Set: kinds.Builtin()}
	for _, c := range []struct {
		kind, apiVersion string
		found, held      bool
	}{
		{"Deployment", "", true, true},
		{"Deployment", "apps/v1", true, true},
		{"ServiceMonitor", "monitoring.example/v1", true, false},
		{"Service", "serving.knative.dev/v1", true, false}, // a built-in's name in another's group
		{"HTTPRoute", "gateway.networking.k8s.io/v1", true, false},
		{"ServiceMonitor", "", false, false},
		{"ServiceMonitor", "monitoring.example", false, false},
		{"ServiceMonitor", "monitoring/v1", false, false},
		{"Deploymnt", "apps/v1", false, false},
		{"Deployment", "apps/v1beta2", false, false},
		{"Ingress", "networkin.k8s.io/v1", false, false},
		{"Ingress", "networking.k8s.io/v3", false, false},
		{"HTTPRoute", "networking.k8s.io/v1", false, false},
	} {
		kind, err := open.Lookup(c.kind, c.apiVersion)
		if (err == nil) != c.found {
			t.Errorf("Lookup(%q, %q): %v", c.kind, c.apiVersion, err)
			continue
		}
		if err != nil {
			continue
		}
		if kind.Name != c.kind || c.apiVersion != "" && kind.APIVersion() != c.apiVersion {
			t.Errorf("Lookup(%q, %q) = %s %s", c.kind, c.apiVersion, kind.APIVersion(), kind.Name)
		}
		if open.Holds(kind) != c.held {
			t.Errorf("Holds(%s %s) = %v", kind.APIVersion(), kind.Name, !c.held)
		}
	}
}
