package kinds

import (
	"maps"
	"slices"
)

// Excerpt is the part of the kind's schema for the fields that these objects have,
// in OpenAPI v3 with Kubernetes' extensions: as much of it as is needed to show
// the objects, whose status is not shown. It is nil for a kind of unknown shape.
func (k *Kind) Excerpt(objects ...map[string]any) map[string]any {
	values := make([]any, len(objects))
	for i, object := range objects {
		own := maps.Clone(object)
		for _, name := range append(slices.Clone(standard), "status") {
			delete(own, name)
		}
		values[i] = own
	}
	if !slices.ContainsFunc(k.Root.Fields(), func(f *Field) bool { return occurs(f.Name, values) }) {
		return nil
	}
	excerpt := k.Root.excerpt(values, nil)
	delete(excerpt, "x-kubernetes-embedded-resource") // as every kind's root is one
	return excerpt
}

// standard are the fields that every object has, and one that is embedded in
// another.
var standard = []string{"apiVersion", "kind", "metadata"}

// FromExcerpt describes a kind by its Excerpt; nil gives one of
// unknown shape.
func FromExcerpt(group, version, name, plural string, namespaced bool, excerpt map[string]any) *Kind {
	k := &Kind{Group: group, Version: version, Name: name, Plural: plural, Namespaced: namespaced}
	k.describe(&schemaReader{seen: map[component]*children{}}, excerpt)
	return k
}

// excerpt is the schema of a field that has these values. The keys identify an
// element of a list.
func (f *Field) excerpt(values []any, keys []string) map[string]any {
	s := map[string]any{}
	switch f.Type {
	case Object:
		f.excerptObject(s, values, keys)
	case Map:
		s["type"] = "object"
		s["additionalProperties"] = f.Elem.excerpt(valuesUnder(values, ""), nil)
	case List:
		f.excerptList(s, values)
	default:
		f.excerptScalar(s)
	}
	if f.Atomic && (f.Type == Object || f.Type == Map) {
		s["x-kubernetes-map-type"] = "atomic"
	}
	if valueIsScalar(f.Default) && !f.Sensitive { // a larger one may hold a secret further in
		s["default"] = f.Default
	}
	if f.Sensitive {
		s["format"] = "password"
	}
	if f.ImmutableByCEL {
		s["x-kubernetes-validations"] = []any{map[string]any{"rule": "self == oldSelf"}}
	}
	return s
}

func (f *Field) excerptObject(s map[string]any, values []any, keys []string) {
	properties := map[string]any{}
	metadata := f.Field("metadata")
	embedded := metadata != nil && metadata.GoType() == "meta/v1.ObjectMeta"
	if embedded {
		s["x-kubernetes-embedded-resource"] = true
	}
	for _, field := range f.Fields() {
		if embedded && slices.Contains(standard, field.Name) {
			continue
		}
		if occurs(field.Name, values) || slices.Contains(keys, field.Name) {
			properties[field.Name] = field.excerpt(valuesUnder(values, field.Name), nil)
		}
	}
	if len(properties) == 0 && len(f.Fields()) > 0 && !embedded { // an object without any declared field would be read as a map
		properties[f.Fields()[0].Name] = map[string]any{}
	}
	s["type"], s["properties"] = "object", properties
	if f.Elem != nil {
		s["x-kubernetes-preserve-unknown-fields"] = true
	}
}

func (f *Field) excerptList(s map[string]any, values []any) {
	s["type"] = "array"
	s["items"] = f.Elem.excerpt(elements(values), f.ListKeys)
	switch {
	case len(f.ListKeys) > 0:
		keys := make([]any, len(f.ListKeys))
		for i, key := range f.ListKeys {
			keys[i] = key
		}
		s["x-kubernetes-list-type"], s["x-kubernetes-list-map-keys"] = "map", keys
	case f.Set:
		s["x-kubernetes-list-type"] = "set"
	default:
		s["x-kubernetes-list-type"] = "atomic"
	}
}

// scalarSchemas are how a schema spells the types of which it does not name a
// component.
var scalarSchemas = map[Type]map[string]any{
	Any:      {},
	String:   {"type": "string"},
	Integer:  {"type": "integer"},
	Number:   {"type": "number"},
	Boolean:  {"type": "boolean"},
	Bytes:    {"type": "string", "format": "byte"},
	Time:     {"type": "string", "format": "date-time"},
	Duration: {"type": "string", "format": "duration"},
}

func (f *Field) excerptScalar(s map[string]any) {
	for ref, t := range goTypes {
		if t.Type == f.Type && t.Type != Any && t.verbatim == f.verbatim && t.micro == f.micro {
			s["$ref"] = "#/components/schemas/" + ref
			return
		}
	}
	maps.Copy(s, scalarSchemas[f.Type])
}

// occurs reports whether one of the objects has a field of that name.
func occurs(name string, objects []any) bool {
	return slices.ContainsFunc(objects, func(value any) bool {
		_, has := asFields(value)[name]
		return has
	})
}

// valuesUnder are the values of that field, of all fields if name is "".
func valuesUnder(objects []any, name string) []any {
	var all []any
	for _, value := range objects {
		for field, inner := range asFields(value) {
			if name == "" || field == name {
				all = append(all, inner)
			}
		}
	}
	return all
}

func elements(lists []any) []any {
	var all []any
	for _, value := range lists {
		inner, _ := value.([]any)
		all = append(all, inner...)
	}
	return all
}

func asFields(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

func valueIsScalar(value any) bool {
	switch value.(type) {
	case nil, map[string]any, []any:
		return false
	}
	return true
}
