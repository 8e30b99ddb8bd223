package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

// web is a Deployment and what it needs.
const web = `
{kind: Deployment, apiVersion: apps/v1, metadata: {name: web, namespace: acme}, spec: {
  selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [
    {name: main, image: nginx, ports: [{name: http, containerPort: 80}, {name: metrics, containerPort: 9090}]}]}}}}
---
{kind: Service, apiVersion: v1, metadata: {name: web, namespace: acme}, spec: {
  selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}, {name: other, port: 81, targetPort: 8081}]}}
---
{kind: ConfigMap, apiVersion: v1, metadata: {name: web, namespace: acme}, data: {color: red}}
---
{kind: Secret, apiVersion: v1, metadata: {name: web, namespace: acme}, data: {password: eA==}}
---
`

// aPod is a pod of its own with what a test gives its container.
func aPod(container string) string {
	return "{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: acme}, spec: {containers: [" +
		"{name: main, image: nginx, " + container + "}]}}"
}

func service(name, spec string) string {
	return fmt.Sprintf("{kind: Service, apiVersion: v1, metadata: {name: %s, namespace: acme}, spec: %s}", name, spec)
}

func aWorkload(kind, apiVersion, spec string) string {
	return fmt.Sprintf("{kind: %s, apiVersion: %s, metadata: {name: w, namespace: acme}, spec: %s}", kind, apiVersion, spec)
}

