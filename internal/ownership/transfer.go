package ownership

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// clientAppliers are the managers that kubectl's client-side apply and create
// have left on objects.
var clientAppliers = sets.New("kubectl-client-side-apply", "kubectl-create", "kubectl")

// IsClientApplier reports whether a manager is that of kubectl's client-side apply
// or create.
func IsClientApplier(manager string) bool { return clientAppliers.Has(manager) }

// WithClientApply is the live object as it would be if the fields that kubectl
// applied from the client side were kplan's. Without that step a field of theirs
// that the configuration lacks would stay for ever: its manager never comes back
// to remove it.
func WithClientApply(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	transferred := live.DeepCopy()
	if err := csaupgrade.UpgradeManagedFields(transferred, clientAppliers, Manager); err != nil {
		return nil, fmt.Errorf("the managedFields of %s can't be read: %w", live.GetName(), err)
	}
	return transferred, nil
}

// WithFields is the live object as it would be if kplan had applied these fields,
// too, in that API version unless it has applied in another. An apply without them
// then removes them.
func WithFields(live *unstructured.Unstructured, apiVersion string, fields *fieldpath.Set) (*unstructured.Unstructured, error) {
	transferred := live.DeepCopy()
	own := Of(transferred.Object).Own()
	if own == nil {
		own = &Entry{raw: map[string]any{"manager": Manager, "operation": string(metav1.ManagedFieldsOperationApply), "apiVersion": apiVersion,
			"time": time.Now().UTC().Format(time.RFC3339), "fieldsType": "FieldsV1"}}
		all, _, _ := unstructured.NestedSlice(transferred.Object, "metadata", "managedFields")
		if err := unstructured.SetNestedSlice(transferred.Object, append(all, own.raw), "metadata", "managedFields"); err != nil {
			return nil, err
		}
		own = Of(transferred.Object).Own()
	}
	owned, err := own.Fields()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", live.GetName(), err)
	}
	text, err := owned.Union(fields).ToJSON()
	if err != nil {
		return nil, err
	}
	var fieldsV1 map[string]any
	if err := json.Unmarshal(text, &fieldsV1); err != nil {
		return nil, err
	}
	own.raw["fieldsV1"] = fieldsV1
	return transferred, nil
}
