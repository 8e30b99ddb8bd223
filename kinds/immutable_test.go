package kinds_test

import (
	"fmt"
	"testing"

	"kplan.dev/kplan/kinds/server"
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

func TestForbidsChange(t *testing.T) {
	for _, tc := range []struct {
		live, planned, path string
		want                bool
	}{
		{`{kind: ConfigMap, data: {a: x}}`, `{data: {a: "y"}}`, "data.a", false},
		{`{kind: ConfigMap, immutable: true, data: {a: x}}`, `{data: {a: "y"}}`, "data.a", true},
		{`{kind: ConfigMap, immutable: true}`, `{}`, "immutable", true},
		{`{kind: ConfigMap, immutable: true}`, `{}`, "metadata.labels.a", false},
		{`{kind: Secret, immutable: true}`, `{}`, "data.a", true},
		{`{kind: Secret}`, `{}`, "type", true},
		{`{kind: Service, spec: {clusterIP: 1.2.3.4}}`, `{spec: {clusterIP: None}}`, "spec.clusterIP", true},
		{`{kind: Service, spec: {clusterIP: 1.2.3.4}}`, `{spec: {type: ExternalName}}`, "spec.clusterIP", false},
		{`{kind: Service, spec: {type: ExternalName}}`, `{spec: {clusterIP: 1.2.3.4}}`, "spec.clusterIP", false},
		{`{kind: Service, spec: {clusterIP: None}}`, `{spec: {type: NodePort}}`, "spec.type", true},
		{`{kind: Service, spec: {clusterIP: 1.2.3.4}}`, `{spec: {type: NodePort}}`, "spec.type", false},
		{`{kind: Pod, spec: {}}`, `{spec: {activeDeadlineSeconds: 5}}`, "spec.activeDeadlineSeconds", false},
		{`{kind: Pod, spec: {activeDeadlineSeconds: 5}}`, `{spec: {activeDeadlineSeconds: 4}}`, "spec.activeDeadlineSeconds", false},
		{`{kind: Pod, spec: {activeDeadlineSeconds: 5}}`, `{spec: {activeDeadlineSeconds: 6}}`, "spec.activeDeadlineSeconds", true},
		{`{kind: Pod, spec: {activeDeadlineSeconds: 5}}`, `{spec: {}}`, "spec.activeDeadlineSeconds", true},
		{`{kind: Pod, spec: {tolerations: [{key: a}]}}`, `{spec: {tolerations: [{key: b}, {key: a, tolerationSeconds: 3}]}}`, "spec.tolerations", false},
		{`{kind: Pod, spec: {tolerations: [{key: a}]}}`, `{spec: {tolerations: [{key: b}]}}`, "spec.tolerations", true},
		{`{kind: Pod, spec: {schedulingGates: [{name: a}]}}`, `{spec: {}}`, "spec.schedulingGates", false},
		{`{kind: Pod, spec: {}}`, `{spec: {schedulingGates: [{name: a}]}}`, "spec.schedulingGates", true},
		{`{kind: Pod, spec: {nodeSelector: {a: b}}}`, `{spec: {nodeSelector: {a: b, c: d}}}`, "spec.nodeSelector", true},
		{`{kind: Pod, spec: {schedulingGates: [{name: a}], nodeSelector: {a: b}}}`, `{spec: {nodeSelector: {a: b, c: d}}}`, "spec.nodeSelector", false},
		{`{kind: Pod, spec: {schedulingGates: [{name: a}], nodeSelector: {a: b}}}`, `{spec: {nodeSelector: {c: d}}}`, "spec.nodeSelector", true},
		{`{kind: PersistentVolumeClaim, status: {phase: Bound, capacity: {storage: 1Gi}}, spec: {resources: {requests: {storage: 2Gi}}}}`, `{spec: {resources: {requests: {storage: 1Gi}}}}`, "spec.resources.requests.storage", true},
		{`{kind: PersistentVolumeClaim, status: {phase: Bound, capacity: {storage: 1Gi}}, spec: {resources: {requests: {storage: 3Gi}}}}`, `{spec: {resources: {requests: {storage: 2Gi}}}}`, "spec.resources.requests.storage", false},
		{`{kind: Service, spec: {type: LoadBalancer}}`, `{spec: {type: LoadBalancer}}`, "spec.loadBalancerClass", true},
		{`{kind: Service, spec: {}}`, `{spec: {type: LoadBalancer}}`, "spec.loadBalancerClass", false},
		{`{kind: Job, spec: {}}`, `{}`, "spec.template.metadata.labels.a", true},
		{`{kind: Job, spec: {suspend: true, selector: {matchLabels: {u: v}}}}`, `{}`, "spec.template.metadata.labels.a", true},
		{`{kind: Job, spec: {suspend: true, selector: {matchLabels: {u: v}}}}`, `{spec: {template: {metadata: {labels: {u: v}}}}}`, "spec.template.metadata.labels.a", false},
		{`{kind: Job, spec: {suspend: true}, status: {startTime: x, conditions: [{type: Suspended, status: "True"}]}}`, `{}`, "spec.template.spec.nodeSelector", false},
		{`{kind: Job, spec: {suspend: true}, status: {startTime: x, active: 1, conditions: [{type: Suspended, status: "True"}]}}`, `{}`, "spec.template.spec.nodeSelector", true},
		{`{kind: Job, spec: {suspend: true}}`, `{}`, "spec.template.spec.containers[0].resources.limits", false},
		{`{kind: Job, spec: {suspend: true}}`, `{}`, "spec.template.metadata.labels.a", false},
		{`{kind: Job, spec: {suspend: true}}`, `{}`, "spec.template.spec.containers[0].image", true},
		{`{kind: Job, spec: {suspend: true}, status: {startTime: x}}`, `{}`, "spec.template.metadata.labels.a", true},
		{`{kind: Job, spec: {completions: 1}}`, `{spec: {completionMode: Indexed, completions: 2, parallelism: 2}}`, "spec.completions", false},
		{`{kind: Job, spec: {completions: 1}}`, `{spec: {completionMode: Indexed, completions: 2, parallelism: 1}}`, "spec.completions", true},
		{`{kind: Job, spec: {completions: 1}}`, `{}`, "spec.completions", true},
		{`{kind: PersistentVolumeClaim, status: {phase: Bound}}`, `{}`, "spec.resources.requests.storage", false},
		{`{kind: PersistentVolumeClaim, status: {phase: Pending}}`, `{}`, "spec.resources.requests.storage", true},
		{`{kind: PersistentVolumeClaim, spec: {storageClassName: a}}`, `{}`, "spec.storageClassName", true},
		{`{kind: PersistentVolumeClaim, spec: {}}`, `{}`, "spec.storageClassName", false},
		{`{kind: PersistentVolume, spec: {}}`, `{}`, "spec.nodeAffinity", false},
		{`{kind: PersistentVolume, spec: {nodeAffinity: {}}}`, `{}`, "spec.nodeAffinity.required", true},
		{`{kind: Node, spec: {}}`, `{}`, "spec.providerID", false},
		{`{kind: Node, spec: {providerID: a}}`, `{}`, "spec.providerID", true},
		{`{kind: CustomResourceDefinition}`, `{}`, "spec.scope", false},
		{`{kind: CustomResourceDefinition, status: {conditions: [{type: Established, status: "True"}]}}`, `{}`, "spec.scope", true},
		{`{kind: CustomResourceDefinition}`, `{}`, "spec.group", true},
		{`{kind: Deployment}`, `{}`, "spec.selector", true},
		{`{kind: Deployment}`, `{}`, "spec.nothing", false},
	} {
		live := decode(t, tc.live)
		if got := server.ForbidsChange(lookup(t, live["kind"].(string)), live, decode(t, tc.planned), path(t, tc.path)); got != tc.want {
			t.Errorf("%s to %s: %s immutable %t", tc.live, tc.planned, tc.path, got)
		}
	}
}

// A rule on the old value is evaluated only where there is an old and a new one.
func TestForbidsChangeByRule(t *testing.T) {
	k := fromCRD(t, readCRD(t))[0]
	for _, tc := range []struct {
		live, planned, path string
		want                bool
	}{
		{`{spec: {engine: mysql}}`, `{spec: {engine: postgres}}`, "spec.engine", true},
		{`{spec: {engine: mysql}}`, `{spec: {}}`, "spec.engine", false},
		{`{spec: {}}`, `{spec: {engine: mysql}}`, "spec.engine", false},
		{`{spec: {storage: {class: a}}}`, `{spec: {storage: {}}}`, "spec.storage.class", true},
		{`{spec: {storage: {class: a}}}`, `{spec: {}}`, "spec.storage.class", false},
		{`{spec: {replicas: 1}}`, `{spec: {replicas: 2}}`, "spec.replicas", false},
	} {
		if got := server.ForbidsChange(k, decode(t, tc.live), decode(t, tc.planned), path(t, tc.path)); got != tc.want {
			t.Errorf("%s to %s: %s immutable %t", tc.live, tc.planned, tc.path, got)
		}
	}
}

func TestKnownAfterApply(t *testing.T) {
	const always = "metadata.creationTimestamp metadata.generation metadata.managedFields metadata.resourceVersion metadata.uid"
	for _, tc := range []struct{ manifest, want string }{
		{`{kind: ConfigMap, metadata: {name: a}}`, always},
		{`{kind: ConfigMap, metadata: {generateName: a-}}`, "metadata.creationTimestamp metadata.generation metadata.managedFields metadata.name metadata.resourceVersion metadata.uid"},
		{`{kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}`,
			always + " spec.clusterIP spec.clusterIPs spec.ipFamilies spec.ipFamilyPolicy status"},
		{`{kind: Service, metadata: {name: a}, spec: {clusterIP: None, ipFamilyPolicy: SingleStack}}`,
			always + " spec.clusterIPs spec.ipFamilies status"},
		{`{kind: Service, metadata: {name: a}, spec: {type: NodePort, ports: [{port: 80}, {port: 81, nodePort: 30000}]}}`,
			always + " spec.clusterIP spec.clusterIPs spec.ipFamilies spec.ipFamilyPolicy spec.ports[0].nodePort status"},
		{`{kind: Service, metadata: {name: a}, spec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, externalTrafficPolicy: Local, ports: [{port: 80}]}}`,
			always + " spec.clusterIP spec.clusterIPs spec.healthCheckNodePort spec.ipFamilies spec.ipFamilyPolicy status"},
		{`{kind: Service, metadata: {name: a}, spec: {type: ExternalName, externalName: x}}`, always + " status"},
		{`{kind: Job, metadata: {name: a}, spec: {template: {metadata: {labels: {a: b}}}}}`,
			always + ` spec.selector spec.template.metadata.labels.controller-uid spec.template.metadata.labels["batch.kubernetes.io/controller-uid"] status`},
		{`{kind: Job, metadata: {name: a}, spec: {template: {spec: {}}}}`,
			always + ` spec.selector spec.template.metadata.labels.controller-uid spec.template.metadata.labels["batch.kubernetes.io/controller-uid"] status`},
		{`{kind: Job, metadata: {name: a}, spec: {manualSelector: true, selector: {}}}`, always + " status"},
		{`{kind: Job, metadata: {name: a}, spec: {manualSelector: true, template: {metadata: {labels: {a: b}}}}}`, always + " status"},
		{`{kind: Pod, metadata: {name: a}, spec: {nodeName: x}}`, always + " spec.preemptionPolicy spec.priority status"},
		{`{kind: PersistentVolumeClaim, metadata: {name: a}, spec: {storageClassName: x}}`, always + " spec.volumeName status"},
	} {
		obj := decode(t, tc.manifest)
		got := server.KnownAfterApply(lookup(t, obj["kind"].(string)), obj)
		if text := fmt.Sprint(got); text != "["+tc.want+"]" {
			t.Errorf("%s\ngot  %s\nwant [%s]", tc.manifest, text, tc.want)
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
