package kube

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/jsonmergepatch"

	"kplan.dev/kplan/kinds"
)

// TransferFields makes the live object's record of who owns what that of taken, and
// changes nothing else of it. It fails with Stale when the object is no longer
// of the version that taken has, and with ReplacedOutside when it is another one.
func (c *Cluster) TransferFields(ctx context.Context, k *kinds.Kind, taken *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	// The server compares a version that is set with the one it has.
	patch, err := json.Marshal([]operation{
		{"test", "/metadata/uid", taken.GetUID()},
		{"replace", "/metadata/managedFields", taken.GetManagedFields()},
		{"replace", "/metadata/resourceVersion", taken.GetResourceVersion()},
	})
	if err != nil {
		panic("kube: managedFields that are not JSON: " + err.Error())
	}
	live, err := c.client.one(ctx, k, c.client.patch("take ownership of", k, taken.GetNamespace(), taken.GetName(), types.JSONPatchType, patch, repeatable))
	if e, ok := err.(*Error); ok && e.Reason == Invalid && strings.Contains(e.Message, "rejected our request") {
		// All that a server says of a test that failed (measured on 1.37).
		e.Reason, e.Message = ReplacedOutside, "the object of that name is another one"
	}
	return live, err
}

// DryRunAfterTaking returns what Apply would make of an object whose record of
// who owns what is first made that of taken by TransferFields. Until that is done
// the apply itself can't be tried: it is merged here, as the server would, and
// the server is asked what it makes of the result. Who owns what is not in the
// answer. It fails with Stale when the object is no longer of the version that
// taken has.
func (c *Cluster) DryRunAfterTaking(ctx context.Context, k *kinds.Kind, taken *unstructured.Unstructured, desired map[string]any) (*unstructured.Unstructured, error) {
	merged, err := mergeApply(k, taken, desired)
	if err != nil {
		return nil, err
	}
	const op = "dry-run apply"
	patch, err := mergePatch(taken, merged)
	if err != nil {
		return nil, &Error{Op: op, Object: objectOf(k, taken), Reason: Other, Message: err.Error(), Err: err}
	}
	r := c.client.patch(op, k, taken.GetNamespace(), taken.GetName(), types.MergePatchType, patch, dryRun)
	r.sent = merged
	answer, err := c.client.one(ctx, k, r)
	if err == nil {
		answer.SetManagedFields(nil)
	}
	return answer, err
}

// mergePatch turns an object, in just the version that it has, into another one.
func mergePatch(from *unstructured.Unstructured, to map[string]any) ([]byte, error) {
	before, err := json.Marshal(withoutOwnership(from.Object))
	if err != nil {
		return nil, err
	}
	after, err := json.Marshal(withoutOwnership(to))
	if err != nil {
		return nil, err
	}
	patch, err := jsonmergepatch.CreateThreeWayJSONMergePatch(before, after, before)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := utiljson.Unmarshal(patch, &fields); err != nil {
		return nil, err
	}
	return json.Marshal(guarded(fields, ApplyOptions{UID: string(from.GetUID()), ResourceVersion: from.GetResourceVersion()}))
}

// withoutOwnership is an object without its managedFields.
func withoutOwnership(object map[string]any) map[string]any {
	object = maps.Clone(object)
	metadata, _ := object["metadata"].(map[string]any)
	metadata = maps.Clone(metadata)
	delete(metadata, "managedFields")
	object["metadata"] = metadata
	return object
}
