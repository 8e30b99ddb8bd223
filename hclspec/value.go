package hclspec

import (
	"slices"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/kinds"
)

// demand is the parts of a value that expressions use, so that nothing else is converted: many
// refer to a Pod's name, hardly any to its spec.
type demand struct {
	all    bool
	fields map[string]*demand
	any    *demand // of elements that are not named in advance
}

// add records one use that follows these steps.
func (d *demand) add(steps []useStep) {
	for _, s := range steps {
		switch {
		case d.all:
			return
		case s.kind == attrStep, s.kind == nameKeyStep:
			if d.fields == nil {
				d.fields = map[string]*demand{}
			}
			if d.fields[s.name] == nil {
				d.fields[s.name] = &demand{}
			}
			d = d.fields[s.name]
		default:
			if d.any == nil {
				d.any = &demand{}
			}
			d = d.any
		}
	}
	d.all = true
}

// everything asks for the whole of a value.
var everything = &demand{all: true}

// field is what is asked of the field or entry of that name; nil for nothing.
func (d *demand) field(name string) *demand {
	switch {
	case d.all:
		return everything
	case d.fields[name] == nil:
		return d.any
	case d.any == nil:
		return d.fields[name]
	}
	return d.fields[name].union(d.any)
}

// element is what is asked of the elements of a list; nil for nothing.
func (d *demand) element() *demand {
	if d.all {
		return everything
	}
	return d.any
}

func (d *demand) union(other *demand) *demand {
	switch {
	case d == nil || other != nil && other.all:
		return other
	case other == nil || d.all:
		return d
	}
	u := &demand{any: d.any.union(other.any), fields: map[string]*demand{}}
	for name, f := range d.fields {
		u.fields[name] = f.union(other.fields[name])
	}
	for name, f := range other.fields {
		if d.fields[name] == nil {
			u.fields[name] = f
		}
	}
	return u
}

// view reads the JSON form of an object as expressions see it.
type view struct {
	unknown   addrs.PathSet
	sensitive addrs.PathSet
	// later are the marks of what is unknown because it has not appeared yet.
	later map[addrs.Path][]any
	// open means that the object may hold more than is known of it: absent fields are unknown, not
	// null.
	open bool
}

// value is what is asked of the JSON value x, which field describes. x is nil
// where there is no value.
func (v *view) value(x any, field *kinds.Field, d *demand, at addrs.Path) cty.Value {
	value := v.withLater(v.plain(x, field, d, at), at)
	if field.Sensitive || v.sensitive.Has(at) {
		return value.Mark(funcs.Sensitive)
	}
	return value
}

func (v *view) plain(x any, field *kinds.Field, d *demand, at addrs.Path) cty.Value {
	if x == nil || v.unknown.Covers(at) {
		if v.open || v.unknown.Covers(at) {
			return cty.UnknownVal(typeOf(field))
		}
		return cty.NullVal(typeOf(field))
	}
	switch field.Type {
	case kinds.Object:
		if fields, ok := x.(map[string]any); ok {
			return v.object(fields, field, d, at)
		}
	case kinds.Map:
		if entries, ok := x.(map[string]any); ok {
			return v.entries(entries, field, d, at)
		}
	case kinds.List:
		if elements, ok := x.([]any); ok {
			return v.elements(elements, field, d, at)
		}
	case kinds.Any, kinds.IntOrString:
	default:
		return scalarOf(x, typeOf(field))
	}
	return v.free(x, d, at)
}

// await makes the values unknown that an instance is still to get, and marks them. Where one
// will not appear, it is what is made of it that is skipped.
func (v *view) await(i *instance, seen Observed) {
	v.later = map[addrs.Path][]any{}
	add := func(n int, mark any) {
		for _, path := range i.Later[n].Paths {
			path = missingPart(path, seen.Object)
			v.unknown.Add(path)
			v.later[path] = append(v.later[path], mark)
		}
	}
	for _, n := range seen.Pending {
		add(n, manifest.LaterMark{Instance: i.Addr, N: n})
	}
	for _, n := range seen.failed {
		add(n, manifest.SkippedMark{By: i.Addr})
	}
}

// withLater marks the value at a path where it has not appeared yet.
func (v *view) withLater(value cty.Value, at addrs.Path) cty.Value {
	for _, mark := range v.later[at] {
		value = value.Mark(mark)
	}
	return value
}

// laterIn are the entries of a map that have not appeared yet.
func (v *view) laterIn(at addrs.Path) []string {
	var names []string
	for path := range v.later {
		if steps := path.Steps(); path.Parent() == at && !steps[len(steps)-1].IsIndex() {
			names = append(names, steps[len(steps)-1].Field)
		}
	}
	return names
}

// scalarOf is a JSON scalar as a value of that type. What the server sends
// against its own schema counts as unknown.
func scalarOf(x any, ty cty.Type) cty.Value {
	value, err := convert.Convert(funcs.JSONScalar(x), ty)
	if err != nil || value.IsNull() {
		return cty.UnknownVal(ty)
	}
	return value
}

// typeOf is the type of a field's values, as far as it has one of its own.
func typeOf(field *kinds.Field) cty.Type {
	switch field.Type {
	case kinds.String, kinds.Quantity, kinds.Time, kinds.Duration, kinds.Bytes:
		return cty.String
	case kinds.Integer, kinds.Number:
		return cty.Number
	case kinds.Boolean:
		return cty.Bool
	case kinds.Map:
		if elem := typeOf(field.Elem); elem.IsPrimitiveType() {
			return cty.Map(elem)
		}
	case kinds.List:
		if elem := typeOf(field.Elem); elem.IsPrimitiveType() {
			return cty.List(elem)
		}
	}
	return cty.DynamicPseudoType
}

