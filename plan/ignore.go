package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"encoding/json"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// withIgnored takes the places of lifecycle.ignore_changes out of the wish for
// an object that is there. Leaving a field out of an apply gives it up, and a
// field that nobody owns any more falls back to its default: so while kplan is
// the only owner, the live value is sent instead and nothing jumps.
func withIgnored(kind *kinds.Kind, d *hclspec.Desired, wish map[string]any, live *unstructured.Unstructured) map[string]any {
	for _, path := range d.Lifecycle.IgnoreChanges {
		place := keyed(kind, wish, path)
		var value any
		if ownedOnlyByUs(live, keyed(kind, live.Object, place)) {
			value, _ = valueAt(live.Object, place)
		}
		wish = replaceAt(wish, place.Steps(), value).(map[string]any)
	}
	return wish
}

func ownedOnlyByUs(live *unstructured.Unstructured, place addrs.Path) bool {
	path, err := fieldPath(place)
	if err != nil {
		return false
	}
	ours := false
	for _, m := range live.GetManagedFields() {
		if m.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(m.FieldsV1.GetRawReader()) != nil || !owns(set, path) {
			continue
		}
		if m.Manager != kube.Manager {
			return false
		}
		ours = true
	}
	return ours
}

// owns says whether the set has the place or anything below it.
func owns(set *fieldpath.Set, path fieldpath.Path) bool {
	if set.Has(path) {
		return true
	}
	for _, element := range path {
		set = set.WithPrefix(element)
	}
	return !set.Empty()
}

// fieldPath spells a place as managedFields do.
func fieldPath(place addrs.Path) (fieldpath.Path, error) {
	var path fieldpath.Path
	for _, step := range place.Steps() {
		switch {
		case step.IsField():
			path = append(path, fieldpath.MakePathOrDie(step.Field)...)
		case step.IsIndex():
			path = append(path, fieldpath.MakePathOrDie(step.Index)...)
		default:
			keys := map[string]any{}
			for name, text := range step.Keys {
				var value any
				if err := json.Unmarshal([]byte(text), &value); err != nil {
					return nil, err
				}
				if n, ok := value.(float64); ok && n == float64(int64(n)) {
					value = int64(n)
				}
				keys[name] = value
			}
			path = append(path, fieldpath.MakePathOrDie(fieldpath.KeyByFields(pairs(keys)...))...)
		}
	}
	return path, nil
}

func pairs(m map[string]any) []any {
	var list []any
	for name, value := range m {
		list = append(list, name, value)
	}
	return list
}
