package kube_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"kplan.dev/kplan/kube"
)

// fieldsOf spells an error's fields and conflicts for comparison.
func fieldsOf(e *kube.Error) []string {
	var out []string
	for _, f := range e.Fields {
		text := f.Path.String()
		if f.Immutable {
			text += " immutable"
		}
		out = append(out, text)
	}
	for _, c := range e.Conflicts {
		out = append(out, fmt.Sprintf("%s %s", c.Path, c.Manager))
	}
	return out
}

func typed(t testing.TB, c *kube.Cluster) *kubernetes.Clientset {
	t.Helper()
	cs, err := kubernetes.NewForConfigAndClient(&rest.Config{Host: c.Host()}, c.HTTP())
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

// create makes an object for the length of the test.
func create(t testing.TB, c *kube.Cluster, kind, text string, ns ...string) *unstructured.Unstructured {
	t.Helper()
	live, err := c.Create(t.Context(), lookup(t, c, kind), manifest(t, text, ns...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { remove(t, c, live) })
	return live
}

func at(obj map[string]any, path ...any) map[string]any {
	var v any = obj
	for _, step := range path {
		switch step := step.(type) {
		case string:
			v = v.(map[string]any)[step]
		case int:
			v = v.([]any)[step]
		}
	}
	return v.(map[string]any)
}

// TestRefusedUpdates changes each of the sample objects in a way that the
// server refuses, and checks what is made of its words.
func TestRefusedUpdates(t *testing.T) {
	t.Parallel()
	c := connect(t)
	ns := namespace(t, c)
	made := map[string]*unstructured.Unstructured{}
	for kind, text := range sampleManifests {
		made[kind] = create(t, c, kind, text, ns)
	}
	patches := countRequests(c, http.MethodPatch)
	tests := []struct {
		name, kind string
		change     func(obj map[string]any)
		want       kube.Reason
		fields     []string
	}{
		{"cluster ip", "Service", func(o map[string]any) { at(o, "spec")["clusterIP"] = "10.0.0.77" },
			kube.Immutable, []string{"spec.clusterIPs[0] immutable"}},
		{"selector", "Deployment", func(o map[string]any) {
			at(o, "spec", "selector")["matchLabels"] = map[string]any{"x": "y"}
			at(o, "spec", "template", "metadata")["labels"] = map[string]any{"x": "y"}
		}, kube.Immutable, []string{"spec.selector immutable"}},
		{"selector that fits no template", "Deployment", func(o map[string]any) {
			at(o, "spec", "selector")["matchLabels"] = map[string]any{"x": "y"}
		}, kube.Invalid, []string{"spec.template.metadata.labels", "spec.selector immutable"}},
		{"command of a pod", "Pod", func(o map[string]any) { at(o, "spec", "containers", 0)["command"] = []any{"a"} },
			kube.Immutable, []string{"spec immutable"}},
		{"type of a secret", "Secret", func(o map[string]any) { o["type"] = "example.com/other" },
			kube.Immutable, []string{"type immutable"}},
		{"scope of a custom kind", "CustomResourceDefinition", func(o map[string]any) { at(o, "spec")["scope"] = "Cluster" },
			kube.Immutable, []string{"spec.scope immutable"}},
		{"field that is not there", "Deployment", func(o map[string]any) { at(o, "spec")["replica"] = int64(1) },
			kube.SchemaRejected, []string{"spec.replica"}},
		{"wrong type", "Deployment", func(o map[string]any) { at(o, "spec")["replicas"] = "three" },
			kube.SchemaRejected, []string{"spec.replicas"}},
		{"wrong type in a list", "Pod", func(o map[string]any) { at(o, "spec", "containers", 0)["image"] = int64(1) },
			kube.SchemaRejected, []string{`spec.containers[name="app"].image`}},
		{"same key twice", "Service", func(o map[string]any) {
			at(o, "spec")["ports"] = []any{map[string]any{"port": int64(80)}, map[string]any{"port": int64(80)}}
		}, kube.SchemaRejected, []string{"spec.ports"}},
		{"quantity", "Pod", func(o map[string]any) {
			at(o, "spec", "containers", 0)["resources"] = map[string]any{"requests": map[string]any{"cpu": "abc"}}
		}, kube.SchemaRejected, nil},
		{"label", "ConfigMap", func(o map[string]any) { at(o, "metadata")["labels"] = map[string]any{"a": "b c"} },
			kube.Invalid, []string{"metadata.labels"}},
		{"key", "ConfigMap", func(o map[string]any) { o["data"] = map[string]any{"a b": "1"} },
			kube.Invalid, []string{`data["a b"]`}},
		{"two at once", "Deployment", func(o map[string]any) {
			at(o, "spec")["replicas"] = int64(-1)
			at(o, "spec", "template", "spec", "containers", 0)["image"] = ""
		}, kube.Invalid, []string{"spec.replicas", "spec.template.spec.containers[0].image"}},
		{"too long", "ConfigMap", func(o map[string]any) { o["data"] = map[string]any{"a": strings.Repeat("x", 1<<20+1)} },
			kube.Invalid, []string{""}},
		{"longer than any request", "ConfigMap", func(o map[string]any) { o["data"] = map[string]any{"a": strings.Repeat("x", 4<<20)} },
			kube.TooLarge, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			obj := runtime.DeepCopyJSON(manifest(t, sampleManifests[test.kind], ns))
			test.change(obj)
			kind, before := lookup(t, c, test.kind), patches.Load()
			_, err := c.DryRunApply(t.Context(), kind, obj, kube.ApplyOptions{UID: string(made[test.kind].GetUID())})
			e := wantReason(t, err, test.want)
			if diff := cmp.Diff(test.fields, fieldsOf(e)); diff != "" {
				t.Error(err, diff)
			}
			if n := patches.Load() - before; n != 1 {
				t.Errorf("it was asked %d times, though asking again won't help", n)
			}
			if strings.Contains(err.Error(), "@@") {
				t.Error("the message shows Go's difference of the specs:", err)
			}
		})
	}
}

// TestSecretsStayOutOfErrors sends Secrets that the server refuses, each in
// words of its own.
func TestSecretsStayOutOfErrors(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := lookup(t, c, "Secret")
	for _, text := range []string{
		`data: {a: "hunter2hunter2!"}`,
		`data: {a: 424242}`,
		`data: {a: {b: hunter2hunter2}}`,
		`data: {a: [hunter2hunter2]}`,
		`data: {"a b": aHVudGVyMmh1bnRlcjI=}`,
		`{type: kubernetes.io/dockerconfigjson, data: {.dockerconfigjson: aHVudGVyMmh1bnRlcjI=}}`,
		`{type: kubernetes.io/tls, data: {tls.crt: aHVudGVyMmh1bnRlcjI=}}`,
		`{immutable: hunter2hunter2}`,
	} {
		obj := manifest(t, text)
		obj["metadata"] = map[string]any{"name": "a", "namespace": ns}
		for _, dryRun := range []bool{true, false} {
			var err error
			if dryRun {
				_, err = c.DryRunCreate(t.Context(), k, obj)
			} else {
				_, err = c.Create(t.Context(), k, obj)
			}
			if err == nil {
				t.Errorf("%s: no error", text)
				break
			}
			shown := fmt.Sprintf("%v %+v", err, err.(*kube.Error).Fields)
			for _, secret := range []string{"hunter2", "424242", "aHVudGVyMm"} {
				if strings.Contains(shown, secret) {
					t.Errorf("%s: shows the value: %s", text, shown)
				}
			}
		}
	}
}

func TestGuards(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := lookup(t, c, "ConfigMap")
	obj := manifest(t, sampleManifests["ConfigMap"], ns)
	live := create(t, c, "ConfigMap", sampleManifests["ConfigMap"], ns)
	uid := string(live.GetUID())
	const other = "00000000-0000-0000-0000-000000000000"

	_, err := c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: other})
	wantReason(t, err, kube.ReplacedOutside)
	_, err = c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: uid, ResourceVersion: "5", Force: true})
	wantReason(t, err, kube.ResourceVersionChanged)
	err = c.Delete(t.Context(), k, ns, "sample", kube.DeleteOptions{UID: other})
	wantReason(t, err, kube.ReplacedOutside)
	err = c.Delete(t.Context(), k, ns, "sample", kube.DeleteOptions{UID: uid, ResourceVersion: "5"})
	wantReason(t, err, kube.ResourceVersionChanged)
	if err = c.Delete(t.Context(), k, ns, "sample", kube.DeleteOptions{UID: uid, DryRun: true}); err != nil {
		t.Error(err)
	}
	if _, err = c.Get(t.Context(), k, ns, "sample"); err != nil {
		t.Error("a dry-run deleted:", err)
	}
	if err = c.Delete(t.Context(), k, ns, "sample", kube.DeleteOptions{UID: uid, ResourceVersion: live.GetResourceVersion()}); err != nil {
		t.Error(err)
	}
	err = c.Delete(t.Context(), k, ns, "sample", kube.DeleteOptions{UID: uid})
	wantReason(t, err, kube.NotFound)
	_, err = c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: uid, ResourceVersion: live.GetResourceVersion()})
	wantReason(t, err, kube.NotFound)
	_, err = c.Get(t.Context(), k, ns, "sample")
	wantReason(t, err, kube.NotFound)
}