// TestFindings has, for each thing that can be wrong, objects in which it is and some in
// which it nearly is.
func TestFindings(t *testing.T) {
	const pod = `template: {metadata: {labels: {app: w}}, spec: {containers: []}}`
	const hook = `{kind: %s, apiVersion: admissionregistration.k8s.io/v1, metadata: {name: h}, webhooks: [
		{clientConfig: {service: {namespace: acme, name: web%s}}}]}`
	const ingress = `{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: i, namespace: acme}, spec: {%s}}`
	for _, test := range []struct{ name, objects, want string }{
		{"all well", web, ""},

		// Selectors and labels.
		{"selector of a Deployment", aWorkload("Deployment", "apps/v1", `{selector: {matchLabels: {app: x}}, `+pod+`}`),
			"error Deployment.w spec.selector: Selector does not match template labels"},
		{"selector of a StatefulSet", aWorkload("StatefulSet", "apps/v1", `{selector: {matchExpressions: [{key: app, operator: NotIn, values: [w]}]}, `+pod+`}`),
			"error StatefulSet.w spec.selector: Selector does not match template labels"},
		{"selector of a DaemonSet", aWorkload("DaemonSet", "apps/v1", `{selector: {matchLabels: {app: w}}, template: {spec: {containers: []}}}`),
			"error DaemonSet.w spec.selector: Selector does not match template labels"},
		{"selector of a ReplicaSet", aWorkload("ReplicaSet", "apps/v1", `{selector: {matchLabels: {app: w, tier: x}}, `+pod+`}`),
			"error ReplicaSet.w spec.selector: Selector does not match template labels"},
		{"selector of a ReplicationController", aWorkload("ReplicationController", "v1", `{selector: {app: x}, `+pod+`}`),
			"error ReplicationController.w spec.selector: Selector does not match template labels"},
		{"no selector, where it is the labels", aWorkload("ReplicationController", "v1", `{`+pod+`}`), ""},
		{"more labels than are selected", aWorkload("Deployment", "apps/v1", `{selector: {matchLabels: {app: w}},
			template: {metadata: {labels: {app: w, tier: x}}, spec: {containers: []}}}`), ""},
		{"selector of a Service", web + service("s", "{selector: {app: wbe}}"), "Service.s spec.selector: Selector matches no pods"},
		{"selector in another namespace", web + strings.Replace(service("s", "{selector: {app: wbe}}"), "acme", "other", 1), ""},
		{"selector beside a custom resource", web + service("s", "{selector: {cluster: db}}") + `
---
{kind: Cluster, apiVersion: postgresql.example.com/v1, metadata: {name: db, namespace: acme}}`, ""},
		{"network policies for later", web + `{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: n, namespace: acme},
			spec: {podSelector: {matchLabels: {app: later}}}}`, ""},
		{"all pods", web + service("s", "{}"), ""},

		// Ports.
		{"target port", web + service("s", "{selector: {app: web}, ports: [{port: 80, targetPort: htpp}]}"),
			"Service.s spec.ports[0].targetPort: Undeclared port name"},
		{"target port of a container that starts first", service("s", "{selector: {app: x}, ports: [{port: 80, targetPort: proxy}]}") + `
---
{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: acme, labels: {app: x}}, spec: {initContainers: [
	{name: proxy, image: envoy, restartPolicy: Always, ports: [{name: proxy, containerPort: 80}]}], containers: [{name: c, image: nginx}]}}`, ""},
		{"target port of one of two", web + service("s", "{selector: {app: web}, ports: [{port: 80, targetPort: extra}]}") + `
---
{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: acme, labels: {app: web}}, spec: {containers: [
	{name: c, image: nginx, ports: [{name: extra, containerPort: 80}]}]}}`, ""},
		{"target port of others' pods", service("s", "{selector: {app: x}, ports: [{port: 80, targetPort: htpp}]}"), ""},
		{"probe", aPod(`livenessProbe: {httpGet: {port: http}}`),
			"Pod.p spec.containers[0].livenessProbe.httpGet.port: Undeclared port name"},
		{"probe by a number in quotes", aPod(`livenessProbe: {httpGet: {port: "80"}}`),
			"error Pod.p spec.containers[0].livenessProbe.httpGet.port: Invalid port"},
		{"other probes and hooks", aPod(`ports: [{name: a, containerPort: 1}], readinessProbe: {tcpSocket: {port: b}},
			startupProbe: {httpGet: {port: a}}, lifecycle: {preStop: {httpGet: {port: c}}}`),
			`Pod.p spec.containers[0].readinessProbe.tcpSocket.port: Undeclared port name
Pod.p spec.containers[0].lifecycle.preStop.httpGet.port: Undeclared port name`},
		{"probe in a template of a template", `{kind: CronJob, apiVersion: batch/v1, metadata: {name: c, namespace: acme}, spec: {
			jobTemplate: {spec: {template: {spec: {containers: [{name: a, livenessProbe: {tcpSocket: {port: x}}}]}}}}}}`,
			"CronJob.c spec.jobTemplate.spec.template.spec.containers[0].livenessProbe.tcpSocket.port: Undeclared port name"},
		{"backend's port name", web + fmt.Sprintf(ingress, `defaultBackend: {service: {name: web, port: {name: https}}}`),
			"Ingress.i spec.defaultBackend.service.port.name: Service without the port"},
		{"backend's port number", web + fmt.Sprintf(ingress, `rules: [{http: {paths: [{backend: {service: {name: web, port: {number: 8080}}}}]}}]`),
			"Ingress.i spec.rules[0].http.paths[0].backend.service.port.number: Service without the port"},
		{"backend's ports that are there", web + fmt.Sprintf(ingress, `rules: [{http: {paths: [
			{backend: {service: {name: web, port: {number: 81}}}}, {backend: {service: {name: web, port: {name: http}}}}]}}]`), ""},
		{"backend elsewhere", service("x", "{type: ExternalName, externalName: example.com}") + "\n---\n" +
			fmt.Sprintf(ingress, `defaultBackend: {service: {name: x, port: {number: 443}}}`), ""},
		{"webhook's usual port", web + fmt.Sprintf(hook, "MutatingWebhookConfiguration", ""),
			"MutatingWebhookConfiguration.h webhooks[0].clientConfig.service.name: Service without the port"},
		{"webhook's port", web + fmt.Sprintf(hook, "ValidatingWebhookConfiguration", ", port: 8443"),
			"ValidatingWebhookConfiguration.h webhooks[0].clientConfig.service.port: Service without the port"},
		{"webhook's port that is there", web + fmt.Sprintf(hook, "ValidatingWebhookConfiguration", ", port: 80"), ""},
		{"API's port", web + `{kind: APIService, apiVersion: apiregistration.k8s.io/v1, metadata: {name: v1.x.example.com},
			spec: {service: {namespace: acme, name: web}}}`, "APIService.v1.x.example.com spec.service.name: Service without the port"},
		{"conversion's port", web + `{kind: CustomResourceDefinition, apiVersion: apiextensions.k8s.io/v1, metadata: {name: x},
			spec: {conversion: {webhook: {clientConfig: {service: {namespace: acme, name: web}}}}}}`,
			"CustomResourceDefinition.x spec.conversion.webhook.clientConfig.service.name: Service without the port"},

		// Keys.
		{"key of a variable", web + aPod(`env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: colour}}}]`),
			"Pod.p spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Key not found"},
		{"key that is there", web + aPod(`env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: color}}}]`), ""},
		{"optional key", web + aPod(`env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: colour, optional: true}}}]`), ""},
		{"key of a secret variable", web + aPod(`env: [{name: A, valueFrom: {secretKeyRef: {name: web, key: pw}}}]`),
			"Pod.p spec.containers[0].env[0].valueFrom.secretKeyRef.key: Key not found"},
		{"key of a volume", web + `{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: acme}, spec: {volumes: [
			{name: a, secret: {secretName: web, items: [{key: password, path: a}, {key: x, path: b}]}},
			{name: b, projected: {sources: [{configMap: {name: web, items: [{key: z, path: c}]}}]}}]}}`,
			`Pod.p spec.volumes[0].secret.items[1].key: Key not found
Pod.p spec.volumes[1].projected.sources[0].configMap.items[0].key: Key not found`},
		{"key of what others fill", `{kind: ConfigMap, apiVersion: v1, metadata: {name: ca, namespace: acme}}
---
` + aPod(`env: [{name: A, valueFrom: {configMapKeyRef: {name: ca, key: ca.crt}}}]`), ""},

		// Volumes.
		{"mount", aPod(`volumeMounts: [{name: data, mountPath: /data}]`), "error Pod.p spec.containers[0].volumeMounts[0].name: Undeclared volume"},
		{"device", aPod(`volumeDevices: [{name: data, devicePath: /dev/x}]`), "error Pod.p spec.containers[0].volumeDevices[0].name: Undeclared volume"},
		{"mount of a claim's template", aWorkload("StatefulSet", "apps/v1", `{selector: {matchLabels: {app: w}}, template: {metadata: {labels: {app: w}},
			spec: {containers: [{name: a, volumeMounts: [{name: data}]}]}}, volumeClaimTemplates: [{metadata: {name: data}}]}`), ""},

		// Autoscalers.
		{"replicas and an autoscaler", strings.Replace(web, "spec: {", "spec: {replicas: 2, ", 1) + `{kind: HorizontalPodAutoscaler,
			apiVersion: autoscaling/v2, metadata: {name: a, namespace: acme}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}`,
			"Deployment.web spec.replicas: Replicas set beside an autoscaler"},
		{"replicas and a custom autoscaler", strings.Replace(web, "spec: {", "spec: {replicas: 2, ", 1) + `{kind: ScaledObject,
			apiVersion: keda.sh/v1alpha1, metadata: {name: a, namespace: acme}, spec: {scaleTargetRef: {name: web}}}`,
			"Deployment.web spec.replicas: Replicas set beside an autoscaler"},
		{"an autoscaler alone", web + `{kind: HorizontalPodAutoscaler, apiVersion: autoscaling/v2, metadata: {name: a, namespace: acme},
			spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := describe(configured(t, test.objects)); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func describe(c *Configuration) string {
	found := append(c.Errors(), c.Warnings()...)
	for _, u := range c.Unmatched() {
		if u.IsCertain() {
			found = append(found, u.Finding())
		}
	}
	var lines []string
	for _, f := range found {
		line := fmt.Sprintf("%s %s: %s", f.Of.Addr, f.Path, f.Summary)
		if f.Error {
			line = "error " + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// TestOpen removes what is wrong by not knowing it, or by having to hide it.
func TestOpen(t *testing.T) {
	wrong := web + strings.Join([]string{
		aWorkload("Deployment", "apps/v1", `{selector: {matchLabels: {app: x}}, template: {metadata: {labels: {app: w}}}}`),
		service("s", "{selector: {app: wbe}, ports: [{port: 80, targetPort: htpp}]}"),
		aPod(`volumeMounts: [{name: data}], livenessProbe: {httpGet: {port: http}}, env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: colour}}}]`),
	}, "\n---\n")
	for _, test := range []struct {
		of      string
		path    addrs.Path
		cures   []string // the findings that are no longer made
		onlyNow bool     // not if the value is known and only secret
	}{
		{"Deployment.w", addrs.NewPath("spec", "selector", "matchLabels"), []string{"Selector does not match template labels"}, false},
		{"Deployment.w", addrs.NewPath("spec", "template", "metadata", "labels", "app"),
			[]string{"Selector does not match template labels", "Selector matches no pods"}, false},
		{"Service.s", addrs.NewPath("spec", "selector", "app"), []string{"Selector matches no pods"}, false},
		{"Pod.p", addrs.NewPath("spec", "containers"), []string{"Undeclared volume", "Undeclared port name", "Key not found"}, false},
		{"ConfigMap.web", addrs.NewPath("data"), []string{"Key not found"}, true},
		{"Pod.p", addrs.NewPath("spec", "volumes"), []string{"Undeclared volume"}, true},
	} {
		for _, secret := range []bool{false, true} {
			c := configured(t, wrong)
			for _, o := range c.Objects() {
				switch {
				case o.Addr.String() != test.of:
				case secret:
					o.Sensitive = addrs.NewPathSet(test.path)
				default:
					o.Unknown = addrs.NewPathSet(test.path)
				}
			}
			got := describe(c)
			for _, summary := range test.cures {
				if still := strings.Contains(got, summary); still != (secret && test.onlyNow) {
					t.Errorf("%s of %s, secret %t: %q reported: %t", test.path, test.of, secret, summary, still)
				}
			}
		}
	}
	if got := describe(configured(t, wrong)); strings.Count(got, "\n") != 4 {
		t.Errorf("got\n%s", got)
	}
}

func TestDangling(t *testing.T) {
	const cronJob = `{kind: CronJob, apiVersion: batch/v1, metadata: {name: c, namespace: acme}, spec: {jobTemplate: {spec: {template: {spec: %s}}}}}`
	for _, test := range []struct{ name, objects, want string }{
		{"none", web + aPod(`envFrom: [{configMapRef: {name: web}}, {secretRef: {name: web}}]`), ""},
		{"pod", `{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: acme}, spec: {serviceAccountName: a, priorityClassName: b, runtimeClassName: c,
			imagePullSecrets: [{name: d}], containers: [{name: x, envFrom: [{configMapRef: {name: e}}, {secretRef: {name: f, optional: true}}],
			env: [{name: V, valueFrom: {secretKeyRef: {name: g, key: v}}}]}], volumes: [{name: v, persistentVolumeClaim: {claimName: h}}]}}`,
			"ServiceAccount a, PriorityClass b, RuntimeClass c, Secret d, PersistentVolumeClaim h, ConfigMap e, Secret g"},
		{"template", fmt.Sprintf(cronJob, `{serviceAccountName: a}`), "ServiceAccount a"},
		{"other namespace", web + strings.ReplaceAll(aPod(`envFrom: [{configMapRef: {name: web}}]`), "acme", "other"), "ConfigMap web"},
		{"made in every namespace", `{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: acme}, spec: {serviceAccountName: default,
			volumes: [{name: v, configMap: {name: kube-root-ca.crt}}]}}`, ""},
		{"claim", `{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: p, namespace: acme}, spec: {storageClassName: a, volumeName: b}}`,
			"StorageClass a, PersistentVolume b"},
		{"class of a volume", `{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: p, namespace: acme}, spec: {storageClassName: manual}}
