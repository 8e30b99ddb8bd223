package kube

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/kinds"
)

// neverVersion is a resource version that no object has, since the API server's
// storage gives its first object a later one. Server-side apply creates an
// object that is not there whatever resource version is given, and refuses to
// touch one that has another (measured on 1.37, and so written in the registry
// store's Update): with this version it is an exclusive create, in one request
// and with the field ownership that later applies need. A POST would record an
// update by kplan instead, and applies could then never remove a field.
const neverVersion = "1"

// Create makes the object and takes its fields for apply. When there is an
// object of that name already, whoever made it, that is not touched and the
// error's reason is AlreadyExists. Without an answer it is OutcomeUnknown: look
// before trying again.
func (c *Cluster) Create(ctx context.Context, k *kinds.Kind, obj map[string]any) (*unstructured.Unstructured, error) {
	return c.create(ctx, "create", k, obj, once)
}

// DryRunCreate returns what Create would return, without effect.
func (c *Cluster) DryRunCreate(ctx context.Context, k *kinds.Kind, obj map[string]any) (*unstructured.Unstructured, error) {
	return c.create(ctx, "dry-run create", k, obj, dryRun)
}

func (c *Cluster) create(
	ctx context.Context, op string, k *kinds.Kind, obj map[string]any, eff effect,
) (*unstructured.Unstructured, error) {
	u := unstructured.Unstructured{Object: obj}
	ns, name := u.GetNamespace(), u.GetName()
	if err := checkNamed(op, k, ns, name); err != nil {
		return nil, err
	}
	r := c.client.patch(op, k, ns, name, types.ApplyYAMLPatchType, encode(k, guarded(obj, ApplyOptions{ResourceVersion: neverVersion})), eff)
	r.sent = obj
	// Force bypasses no resource version. It only keeps conflicts with the
	// managers of an object that exists from being reported instead.
	r.ask.Param("force", "true")
	live, err := c.client.one(ctx, k, r)
	if e, ok := err.(*Error); ok && e.Reason == ResourceVersionChanged {
		e.Reason, e.Message = AlreadyExists, "an object of that name exists already"
	}
	return live, err
}
