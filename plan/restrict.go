package plan

import "kplan.dev/kplan/kinds"

// restrict is what of a value stands at the places that the wish sets. Elements
// of keyed lists are matched by their keys.
func restrict(f *kinds.Field, value, desired any) any {
	if f == nil || f.Atomic {
		return value
	}
	switch want := desired.(type) {
	case map[string]any:
		have, ok := value.(map[string]any)
		if !ok {
			return value
		}
		kept := map[string]any{}
		for name, inner := range want {
			if v, there := have[name]; there {
				kept[name] = restrict(f.Field(name), v, inner)
			}
		}
		return kept
	case []any:
		have, ok := value.([]any)
		if !ok || len(f.ListKeys) == 0 {
			return value
		}
		return restrictList(f, have, want)
	}
	return value
}

func restrictList(f *kinds.Field, have, want []any) []any {
	kept := []any{}
	for _, wanted := range want {
		for _, element := range have {
			if f.ElementKey(element) == f.ElementKey(wanted) {
				kept = append(kept, restrict(f.Elem, element, wanted))
			}
		}
	}
	return kept
}
