package relations

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

// TestTable holds each field path of the table against the description of its kind.
func TestTable(t *testing.T) {
	check := func(name string, root *kinds.Field, rules []compiledRule) {
		for _, r := range rules {
			f := root
			for _, step := range r.steps {
				field, isList := strings.CutSuffix(step, "[]")
				if f = f.Field(field); f != nil && isList {
					f = f.Elem
				}
				if f == nil {
					t.Errorf("%s has no field %s", name, r.at)
					break
				}
			}
			if f != nil && r.untyped != (f.Type == kinds.Object) {
				t.Errorf("%s: %s is of type %d", name, r.at, f.Type)
			}
		}
	}
	pod := lookup(t, "Pod", "v1")
	check("any kind", pod.Root, compiled().any)
	check("a pod", pod.Root.Field("spec"), compiled().pod)
	for kind, rules := range compiled().of {
		found := false
		for _, k := range kinds.Builtin().Kinds() {
			if k.GroupKind() == kind && !found {
				found = true
				check(kind.String(), k.Root, rules)
			}
		}
		if !found && kind.Group != "apiregistration.k8s.io" {
			t.Errorf("%s is not built in", kind)
		}
	}
	for kind := range clusterWide {
		for _, k := range kinds.Builtin().Kinds() {
			if k.GroupKind() == kind && k.Namespaced {
				t.Errorf("%s has a namespace", kind)
			}
		}
	}
}

