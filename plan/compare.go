package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// unchanged reports whether applying the desired fields would change nothing: every
// desired value is the live one, as the API compares, and the fields that kplan
// would own are those that it owns. Then the server need not be asked.
func unchanged(kind *kinds.Kind, desired map[string]any, live *unstructured.Unstructured, managers ownership.Record) (bool, error) {
	if !containsDesired(kind.Root, live.Object, desired) {
		return false, nil
	}
	return ownsDesired(kind, desired, managers)
}

// ownsDesired reports whether kplan owns just the fields that it would own by
// applying the desired ones.
func ownsDesired(kind *kinds.Kind, desired map[string]any, managers ownership.Record) (bool, error) {
	want, err := kind.FieldSet(desired)
	if err != nil {
		return false, err
	}
	owned, err := managers.OwnFields(kind.APIVersion())
	if err != nil {
		return false, err
	}
	return owned != nil && want.Equals(owned), nil
}

// containsDesired reports whether the live object has every desired value.
func containsDesired(f *kinds.Field, live, desired any) bool {
	if live == nil && mayVanishInMerge(f, desired) {
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
			there, exists := have[name]
			switch {
			case child == nil, value == nil && !exists, !containsDesired(child, there, value):
				return false // null is desired only where it is a value of its own
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

// mayVanishInMerge reports whether a merge may leave nothing of a desired value: what it removes
// the last entry of, it removes as well.
func mayVanishInMerge(f *kinds.Field, desired any) bool {
	switch want := desired.(type) {
	case map[string]any:
		for name, value := range want {
			if child := f.Field(name); child == nil || !mayVanishInMerge(child, value) {
				return false
			}
		}
		return !f.Atomic
	case []any:
		return len(want) == 0 && (f.Set || len(f.ListKeys) > 0)
	}
	return false
}

// holdsKeyed pairs elements by their keys. The order of the desired ones
// counts: environment variables may refer to earlier ones, and init
// containers run one after the other.
func holdsKeyed(f *kinds.Field, have, want []any) bool {
	at := make(map[string]int, len(have))
	for i, element := range have {
		at[f.ElementKey(element)] = i
	}
	last := -1
	for _, element := range want {
		i, ok := at[f.ElementKey(element)]
		if !ok || i < last || !containsDesired(f.Elem, have[i], element) {
			return false
		}
		last = i
	}
	return true
}

// appliedInOther reports whether kplan applied the object in another API version,
// and nothing but that is to change.
func appliedInOther(kind *kinds.Kind, desired map[string]any, live *unstructured.Unstructured, managers ownership.Record) bool {
	own := managers.OwnEntry()
	return own != nil && own.APIVersion != kind.APIVersion() && containsDesired(kind.Root, live.Object, desired)
}
