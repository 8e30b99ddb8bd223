package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kinds"
)

// takeTries is how often an object that changes under our hands is looked at
// again.
const takeTries = 5

// TakeOwnership makes kplan, which made live with a POST, own the fields that
// an apply of obj would make it own. The server records a POST as an update of
// all fields, defaults included, and an apply could then remove none of them.
// On an object that kplan applied, or did not make, it does nothing.
func (c *Cluster) TakeOwnership(ctx context.Context, k *kinds.Kind, live *unstructured.Unstructured, obj map[string]any) (*unstructured.Unstructured, error) {
	owned, err := k.FieldSet(obj)
	if err != nil {
		return nil, &Error{Op: "take ownership of", Object: objectOf(k, live), Kind: SchemaRejected, Message: err.Error(), Err: err}
	}
	fields, err := owned.ToJSON()
	if err != nil {
		panic(fmt.Sprintf("kube: a field set that has no JSON form: %v", err))
	}
	for range takeTries {
		at := updateEntry(live)
		if at < 0 {
			return live, nil
		}
		changed, patchErr := c.one(ctx, k, c.ownershipPatch(k, live, at, fields))
		if KindOf(patchErr) != Invalid && KindOf(patchErr) != Stale {
			return changed, patchErr
		}
		err = patchErr // a test failed: something else changed the entries meanwhile
		uid := live.GetUID()
		if live, err = c.Get(ctx, k, live.GetNamespace(), live.GetName()); err != nil {
			return nil, err
		}
		if live.GetUID() != uid {
			return nil, &Error{Op: "take ownership of", Object: objectOf(k, live), Kind: ReplacedOutside, Message: "another object has taken its name"}
		}
		err = patchErr
	}
	return nil, err
}

// updateEntry finds what the server recorded of kplan's POST, -1 when there is
// nothing, or an apply of kplan's besides.
func updateEntry(live *unstructured.Unstructured) int {
	at := -1
	for i, m := range live.GetManagedFields() {
		if m.Manager != Manager || m.Subresource != "" {
			continue
		}
		if m.Operation == metav1.ManagedFieldsOperationApply {
			return -1
		}
		at = i
	}
	return at
}

func (c *Cluster) ownershipPatch(k *kinds.Kind, live *unstructured.Unstructured, at int, fields []byte) *request {
	entry := fmt.Sprintf("/metadata/managedFields/%d", at)
	type op struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	body, err := json.Marshal([]op{
		{"test", "/metadata/uid", live.GetUID()},
		{"test", entry + "/manager", Manager},
		{"test", entry + "/operation", metav1.ManagedFieldsOperationUpdate},
		{"replace", entry + "/operation", metav1.ManagedFieldsOperationApply},
		{"replace", entry + "/fieldsV1", json.RawMessage(bytes.TrimSpace(fields))},
	})
	if err != nil {
		panic(fmt.Sprintf("kube: an ownership patch that is not JSON: %v", err))
	}
	return &request{op: "take ownership of", object: objectOf(k, live), method: http.MethodPatch,
		path: resourcePath(k, live.GetNamespace(), live.GetName()), query: writeQuery(repeatable),
		contentType: "application/json-patch+json", body: body, effect: repeatable}
}
