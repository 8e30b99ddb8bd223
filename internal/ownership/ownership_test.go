package ownership

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/addrs"
)

const controller = `
metadata:
  name: web
  managedFields:
  - {manager: kubectl, operation: Update, apiVersion: apps/v1, subresource: scale, time: "2026-01-01T10:00:00Z",
     fieldsV1: {"f:spec": {"f:replicas": {}}}}
  - {manager: kubectl-client-side-apply, operation: Update, apiVersion: apps/v1, time: "2026-01-01T11:00:00+01:00",
     fieldsV1: {"f:spec": {"f:paused": {}}}}
  - {manager: kplan, operation: Apply, apiVersion: apps/v1, time: "2026-01-02T10:00:00Z",
     fieldsV1: {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}}}}}}}}
  - {manager: of-a-newer-server, operation: Update, apiVersion: apps/v1, time: "2026-01-03T10:00:00Z", fieldsV1: {"k:{": {}}}
  - {manager: nobody, operation: Update, apiVersion: apps/v1}
`

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := yaml.Unmarshal([]byte(text), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestRecord(t *testing.T) {
	record := Of(decode(t, controller))
	own := record.OwnEntry()
	if own == nil || own.APIVersion != "apps/v1" || own.Time != time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC) {
		t.Fatalf("kplan's entry: %+v", own)
	}
	image := addrs.NewPath("spec", "template", "spec", "containers").Select(map[string]any{"name": "app"}).Field("image")
	if !own.Owns(image) || !own.Owns(addrs.NewPath("spec", "template")) || own.Owns(addrs.NewPath("spec", "replicas")) {
		t.Error("kplan owns the image, and nothing else")
	}
	for path, want := range map[addrs.Path]string{
		addrs.NewPath("spec", "replicas"): "kubectl",
		addrs.NewPath("spec", "paused"):   "kubectl-client-side-apply",
		addrs.NewPath("spec"):             "kubectl",
	} {
		if m := record.OtherEntry(path); m == nil || m.Manager != want {
			t.Errorf("%s is owned by %+v, want %s", path, m, want)
		}
	}
	if m := record.OtherEntry(image); m != nil {
		t.Errorf("the image is owned by %s, too", m.Manager)
	}
	at := time.Date(2026, 1, 1, 10, 0, 0, 0, time.UTC)
	if first := record.First(); first.Manager != "kubectl-client-side-apply" || !first.Time.Equal(at) {
		t.Errorf("first was %+v: a subresource does not count", first)
	}
	if set, err := record.OwnFields("apps/v1beta1"); set != nil || err != nil {
		t.Errorf("in another API version kplan owns %v, %v", set, err)
	}
	if set := record.AllFields(); !set.Equals(record.KplanFields().Union(record.OtherFields())) || set.Size() != 4 {
		t.Errorf("all fields: %v", set)
	}
	if _, err := record[3].Fields(); err == nil {
		t.Error("a field set that is malformed is read")
	}
}

// TestRecordOfAnything: what is no record names no manager.
func TestRecordOfAnything(t *testing.T) {
	for _, text := range []string{`{}`, `{metadata: 7}`, `{metadata: {managedFields: none}}`, `{metadata: {managedFields: [7, {}]}}`} {
		record := Of(decode(t, text))
		if record.OwnEntry() != nil || record.First() != nil || record.OtherEntry(addrs.NewPath("spec")) != nil || !record.AllFields().Empty() {
			t.Errorf("%s: somebody owns something", text)
		}
	}
}

