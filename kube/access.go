package kube

import (
	"context"
	"encoding/json"
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// CanI asks whether this user may do something to objects of a kind in a
// namespace, "" for all, and to the one of that name, "" for all. The answer
// changes nothing and promises nothing.
func (c *Cluster) CanI(ctx context.Context, verb string, k *kinds.Kind, namespace, name string) (bool, error) {
	review := authorizationv1.SelfSubjectAccessReview{}
	review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SelfSubjectAccessReview"
	review.Spec.ResourceAttributes = &authorizationv1.ResourceAttributes{
		Verb: verb, Group: k.Group, Version: k.Version, Resource: k.Plural, Namespace: namespace, Name: name,
	}
	body, err := json.Marshal(review)
	if err != nil {
		panic("kube: an access review that is not JSON: " + err.Error())
	}
	r := &request{op: "create", object: addrs.Object{Group: "authorization.k8s.io", Version: "v1", Kind: "SelfSubjectAccessReview"},
		method: http.MethodPost, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
		contentType: "application/json", body: body, effect: none}
	r.decode = func(body []byte) error { return json.Unmarshal(body, &review) }
	if err := c.do(ctx, r); err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
