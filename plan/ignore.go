package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// withIgnored takes the fields of lifecycle.ignore_changes out of the desired fields for
// an object that is there. Leaving a field out of an apply gives it up, and a
// field that nobody owns any more falls back to its default: so what kplan alone
// owns is sent with its live value instead, and nothing jumps. The marks that
// kplan puts on its objects are not ignored.
func withIgnored(kind *kinds.Kind, d *hclspec.Desired, desired map[string]any, live *unstructured.Unstructured) map[string]any {
	if len(d.Lifecycle.IgnoreChanges) == 0 {
		return desired
	}
	given, managers := desired, ownership.Of(live.Object)
	ours := managers.KplanFields()
	onlyOurs := extract(kind, live, ours.Difference(managers.OtherFields()))
	for _, path := range d.Lifecycle.IgnoreChanges {
		field := keyed(kind, given, path)
		wanted, _ := valueIn(kind, desired, field)
		value, _ := ValueAt(live.Object, field)
		if ownership.Owns(ours, field) && containsDesired(kind.At(field), value, wanted) {
			continue // nothing has changed that could be ignored
		}
		value, _ = ValueAt(onlyOurs, field)
		desired = ignoring(kind, desired, field, value)
	}
	stack, _ := ValueAt(given, addrs.NewPath("metadata", "labels", addrs.StackLabel))
	return marked(desired, d.Addr, stack.(string))
}

// unresolved are the fields of a desired object that are known after apply, without
// those that are ignored: what is to be known there changes nothing.
func unresolved(d *hclspec.Desired, ignored []addrs.Path) addrs.PathSet {
	pending := d.Unknown.Clone()
	for _, path := range ignored {
		at, ok := positioned(d.Kind, d.Fields, keyed(d.Kind, d.Fields, path))
		if !ok {
			at = path
		}
		for unknown := range d.Unknown {
			if at.Contains(unknown) {
				delete(pending, unknown)
			}
		}
	}
	return pending
}

// ignoring is the desired fields with another value at a field to be ignored, nil where
// nothing is to be sent.
func ignoring(kind *kinds.Kind, desired map[string]any, field addrs.Path, value any) map[string]any {
	if position, ok := positioned(kind, desired, field); ok {
		field = position
	}
	desired = field.ReplaceIn(desired, value).(map[string]any)
	if value == nil {
		desired = withoutEmptied(desired, field)
	}
	return desired
}

// withoutEmptied takes out the objects around a field that has just been taken
// out, as far as they hold nothing else: others own what is in them.
func withoutEmptied(desired map[string]any, field addrs.Path) map[string]any {
	steps := field.Steps()
	for n := len(steps) - 1; n > 0; n-- {
		var around addrs.Path
		for _, step := range steps[:n] {
			around = around.Append(step)
		}
		value, _ := ValueAt(desired, around)
		if m, ok := value.(map[string]any); !ok || len(m) > 0 || !steps[n-1].IsField() {
			break
		}
		desired = around.ReplaceIn(desired, nil).(map[string]any)
	}
	return desired
}

// extract is what an object has of these fields.
func extract(kind *kinds.Kind, live *unstructured.Unstructured, fields *fieldpath.Set) any {
	object, err := kind.Parseable().FromUnstructured(visible(live.Object), typed.AllowDuplicates)
	if err != nil {
		return nil // it is from a version of the kind that is no more
	}
	return object.ExtractItems(fields.Leaves(), typed.WithAppendKeyFields()).AsValue().Unstructured()
}
