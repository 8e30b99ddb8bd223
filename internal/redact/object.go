package redact

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// lastApplied is the copy of an object that kubectl puts into its annotations,
// secrets and all.
var lastApplied = addrs.NewPath("metadata", "annotations", corev1.LastAppliedConfigAnnotation)

// Paths are the fields of an object that its kind has as secrets. What another
// manager put into a Secret is as secret as what kplan put there.
func Paths(kind *kinds.Kind, object map[string]any) addrs.PathSet {
	paths := addrs.PathSet{}
	if _, copied := lastApplied.ValueIn(object); copied {
		paths.Add(lastApplied)
	}
	if object != nil {
		collect(kind.Root, object, func() addrs.Path { return addrs.Path{} }, paths)
	}
	return paths
}

// collect spells a path only where it is sensitive: hardly any is, and this looks
// at every value of every object.
func collect(f *kinds.Field, value any, at func() addrs.Path, paths addrs.PathSet) {
	if f == nil || value == nil || f.Type == kinds.Any && !f.Sensitive { // nor is anything in it
		return
	}
	entries, isMap := value.(map[string]any)
	if f.Sensitive && !isMap {
		paths.Add(at())
		return
	}
	if f.Sensitive { // which keys a Secret has is no secret
		for name := range entries {
			paths.Add(at().Field(name))
		}
		return
	}
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			collect(f.Field(name), inner, func() addrs.Path { return at().Field(name) }, paths)
		}
	case []any:
		for i, inner := range v {
			collect(f.Elem, inner, func() addrs.Path { return at().Index(i) }, paths)
		}
	}
}

// Copies are the fields of an object that hold one of these secrets elsewhere than where
// they are known to be: the server fills in one field from another, and people copy.
func Copies(object map[string]any, secrets []string) addrs.PathSet {
	paths := addrs.PathSet{}
	if len(secrets) == 0 {
		return paths
	}
	for name, value := range object {
		if name != "apiVersion" && name != "kind" {
			addCopies(value, addrs.NewPath(name), secrets, paths)
		}
	}
	return paths
}

func addCopies(value any, at addrs.Path, secrets []string, paths addrs.PathSet) {
	switch v := value.(type) {
	case string:
		if len(v) >= shortest && slices.Contains(secrets, v) && at != namePath && at != namespacePath {
			paths.Add(at)
		}
	case map[string]any:
		for name, inner := range v {
			addCopies(inner, at.Field(name), secrets, paths)
		}
	case []any:
		for i, inner := range v {
			addCopies(inner, at.Index(i), secrets, paths)
		}
	}
}

// What names an object is shown in any case.
var namePath, namespacePath = addrs.NewPath("metadata", "name"), addrs.NewPath("metadata", "namespace")

// Object returns the object with another value in the place of each one at these
// paths. Of an object that the kind calls secret each value is replaced, because the
// names in it are no secret. The object given is not changed.
func Object(kind *kinds.Kind, object map[string]any, paths addrs.PathSet, replace func(value any) any) map[string]any {
	done := addrs.PathSet{}
	for _, path := range paths.Sorted() { // from the outside in: a secret as a whole before what is in it
		if done.Covers(path) {
			continue
		}
		if value, ok := path.ValueIn(object); ok {
			object = path.ReplaceIn(object, replaced(kind.At(path), value, replace)).(map[string]any)
			done.Add(path)
		}
	}
	return object
}

func replaced(f *kinds.Field, value any, replace func(value any) any) any {
	object, isObject := value.(map[string]any)
	if !isObject || f == nil || !f.Sensitive || f.Type != kinds.Map && f.Type != kinds.Object {
		return replace(value)
	}
	each := make(map[string]any, len(object))
	for name, inner := range object {
		each[name] = replaced(f.Field(name), inner, replace)
	}
	return each
}