---
{kind: PersistentVolume, apiVersion: v1, metadata: {name: v}, spec: {storageClassName: manual}}`, ""},
		{"stateful set", aWorkload("StatefulSet", "apps/v1", `{serviceName: a, template: {}, volumeClaimTemplates: [{spec: {storageClassName: b}}]}`),
			"Service a, StorageClass b"},
		{"ingress", `{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: i, namespace: acme}, spec: {ingressClassName: a,
			tls: [{secretName: b}], defaultBackend: {service: {name: c}}}}`, "IngressClass a, Service c, Secret b"},
		{"ingress with a certificate manager", `{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: i, namespace: acme,
			annotations: {cert-manager.io/cluster-issuer: x}}, spec: {tls: [{secretName: b}]}}`, ""},
		{"scaler", `{kind: HorizontalPodAutoscaler, apiVersion: autoscaling/v2, metadata: {name: a, namespace: acme},
			spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: x}}}`, "Deployment x"},
		{"binding", `{kind: RoleBinding, apiVersion: rbac.authorization.k8s.io/v1, metadata: {name: a, namespace: acme},
			roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r}, subjects: [
			{kind: ServiceAccount, name: s, namespace: other}, {apiGroup: rbac.authorization.k8s.io, kind: Group, name: g}]}`,
			"ClusterRole r, ServiceAccount s"},
		{"webhook", `{kind: MutatingWebhookConfiguration, apiVersion: admissionregistration.k8s.io/v1, metadata: {name: h},
			webhooks: [{clientConfig: {service: {namespace: acme, name: x}}}]}`, "Service x"},
		{"policy", `{kind: ValidatingAdmissionPolicyBinding, apiVersion: admissionregistration.k8s.io/v1, metadata: {name: h},
			spec: {policyName: x}}`, "ValidatingAdmissionPolicy x"},

		// What something else will make.
		{"certificate", aPod(`envFrom: [{secretRef: {name: tls}}]`) + `
