package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/kinds"
)

// Get returns the live object. When there is none the error's reason is NotFound.
// The namespace is "" for a kind that lives in none.
func (c *Cluster) Get(ctx context.Context, k *kinds.Kind, namespace, name string) (*unstructured.Unstructured, error) {
	const op = "get"
	if err := checkNamed(op, k, namespace, name); err != nil {
		return nil, err
	}
	return c.client.one(ctx, k, c.client.about(op, http.MethodGet, k, namespace, name))
}

// one asks for one object and checks that it is the one asked for.
func (c *client) one(ctx context.Context, k *kinds.Kind, r *request) (*unstructured.Unstructured, error) {
	obj := &unstructured.Unstructured{}
	r.decode = func(body []byte) error {
		var fields map[string]any
		if err := utiljson.Unmarshal(body, &fields); err != nil {
			return err
		}
		obj.Object = fields
		return checkAnswer(k, r, obj)
	}
	if err := c.do(ctx, r); err != nil {
		return nil, err
	}
	return obj, nil
}

func checkAnswer(k *kinds.Kind, r *request, obj *unstructured.Unstructured) error {
	switch {
	case obj.Object == nil:
		return errors.New("it is empty")
	case obj.GetKind() != k.Name || obj.GetAPIVersion() != k.APIVersion():
		return fmt.Errorf("it is of kind %s %q", obj.GetAPIVersion(), obj.GetKind())
	case r.object.Name != "" && obj.GetName() != r.object.Name, obj.GetNamespace() != r.object.Namespace:
		return fmt.Errorf("it is the object %q in namespace %q", obj.GetName(), obj.GetNamespace())
	}
	return nil
}