func TestTerminating(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := lookup(t, c, "ConfigMap")
	const text = `metadata: {name: stays, namespace: NS, finalizers: [example.com/stay]}`
	live := create(t, c, "ConfigMap", text, ns)
	t.Cleanup(func() {
		_, err := typed(t, c).CoreV1().ConfigMaps(ns).Patch(context.Background(), "stays", types.MergePatchType,
			[]byte(`{"metadata":{"finalizers":null}}`), metav1.PatchOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	remove(t, c, live)
	_, err := c.Apply(t.Context(), k, manifest(t, text, ns), kube.ApplyOptions{UID: string(live.GetUID())})
	wantReason(t, err, kube.Terminating)
	_, err = c.Create(t.Context(), k, manifest(t, text, ns))
	wantReason(t, err, kube.AlreadyExists)

	gone, err := c.Get(t.Context(), lookup(t, c, "Namespace"), "", ns)
	if err != nil {
		t.Fatal(err)
	}
	remove(t, c, gone)
	const fresh = `metadata: {name: fresh, namespace: NS}`
	_, err = c.DryRunCreate(t.Context(), k, manifest(t, fresh, ns))
	wantReason(t, err, kube.NamespaceTerminating)
}

func TestMissingNamespace(t *testing.T) {
	c := connect(t)
	for _, kind := range []string{"ConfigMap", "Pod", "Deployment"} {
		_, err := c.DryRunCreate(t.Context(), lookup(t, c, kind), manifest(t, sampleManifests[kind], "kube-dev-not-there"))
		wantReason(t, err, kube.NamespaceMissing)
	}
}

func TestConflicts(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	cs := typed(t, c)
	live := create(t, c, "Deployment", sampleManifests["Deployment"], ns)
	k := lookup(t, c, "Deployment")
	deployments := cs.AppsV1().Deployments(ns)
	for _, edit := range []struct {
		manager, patch string
		sub            []string
	}{
		{`hpa`, `{"spec":{"replicas":1}}`, []string{"scale"}},
		{`ed"itor`, `{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"registry.example/app:2"}]}}}}`, nil},
		{`labeller`, `{"metadata":{"labels":{"keep":"x"}}}`, nil},
	} {
		typ := types.StrategicMergePatchType
		if edit.sub != nil {
			typ = types.MergePatchType
		}
		if _, err := deployments.Patch(t.Context(), "sample", typ, []byte(edit.patch), metav1.PatchOptions{FieldManager: edit.manager},
			edit.sub...); err != nil {
			t.Fatal(err)
		}
	}
	obj := manifest(t, sampleManifests["Deployment"], ns)
	_, err := c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: string(live.GetUID())})
	e := wantReason(t, err, kube.FieldConflict)
	want := []string{
		`metadata.labels.keep labeller`,
		`spec.replicas hpa`,
		`spec.template.spec.containers[name="app"].image ed"itor`,
	}
	if diff := cmp.Diff(want, fieldsOf(e)); diff != "" {
		t.Error(diff)
	}
	now, err := c.Get(t.Context(), k, ns, "sample")
	if err != nil {
		t.Fatal(err)
	}
	for _, conflict := range e.Conflicts {
		// What came through a subresource has no time even there.
		if conflict.In(now).Time == "" && conflict.Subresource == "" {
			t.Errorf("%s: no time in the live object: %v", conflict.Manager, now.GetManagedFields())
		}
	}
	forced, err := c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: string(live.GetUID()), Force: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := forced.GetLabels()["keep"]; got != "a" {
		t.Errorf("label keep is %q after force", got)
	}
}

func TestForbidden(t *testing.T) {
	t.Parallel()
	c := connect(t)
	ns := namespace(t, c)
	create(t, c, "Role", `metadata: {name: reader, namespace: NS}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [get, list, watch]}]`, ns)
	create(t, c, "RoleBinding", `
metadata: {name: reader, namespace: NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: reader-of-NS}]`, ns)
	create(t, c, "ConfigMap", sampleManifests["ConfigMap"], ns)
	reader := connect(t, func(o *kube.Options) { o.Auth.ImpersonateUser = "reader-of-" + ns })
	k := lookup(t, c, "ConfigMap")

	_, err := reader.Identity(t.Context())
	wantReason(t, err, kube.Forbidden)
	_, err = reader.DryRunCreate(t.Context(), k, manifest(t, "metadata: {name: other, namespace: NS}", ns))
	wantReason(t, err, kube.Forbidden)
	_, err = reader.Get(t.Context(), lookup(t, c, "Secret"), ns, "x")
	wantReason(t, err, kube.Forbidden)
	_, err = reader.List(t.Context(), k, kube.ListOptions{})
	wantReason(t, err, kube.Forbidden)
	for _, opts := range []kube.ListOptions{{Namespaces: []string{ns, ns}, Selector: "keep=a"}, {Namespace: ns, Selector: "keep=a"}} {
		found, err := reader.List(t.Context(), k, opts)
		if err != nil || len(found) != 1 {
			t.Errorf("%d objects, want one: %v", len(found), err)
		}
	}
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	c := connect(t)
	ns := namespace(t, c)
	create(t, c, "ResourceQuota", `{metadata: {name: q, namespace: NS}, spec: {hard: {services: "0"}}}`, ns)
	create(t, c, "ValidatingAdmissionPolicy", `
metadata: {name: NS}
spec:
  matchConstraints: {resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]}
  validations: [{expression: "!has(object.data) || !('bad' in object.data)", message: nothing bad here}]`, ns)
	create(t, c, "ValidatingAdmissionPolicyBinding", `
metadata: {name: NS}
spec: {policyName: NS, validationActions: [Deny], matchResources: {namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}}}`, ns)
	create(t, c, "ValidatingWebhookConfiguration", `
metadata: {name: NS}
webhooks:
- name: a.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  timeoutSeconds: 1
  clientConfig: {url: "https://127.0.0.1:1/x"}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: NS}}
  rules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]`, ns)
	for _, test := range []struct {
		kind, text string
		want       kube.Reason
	}{
		{"Service", sampleManifests["Service"], kube.QuotaExceeded},
		{"ConfigMap", "{metadata: {name: bad, namespace: NS}, data: {bad: x}}", kube.Denied},
		{"Secret", "{metadata: {name: s, namespace: NS}}", kube.WebhookFailed},
		{"Pod", "{metadata: {name: p, namespace: NS}, spec: {serviceAccountName: nobody, containers: [{name: a, image: b}]}}", kube.Denied},
	} {
		t.Run(test.kind, func(t *testing.T) {
			// Policies, webhooks and quotas hold only some time after they are made.
			eventually(t, func() error {
				_, err := c.DryRunCreate(t.Context(), lookup(t, c, test.kind), manifest(t, test.text, ns))
				switch {
				case err == nil:
					return errors.New("it is not refused")
				case kube.ReasonOf(err) != test.want:
					return fmt.Errorf("want %s, not %w", test.want, err)
				}
				return nil
			})
		})
	}
}

func TestNewNamespaceTakesPods(t *testing.T) {
	c := connect(t)
	for range 5 {
		ns := namespace(t, c)
		if _, err := c.Create(t.Context(), lookup(t, c, "Pod"), manifest(t, sampleManifests["Pod"], ns)); err != nil {
			t.Error(err)
		}
	}
}

// TestConflictPaths has somebody else own fields whose names have dots in them,
// which the server does not quote.
func TestConflictPaths(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	const text = `
metadata:
  name: web
  namespace: NS
  labels: {app.kubernetes.io/name: WHO, app: same}
spec:
  selector: {kplan.dev/a.b: WHO}
  ports: [{name: http, port: 80, targetPort: WHO}]`
	live := create(t, c, "Service", strings.ReplaceAll(text, "WHO", "ours"), ns)
	theirs := `{"metadata":{"labels":{"app.kubernetes.io/name":"theirs"}},"spec":{"selector":{"kplan.dev/a.b":"theirs"},"ports":[{"port":80,"targetPort":"theirs"}]}}`
	_, err := typed(t, c).CoreV1().Services(ns).Patch(t.Context(), "web", types.StrategicMergePatchType, []byte(theirs),
		metav1.PatchOptions{FieldManager: "them"})
	if err != nil {
		t.Fatal(err)
	}
	ours := manifest(t, strings.ReplaceAll(text, "WHO", "ours"), ns)
	_, err = c.DryRunApply(t.Context(), lookup(t, c, "Service"), ours, kube.ApplyOptions{UID: string(live.GetUID())})
	var paths []string
	for _, f := range wantReason(t, err, kube.FieldConflict).Conflicts {
		paths = append(paths, f.Path.String())
	}
	want := []string{
		`metadata.labels["app.kubernetes.io/name"]`,
		`spec.ports[port=80,protocol="TCP"].targetPort`,
		`spec.selector`, // of which all is one value
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
}