func lookup(t *testing.T, kind, apiVersion string) *kinds.Kind {
	t.Helper()
	k, err := kinds.Builtin().Lookup(kind, apiVersion)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func object(t *testing.T, text string) (*kinds.Kind, map[string]any) {
	t.Helper()
	fields := kindstest.Decode(t, text)
	apiVersion, _ := fields["apiVersion"].(string)
	name, _ := fields["kind"].(string)
	return lookup(t, name, apiVersion), fields
}

func TestReferences(t *testing.T) {
	for _, test := range []struct{ name, object, want string }{
		{"pod", `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: acme}, spec: {
			priorityClassName: high,
			volumes: [{name: a, secret: {secretName: s, optional: true}}, {name: b, persistentVolumeClaim: {claimName: c}}],
			containers: [{name: x, envFrom: [{configMapRef: {name: e}}],
				env: [{name: V, valueFrom: {secretKeyRef: {name: k, key: v}}}]}]}}`,
			`PriorityClass.scheduling.k8s.io high at spec.priorityClassName
Secret acme/s at spec.volumes[0].secret.secretName optional
PersistentVolumeClaim acme/c at spec.volumes[1].persistentVolumeClaim.claimName
ConfigMap acme/e at spec.containers[0].envFrom[0].configMapRef.name
Secret acme/k at spec.containers[0].env[0].valueFrom.secretKeyRef.name
ServiceAccount acme/default at spec.serviceAccountName optional`},
		{"cron job", `{apiVersion: batch/v1, kind: CronJob, metadata: {name: p},
			spec: {jobTemplate: {spec: {template: {spec: {serviceAccountName: a}}}}}}`,
			`ServiceAccount default/a at spec.jobTemplate.spec.template.spec.serviceAccountName`},
		{"role binding", `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: acme},
			roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: r},
			subjects: [{kind: ServiceAccount, name: a, namespace: other}, {apiGroup: rbac.authorization.k8s.io, kind: User, name: u}]}`,
			`ClusterRole.rbac.authorization.k8s.io r at roleRef.name
ServiceAccount other/a at subjects[0].name`},
		{"ingress", `{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, namespace: acme},
			spec: {ingressClassName: c, tls: [{secretName: t}],
			rules: [{http: {paths: [{backend: {service: {name: s, port: {name: http}}}}]}}]}}`,
			`IngressClass.networking.k8s.io c at spec.ingressClassName
Service acme/s at spec.rules[0].http.paths[0].backend.service.name
Secret acme/t at spec.tls[0].secretName`},
		{"token", `{apiVersion: v1, kind: Secret, metadata: {name: t, namespace: acme, annotations: {kubernetes.io/service-account.name: a}}}`,
			`ServiceAccount acme/a at metadata.annotations["kubernetes.io/service-account.name"]`},
		{"owner, autoscaler", `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler,
			metadata: {name: h, namespace: acme, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: o}]},
			spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: d}}}`,
			`Deployment.apps acme/o at metadata.ownerReferences[0].name
Deployment.apps acme/d at spec.scaleTargetRef.name`},
		{"webhook", `{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: w},
			webhooks: [{clientConfig: {service: {namespace: acme, name: s}}}]}`,
			`Service acme/s at webhooks[0].clientConfig.service.name`},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind, fields := object(t, test.object)
			var lines []string
			for _, ref := range References(kind, fields) {
				line := fmt.Sprintf("%s %s at %s", ref.To.GroupKind(), ref.To.QualifiedName(), ref.Path)
				if ref.Optional {
					line += " optional"
				}
				lines = append(lines, line)
			}
			if got := strings.Join(lines, "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestGoverns(t *testing.T) {
	const quota = `{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: acme}, spec: {hard: {%s: "1"}}}`
	const policy = `{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingAdmissionPolicy, metadata: {name: p},
		spec: {matchConstraints: {resourceRules: [{apiGroups: [%q], resources: [%q], apiVersions: ["*"], operations: ["*"]}]}}}`
	const storage = `{apiVersion: storage.k8s.io/v1, kind: StorageClass,
		metadata: {name: c, annotations: {storageclass.kubernetes.io/is-default-class: %q}}}`
	const pod, claim, deployment = `{apiVersion: v1, kind: Pod, metadata: {namespace: acme}}`,
		`{apiVersion: v1, kind: PersistentVolumeClaim}`, `{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: acme}}`
	for _, test := range []struct {
		name, governor string
		object         string
		want           []string // what of object it governs
	}{
		{"limits", `{apiVersion: v1, kind: LimitRange, metadata: {namespace: acme}}`, pod, []string{"object"}},
		{"limits for others", `{apiVersion: v1, kind: LimitRange, metadata: {namespace: other}}`, pod, nil},
		{"limits of what is made", `{apiVersion: v1, kind: LimitRange, metadata: {namespace: acme}}`, deployment, []string{"pods"}},
		{"quota of pods", fmt.Sprintf(quota, "pods"), pod, []string{"object"}},
		{"quota of cores", fmt.Sprintf(quota, "requests.cpu"), pod, []string{"object"}},
		{"quota of devices", fmt.Sprintf(quota, "requests.nvidia.com/gpu"), pod, []string{"object"}},
		{"quota of secrets", fmt.Sprintf(quota, "count/secrets"), pod, nil},
		{"quota of deployments", fmt.Sprintf(quota, "count/deployments.apps"), deployment, []string{"object"}},
		{"quota of storage", fmt.Sprintf(quota, "requests.storage"), pod, nil},
		{"policy", fmt.Sprintf(policy, "", "pods"), deployment, []string{"pods"}},
		{"policy of all", fmt.Sprintf(policy, "*", "*"), deployment, []string{"object", "pods"}},
		{"policy of another group", fmt.Sprintf(policy, "apps", "pods"), pod, nil},
		{"default class", fmt.Sprintf(storage, "true"), claim, []string{"object"}},
		{"other class", fmt.Sprintf(storage, "false"), claim, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind, fields := object(t, test.governor)
			g := NewGovernor(kind, fields, func(Reference) map[string]any { return nil })
			var got []string
			if g != nil {
				kind, fields := object(t, test.object)
				if g.Governs(kind, "acme", fields) {
					got = append(got, "object")
				}
				if g.GovernsPods(kind, "acme", fields) {
					got = append(got, "pods")
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
