package ownership

import (
	"encoding/json"
	"errors"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"kplan.dev/kplan/addrs"
)

// readSet is what fieldsV1 holds, nil for nothing, and whether it includes the
// very field that it is about.
func readSet(fieldsV1 map[string]any) (set *fieldpath.Set, itself bool, err error) {
	for name, inner := range fieldsV1 {
		if name == "." {
			itself = true
			continue
		}
		element, err := fieldpath.DeserializePathElement(name)
		if errors.Is(err, fieldpath.ErrUnknownPathElementType) {
			continue // of a newer server, and left out as fieldpath leaves it out
		}
		if err != nil {
			return nil, false, err
		}
		inner, _ := inner.(map[string]any)
		below, whole, err := readSet(inner)
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

// Owns reports whether a set has the field at a path or any below it.
func Owns(set *fieldpath.Set, path addrs.Path) bool {
	elements := FieldPath(path)
	if set.Has(elements) {
		return true
	}
	for _, element := range elements {
		set = set.WithPrefix(element)
	}
	return !set.Empty()
}

// NewSet is the set of the fields at these paths.
func NewSet(paths ...addrs.Path) *fieldpath.Set {
	set := &fieldpath.Set{}
	for _, path := range paths {
		set.Insert(FieldPath(path))
	}
	return set
}

// FieldPath spells a path as managedFields do.
func FieldPath(path addrs.Path) fieldpath.Path {
	steps := path.Steps()
	elements := make(fieldpath.Path, len(steps))
	for i, step := range steps {
		switch {
		case step.IsField():
			elements[i].FieldName = &step.Field
		case step.IsIndex():
			elements[i].Index = &step.Index
		default:
			elements[i] = fieldpath.PathElement{Key: keysOf(step)}
		}
	}
	return elements
}

func keysOf(step addrs.Step) *value.FieldList {
	keys := make(value.FieldList, 0, len(step.Keys))
	for name, text := range step.Keys {
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			panic("ownership: a path with a key that is no JSON: " + err.Error())
		}
		if n, ok := v.(float64); ok && n == float64(int64(n)) {
			v = int64(n)
		}
		keys = append(keys, value.Field{Name: name, Value: value.NewValueInterface(v)})
	}
	keys.Sort()
	return &keys
}

// Path reads a path of managedFields. That of an element of a set is the path of
// the set: other paths can't name it.
func Path(elements fieldpath.Path) addrs.Path {
	var path addrs.Path
	for _, element := range elements {
		switch {
		case element.FieldName != nil:
			path = path.Field(*element.FieldName)
		case element.Key != nil:
			keys := map[string]any{}
			for _, key := range *element.Key {
				keys[key.Name] = key.Value.Unstructured()
			}
			path = path.Select(keys)
		case element.Index != nil:
			path = path.Index(*element.Index)
		default:
			return path
		}
	}
	return path
}
