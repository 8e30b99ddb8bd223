package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// unchanged says whether applying the wish would change nothing: every value
// of the wish is the live one, as the API compares, and the fields it would
// own are the fields that kplan owns. Then the server need not be asked.
func unchanged(kind *kinds.Kind, desired map[string]any, live *unstructured.Unstructured) (bool, error) {
	if !holds(kind.Root, live.Object, desired) {
		return false, nil
	}
	return ownsJust(kind, desired, live)
}

// ownsJust says whether the fields that applying the wish would own are the
// fields that kplan owns.
func ownsJust(kind *kinds.Kind, desired map[string]any, live *unstructured.Unstructured) (bool, error) {
	want, err := kind.FieldSet(desired)
	if err != nil {
		return false, err
	}
	owned, err := ownedFields(live, kind.APIVersion())
	if err != nil {
		return false, err
	}
	return owned != nil && want.Equals(owned), nil
}

// holds says whether every value of the wish stands in the live object.
func holds(f *kinds.Field, live, desired any) bool {
	if live == nil && hollow(f, desired) {
		return true
	}
	switch want := desired.(type) {
	case map[string]any:
		have, ok := live.(map[string]any)
		if f.Atomic || !ok {
			break
		}
		for name, value := range want {
			child := f.Field(name)
			if child == nil || !holds(child, have[name], value) {
				return false
			}
		}
		return true
	case []any:
		have, ok := live.([]any)
		if len(f.ListKeys) == 0 || !ok {
			break
		}
		return holdsKeyed(f, have, want)
	}
	return f.Equal(live, desired)
}

// hollow says whether a merge may leave nothing of a wish: what it takes the last
// entry out of, it takes out as well.
func hollow(f *kinds.Field, desired any) bool {
	switch want := desired.(type) {
	case map[string]any:
		for name, value := range want {
			if child := f.Field(name); child == nil || !hollow(child, value) {
				return false
			}
		}
		return !f.Atomic
	case []any:
		return len(want) == 0 && (f.Set || len(f.ListKeys) > 0)
	}
	return false
}

// holdsKeyed pairs elements by their keys. Their order counts among those that
// are wished for: environment variables may refer to earlier ones, and init
// containers run one after the other.
func holdsKeyed(f *kinds.Field, have, want []any) bool {
	at := make(map[string]int, len(have))
	for i, element := range have {
		at[f.ElementKey(element)] = i
	}
	last := -1
	for _, element := range want {
		i, ok := at[f.ElementKey(element)]
		if !ok || i < last || !holds(f.Elem, have[i], element) {
			return false
		}
		last = i
	}
	return true
}

// ownedFields are the fields that kplan owns by server-side apply in that API
// version, nil when it owns none.
func ownedFields(live *unstructured.Unstructured, apiVersion string) (*fieldpath.Set, error) {
	m := ownApply(live)
	if m == nil || m["apiVersion"] != apiVersion {
		return nil, nil
	}
	fields, _ := m["fieldsV1"].(map[string]any)
	set, _, err := fieldSet(fields)
	if err != nil {
		return nil, fmt.Errorf("managedFields of %s: %w", live.GetName(), err)
	}
	if set == nil {
		set = &fieldpath.Set{}
	}
	return set, nil
}

// ownApply is what managedFields says of kplan's applies, nil if there is none.
func ownApply(live *unstructured.Unstructured) map[string]any {
	for _, m := range managers(live.Object) {
		if m["manager"] == kube.Manager && m["operation"] == string(metav1.ManagedFieldsOperationApply) && m["subresource"] == nil {
			return m
		}
	}
	return nil
}

// appliedInOther says whether kplan applied the object in another API version,
// and nothing but that is to change.
func appliedInOther(kind *kinds.Kind, desired map[string]any, live *unstructured.Unstructured) bool {
	m := ownApply(live)
	return m != nil && m["apiVersion"] != kind.APIVersion() && holds(kind.Root, live.Object, desired)
}

// fieldSet is what fieldsV1 holds, nil for nothing, and whether it includes the
// place itself that it is about. Sets can read that from JSON, but here it is
// decoded already: to encode it again for each of thousands of objects takes
// longer than all the rest of comparing them.
func fieldSet(fields map[string]any) (set *fieldpath.Set, itself bool, err error) {
	for name, value := range fields {
		if name == "." {
			itself = true
			continue
		}
		element, err := fieldpath.DeserializePathElement(name)
		if errors.Is(err, fieldpath.ErrUnknownPathElementType) {
			continue // of a newer server, and left out as sets leave it out
		}
		if err != nil {
			return nil, false, err
		}
		inner, _ := value.(map[string]any)
		below, whole, err := fieldSet(inner)
		if err != nil {
			return nil, false, err
		}
		if set == nil {
			set = &fieldpath.Set{}
		}
		if whole {
			set.Members.Insert(element)
		}
		if below != nil {
			*set.Children.Descend(element) = *below
		}
	}
	return set, itself || set == nil, nil
}

// managers are the entries of an object's managedFields.
func managers(object map[string]any) []map[string]any {
	metadata, _ := object["metadata"].(map[string]any)
	fields, _ := metadata["managedFields"].([]any)
	var entries []map[string]any
	for _, f := range fields {
		if entry, ok := f.(map[string]any); ok {
			entries = append(entries, entry)
		}
	}
	return entries
}

// sameOwnership says whether two views of an object have the same managers
// owning the same fields.
func sameOwnership(a, b map[string]any) bool {
	return slices.Equal(ownership(a), ownership(b))
}

func ownership(object map[string]any) []string {
	var entries []string
	for _, m := range managers(object) {
		untimed := maps.Clone(m)
		delete(untimed, "time")
		text, err := json.Marshal(untimed)
		if err != nil {
			panic("plan: an object that came as JSON has no JSON form: " + err.Error())
		}
		entries = append(entries, string(text))
	}
	slices.Sort(entries)
	return entries
}

// visible is an object without what only the server keeps about it.
func visible(object map[string]any) map[string]any {
	if object == nil {
		return nil
	}
	shown := maps.Clone(object)
	delete(shown, "status")
	metadata := cloneMap(shown["metadata"])
	for _, name := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink"} {
		delete(metadata, name)
	}
	shown["metadata"] = metadata
	return shown
}