func TestTransferFields(t *testing.T) {
	live := &unstructured.Unstructured{Object: decode(t, controller)}
	paused := addrs.NewPath("spec", "paused")
	transfer := Transfer{APIVersion: "apps/v1", Fields: NewSet(paused)}
	more, err := transfer.Of(live)
	if err != nil {
		t.Fatal(err)
	}
	if SameOwners(live.Object, more.Object) || Of(live.Object).OwnEntry().Owns(paused) || !Of(more.Object).OwnEntry().Owns(paused) {
		t.Error("kplan owns the field in the copy, and only there")
	}
	if m := Of(more.Object).OtherEntry(paused); m != nil {
		t.Errorf("%s owns it, too", m.Manager)
	}
	again, err := transfer.Of(more)
	if err != nil || !SameOwners(again.Object, more.Object) {
		t.Error("what kplan owns is transferred once more:", err)
	}
	transfer.APIVersion = "v1"
	first, err := transfer.Of(&unstructured.Unstructured{Object: decode(t, `{metadata: {name: a}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if own := Of(first.Object).OwnEntry(); own == nil || own.APIVersion != "v1" || own.Time.IsZero() || !own.Owns(paused) {
		t.Errorf("the first entry: %+v", own)
	}
}

// Adopting takes all that a tool applied, and its entry; what controllers own stays
// theirs.
func TestTransferAdopts(t *testing.T) {
	live := &unstructured.Unstructured{Object: decode(t, controller)}
	adopted, err := Transfer{APIVersion: "apps/v1", Adopts: func(e *Entry) bool { return e.IsDeployed() }}.Of(live)
	if err != nil {
		t.Fatal(err)
	}
	record := Of(adopted.Object)
	if own := record.OwnEntry(); !own.Owns(addrs.NewPath("spec", "paused")) || !own.Owns(addrs.NewPath("spec", "template")) {
		t.Errorf("kplan owns %v", own.raw)
	}
	for _, e := range record {
		if e.IsDeployed() {
			t.Errorf("the entry of %s is still there", e.Manager)
		}
	}
}

// An entry of a version that is no longer served is nobody's, and kplan's own is
// spelled in one that is.
func TestTransferFromDeadVersion(t *testing.T) {
	live := &unstructured.Unstructured{Object: decode(t, `{metadata: {managedFields: [
		{manager: kplan, operation: Apply, apiVersion: x/v1alpha1, fieldsV1: {"f:spec": {"f:a": {}}}},
		{manager: other, operation: Update, apiVersion: x/v1alpha1, fieldsV1: {"f:spec": {"f:b": {}}}},
		{manager: other, operation: Update, apiVersion: x/v1, fieldsV1: {"f:spec": {"f:c": {}}}}]}}`)}
	alive, err := Transfer{APIVersion: "x/v1", Dead: func(v string) bool { return v == "x/v1alpha1" }}.Of(live)
	if err != nil {
		t.Fatal(err)
	}
	record := Of(alive.Object)
	if own := record.OwnEntry(); own == nil || own.APIVersion != "x/v1" || !own.Owns(addrs.NewPath("spec", "a")) {
		t.Errorf("kplan's entry: %+v", own)
	}
	if record.OtherEntry(addrs.NewPath("spec", "b")) != nil || record.OtherEntry(addrs.NewPath("spec", "c")) == nil {
		t.Error("the wrong entries of others are gone")
	}
}

func TestIsDeployTool(t *testing.T) {
	for manager, want := range map[string]bool{
		"kubectl": true, "kubectl-client-side-apply": true, "kubectl-edit": true, "helm": true, "Terraform": true, "HashiCorp": true,
		"pulumi-kubernetes-1a2b": true, "kapp": true, "kustomize-controller": true, "helm-controller": true, "argocd-controller": true,
		"kubectl-rollout": false, "kube-controller-manager": false, "cert-manager-cainjector": false, "": false, "mine": true,
	} {
		if got := IsDeployTool(manager, "mine"); got != want {
			t.Errorf("%q: %v", manager, got)
		}
	}
}

// TestSame: times and the order of the entries make no difference.
func TestSame(t *testing.T) {
	a, b := decode(t, controller), decode(t, controller)
	entries := b["metadata"].(map[string]any)["managedFields"].([]any)
	entries[0], entries[2] = entries[2], entries[0]
	entries[0].(map[string]any)["time"] = "2026-02-02T10:00:00Z"
	if !SameOwners(a, b) {
		t.Error("other times make another record")
	}
	entries[0].(map[string]any)["manager"] = "somebody"
	if SameOwners(a, b) {
		t.Error("another manager makes no difference")
	}
}
