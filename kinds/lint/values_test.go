package lint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/dynamic"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

// wrongValues are objects with one value each that the API server refuses, and where it is.
var wrongValues = []struct{ object, path string }{
	{aPod(`ports: [{containerPort: 70000}]`), "spec.containers[0].ports[0].containerPort"},
	{aPod(`ports: [{containerPort: 0}]`), "spec.containers[0].ports[0].containerPort"},
	{aPod(`ports: [{containerPort: 80, hostPort: 70000}]`), "spec.containers[0].ports[0].hostPort"},
	{aPod(`ports: [{containerPort: 80, name: a_b}]`), "spec.containers[0].ports[0].name"},
	{aPod(`ports: [{containerPort: 80, name: Http}]`), "spec.containers[0].ports[0].name"},
	{aPod(`ports: [{containerPort: 80, name: "8080"}]`), "spec.containers[0].ports[0].name"},
	{aPod(`ports: [{containerPort: 80, name: sixteen-letters-}]`), "spec.containers[0].ports[0].name"},
	{aPod(`livenessProbe: {httpGet: {port: 70000}}`), "spec.containers[0].livenessProbe.httpGet.port"},
	{aPod(`livenessProbe: {httpGet: {port: "80"}}`), "spec.containers[0].livenessProbe.httpGet.port"},
	{aPod(`readinessProbe: {tcpSocket: {port: 0}}`), "spec.containers[0].readinessProbe.tcpSocket.port"},
	{aPod(`startupProbe: {grpc: {port: 70000}}`), "spec.containers[0].startupProbe.grpc.port"},
	{aPod(`lifecycle: {preStop: {httpGet: {port: 70000}}}`), "spec.containers[0].lifecycle.preStop.httpGet.port"},
	{withPodSpec(`containers: [{name: A_b, image: nginx}]`), "spec.containers[0].name"},
	{withPodSpec(`containers: [{name: a.b, image: nginx}]`), "spec.containers[0].name"},
	{withPodSpec(`containers: [{name: a, image: nginx}], initContainers: [{name: A_b, image: nginx}]`), "spec.initContainers[0].name"},
	{withPodSpec(`containers: [{name: a, image: nginx}], initContainers: [{name: b, image: nginx, ports: [{containerPort: 70000}]}]`),
		"spec.initContainers[0].ports[0].containerPort"},
	{withPodSpec(`containers: [{name: a, image: nginx}], ephemeralContainers: [{name: A_b, image: nginx}]`),
		"spec.ephemeralContainers[0].name"},
	{withPodSpec(`containers: [{name: a, image: nginx}], volumes: [{name: A_b, emptyDir: {}}]`), "spec.volumes[0].name"},
	{withPodSpec(`containers: [{name: a, image: nginx}], resourceClaims: [{name: A_b, resourceClaimName: x}]`), "spec.resourceClaims[0].name"},
	{withPodSpec(`containers: [{name: a, image: nginx}], hostname: A_b`), "spec.hostname"},
	{withPodSpec(`containers: [{name: a, image: nginx}], subdomain: a.b`), "spec.subdomain"},
	{aWorkload("Deployment", "apps/v1", badTemplate), "spec.template.spec.containers[0].ports[0].containerPort"},
	{aWorkload("DaemonSet", "apps/v1", badTemplate), "spec.template.spec.containers[0].ports[0].containerPort"},
	{aWorkload("ReplicaSet", "apps/v1", badTemplate), "spec.template.spec.containers[0].ports[0].containerPort"},
	{aWorkload("StatefulSet", "apps/v1", badTemplate), "spec.template.spec.containers[0].ports[0].containerPort"},
	{aWorkload("ReplicationController", "v1", strings.Replace(badTemplate, "{matchLabels: {app: w}}", "{app: w}", 1)),
		"spec.template.spec.containers[0].ports[0].containerPort"},
	{aWorkload("Job", "batch/v1", badJob), "spec.template.spec.containers[0].ports[0].containerPort"},
	{aWorkload("CronJob", "batch/v1", `{schedule: "0 0 * * *", jobTemplate: {spec: `+badJob+`}}`),
		"spec.jobTemplate.spec.template.spec.containers[0].ports[0].containerPort"},
	{`{kind: PodTemplate, apiVersion: v1, metadata: {name: p, namespace: default}, template: {metadata: {labels: {a: b}}, ` + badPodSpec + `}}`,
		"template.spec.containers[0].ports[0].containerPort"},
	{service("s", "{ports: [{port: 70000}]}"), "spec.ports[0].port"},
	{service("s", "{ports: [{port: 0}]}"), "spec.ports[0].port"},
	{service("s", "{ports: [{port: 80, name: A_b}]}"), "spec.ports[0].name"},
	{service("s", "{ports: [{port: 80, targetPort: 70000}]}"), "spec.ports[0].targetPort"},
	{service("s", `{ports: [{port: 80, targetPort: "8080"}]}`), "spec.ports[0].targetPort"},
	{service("s", `{ports: [{port: 80, targetPort: Http}]}`), "spec.ports[0].targetPort"},
	{service("s", "{type: NodePort, ports: [{port: 80, nodePort: 70000}]}"), "spec.ports[0].nodePort"},
	{service("s", "{type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 70000, ports: [{port: 80}]}"),
		"spec.healthCheckNodePort"},
	{`{kind: Endpoints, apiVersion: v1, metadata: {name: e, namespace: default}, subsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 70000}]}]}`,
		"subsets[0].ports[0].port"},
	{`{kind: Endpoints, apiVersion: v1, metadata: {name: e, namespace: default}, subsets: [{addresses: [{ip: 10.0.0.1}],
		ports: [{port: 80, name: A_b}]}]}`, "subsets[0].ports[0].name"},
	{`{kind: EndpointSlice, apiVersion: discovery.k8s.io/v1, metadata: {name: e, namespace: default}, addressType: IPv4,
		endpoints: [{addresses: [10.0.0.1]}], ports: [{port: 80, name: A_b}]}`, "ports[0].name"},
	{aPolicy(`port: 70000`), "spec.ingress[0].ports[0].port"},
	{aPolicy(`port: A_b`), "spec.ingress[0].ports[0].port"},
	{aPolicy(`port: 80, endPort: 70000`), "spec.ingress[0].ports[0].endPort"},
	{strings.Replace(aPolicy(`port: 0`), "ingress", "egress", 1), "spec.egress[0].ports[0].port"},
	{anIngress(`number: 70000`), "spec.defaultBackend.service.port.number"},
	{anIngress(`name: A_b`), "spec.defaultBackend.service.port.name"},
	{`{kind: MutatingWebhookConfiguration, apiVersion: admissionregistration.k8s.io/v1, metadata: {name: h}, webhooks: [{name: a.example.com,
		sideEffects: None, admissionReviewVersions: [v1], clientConfig: {service: {namespace: acme, name: web, port: 70000}}}]}`,
		"webhooks[0].clientConfig.service.port"},
	{`{kind: ValidatingWebhookConfiguration, apiVersion: admissionregistration.k8s.io/v1, metadata: {name: h}, webhooks: [{name: a.example.com,
		sideEffects: None, admissionReviewVersions: [v1], clientConfig: {service: {namespace: acme, name: web, port: 0}}}]}`,
		"webhooks[0].clientConfig.service.port"},
	{`{kind: APIService, apiVersion: apiregistration.k8s.io/v1, metadata: {name: v1.x.example.com}, spec: {group: x.example.com, version: v1,
		insecureSkipTLSVerify: true, groupPriorityMinimum: 100, versionPriority: 100, service: {namespace: acme, name: web, port: 70000}}}`,
		"spec.service.port"},
	{`{kind: CustomResourceDefinition, apiVersion: apiextensions.k8s.io/v1, metadata: {name: xs.example.com}, spec: {group: example.com,
		scope: Namespaced, names: {kind: X, plural: xs}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}],
		conversion: {strategy: Webhook, webhook: {conversionReviewVersions: [v1], clientConfig: {service: {namespace: acme, name: web, port: 70000}}}}}}`,
		"spec.conversion.webhook.clientConfig.service.port"},
}

