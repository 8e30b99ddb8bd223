package kinds

import (
	"fmt"
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
)

// FieldSet is the set of fields that the API server records in managedFields
// for a manager that applies obj: scalars, atomic lists and objects as one, the
// keyed elements of lists with what they hold, the elements of sets. Left out is
// what the server leaves out: the names and numbers that identify an object
// (apimachinery's stripmeta.go), and status and the like, which only a
// subresource writes (GetResetFields of the API server's registry).
//
// An error means that obj is not of the kind's shape and that the server would
// refuse it. It names the first such field path.
func (k *Kind) FieldSet(obj map[string]any) (*fieldpath.Set, error) {
	set := &fieldpath.Set{}
	for name, v := range obj {
		field, err := declared(k.Root, name)
		if err != nil {
			return nil, err
		}
		switch {
		case name == "apiVersion", name == "kind", slices.Contains(k.resets, name):
		case name == "metadata": // only what it holds is ever owned
			err = insertValue(set, fieldpath.PathElement{FieldName: &field.Name}, field, withoutIdentity(v))
		default:
			err = insert(set, k.Root, field, name, v)
		}
		if err != nil {
			return nil, err
		}
	}
	return set, nil
}

// withoutIdentity is metadata without the fields that no manager ever owns.
func withoutIdentity(metadata any) any {
	m, ok := metadata.(map[string]any)
	if !ok {
		return metadata
	}
	owned := make(map[string]any, len(m))
	for name, v := range m {
		switch name {
		case "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion":
		default:
			owned[name] = v
		}
	}
	return owned
}

// declared is the description of an object's or map's field.
func declared(f *Field, name string) (*Field, error) {
	if child := f.Field(name); child != nil {
		return child, nil
	}
	if f.Type == Object && f.isLenient() {
		return anyBelow(f), nil
	}
	return nil, pathErrorf(addrs.NewPath(name), "there is no such field")
}

// isLenient reports whether structured merge accepts undeclared fields in the
// object. To it, an object that declares none at all may hold anything.
func (f *Field) isLenient() bool { return f.lenient || len(f.Fields()) == 0 }

// insert adds the field of that name, and what it owns below, to the set of
// the object or map that is described by parent.
func insert(set *fieldpath.Set, parent, field *Field, name string, v any) error {
	pe := fieldpath.PathElement{FieldName: &field.Name}
	known := field.Name == name
	if !known {
		pe.FieldName = &name
	}
	// A key of a map is owned whatever it holds; a declared field only when it
	// holds nothing that could be owned in its stead. An empty keyed list or set
	// owns nothing at all.
	m, isMap := v.(map[string]any)
	if !known || parent.Type != Object || v == nil || isMap && len(m) == 0 {
		set.Members.Insert(pe)
	}
	return insertValue(set, pe, field, v)
}

// insertValue adds what a value at pe owns: pe itself when the value is owned
// as a whole, else the paths below.
func insertValue(set *fieldpath.Set, pe fieldpath.PathElement, f *Field, v any) error {
	switch v := v.(type) {
	case nil:
		if f.isLeaf() {
			set.Members.Insert(pe)
		}
		return nil
	case map[string]any:
		switch {
		case f.Type != Object && f.Type != Map && f.Type != Any:
			return wrongType(pe, f, "an object")
		case f.Atomic:
			set.Members.Insert(pe)
			return nil
		}
		return below(set, pe, func(inner *fieldpath.Set) error { return insertFields(inner, f, v) })
	case []any:
		switch {
		case f.Type != List && f.Type != Any:
			return wrongType(pe, f, "a list")
		case f.isLeaf() || f.Type == Any:
			set.Members.Insert(pe)
			return nil
		}
		return below(set, pe, func(inner *fieldpath.Set) error { return insertElements(inner, f, v) })
	}
	if f.Type == Object || f.Type == Map || f.Type == List {
		return wrongType(pe, f, "a scalar")
	}
	set.Members.Insert(pe)
	return nil
}

// isLeaf reports whether the field is owned as one, whatever it holds.
func (f *Field) isLeaf() bool {
	switch f.Type {
	case Object, Map:
		return f.Atomic
	case List:
		return !f.Set && len(f.ListKeys) == 0
	}
	return true
}

