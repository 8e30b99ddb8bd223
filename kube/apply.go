package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

const applyPatch = "application/apply-patch+yaml"

// ApplyOptions guards an Apply. Of an object that is known to exist both UID
// and ResourceVersion should be given: the resource version alone would let the
// server create the object anew when it was deleted in the meantime (measured
// on 1.37).
type ApplyOptions struct {
	// UID, when set, makes the call fail with NotFound when the object is gone,
	// and with ReplacedOutside when another one has taken its name.
	UID string
	// ResourceVersion, when set, makes the call fail with Stale when the object
	// was changed since.
	ResourceVersion string
	// Force takes fields over that other managers own.
	Force bool
}

// Apply makes the live object's fields those of obj by server-side apply:
// fields that kplan owned and obj no longer has are removed, those of other
// managers stay. An object that is being deleted is not touched: Terminating.
func (c *Cluster) Apply(ctx context.Context, k *kinds.Kind, obj map[string]any, opts ApplyOptions) (*unstructured.Unstructured, error) {
	return c.apply(ctx, "apply", k, obj, opts, repeatable)
}

// DryRunApply returns what Apply would return, without effect.
func (c *Cluster) DryRunApply(ctx context.Context, k *kinds.Kind, obj map[string]any, opts ApplyOptions) (*unstructured.Unstructured, error) {
	return c.apply(ctx, "dry-run apply", k, obj, opts, none)
}

func (c *Cluster) apply(ctx context.Context, op string, k *kinds.Kind, obj map[string]any, opts ApplyOptions, eff effect) (*unstructured.Unstructured, error) {
	u := unstructured.Unstructured{Object: obj}
	ns, name := u.GetNamespace(), u.GetName()
	if err := checkNamed(op, k, ns, name); err != nil {
		return nil, err
	}
	query := writeQuery(eff)
	if opts.Force {
		query.Set("force", "true")
	}
	r := &request{op: op, object: k.Object(ns, name), method: http.MethodPatch, path: resourcePath(k, ns, name),
		query: query, contentType: applyPatch, body: encode(k, guarded(obj, opts)), sent: obj, effect: eff}
	live, err := c.one(ctx, k, r)
	if err != nil {
		return nil, err
	}
	if at := live.GetDeletionTimestamp(); at != nil {
		return nil, &Error{Op: op, Object: r.object, Reason: Terminating,
			Message: fmt.Sprintf("the object is being deleted since %s: what is applied to it vanishes with it", at.UTC().Format(time.RFC3339))}
	}
	return live, nil
}

// writeQuery are the parameters of every write: fields that the kind does not
// have are refused rather than dropped.
func writeQuery(eff effect) url.Values {
	query := url.Values{"fieldManager": {ownership.Manager}, "fieldValidation": {"Strict"}}
	if eff == none {
		query.Set("dryRun", "All")
	}
	return query
}

// guarded is obj with the guards in its metadata; obj itself stays as it is.
func guarded(obj map[string]any, opts ApplyOptions) map[string]any {
	if opts.UID == "" && opts.ResourceVersion == "" {
		return obj
	}
	obj = maps.Clone(obj)
	metadata := map[string]any{}
	if old, ok := obj["metadata"].(map[string]any); ok {
		metadata = maps.Clone(old)
	}
	if opts.UID != "" {
		metadata["uid"] = opts.UID
	}
	if opts.ResourceVersion != "" {
		metadata["resourceVersion"] = opts.ResourceVersion
	}
	obj["metadata"] = metadata
	return obj
}

// encode is the object in JSON, with its kind and version in case they are
// missing.
func encode(k *kinds.Kind, obj map[string]any) []byte {
	obj = maps.Clone(obj)
	obj["apiVersion"], obj["kind"] = k.APIVersion(), k.Name
	body, err := json.Marshal(obj)
	if err != nil {
		panic(fmt.Sprintf("kube: an object that is not JSON: %v", err))
	}
	return body
}