// rightValues are objects that the API server accepts, with values that look nearly as wrong.
var rightValues = []string{
	aPod(`ports: [{containerPort: 65535, hostPort: 0, name: http-8080}], livenessProbe: {httpGet: {port: http-8080}}`),
	service("s", `{ports: [{port: 1, targetPort: 0, name: a-name-of-more-than-15-letters}]}`),
	service("s", `{type: NodePort, ports: [{port: 80, nodePort: 0}]}`),
	aPolicy(`port: 80, endPort: 65535`),
	anIngress(`name: http`),
	`{kind: EndpointSlice, apiVersion: discovery.k8s.io/v1, metadata: {name: e, namespace: default}, addressType: IPv4,
		endpoints: [{addresses: [10.0.0.1]}], ports: [{port: 70000}]}`,
}

const (
	badPodSpec  = `spec: {restartPolicy: Always, containers: [{name: a, image: nginx, ports: [{containerPort: 70000}]}]}`
	badTemplate = `{selector: {matchLabels: {app: w}}, template: {metadata: {labels: {app: w}}, ` + badPodSpec + `}}`
	badJob      = `{template: {spec: {restartPolicy: Never, containers: [{name: a, image: nginx, ports: [{containerPort: 70000}]}]}}}`
)

func withPodSpec(spec string) string {
	return "{kind: Pod, apiVersion: v1, metadata: {name: p, namespace: default}, spec: {" + spec + "}}"
}