---
{kind: Certificate, apiVersion: cert-manager.io/v1, metadata: {name: web, namespace: acme}, spec: {secretName: tls}}`, ""},
		{"certificate of another namespace", aPod(`envFrom: [{secretRef: {name: tls}}]`) + `
---
{kind: Certificate, apiVersion: cert-manager.io/v1, metadata: {name: web, namespace: other}, spec: {secretName: tls}}`, "Secret tls"},
		{"custom resource of that name", aPod(`envFrom: [{secretRef: {name: db}}]`) + `
---
{kind: ExternalSecret, apiVersion: external-secrets.io/v1, metadata: {name: db, namespace: acme}}`, ""},
		{"custom resource that begins it", aPod(`envFrom: [{secretRef: {name: db-app}}]`) + `
---
{kind: Cluster, apiVersion: postgresql.example.com/v1, metadata: {name: db, namespace: acme}}`, ""},
		{"job that makes it", aPod(`envFrom: [{secretRef: {name: hook-tls}}]`) + `
---
{kind: Job, apiVersion: batch/v1, metadata: {name: j, namespace: acme}, spec: {template: {spec: {containers: [
	{name: c, args: [create, "--secret-name=hook-tls"]}]}}}}`, ""},
		{"two that refer to it", aPod(`env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]`) + `
