package kinds_test

import (
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

func TestIsKeptByCluster(t *testing.T) {
	with := func(field, key, value string) map[string]any {
		return map[string]any{"metadata": map[string]any{field: map[string]any{key: value}}}
	}
	const rbac, apf = "rbac.authorization.k8s.io", "flowcontrol.apiserver.k8s.io"
	for _, c := range []struct {
		object addrs.Object
		live   map[string]any
		want   bool
	}{
		{addrs.Object{Version: "v1", Kind: "Namespace", Name: "kube-system"}, nil, true},
		{addrs.Object{Version: "v1", Kind: "Namespace", Name: "acme"}, nil, false},
		{addrs.Object{Version: "v1", Kind: "Service", Namespace: "default", Name: "kubernetes"}, nil, true},
		{addrs.Object{Version: "v1", Kind: "Service", Namespace: "acme", Name: "kubernetes"}, nil, false},
		{addrs.Object{Version: "v1", Kind: "ServiceAccount", Namespace: "acme", Name: "default"}, nil, true},
		{addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "acme", Name: "kube-root-ca.crt"}, nil, true},
		{addrs.Object{Group: "scheduling.k8s.io", Version: "v1", Kind: "PriorityClass", Name: "system-node-critical"}, nil, true},
		{addrs.Object{Group: rbac, Version: "v1", Kind: "ClusterRole", Name: "view"},
			with("labels", "kubernetes.io/bootstrapping", "rbac-defaults"), true},
		{addrs.Object{Group: rbac, Version: "v1", Kind: "ClusterRole", Name: "view"}, nil, false},
		{addrs.Object{Group: "apiregistration.k8s.io", Version: "v1", Kind: "APIService", Name: "v1.apps"},
			with("labels", "kube-aggregator.kubernetes.io/automanaged", "onstart"), true},
		{addrs.Object{Group: apf, Version: "v1", Kind: "FlowSchema", Name: "probes"},
			with("annotations", "apf.kubernetes.io/autoupdate-spec", "true"), true},
		{addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "acme", Name: "a"},
			with("labels", "kubernetes.io/bootstrapping", "rbac-defaults"), false},
	} {
		if got := kinds.IsKeptByCluster(c.object, c.live); got != c.want {
			t.Errorf("%s: %v", c.object, got)
		}
	}
}
