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

// TransferFields replaces the managedFields of the live object with those of
// transferred and changes nothing else. It fails with ResourceVersionChanged when the object no longer
// has the resource version of transferred, and with ReplacedOutside when it is
// another object.
func (c *Cluster) TransferFields(
	ctx context.Context, k *kinds.Kind, transferred *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	// The server compares a version that is set with the one it has.
	patch, err := json.Marshal([]operation{
		{"test", "/metadata/uid", transferred.GetUID()},
		{"replace", "/metadata/managedFields", transferred.GetManagedFields()},
		{"replace", "/metadata/resourceVersion", transferred.GetResourceVersion()},
	})
	if err != nil {
		panic("kube: managedFields that are not JSON: " + err.Error())
	}
	live, err := c.client.one(ctx, k, c.client.patch("take ownership of", k,
		transferred.GetNamespace(), transferred.GetName(), types.JSONPatchType, patch, repeatable))
	if e, ok := err.(*Error); ok && e.Reason == Invalid && strings.Contains(e.Message, "rejected our request") {
		// The server gives no other reason for a test that failed (measured on 1.37).
		e.Reason, e.Message = ReplacedOutside, "the object of that name is another one"
	}
	return live, err
}

// DryRunAfterTransfer returns what Apply would make of an object after
// TransferFields with transferred. Before the transfer, a dry run of the apply itself
// is not possible: the fields are merged here, as the server would do it, and
// the result is sent as a dry-run patch. The answer has no managedFields. It fails
// with ResourceVersionChanged when the object no longer has the resource version of transferred.
func (c *Cluster) DryRunAfterTransfer(
	ctx context.Context, k *kinds.Kind, transferred *unstructured.Unstructured, desired map[string]any,
) (*unstructured.Unstructured, error) {
	merged, err := mergeApply(k, transferred, desired)
	if err != nil {
		return nil, err
	}
	const op = "dry-run apply"
	patch, err := mergePatch(transferred, merged)
	if err != nil {
		return nil, &Error{Op: op, Object: objectOf(k, transferred), Reason: Other, Message: err.Error(), Err: err}
	}
	r := c.client.patch(op, k, transferred.GetNamespace(), transferred.GetName(), types.MergePatchType, patch, dryRun)
	r.sent = merged
	answer, err := c.client.one(ctx, k, r)
	if err == nil {
		answer.SetManagedFields(nil)
	}
	return answer, err
}

// mergePatch turns an object, at exactly its resource version, into another one.
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