---
` + fmt.Sprintf(cronJob, `{containers: [{name: c, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]}`), "Secret s, Secret s"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := configured(t, test.objects)
			var names []string
			for _, o := range c.Objects() {
				for _, ref := range c.Dangling(o) {
					names = append(names, ref.To.Kind+" "+ref.To.Name)
				}
			}
			if got := strings.Join(names, ", "); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestDanglingOpen asks about nothing that there may be without being known.
func TestDanglingOpen(t *testing.T) {
	pod := aPod(`envFrom: [{configMapRef: {name: a}}]`)
	for _, open := range []addrs.GroupKind{{}, kinds.ConfigMap} {
		c := New(configured(t, pod).Objects(), map[addrs.GroupKind]bool{open: true})
		if refs := c.Dangling(c.Objects()[0]); len(refs) > 0 {
			t.Errorf("%s: %v", open, refs)
		}
	}
	c := configured(t, pod)
	c.Objects()[0].Unknown = addrs.NewPathSet(namespacePath)
	if refs := c.Dangling(c.Objects()[0]); len(refs) > 0 {
		t.Errorf("in a namespace that is not known: %v", refs)
	}
}

// TestMessages has the words of a finding of each sort.
func TestMessages(t *testing.T) {
	c := configured(t, web+strings.Join([]string{
		aWorkload("Deployment", "apps/v1", `{selector: {matchLabels: {app: x}}, template: {spec: {}}}`),
		service("s", "{selector: {app: wbe}}"),
		service("t", "{selector: {app: web}, ports: [{port: 80, targetPort: htp}]}"),
		aPod(`volumeMounts: [{name: data}], env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: colour}}}]`),
		`{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: i, namespace: acme}, spec: {
			defaultBackend: {service: {name: web, port: {number: 8080}}}}}`,
	}, "\n---\n"))
	found := append(c.Errors(), c.Warnings()...)
	for _, u := range c.Unmatched() {
		found = append(found, u.Finding())
	}
	i := slices.IndexFunc(c.Objects(), func(o *Object) bool { return o.Kind.Name == "Pod" })
	for _, ref := range configured(t, aPod(`envFrom: [{configMapRef: {name: wbe}}]`)).Dangling(configured(t, aPod(`envFrom: [{configMapRef: {name: wbe}}]`)).Objects()[0]) {
		found = append(found, Missing(c.Objects()[i], ref, []string{"web"}), Deleted(c.Objects()[i], ref, "ConfigMap.old"))
	}
	var got []string
	for _, f := range found {
		got = append(got, f.Detail)
	}
	want := []string{
		`spec.selector of Deployment.w selects pods with app=x, and the pods of its template have no labels. The API server refuses that: give both the same labels.`,
		`Container main of Pod.p mounts the volume "data", and the pod has no volumes. The API server refuses that.`,
		`spec.ports[0].targetPort of Service.t is "htp", and the pods of Deployment.web declare http and metrics. Did you mean "http"? The Service has no endpoints there.`,
		`Pod.p refers to the key "colour" (spec.containers[0].env[0].valueFrom.configMapKeyRef.key), which ConfigMap.web does not have. Did you mean "color"?`,
		`Ingress.i refers to port 8080 of Service acme/web (spec.defaultBackend.service.port.number), which has only 80 (http) and 81 (other).`,
		`spec.selector of Service.s selects pods with app=wbe. Those of Deployment.web, Deployment.w and Pod.p have other labels.`,
		`Pod.p refers to ConfigMap acme/wbe (spec.containers[0].envFrom[0].configMapRef.name), which is neither in the configuration nor in the cluster. Did you mean "web"? Pods don't start without it.`,
		`Pod.p refers to ConfigMap acme/wbe (spec.containers[0].envFrom[0].configMapRef.name), which this plan deletes: ConfigMap.old. Pods don't start without it.`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// configured reads objects as a configuration has them.
func configured(t *testing.T, text string) *Configuration {
	t.Helper()
	var objects []*Object
	for _, document := range strings.Split(text, "\n---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		fields := kindstest.Decode(t, document)
		apiVersion, _ := fields["apiVersion"].(string)
		name, _ := fields["kind"].(string)
		kind, err := kinds.OpenSet{Set: kinds.Builtin()}.Lookup(name, apiVersion)
		if err != nil {
			t.Fatal(err)
		}
		metadata, _ := fields["metadata"].(map[string]any)
		namespace, _ := metadata["namespace"].(string)
		named, _ := metadata["name"].(string)
		objects = append(objects, &Object{
			Addr:   addrs.Resource{Type: name, Name: named}.Instance(addrs.Key{}),
			Object: kind.Object(namespace, named), Kind: kind, Fields: fields,
		})
	}
	return New(objects, nil)
}
