package server

import (
	"kplan.dev/kplan/kinds"
)

// Pruned is the object without the fields that the kind's schema does not have, as
// the server shows it once the schema lost them. What is in an object of which the
// schema declares no fields at all is kept. The object given is not changed.
func Pruned(k *kinds.Kind, obj map[string]any) map[string]any {
	kept := prunedFields(k.Root, obj)
	if metadata, ok := obj["metadata"]; ok {
		kept["metadata"] = metadata // the same for all kinds
	}
	return kept
}

func pruned(f *kinds.Field, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return prunedFields(f, v)
	case []any:
		if f.Type != kinds.List {
			return v
		}
		list := make([]any, len(v))
		for i, elem := range v {
			list[i] = pruned(f.Elem, elem)
		}
		return list
	}
	return v
}

func prunedFields(f *kinds.Field, m map[string]any) map[string]any {
	if f.Type != kinds.Object && f.Type != kinds.Map {
		return m
	}
	kept := make(map[string]any, len(m))
	for name, v := range m {
		if child := f.Field(name); child != nil {
			kept[name] = pruned(child, v)
		}
	}
	return kept
}
