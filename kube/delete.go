package kube

import (
	"context"
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/kinds"
)

// DeleteOptions guards a Delete.
type DeleteOptions struct {
	// UID is required: nothing is deleted that was not looked at first. When an
	// object of that name has another uid the call fails with ReplacedOutside.
	UID string
	// ResourceVersion, when set, makes the call fail with ResourceVersionChanged when the object
	// was changed since.
	ResourceVersion string
	// Propagation is what happens to objects that this one owns; "" is Background.
	Propagation metav1.DeletionPropagation
	DryRun      bool
}

// Delete asks the server to delete the object. It returns before the object is
// gone: finalizers and pods' grace periods take their time. When there is no
// such object the error's reason is NotFound.
func (c *Cluster) Delete(ctx context.Context, k *kinds.Kind, namespace, name string, opts DeleteOptions) error {
	op, eff := "delete", repeatable
	if opts.DryRun {
		op, eff = "dry-run delete", dryRun
	}
	if err := checkNamed(op, k, namespace, name); err != nil {
		return err
	}
	if opts.UID == "" {
		panic("kube: Delete without the uid of " + k.Object(namespace, name).String())
	}
	r := c.client.about(op, http.MethodDelete, k, namespace, name)
	r.effect = eff
	r.ask.SetHeader("Content-Type", "application/json").Body(deleteBody(opts))
	return c.client.do(ctx, r)
}

func deleteBody(opts DeleteOptions) []byte {
	propagation := opts.Propagation
	if propagation == "" {
		propagation = metav1.DeletePropagationBackground
	}
	uid := types.UID(opts.UID)
	body := metav1.DeleteOptions{PropagationPolicy: &propagation, Preconditions: &metav1.Preconditions{UID: &uid}}
	body.APIVersion, body.Kind = "v1", "DeleteOptions"
	if opts.DryRun {
		// As a parameter of the URL the server would not see it: with a body it
		// takes all options from there (measured on 1.37).
		body.DryRun = []string{metav1.DryRunAll}
	}
	if opts.ResourceVersion != "" {
		body.Preconditions.ResourceVersion = &opts.ResourceVersion
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic("kube: delete options: " + err.Error())
	}
	return text
}
