package ownership

import (
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Transfer is a change to who owns the fields of an object, and to nothing else. An
// apply removes only what kplan alone owns: what it has to remove must be
// transferred to it first.
type Transfer struct {
	// APIVersion is that of kplan's entry where it has none yet, or one of no use.
	APIVersion string
	// Fields become kplan's alone.
	Fields *fieldpath.Set
	// Adopts reports which entries become kplan's, with all that they own. It may be nil.
	Adopts func(*Entry) bool
	// Dead reports whether entries of an API version are nobody's. It may be nil.
	Dead func(apiVersion string) bool
}

// Of is the live object as it is after the transfer. It shares nothing with the
// object given.
func (t Transfer) Of(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	transferred := live.DeepCopy()
	record := Of(transferred.Object)
	own := t.own(record)
	before, err := own.Fields()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", live.GetName(), err)
	}
	owned := before
	var kept []any
	for _, e := range record {
		fields, err := e.Fields()
		switch {
		case e == own, t.isDead(e):
		case err != nil: // of a newer server, and left as it is
			kept = append(kept, e.raw)
		case t.Adopts != nil && t.Adopts(e):
			owned = owned.Union(fields)
		default:
			kept = append(kept, t.without(e, fields)...)
		}
	}
	if t.Fields != nil {
		owned = owned.Union(t.Fields)
	}
	if !owned.Equals(before) {
		own.raw["fieldsV1"] = fieldsV1Of(owned)
	}
	if !owned.Empty() {
		kept = append([]any{own.raw}, kept...)
	}
	return transferred, unstructured.SetNestedSlice(transferred.Object, kept, "metadata", "managedFields")
}

// own is kplan's entry, or the one that it gets.
func (t Transfer) own(record Record) *Entry {
	own := record.OwnEntry()
	if own == nil {
		own = &Entry{raw: map[string]any{"manager": Manager, "operation": string(metav1.ManagedFieldsOperationApply),
			"time": time.Now().UTC().Format(time.RFC3339), "fieldsType": "FieldsV1", "apiVersion": t.APIVersion}}
	} else if t.Dead != nil && t.Dead(own.APIVersion) {
		own.raw["apiVersion"] = t.APIVersion
	}
	return own
}

func (t Transfer) isDead(e *Entry) bool {
	return e.Manager == "" || t.Dead != nil && t.Dead(e.APIVersion)
}

// without is an entry without the fields that become kplan's, none where there is
// nothing left.
func (t Transfer) without(e *Entry, fields *fieldpath.Set) []any {
	if t.Fields == nil || t.Fields.Empty() {
		return []any{e.raw}
	}
	rest := fields.RecursiveDifference(t.Fields)
	switch {
	case rest.Empty():
		return nil
	case !rest.Equals(fields):
		e.raw["fieldsV1"] = fieldsV1Of(rest)
	}
	return []any{e.raw}
}

func fieldsV1Of(fields *fieldpath.Set) map[string]any {
	text, err := fields.ToJSON()
	if err != nil {
		panic("ownership: a set of fields without JSON form: " + err.Error())
	}
	var fieldsV1 map[string]any
	if err := json.Unmarshal(text, &fieldsV1); err != nil {
		panic("ownership: the JSON form of a set of fields can't be read: " + err.Error())
	}
	return fieldsV1
}
