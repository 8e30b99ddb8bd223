package kinds_test

import (
	"fmt"
	"testing"

	"kplan.dev/kplan/kinds"
)

func TestImmutable(t *testing.T) {
	for _, tc := range []struct {
		kind, path string
		want       bool
	}{
		{"Pod", "spec", true},
		{"Pod", "spec.containers", true},
		{"Pod", "spec.containers[0]", true},
		{"Pod", "spec.containers[0].command", true},
		{"Pod", "spec.containers[0].image", false},
		{"Pod", "spec.initContainers[0].image", false},
		{"Pod", "spec.ephemeralContainers[0].image", true},
		{"Pod", "spec.tolerations", false},
		{"Pod", "spec.tolerations[0].key", false},
		{"Pod", "metadata.labels.a", false},
		{"ReplicationController", "spec.template.spec.containers[0].command", false},
		{"ReplicationController", "spec.selector", false},
		{"Deployment", "spec.selector.matchLabels.a", true},
		{"Deployment", "spec.template.metadata.labels.a", false},
		{"StatefulSet", "spec.serviceName", true},
		{"StatefulSet", "spec.volumeClaimTemplates[0].spec.resources.requests.storage", true},
		{"StatefulSet", "spec.replicas", false},
		{"StatefulSet", "spec.podManagementPolicy", true},
		{"DaemonSet", "spec.selector", true},
		{"Job", "spec.template.spec.containers[0].image", true},
		{"Job", "spec.parallelism", false},
		{"CronJob", "spec.jobTemplate.spec.template.spec.containers[0].image", false},
		{"Service", "spec.clusterIP", true},
		{"Service", "spec.type", false},
		{"PersistentVolumeClaim", "spec.accessModes", true},
		{"PersistentVolumeClaim", "spec.resources.requests.storage", false},
		{"PersistentVolumeClaim", "spec.resources.limits.storage", true},
		{"PersistentVolume", "spec.nfs.server", true},
		{"PersistentVolume", "spec.capacity.storage", false},
		{"StorageClass", "parameters.a", true},
		{"StorageClass", "provisioner", true},
		{"StorageClass", "allowVolumeExpansion", false},
		{"RoleBinding", "roleRef.name", true},
		{"RoleBinding", "subjects", false},
		{"ClusterRoleBinding", "roleRef", true},
		{"PriorityClass", "value", true},
		{"PriorityClass", "description", false},
		{"IngressClass", "spec.controller", true},
		{"RuntimeClass", "handler", true},
		{"Secret", "type", true},
		{"Secret", "data.a", false},
		{"EndpointSlice", "addressType", true},
		{"ResourceClaim", "spec.devices.requests", true},
		{"ServiceAccount", "secrets", false},
		{"Namespace", "spec", false},
		{"CustomResourceDefinition", "spec.scope", true},
		{"CustomResourceDefinition", "spec.names.shortNames", false},
	} {
		if got := lookup(t, tc.kind).At(path(t, tc.path)).Immutable; got != tc.want {
			t.Errorf("%s %s: immutable %t", tc.kind, tc.path, got)
		}
	}
}

func TestSensitive(t *testing.T) {
	for _, tc := range []struct {
		kind, path string
		want       bool
	}{
		{"Secret", "data", true},
		{"Secret", "data.a", true},
		{"Secret", "stringData.a", true},
		{"Secret", "type", false},
		{"Secret", "metadata.annotations", false},
		{"Secret", "metadata.annotations.a", false},
		{"Secret", `metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`, true},
		{"ConfigMap", `metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]`, false},
		{"ConfigMap", "data.a", false},
	} {
		if got := lookup(t, tc.kind).At(path(t, tc.path)).Sensitive; got != tc.want {
			t.Errorf("%s %s: sensitive %t", tc.kind, tc.path, got)
		}
	}
}

func TestDefault(t *testing.T) {
	for _, tc := range []struct{ kind, path, want string }{
		{"Pod", "spec.restartPolicy", "Always"},
		{"Pod", "spec.securityContext", "map[]"},
		{"Pod", "spec.enableServiceLinks", "true"},
		{"Deployment", "spec.template.spec.enableServiceLinks", "<nil>"},
		{"Deployment", "spec.replicas", "1"},
		{"Deployment", "spec.strategy", "map[rollingUpdate:map[maxSurge:25% maxUnavailable:25%] type:RollingUpdate]"},
		{"ReplicationController", "spec.replicas", "1"},
		{"Service", "spec.ports[0].protocol", "TCP"},
		{"Service", "spec.type", "ClusterIP"},
		{"Pod", "spec.containers[0].livenessProbe.periodSeconds", "10"},
		{"Pod", "spec.containers[0].imagePullPolicy", "<nil>"},
		{"Pod", "spec.imagePullSecrets[0].name", "<nil>"}, // the schema's "" means nothing
		{"Namespace", "spec.finalizers", "[kubernetes]"},
	} {
		if got := fmt.Sprint(lookup(t, tc.kind).At(path(t, tc.path)).Default); got != tc.want {
			t.Errorf("%s %s: default %s, want %s", tc.kind, tc.path, got, tc.want)
		}
	}
}

func TestOpaque(t *testing.T) {
	k := kinds.Opaque("x.example.com", "v1", "Thing", "things", true)
	obj := decode(t, `{apiVersion: x.example.com/v1, kind: Thing, metadata: {name: a, labels: {a: b}}, spec: {a: [1], b: {c: {}}}}`)
	set, err := k.FieldSet(obj)
	if err != nil {
		t.Fatal(err)
	}
	text, err := set.ToJSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{"f:metadata":{"f:labels":{"f:a":{}}},"f:spec":{".":{},"f:a":{},"f:b":{".":{},"f:c":{}}}}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if f := k.At(path(t, "spec.a[0].b")); f == nil || f.Type != kinds.Any {
		t.Errorf("spec.a[0].b: got %v", f)
	}
}
