package diag_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
)

// where gives each path a position of its own, distinguished by its file's name.
func where(p addrs.Path) hcl.Range { return hcl.Range{Filename: "<" + p.String() + ">"} }

func show(diags hcl.Diagnostics) []string {
	var out []string
	for _, d := range diags {
		at := "nowhere"
		if d.Subject != nil {
			at = d.Subject.Filename
		}
		out = append(out, fmt.Sprintf("%s | %s | %s", at, d.Summary, d.Detail))
	}
	return out
}

func path(t *testing.T, text string) addrs.Path {
	p, err := addrs.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFromKube(t *testing.T) {
	pod := addrs.Object{Version: "v1", Kind: "Pod", Namespace: "acme", Name: "web"}
	for _, test := range []struct {
		name string
		err  error
		want []string
	}{
		{"nothing", nil, nil},
		{"two fields", &kube.Error{Op: "create", Object: pod, Reason: kube.Invalid, Message: "all of it", Fields: []kube.FieldError{
			{Path: path(t, "spec.containers[0].image"), Reason: "FieldValueRequired", Detail: "Required value"},
			{Path: path(t, "metadata.labels"), Reason: "FieldValueInvalid", Detail: `Invalid value: "a b": no spaces.`},
		}}, []string{
			"<spec.containers[0].image> | Missing value | Could not create v1 Pod acme/web (Pod.web): spec.containers[0].image: Required value.",
			`<metadata.labels> | Invalid value | Could not create v1 Pod acme/web (Pod.web): metadata.labels: Invalid value: "a b": no spaces.`,
		}},
		{"deleted", &kube.Error{Op: "apply", Object: pod, Reason: kube.NotFound, Message: `pods "web" not found`}, []string{
			`<metadata.name> | Object not found | Could not apply v1 Pod acme/web (Pod.web): pods "web" not found. It was deleted outside kplan. Make a new plan.`,
		}},
		{"missing role", &kube.Error{Op: "apply", Object: pod, Reason: kube.NotFound, Message: `rolebindings "r" not found`}, []string{
			`<> | Referenced object not found | Could not apply v1 Pod acme/web (Pod.web): rolebindings "r" not found. ` +
				`The object refers to something that does not exist. Create that first, or add it to the configuration.`,
		}},
		{"unknown field, wrapped", fmt.Errorf("visit: %w", &kube.Error{
			Op: "dry-run apply", Object: pod, Reason: kube.SchemaRejected, Fields: []kube.FieldError{
				{Path: path(t, "spec.foo"), Reason: "FieldValueInvalid", Detail: "field not declared in schema"},
			}}), []string{
			"<spec.foo> | Unknown field | Could not dry-run apply v1 Pod acme/web (Pod.web): spec.foo: field not declared in schema.",
		}},
		{"immutable", &kube.Error{Op: "apply", Object: pod, Reason: kube.Immutable, Fields: []kube.FieldError{
			{Path: path(t, "spec"), Detail: "field is immutable", Immutable: true},
		}}, []string{
			"<spec> | Immutable field | Could not apply v1 Pod acme/web (Pod.web): spec: field is immutable. " +
				"Only a new object can have another value: to have it replaced, list the field in lifecycle.replace_on.",
		}},
		{"conflicts", &kube.Error{Op: "apply", Object: pod, Reason: kube.FieldConflict, Conflicts: []kube.Conflict{
			{Path: path(t, "spec.replicas"), Manager: "hpa", Subresource: "scale", Time: "2026-01-02T03:04:05Z"},
			{Path: path(t, "data.a"), Manager: `a"b`},
		}}, []string{
			`<spec.replicas> | Field managed by another manager | spec.replicas of v1 Pod acme/web (Pod.web) is managed by "hpa" through scale since 2026-01-02T03:04:05Z. Remove it from the configuration to leave it to that manager, or list it in lifecycle.force_conflicts to take ownership of it.`,
			`<data.a> | Field managed by another manager | data.a of v1 Pod acme/web (Pod.web) is managed by "a\"b". Remove it from the configuration to leave it to that manager, or list it in lifecycle.force_conflicts to take ownership of it.`,
		}},
		{"namespace", &kube.Error{Op: "create", Object: pod, Reason: kube.NamespaceMissing, Message: `namespaces "acme" not found`}, []string{
			`<metadata.namespace> | Namespace not found | Could not create v1 Pod acme/web (Pod.web): namespaces "acme" not found. Declare the namespace in this configuration and refer to it, or create it first.`,
		}},
		{"account of a pod", &kube.Error{Op: "create", Object: pod, Reason: kube.Denied,
			Message: `pods "web" is forbidden: error looking up service account acme/api: serviceaccount "api" not found`}, []string{
			`<spec.serviceAccountName> | Referenced object not found | Could not create v1 Pod acme/web (Pod.web): pods "web" is forbidden: ` +
				`error looking up service account acme/api: serviceaccount "api" not found. The ServiceAccount api does not exist. ` +
				`Declare it in this configuration and refer to it in spec.serviceAccountName, or create it first.`,
		}},
		{"account of every namespace", &kube.Error{Op: "create", Object: pod, Reason: kube.Denied,
			Message: `error looking up service account acme/default: serviceaccount "default" not found`}, []string{
			`<spec.serviceAccountName> | Referenced object not found | Could not create v1 Pod acme/web (Pod.web): error looking up ` +
				`service account acme/default: serviceaccount "default" not found. Kubernetes creates the ServiceAccount default in each ` +
				`new namespace, after a moment: run kplan again. If that does not help, the cluster's controllers do not run.`,
		}},
		{"class of a pod", &kube.Error{Op: "create", Object: pod, Reason: kube.Denied,
			Message: `pods "web" is forbidden: no PriorityClass with name high was found`}, []string{
			`<spec.priorityClassName> | Referenced object not found | Could not create v1 Pod acme/web (Pod.web): pods "web" is forbidden: ` +
				`no PriorityClass with name high was found. The PriorityClass high does not exist. Declare it in this configuration and ` +
				`refer to it in spec.priorityClassName, or create it first.`,
		}},
		{"advice of its own", &kube.Error{Op: "connect", Reason: kube.Unreachable, Message: "nothing listens", Advice: "Check it."}, []string{
			"<> | Cluster unreachable | Nothing listens. Check it.",
		}},
		{"interruption", &kube.Error{Op: "get", Object: pod, Reason: kube.Other, Err: context.Canceled}, []string{
			"<> | Interrupted | Pod.web: The operation was interrupted before it was done.",
		}},
		{"no error of ours", errors.New("disk full"), []string{"<> | Operation failed | Pod.web: disk full."}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, show(diag.FromKube(test.err, where, "Pod.web"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEveryKindHasASummary also sees that diagnostics do without a position
// and without an address.
func TestEveryKindHasASummary(t *testing.T) {
	seen := map[string]kube.Reason{}
	for kind := kube.Other; kind <= kube.NotKubernetes; kind++ {
		diags := diag.FromKube(&kube.Error{Op: "get", Reason: kind, Message: "words"}, nil, "")
		if len(diags) != 1 || diags[0].Summary == "" || diags[0].Subject != nil {
			t.Errorf("%s: %q", kind, show(diags))
			continue
		}
		if other, twice := seen[diags[0].Summary]; twice {
			t.Errorf("%s and %s have the same summary", kind, other)
		}
		seen[diags[0].Summary] = kind
	}
}