// below fills the set of the paths below pe, if there are any.
func below(set *fieldpath.Set, pe fieldpath.PathElement, fill func(*fieldpath.Set) error) error {
	inner := fieldpath.Set{}
	if err := fill(&inner); err != nil {
		return prefixed(err, pe)
	}
	if inner.Members.Size() > 0 || inner.Children.Size() > 0 {
		*set.Children.Descend(pe) = inner
	}
	return nil
}

func insertFields(set *fieldpath.Set, f *Field, m map[string]any) error {
	for name, v := range m {
		child, err := declared(f, name)
		if err != nil {
			return err
		}
		if err := insert(set, f, child, name, v); err != nil {
			return err
		}
	}
	return nil
}

func insertElements(set *fieldpath.Set, f *Field, list []any) error {
	set.Members = fieldpath.MakePathElementSet(len(list))
	for i, v := range list {
		pe, err := element(f, i, v)
		if err != nil {
			return err
		}
		if set.Members.Has(pe) {
			return pathErrorf(addrs.Path{}.Index(i), "an element with the same key stands before it")
		}
		set.Members.Insert(pe)
		if f.Set {
			continue
		}
		if err := insertValue(set, pe, f.Elem, v); err != nil {
			return err
		}
	}
	return nil
}

// element is how structured merge names an element of a keyed list or a set.
func element(f *Field, i int, v any) (fieldpath.PathElement, error) {
	if f.Set {
		switch v.(type) {
		case nil, map[string]any, []any:
			return fieldpath.PathElement{}, pathErrorf(addrs.Path{}.Index(i), "the element of a set must be a scalar")
		}
		return fieldpath.ValueElement(value.NewValueInterface(v)), nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return fieldpath.PathElement{}, pathErrorf(addrs.Path{}.Index(i), "the element must be an object with %s", words.And(f.ListKeys))
	}
	keys := make(value.FieldList, 0, len(f.ListKeys))
	for _, name := range f.ListKeys {
		if v, ok := keyValue(f, m, name); ok {
			keys = append(keys, value.Field{Name: name, Value: value.NewValueInterface(v)})
		}
	}
	if len(keys) == 0 {
		return fieldpath.PathElement{}, pathErrorf(addrs.Path{}.Index(i), "the element lacks %s", words.And(f.ListKeys))
	}
	keys.Sort()
	return fieldpath.PathElement{Key: &keys}, nil
}

// keyValue is the value of a list's key in one of its elements, or what stands
// for it there: the protocol of a port is TCP where none is given.
func keyValue(list *Field, elem map[string]any, key string) (any, bool) {
	if v, ok := elem[key]; ok {
		return v, true
	}
	if f := list.Elem.Field(key); f != nil && f.keyDefault != nil {
		return f.keyDefault, true
	}
	return nil, false
}

// pathError is an error at a field path, to which the callers prepend the steps above.
type pathError struct {
	path    addrs.Path
	message string
}

func (e *pathError) Error() string { return e.path.String() + ": " + e.message }

func pathErrorf(at addrs.Path, format string, args ...any) error {
	return &pathError{at, fmt.Sprintf(format, args...)}
}

func wrongType(pe fieldpath.PathElement, f *Field, got string) error {
	return pathErrorf(addrs.Path{}.Append(step(pe)), "it is %s and must be %s", got, f.Type.noun())
}

func prefixed(err error, pe fieldpath.PathElement) error {
	e := err.(*pathError)
	at := addrs.Path{}.Append(step(pe))
	for _, s := range e.path.Steps() {
		at = at.Append(s)
	}
	return &pathError{at, e.message}
}

// step is the step of a path that leads to a path element.
func step(pe fieldpath.PathElement) addrs.Step {
	var p addrs.Path
	switch {
	case pe.FieldName != nil:
		p = p.Field(*pe.FieldName)
	case pe.Key != nil:
		keys := map[string]any{}
		for _, k := range *pe.Key {
			keys[k.Name] = k.Value.Unstructured()
		}
		p = p.Select(keys)
	default:
		p = p.Field(pe.String())
	}
	return p.Steps()[0]
}