func (v *view) object(x map[string]any, field *kinds.Field, d *demand, at addrs.Path) cty.Value {
	attrs := map[string]cty.Value{}
	add := func(name string, f *kinds.Field) {
		if demanded := d.field(name); demanded != nil {
			attrs[name] = v.value(x[name], f, demanded, at.Field(name))
		}
	}
	if d.all || d.any != nil {
		for _, f := range field.Fields() {
			add(f.Name, f)
		}
		for name := range x {
			if f := field.Field(name); f != nil {
				add(name, f)
			}
		}
	}
	for name := range d.fields {
		f := field.Field(name)
		if f == nil {
			attrs[name] = cty.DynamicVal // reported where it is referred to
			continue
		}
		add(name, f)
	}
	return cty.ObjectVal(attrs)
}

func (v *view) entries(x map[string]any, field *kinds.Field, d *demand, at addrs.Path) cty.Value {
	entries := map[string]cty.Value{}
	for name, entry := range x {
		if demanded := d.field(name); demanded != nil {
			entries[name] = v.value(entry, field.Field(name), demanded, at.Field(name))
		}
	}
	for name, demanded := range d.fields {
		if _, known := x[name]; !known && (v.open || v.unknown.Covers(at.Field(name))) {
			entries[name] = v.value(nil, field.Field(name), demanded, at.Field(name))
		}
	}
	for _, name := range v.laterIn(at) {
		if demanded := d.field(name); demanded != nil {
			entries[name] = v.value(nil, field.Field(name), demanded, at.Field(name))
		}
	}
	elem := typeOf(field.Elem)
	switch {
	case !elem.IsPrimitiveType():
		return cty.ObjectVal(entries)
	case len(entries) == 0:
		return cty.MapValEmpty(elem)
	}
	return cty.MapVal(entries)
}

func (v *view) elements(x []any, field *kinds.Field, d *demand, at addrs.Path) cty.Value {
	demanded := d.element()
	if demanded == nil {
		demanded = &demand{}
	}
	elements := make([]cty.Value, len(x))
	for i, element := range x {
		elements[i] = v.value(element, field.Elem, demanded, at.Index(i))
	}
	elem := typeOf(field.Elem)
	switch {
	case !elem.IsPrimitiveType():
		return cty.TupleVal(elements)
	case len(elements) == 0:
		return cty.ListValEmpty(elem)
	}
	return cty.ListVal(elements)
}

// free is a value of free form. What is not known inside of it makes all of it
// unknown only where it must.
func (v *view) free(x any, d *demand, at addrs.Path) cty.Value {
	if v.unknown.Covers(at) {
		return v.withLater(cty.DynamicVal, at)
	}
	var value cty.Value
	switch x := x.(type) {
	case map[string]any:
		attrs := make(map[string]cty.Value, len(x))
		for name, entry := range x {
			attrs[name] = v.free(entry, d, at.Field(name))
		}
		for name := range d.fields {
			if _, known := x[name]; !known && (v.open || v.unknown.Covers(at.Field(name))) {
				attrs[name] = v.withLater(cty.DynamicVal, at.Field(name))
			}
		}
		for _, name := range v.laterIn(at) {
			attrs[name] = v.withLater(cty.DynamicVal, at.Field(name))
		}
		value = cty.ObjectVal(attrs)
	case []any:
		elements := make([]cty.Value, len(x))
		for i, element := range x {
			elements[i] = v.free(element, &demand{}, at.Index(i))
		}
		value = cty.TupleVal(elements)
	default:
		value = funcs.JSONScalar(x)
	}
	if v.sensitive.Has(at) {
		return value.Mark(funcs.Sensitive)
	}
	return value
}

// byPosition rewrites field paths that pick elements of lists by their keys to positions. A path
// that the object does not have is unchanged.
func byPosition(paths addrs.PathSet, object map[string]any) addrs.PathSet {
	resolved := make(addrs.PathSet, len(paths))
	for p := range paths {
		resolved.Add(pathByPosition(p, object))
	}
	return resolved
}

func pathByPosition(p addrs.Path, object map[string]any) addrs.Path {
	if !slices.ContainsFunc(p.Steps(), addrs.Step.IsKeys) {
		return p
	}
	var (
		resolved addrs.Path
		x        any = object
	)
	for _, step := range p.Steps() {
		switch {
		case step.IsKeys():
			elements, _ := x.([]any)
			i := step.PositionIn(elements)
			if i < 0 {
				return p
			}
			x, resolved = elements[i], resolved.Index(i)
		case step.IsIndex():
			resolved = resolved.Index(step.Index)
			if elements, _ := x.([]any); step.Index < len(elements) {
				x = elements[step.Index]
			} else {
				x = nil
			}
		default:
			resolved = resolved.Field(step.Field)
			fields, _ := x.(map[string]any)
			x = fields[step.Field]
		}
	}
	return resolved
}

// value is what references to an instance see.
func (i *instance) value(seen *Observed, d *demand) cty.Value {
	if i.Kind == nil {
		return cty.DynamicVal.Mark(manifest.OriginMark{Instance: i.Addr})
	}
	v := &view{unknown: i.Unknown, sensitive: i.Sensitive, open: true}
	object := i.Fields
	if seen != nil && seen.Object != nil {
		object = seen.Object
		now := seen.withLater(i.Desired)
		v.open, v.unknown = false, byPosition(now.Unknown, object)
		v.await(i, now)
	}
	return v.value(object, i.Kind.Root, d, addrs.Path{}).Mark(manifest.OriginMark{Instance: i.Addr})
}
