package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// ApplyOptions guards an Apply. Of an object that is known to exist both UID
// and ResourceVersion should be given: the resource version alone would let the
// server create the object again when it was deleted in the meantime (measured
// on 1.37).
type ApplyOptions struct {
	// UID, when set, makes the call fail with NotFound when the object is gone,
	// and with ReplacedOutside when another object has its name.
	UID string
	// ResourceVersion, when set, makes the call fail with ResourceVersionChanged when the object
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
func (c *Cluster) DryRunApply(
	ctx context.Context, k *kinds.Kind, obj map[string]any, opts ApplyOptions,
) (*unstructured.Unstructured, error) {
	return c.apply(ctx, "dry-run apply", k, obj, opts, dryRun)
}

func (c *Cluster) apply(
	ctx context.Context, op string, k *kinds.Kind, obj map[string]any, opts ApplyOptions, eff effect,
) (*unstructured.Unstructured, error) {
	u := unstructured.Unstructured{Object: obj}
	ns, name := u.GetNamespace(), u.GetName()
	if err := checkNamed(op, k, ns, name); err != nil {
		return nil, err
	}
	r := c.client.patch(op, k, ns, name, types.ApplyYAMLPatchType, encode(k, guarded(obj, opts)), eff)
	r.sent = obj
	if opts.Force {
		r.ask.Param("force", "true")
	}
	live, err := c.client.one(ctx, k, r)
	if err != nil {
		return nil, err
	}
	if at := live.GetDeletionTimestamp(); at != nil {
		return nil, &Error{Op: op, Object: r.object, Reason: Terminating,
			Message: fmt.Sprintf("the object is being deleted since %s, so an apply has no lasting effect", at.UTC().Format(time.RFC3339))}
	}
	return live, nil
}

// patch is a request that changes an object. Fields that the kind does not have
// are refused rather than dropped.
func (c *client) patch(op string, k *kinds.Kind, namespace, name string, typ types.PatchType, body []byte, eff effect) *request {
	opts := metav1.PatchOptions{FieldManager: ownership.Manager, FieldValidation: metav1.FieldValidationStrict}
	if eff == dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	r := c.about(op, http.MethodPatch, k, namespace, name)
	r.effect = eff
	if typ == types.ApplyYAMLPatchType {
		body = escapeForYAML(body)
	}
	r.ask.SetHeader("Content-Type", string(typ)).Body(body)
	r.ask.SpecificallyVersionedParams(&opts, metav1.ParameterCodec, metav1.Unversioned)
	return r
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

// escapeForYAML is a JSON text that means the same to a reader of YAML, as which the API server
// reads the body of an apply. YAML refuses some characters that JSON allows in strings, and takes
// others for the end of a line, which it makes a space of.
func escapeForYAML(body []byte) []byte {
	if !bytes.ContainsFunc(body, isSpecialInYAML) {
		return body
	}
	escaped := make([]byte, 0, len(body)+64)
	for _, r := range string(body) {
		if isSpecialInYAML(r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = utf8.AppendRune(escaped, r)
		}
	}
	return escaped
}

func isSpecialInYAML(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff'
}
