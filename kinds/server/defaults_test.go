package server_test

import (
	"reflect"
	"sync"
	"testing"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// Defaults that depend on other fields. TestServerResult holds Complete against
// a server for every kind.
func TestComplete(t *testing.T) {
	for _, tc := range []struct{ kind, path, manifest, want string }{
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: a}]}}`, `Always`},
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: "a:latest"}]}}`, `Always`},
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: "host:5000/a"}]}}`, `Always`},
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: "host:5000/a:1"}]}}`, `IfNotPresent`},
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: "a@sha256:0"}]}}`, `IfNotPresent`},
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: "a:latest@sha256:0"}]}}`, `Always`},
		{"Pod", "spec.containers[0].imagePullPolicy", `{spec: {containers: [{image: a, imagePullPolicy: Never}]}}`, `Never`},
		{"Pod", "spec.containers[0].resources.requests", `{spec: {containers: [{resources: {limits: {cpu: 1, memory: 1Gi}, requests: {cpu: 2}}}]}}`, `{cpu: 2, memory: 1Gi}`},
		{"Deployment", "spec.template.spec.containers[0].resources.requests", `{spec: {template: {spec: {containers: [{resources: {limits: {cpu: 1}}}]}}}}`, `null`},
		{"Pod", "spec.containers[0].ports[0].hostPort", `{spec: {hostNetwork: true, containers: [{ports: [{containerPort: 80}]}]}}`, `80`},
		{"Pod", "spec.volumes[0]", `{spec: {volumes: [{name: a}]}}`, `{name: a, emptyDir: {}}`},
		{"Pod", "spec.serviceAccountName", `{spec: {serviceAccount: a}}`, `a`},
		{"Pod", "spec.serviceAccount", `{spec: {serviceAccountName: a}}`, `a`},
		{"Service", "spec.ports[0].targetPort", `{spec: {ports: [{port: 80}]}}`, `80`},
		{"Service", "spec.internalTrafficPolicy", `{spec: {type: ExternalName}}`, `null`},
		{"Service", "spec.externalTrafficPolicy", `{spec: {type: NodePort}}`, `Cluster`},
		{"Service", "spec.externalTrafficPolicy", `{spec: {}}`, `null`},
		{"Service", "spec.externalTrafficPolicy", `{spec: {externalIPs: [1.2.3.4]}}`, `Cluster`},
		{"Service", "spec.allocateLoadBalancerNodePorts", `{spec: {type: LoadBalancer}}`, `true`},
		{"Service", "spec.sessionAffinityConfig", `{spec: {sessionAffinity: ClientIP}}`, `{clientIP: {timeoutSeconds: 10800}}`},
		{"ReplicationController", "spec.selector", `{spec: {template: {metadata: {labels: {a: b}}}}}`, `{a: b}`},
		{"ReplicationController", "metadata.labels", `{metadata: {name: x}, spec: {template: {metadata: {labels: {a: b}}}}}`, `{a: b}`},
		{"Namespace", "metadata.labels", `{metadata: {name: x}}`, `{kubernetes.io/metadata.name: x}`},
		{"Namespace", "spec.finalizers", `{metadata: {name: x}}`, `[kubernetes]`},
		{"Deployment", "spec.strategy", `{spec: {strategy: {type: Recreate}}}`, `{type: Recreate}`},
		{"Deployment", "spec.strategy", `{spec: {strategy: {rollingUpdate: {maxSurge: 1}}}}`, `{type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}`},
		{"StatefulSet", "spec.updateStrategy", `{spec: {updateStrategy: {type: OnDelete}}}`, `{type: OnDelete}`},
		{"Job", "spec.completions", `{spec: {}}`, `1`},
		{"Job", "spec.completions", `{spec: {parallelism: 2}}`, `null`},
		{"Job", "spec.backoffLimit", `{spec: {backoffLimitPerIndex: 1}}`, `2147483647`},
		{"CronJob", "spec.jobTemplate.spec.parallelism", `{spec: {jobTemplate: {spec: {}}}}`, `null`},
		{"NetworkPolicy", "spec.policyTypes", `{spec: {egress: [{}]}}`, `[Ingress, Egress]`},
		{"RoleBinding", "subjects[0].apiGroup", `{subjects: [{kind: User}]}`, `rbac.authorization.k8s.io`},
		{"RoleBinding", "subjects[0].apiGroup", `{subjects: [{kind: ServiceAccount}]}`, `null`},
		{"CustomResourceDefinition", "spec.names", `{spec: {names: {kind: Ab, plural: abs}}}`, `{kind: Ab, plural: abs, singular: ab, listKind: AbList}`},
	} {
		obj := decode(t, tc.manifest)
		got := at(t, server.Complete(lookup(t, tc.kind), obj), path(t, tc.path))
		if want := decodeValue(t, tc.want); !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s of %s: got %v, want %v", tc.kind, tc.path, tc.manifest, got, want)
		}
		if !reflect.DeepEqual(obj, decode(t, tc.manifest)) {
			t.Errorf("%s: the object given was changed", tc.manifest)
		}
	}
}

func TestCompleteCustomResource(t *testing.T) {
	k := fromCRD(t, database(t))[0]
	got := server.Complete(k, decode(t, `{spec: {users: [{name: a}]}}`))
	if want := decode(t, `{spec: {replicas: 3, users: [{name: a, host: "%"}]}}`); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// Descriptions are made when first asked for, by whoever comes first.
func TestConcurrentUse(t *testing.T) {
	fresh := fromCRD(t, database(t))[0]
	obj := decode(t, `{kind: Database, metadata: {name: a}, spec: {engine: mysql, users: [{name: a}]}}`)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for _, k := range []*kinds.Kind{fresh, lookup(t, "DaemonSet")} {
				server.Complete(k, obj)
				k.Root.Equal(obj, obj)
				_ = k.Parseable().Schema
			}
			if _, err := fresh.FieldSet(obj); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func BenchmarkComplete(b *testing.B) {
	k, obj := lookup(b, "Pod"), decode(b, `{apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [
  {name: app, image: "nginx:1", ports: [{containerPort: 9080}], env: [{name: A, value: "1"}], resources: {limits: {cpu: 1000m}},
   readinessProbe: {httpGet: {path: /, port: http}}}], volumes: [{name: data, emptyDir: {}}]}}`)
	b.ReportAllocs()
	for b.Loop() {
		server.Complete(k, obj)
	}
}