func aPolicy(port string) string {
	return "{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: np, namespace: default}, spec: {podSelector: {}, " +
		"ingress: [{ports: [{" + port + "}]}]}}"
}

func anIngress(port string) string {
	return "{kind: Ingress, apiVersion: networking.k8s.io/v1, metadata: {name: i, namespace: default}, spec: {" +
		"defaultBackend: {service: {name: web, port: {" + port + "}}}}}"
}

func TestValueErrors(t *testing.T) {
	judged := map[string]bool{}
	for _, test := range wrongValues {
		c := configured(t, test.object)
		o := c.Objects()[0]
		var got []string
		for _, f := range valueErrors(o) {
			got = append(got, f.Path.String())
			parent := o.Kind.At(f.Path.Parent())
			steps := f.Path.Steps()
			judged[parent.GoType()+"."+steps[len(steps)-1].Field] = true
		}
		if !slices.Equal(got, []string{test.path}) {
			t.Errorf("%s: got %v, want %s", test.object, got, test.path)
		}
		path := kindstest.Path(t, test.path)
		o.Unknown = addrs.NewPathSet(path)
		if found := valueErrors(o); len(found) > 0 {
			t.Errorf("%s: judged though it is not known yet", test.path)
		}
		o.Unknown, o.Sensitive = nil, addrs.NewPathSet(path)
		if found := valueErrors(o); len(found) > 0 {
			t.Errorf("%s: quoted though it is secret", test.path)
		}
	}
	for typ, fields := range rules {
		for field := range fields {
			if !judged[typ+"."+field] {
				t.Errorf("nothing tests the rule of %s.%s", typ, field)
			}
		}
	}
	for _, object := range rightValues {
		if found := valueErrors(configured(t, object).Objects()[0]); len(found) > 0 {
			t.Errorf("%s: %s", object, found[0].Detail)
		}
	}
}

// TestValueErrorsOfServer holds the rules against the API server.
func TestValueErrorsOfServer(t *testing.T) {
	client, err := dynamic.NewForConfig(kindstest.ControlPlane(t))
	if err != nil {
		t.Fatal(err)
	}
	apply := func(object string, dryRun ...string) error {
		obj := kindstest.Decode(t, strings.ReplaceAll(object, "namespace: acme}", "namespace: default}"))
		_, err := kindstest.Apply(client, kindstest.KindOf(t, obj), obj, dryRun...)
		return err
	}
	for _, test := range wrongValues {
		if strings.Contains(test.path, "nodePort") { // a dry-run allocates nothing, and accepts any
			if err := apply(test.object); err == nil || !strings.Contains(err.Error(), "not in the valid range") {
				t.Errorf("%s: %s: the server says %v", test.object, test.path, err)
			}
			continue
		}
		field := test.path[strings.LastIndex(test.path, ".")+1:]
		if strings.Contains(test.path, "ephemeralContainers") {
			field = "ephemeralContainers" // refused in a Pod that is created, whatever its name
		}
		if err := apply(test.object, "All"); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %s: the server says %v", test.object, test.path, err)
		}
	}
	for _, object := range rightValues {
		if err := apply(object, "All"); err != nil {
			t.Errorf("%s: the server says %v", object, err)
		}
	}
}

// TestPortsHaveRules knows why a field of the built-in kinds that is a port has no rule.
func TestPortsHaveRules(t *testing.T) {
	without := map[string]string{
		"core/v1.DaemonEndpoint.Port":          "of the status of a Node",
		"core/v1.PortStatus.port":              "of the status of a Service",
		"networking/v1.IngressPortStatus.port": "of the status of an Ingress",
		"discovery/v1.EndpointPort.port":       "the server takes any",
	}
	seen := map[string]bool{}
	var walk func(f *kinds.Field)
	walk = func(f *kinds.Field) {
		for ; f.Elem != nil; f = f.Elem {
		}
		if f.GoType() == "" || seen[f.GoType()] {
			return
		}
		seen[f.GoType()] = true
		for _, child := range f.Fields() {
			number := child.Type == kinds.Integer || child.Type == kinds.IntOrString
			name := fmt.Sprintf("%s.%s", f.GoType(), child.Name)
			_, ruled := rules[f.GoType()][child.Name]
			if number && strings.HasSuffix(strings.ToLower(child.Name), "port") && ruled == (without[name] != "") {
				t.Errorf("%s: has a rule: %t; has none because it is %q", name, ruled, without[name])
			}
			walk(child)
		}
	}
	for _, k := range kinds.Builtin().Kinds() {
		walk(k.Root)
	}
	for typ := range rules {
		if !seen[typ] {
			t.Errorf("no kind has a %s", typ)
		}
	}
}
