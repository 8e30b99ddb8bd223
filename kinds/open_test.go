package kinds_test

import (
	"testing"

	"kplan.dev/kplan/kinds"
)

func TestOpenSet(t *testing.T) {
	open := kinds.OpenSet{Set: kinds.Builtin()}
	for _, c := range []struct {
		kind, apiVersion string
		found, undefined bool
	}{
		{"Deployment", "", true, false},
		{"Deployment", "apps/v1", true, false},
		{"ServiceMonitor", "monitoring.example/v1", true, true},
		{"Service", "serving.knative.dev/v1", true, true}, // a built-in's name in another's group
		{"HTTPRoute", "gateway.networking.k8s.io/v1", true, true},
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
		if kind.Undefined != c.undefined {
			t.Errorf("Lookup(%q, %q): undefined is %v", c.kind, c.apiVersion, kind.Undefined)
		}
	}
}

// A kind that the cluster does not serve may be one that an operator brings, or a typing
// error.
func TestExpecting(t *testing.T) {
	kind := func(group, version, name, plural string) *kinds.Kind {
		return kinds.Opaque(group, version, name, plural, true)
	}
	served := kinds.Builtin().With(
		kind("cert-manager.io", "v1", "Certificate", "certificates"), kind("cert-manager.io", "v1", "Issuer", "issuers"),
		kind("gateway.networking.k8s.io", "v1", "TCPRoute", "tcproutes"))
	for _, c := range []struct {
		kind, apiVersion string
		undefined        bool
	}{
		{"ServiceMonitor", "monitoring.example/v1", true},             // of a group that is not served at all
		{"ClusterIssuer", "cert-manager.io/v1", true},                 // of one that is
		{"Certificate", "networking.internal.knative.dev/v1a1", true}, // another's kind of that name
		{"TLSRoute", "gateway.networking.k8s.io/v1", true},            // like another, and no typing error
		{"Certifcate", "cert-manager.io/v1", false},
		{"certificate", "cert-manager.io/v1", false},
		{"Certificates", "cert-manager.io/v1", false},
		{"Certificate", "cert-manager.io/v2", false},
		{"Certificate", "cert-manger.io/v1", false},
		{"ServiceMonitor", "", false},
		{"Deploymnt", "apps/v1", false},
	} {
		found, err := kinds.Expecting{Served: served}.Lookup(c.kind, c.apiVersion)
		if undefined := err == nil && found.Undefined; undefined != c.undefined {
			t.Errorf("Lookup(%q, %q): undefined is %v, error %v", c.kind, c.apiVersion, undefined, err)
		}
	}
}
