package kube

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// TransferFields replaces the managedFields of the live object with those of
// transferred and changes nothing else. It fails with ResourceVersionChanged when the object no longer
// has the resource version of transferred, and with ReplacedOutside when it is
// another object.
func (c *Cluster) TransferFields(
	ctx context.Context, k *kinds.Kind, transferred *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	owners := operation{"replace", "/metadata/managedFields", transferred.GetManagedFields()}
	return c.client.patchObject(ctx, "take ownership of", k, transferred, nil, repeatable, owners)
}

// Release takes the marks of a stack off the live object, its label and its annotation,
// and what kplan owns of its fields, and changes nothing else. It fails as TransferFields
// does.
func (c *Cluster) Release(ctx context.Context, k *kinds.Kind, live *unstructured.Unstructured) error {
	var left []any
	for _, e := range ownership.Of(live.Object) {
		if e.Manager != ownership.Manager {
			left = append(left, e.Raw())
		}
	}
	if left == nil {
		left = []any{map[string]any{}} // of an empty list the server takes no notice
	}
	operations := []operation{{"replace", "/metadata/managedFields", left}}
	if _, marked := live.GetLabels()[addrs.StackLabel]; marked {
		operations = append(operations, operation{Op: "remove", Path: "/metadata/labels/" + escapePointer.Replace(addrs.StackLabel)})
	}
	if _, marked := live.GetAnnotations()[addrs.AddressAnnotation]; marked {
		operations = append(operations, operation{Op: "remove", Path: "/metadata/annotations/" + escapePointer.Replace(addrs.AddressAnnotation)})
	}
	_, err := c.client.patchObject(ctx, "release", k, live, nil, repeatable, operations...)
	return err
}

// Mark gives the live object the label and the annotation of an address of a stack, and changes nothing else. The fields are
// then owned by an update, as those of any other patch. It fails as TransferFields does.
func (c *Cluster) Mark(
	ctx context.Context, k *kinds.Kind, live *unstructured.Unstructured, stackID, address string,
) (*unstructured.Unstructured, error) {
	var operations []operation
	for _, mark := range []struct {
		at         string
		has        map[string]string
		key, value string
	}{
		{"/metadata/labels", live.GetLabels(), addrs.StackLabel, stackID},
		{"/metadata/annotations", live.GetAnnotations(), addrs.AddressAnnotation, address},
	} {
		switch {
		case mark.has[mark.key] == mark.value:
		case mark.has == nil:
			operations = append(operations, operation{"add", mark.at, map[string]string{mark.key: mark.value}})
		default:
			operations = append(operations, operation{"add", mark.at + "/" + escapePointer.Replace(mark.key), mark.value})
		}
	}
	if len(operations) == 0 {
		return live, nil
	}
	return c.client.patchObject(ctx, "mark", k, live, nil, repeatable, operations...)
}

// operation is one of a JSON patch.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// patchObject changes the very object, at the very version, that is given.
func (c *client) patchObject(
	ctx context.Context, op string, k *kinds.Kind, of *unstructured.Unstructured, sent map[string]any, eff effect, operations ...operation,
) (*unstructured.Unstructured, error) {
	all := append([]operation{{"test", "/metadata/uid", of.GetUID()}}, operations...)
	// The server compares a version that is set with the one it has.
	patch, err := json.Marshal(append(all, operation{"replace", "/metadata/resourceVersion", of.GetResourceVersion()}))
	if err != nil {
		panic("kube: an object that is not JSON: " + err.Error())
	}
	r := c.patch(op, k, of.GetNamespace(), of.GetName(), types.JSONPatchType, patch, eff)
	r.sent = sent
	live, err := c.one(ctx, k, r)
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
	operations := replacing(withoutOwnership(transferred.Object), withoutOwnership(merged))
	answer, err := c.client.patchObject(ctx, "dry-run apply", k, transferred, merged, dryRun, operations...)
	if err == nil {
		answer.SetManagedFields(nil)
	}
	return answer, err
}

// replacing are the operations that make one object of another. A merge patch would do with less, but can't set
// a field to null, which the free-form fields of custom kinds keep.
func replacing(from, to map[string]any) []operation {
	operations := replacingIn("/metadata/", from["metadata"], to["metadata"])
	from, to = maps.Clone(from), maps.Clone(to)
	delete(from, "metadata")
	delete(to, "metadata")
	return append(operations, replacingIn("/", from, to)...)
}

func replacingIn(path string, from, to any) []operation {
	before, _ := from.(map[string]any)
	after, _ := to.(map[string]any)
	var operations []operation
	for name, value := range after {
		old, had := before[name]
		switch {
		case !had:
			operations = append(operations, operation{"add", path + escapePointer.Replace(name), value})
		case !reflect.DeepEqual(old, value):
			operations = append(operations, operation{"replace", path + escapePointer.Replace(name), value})
		}
	}
	for name := range before {
		if _, kept := after[name]; !kept {
			operations = append(operations, operation{"remove", path + escapePointer.Replace(name), nil})
		}
	}
	return operations
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
