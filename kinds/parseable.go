package kinds

import (
	"strconv"

	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
)

// Parseable is the kind's schema as structured merge takes it, the same as the
// API server derives from its own types. It is made when first asked for.
func (k *Kind) Parseable() typed.ParseableType {
	c := k.Root.children
	c.schemaOnce.Do(func() { c.schema = schemaOf(k.Root) })
	return c.schema
}

// The two types of free-form fields: what each value is decides whether it has
// fields of its own, or it is owned as a whole.
var (
	untypedAtomic  = "__untyped_atomic_"
	untypedDeduced = "__untyped_deduced_"
)

// schemaWalk collects the named types of a schema. Every Object gets a name, so
// that a type can hold itself.
type schemaWalk struct {
	types []schema.TypeDef
	names map[objectType]string
}

type objectType struct {
	children *children
	atomic   bool
	open     bool
	lenient  bool
}

func schemaOf(root *Field) typed.ParseableType {
	w := &schemaWalk{names: map[objectType]string{}}
	ref := w.ref(root)
	w.types = append(w.types,
		schema.TypeDef{Name: untypedAtomic, Atom: freeForm(untypedAtomic, schema.Atomic)},
		schema.TypeDef{Name: untypedDeduced, Atom: freeForm(untypedDeduced, schema.Separable)})
	return typed.ParseableType{Schema: &schema.Schema{Types: w.types}, TypeRef: ref}
}

func freeForm(below string, relation schema.ElementRelationship) schema.Atom {
	return schema.Atom{
		Scalar: scalar(schema.Untyped),
		List:   &schema.List{ElementType: schema.TypeRef{NamedType: &untypedAtomic}, ElementRelationship: schema.Atomic},
		Map:    &schema.Map{ElementType: schema.TypeRef{NamedType: &below}, ElementRelationship: relation},
	}
}

func scalar(s schema.Scalar) *schema.Scalar { return &s }

func (w *schemaWalk) ref(f *Field) schema.TypeRef {
	switch f.Type {
	case Object:
		return w.object(f)
	case Map:
		return inline(schema.Atom{Map: &schema.Map{ElementType: w.ref(f.Elem), ElementRelationship: relation(f)}})
	case List:
		return inline(schema.Atom{List: w.list(f)})
	case Any:
		if f.Atomic {
			return schema.TypeRef{NamedType: &untypedAtomic}
		}
		return schema.TypeRef{NamedType: &untypedDeduced}
	case IntOrString:
		if f.verbatim { // a schema that only says so, without a type
			return schema.TypeRef{NamedType: &untypedDeduced}
		}
	case Time:
		if f.verbatim {
			return inline(schema.Atom{Scalar: scalar(schema.String)})
		}
	case String, Duration, Bytes:
		return inline(schema.Atom{Scalar: scalar(schema.String)})
	case Integer, Number:
		return inline(schema.Atom{Scalar: scalar(schema.Numeric)})
	case Boolean:
		return inline(schema.Atom{Scalar: scalar(schema.Boolean)})
	}
	return inline(schema.Atom{Scalar: scalar(schema.Untyped)})
}

func inline(a schema.Atom) schema.TypeRef { return schema.TypeRef{Inlined: a} }

func relation(f *Field) schema.ElementRelationship {
	if f.Atomic {
		return schema.Atomic
	}
	return ""
}

func (w *schemaWalk) list(f *Field) *schema.List {
	l := &schema.List{ElementType: w.ref(f.Elem), ElementRelationship: schema.Atomic, Keys: f.ListKeys}
	if f.Set || len(f.ListKeys) > 0 {
		l.ElementRelationship = schema.Associative
	}
	return l
}

func (w *schemaWalk) object(f *Field) schema.TypeRef {
	key := objectType{f.children, f.Atomic, f.Elem != nil, f.lenient}
	if name, ok := w.names[key]; ok {
		return schema.TypeRef{NamedType: &name}
	}
	at := len(w.types)
	name := "object" + strconv.Itoa(at)
	w.names[key] = name
	m := &schema.Map{ElementRelationship: relation(f)}
	w.types = append(w.types, schema.TypeDef{Name: name, Atom: schema.Atom{Map: m}})
	for _, child := range f.Fields() {
		m.Fields = append(m.Fields, schema.StructField{Name: child.Name, Type: w.ref(child), Default: child.keyDefault})
	}
	switch {
	case f.Elem != nil:
		m.ElementType = w.ref(f.Elem)
	case f.isLenient():
		m.ElementType = schema.TypeRef{NamedType: &untypedDeduced}
	}
	return schema.TypeRef{NamedType: &name}
}
