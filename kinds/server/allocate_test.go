package server_test

import (
	"fmt"
	"testing"

	"kplan.dev/kplan/kinds/server"
)

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
