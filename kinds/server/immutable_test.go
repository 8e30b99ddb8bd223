package server_test

import (
	"testing"

	"kplan.dev/kplan/kinds/server"
)

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
	k := fromCRD(t, database(t))[0]
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
