package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"

	"kplan.dev/kplan/kinds"
)

// clientAppliers are the managers that kubectl's client-side apply and create
// have left on objects.
var clientAppliers = sets.New("kubectl-client-side-apply", "kubectl-create", "kubectl")

// IsClientApplier says whether a field manager is that of kubectl's client-side
// apply or create.
func IsClientApplier(manager string) bool { return clientAppliers.Has(manager) }

// WithClientApplyTaken is the live object as it would be if the fields that
// kubectl applied from the client side were kplan's, and whether there are any.
// Without that step a field of theirs that the configuration lacks would stay
// for ever: its manager never comes back to remove it.
func WithClientApplyTaken(live *unstructured.Unstructured) (taken *unstructured.Unstructured, any bool, err error) {
	taken = live.DeepCopy()
	if err := csaupgrade.UpgradeManagedFields(taken, clientAppliers, Manager); err != nil {
		return nil, false, fmt.Errorf("the managedFields of %s can't be read: %w", live.GetName(), err)
	}
	before, after := live.GetManagedFields(), taken.GetManagedFields()
	return taken, !sameManagers(before, after), nil
}

func sameManagers(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// TakeClientApply makes the fields kplan's that kubectl applied from the client
// side. It fails with Stale when the object has changed since live was read.
func (c *Cluster) TakeClientApply(ctx context.Context, k *kinds.Kind, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, clientAppliers, Manager)
	if err != nil {
		return nil, &Error{Op: "take ownership of", Object: objectOf(k, live), Kind: Other, Message: err.Error(), Err: err}
	}
	if patch == nil {
		return live, nil
	}
	return c.one(ctx, k, &request{op: "take ownership of", object: objectOf(k, live), method: http.MethodPatch,
		path: resourcePath(k, live.GetNamespace(), live.GetName()), query: writeQuery(repeatable),
		contentType: "application/json-patch+json", body: patch, effect: repeatable})
}
