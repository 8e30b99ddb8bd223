package kube

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/merge"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// Predict works out what the object would be after an Apply of desired, or after
// its Create when live is nil, without asking the server: the API server's own
// merge, then the defaults that the kind's description knows. What admission,
// controllers and allocation would add is not in it. Fields that other managers
// own are transferred; managedFields are left out.
func Predict(k *kinds.Kind, live *unstructured.Unstructured, desired map[string]any) (map[string]any, error) {
	desired = runtime.DeepCopyJSON(desired)
	desired["apiVersion"], desired["kind"] = k.APIVersion(), k.Name
	if live == nil {
		if _, err := k.Parseable().FromUnstructured(desired); err != nil {
			return nil, schemaError(k, desired, err)
		}
		return server.Complete(k, desired), nil
	}
	merged, err := mergeApply(k, live, desired)
	if err != nil {
		return nil, err
	}
	return server.Updated(k, live.Object, merged), nil
}

func mergeApply(k *kinds.Kind, live *unstructured.Unstructured, desired map[string]any) (map[string]any, error) {
	m, err := newMerge(k, live, desired)
	if err != nil {
		return nil, err
	}
	after, err := m.apply(true)
	if err != nil {
		return nil, schemaError(k, desired, err)
	}
	merged, ok := after.AsValue().Unstructured().(map[string]any)
	if !ok {
		panic(fmt.Sprintf("kube: a merged object that is no object but %T", after.AsValue().Unstructured()))
	}
	return runtime.DeepCopyJSON(merged), nil
}

// PredictConflicts are the fields that other managers own and that an Apply of
// desired would change, as the server would report them.
func PredictConflicts(k *kinds.Kind, live *unstructured.Unstructured, desired map[string]any) ([]Conflict, error) {
	desired = runtime.DeepCopyJSON(desired)
	desired["apiVersion"], desired["kind"] = k.APIVersion(), k.Name
	m, err := newMerge(k, live, desired)
	if err != nil {
		return nil, err
	}
	_, err = m.apply(false)
	var found merge.Conflicts
	if !errors.As(err, &found) {
		return nil, nil // what else may be wrong, Predict has met
	}
	var out []Conflict
	for _, f := range found {
		owner := m.owners[f.Manager]
		out = append(out, Conflict{Path: addrs.Locate(desired, f.Path.String()), Manager: owner.Manager, Subresource: owner.Subresource,
			Applied: owner.Applied}.In(live))
	}
	sortConflicts(out)
	return out, nil
}

// applyMerge is the API server's own merge of a desired object into a live one.
type applyMerge struct {
	before, config *typed.TypedValue
	managers       fieldpath.ManagedFields
	owners         map[string]*ownership.Entry // by the names in managers
}

func newMerge(k *kinds.Kind, live *unstructured.Unstructured, desired map[string]any) (*applyMerge, error) {
	m := &applyMerge{managers: fieldpath.ManagedFields{}, owners: map[string]*ownership.Entry{}}
	if err := m.readManagers(live); err != nil {
		return nil, &Error{Op: "predict", Object: objectOf(k, live), Reason: Other, Err: err,
			Message: "the live object's managedFields can't be read: " + err.Error()}
	}
	fields := withoutOwnership(live.Object)
	var err error
	if m.before, err = k.Parseable().FromUnstructured(fields, typed.AllowDuplicates); err != nil {
		unfit := schemaError(k, fields, err)
		unfit.Reason, unfit.Fields = LiveUnfit, nil // which are not those of the configuration
		return nil, unfit
	}
	if m.config, err = k.Parseable().FromUnstructured(desired); err != nil {
		return nil, schemaError(k, desired, err)
	}
	return m, nil
}

func (m *applyMerge) apply(force bool) (*typed.TypedValue, error) {
	updater := (&merge.UpdaterBuilder{Converter: oneVersion{}, ReturnInputOnNoop: true}).BuildUpdater()
	after, _, err := updater.Apply(m.before, m.config, mergeVersion, m.managers, ownership.Manager, force)
	return after, err
}

// mergeVersion is the one version that a merge here knows of: field sets
// recorded in another version of the kind are treated as if they were of this one,
// which they are in all but renamed fields.
const mergeVersion fieldpath.APIVersion = "same"

type oneVersion struct{}

func (oneVersion) Convert(object *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) {
	return object, nil
}

func (oneVersion) IsMissingVersionError(error) bool { return false }

// readManagers reads the live object's managedFields: kplan's own under its
// name, the others under names that can't be confused with it.
func (m *applyMerge) readManagers(live *unstructured.Unstructured) error {
	record := ownership.Of(live.Object)
	own := record.OwnEntry()
	for i, entry := range record {
		fields, err := entry.Fields()
		if err != nil {
			return err
		}
		name := ownership.Manager
		if entry != own {
			name = strconv.Itoa(i) + "/" + entry.Manager
		}
		m.managers[name] = fieldpath.NewVersionedSet(fields, mergeVersion, entry.Applied)
		m.owners[name] = entry
	}
	return nil
}

// schemaError is the error of an object that does not fit its schema, in the words
// that the server has for it.
func schemaError(k *kinds.Kind, obj map[string]any, err error) *Error {
	u := &unstructured.Unstructured{Object: obj}
	r := &request{object: objectOf(k, u), sent: obj}
	mask := r.masker()
	return &Error{Op: "predict", Object: r.object, Reason: SchemaRejected, Err: nil,
		Message: mask(tidyTyped(strings.TrimSpace(err.Error()))), Fields: typedFields(err.Error(), obj, mask)}
}
