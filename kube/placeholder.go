package kube

import (
	"context"
	"maps"
	"math/rand/v2"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/kinds"
)

// DryRunReplacement returns what Create would make of obj once the object that has its
// name now is gone. Until then the server can only be asked about another name,
// which stays between it and this function: it shows whether the content is
// accepted. What depends on the name itself, or on the old object's being there,
// is not distinguished: a refusal may mean that.
func (c *Cluster) DryRunReplacement(ctx context.Context, k *kinds.Kind, obj map[string]any) (*unstructured.Unstructured, error) {
	u := unstructured.Unstructured{Object: obj}
	ns, name := u.GetNamespace(), u.GetName()
	if err := checkNamed("dry-run create", k, ns, name); err != nil {
		return nil, err
	}
	other, otherName, undo := placeholderFor(k, obj)
	body := encode(k, guarded(other, ApplyOptions{ResourceVersion: neverVersion}))
	r := c.client.patch("dry-run create", k, ns, otherName, types.ApplyYAMLPatchType, body, dryRun)
	r.object, r.sent, r.rename = k.Object(ns, name), obj, undo
	return c.client.one(ctx, k, r)
}

// placeholderFor is the object under a name that nobody has, and what turns that name
// back into the object's own in all that the server answers.
func placeholderFor(k *kinds.Kind, obj map[string]any) (other map[string]any, name string, undo *strings.Replacer) {
	u := unstructured.Unstructured{Object: obj}
	mark := randomMark()
	if k.GroupKind() == kinds.CustomResourceDefinition {
		if other, name = inOtherGroup(obj, mark); other != nil {
			return other, name, strings.NewReplacer(mark+".", "")
		}
	}
	name = u.GetName()
	name = name[:min(len(name), longestPlaceholder-len(mark))] + mark
	return renamed(obj, name), name, strings.NewReplacer(name, u.GetName())
}

// longestPlaceholder is what the strictest of the kinds allows: a CronJob, whose jobs'
// names are longer than its own.
const longestPlaceholder = 52

// inOtherGroup is a CustomResourceDefinition for a group of another name: its
// own name is made of that.
func inOtherGroup(crd map[string]any, mark string) (other map[string]any, name string) {
	group, _, _ := unstructured.NestedString(crd, "spec", "group")
	plural, _, _ := unstructured.NestedString(crd, "spec", "names", "plural")
	spec, ok := crd["spec"].(map[string]any)
	if !ok || group == "" || plural == "" {
		return nil, ""
	}
	name = plural + "." + mark + "." + group
	other, spec = renamed(crd, name), maps.Clone(spec)
	spec["group"] = mark + "." + group
	other["spec"] = spec
	return other, name
}

func renamed(obj map[string]any, name string) map[string]any {
	obj = maps.Clone(obj)
	metadata, _ := obj["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	metadata["name"] = name
	obj["metadata"] = metadata
	return obj
}

// randomMark is a word that stands nowhere else.
func randomMark() string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	mark := []byte("x")
	for range 11 {
		mark = append(mark, letters[rand.IntN(len(letters))])
	}
	return string(mark)
}
