package kinds

// Pruned is the object without the fields that the kind's schema does not have,
// as the server shows it once the schema lost them. What lies in an object of
// which the schema tells no fields at all is kept. The object given is not changed.
func (k *Kind) Pruned(obj map[string]any) map[string]any {
	pruned := k.Root.prunedFields(obj)
	if metadata, ok := obj["metadata"]; ok {
		pruned["metadata"] = metadata // the same for all kinds
	}
	return pruned
}

func (f *Field) pruned(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return f.prunedFields(v)
	case []any:
		if f.Type != List {
			return v
		}
		list := make([]any, len(v))
		for i, elem := range v {
			list[i] = f.Elem.pruned(elem)
		}
		return list
	}
	return v
}

func (f *Field) prunedFields(m map[string]any) map[string]any {
	if f.Type != Object && f.Type != Map {
		return m
	}
	kept := make(map[string]any, len(m))
	for name, v := range m {
		if child := f.Field(name); child != nil {
			kept[name] = child.pruned(v)
		}
	}
	return kept
}
