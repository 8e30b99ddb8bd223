package kube

import (
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"kplan.dev/kplan/kinds"
)

// Predict works out what the object would be after an Apply of wish, or after
// its Create when live is nil, without asking the server: the API server's own
// merge, then the defaults that the kind's description knows. What admission,
// controllers and allocation would add is not in it. Fields that other managers
// own are taken over; managedFields are left out.
func Predict(k *kinds.Kind, live *unstructured.Unstructured, wish map[string]any) (map[string]any, error) {
	wish = runtime.DeepCopyJSON(wish)
	wish["apiVersion"], wish["kind"] = k.APIVersion(), k.Name
	if live == nil {
		if _, err := k.Parseable().FromUnstructured(wish); err != nil {
			return nil, misfit(k, wish, err)
		}
		return k.Complete(wish), nil
	}
	merged, err := mergeApply(k, live, wish)
	if err != nil {
		return nil, err
	}
	return k.Updated(live.Object, merged), nil
}

func mergeApply(k *kinds.Kind, live *unstructured.Unstructured, wish map[string]any) (map[string]any, error) {
	managers, err := managersOf(live)
	if err != nil {
		return nil, &Error{Op: "predict", Object: objectOf(k, live), Kind: Other, Err: err,
			Message: "the live object's managedFields can't be read: " + err.Error()}
	}
	fields := withoutOwnership(live.Object)
	before, err := k.Parseable().FromUnstructured(fields, typed.AllowDuplicates)
	if err != nil {
		return nil, misfit(k, fields, err)
	}
	config, err := k.Parseable().FromUnstructured(wish)
	if err != nil {
		return nil, misfit(k, wish, err)
	}
	updater := (&merge.UpdaterBuilder{Converter: oneVersion{}, ReturnInputOnNoop: true}).BuildUpdater()
	after, _, err := updater.Apply(before, config, mergeVersion, managers, Manager, true)
	if err != nil {
		return nil, misfit(k, wish, err)
	}
	merged, ok := after.AsValue().Unstructured().(map[string]any)
	if !ok {
		panic(fmt.Sprintf("kube: a merged object that is no object but %T", after.AsValue().Unstructured()))
	}
	return runtime.DeepCopyJSON(merged), nil
}

// mergeVersion is the one version that a merge here knows of: field sets
// recorded in another version of the kind are taken as if they were of this one,
// which they are in all but renamed fields.
const mergeVersion fieldpath.APIVersion = "same"

type oneVersion struct{}

func (oneVersion) Convert(object *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) {
	return object, nil
}

func (oneVersion) IsMissingVersionError(error) bool { return false }

// managersOf reads the live object's managedFields: kplan's own under its name,
// the others under names that can't be mistaken for it.
func managersOf(live *unstructured.Unstructured) (fieldpath.ManagedFields, error) {
	managers := fieldpath.ManagedFields{}
	for i, m := range live.GetManagedFields() {
		if m.FieldsV1 == nil {
			continue
		}
		var fields fieldpath.Set
		if err := fields.FromJSON(m.FieldsV1.GetRawReader()); err != nil {
			return nil, err
		}
		applied := m.Operation == metav1.ManagedFieldsOperationApply
		name := Manager
		if m.Manager != Manager || !applied || m.Subresource != "" {
			name = strconv.Itoa(i) + "/" + m.Manager
		}
		managers[name] = fieldpath.NewVersionedSet(&fields, mergeVersion, applied)
	}
	return managers, nil
}

// misfit is the error of an object that does not fit its schema, in the words
// that the server has for it.
func misfit(k *kinds.Kind, obj map[string]any, err error) error {
	u := &unstructured.Unstructured{Object: obj}
	r := &request{object: objectOf(k, u), sent: obj}
	mask := r.masker()
	return &Error{Op: "predict", Object: r.object, Kind: SchemaRejected, Err: nil,
		Message: mask(tidyTyped(strings.TrimSpace(err.Error()))), Fields: typedFields(err.Error(), mask)}
}
