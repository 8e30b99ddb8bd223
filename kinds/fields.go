package kinds

import (
	"sync"

	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"kplan.dev/kplan/addrs"
)

// children are the fields of an Object. They are made when first asked for,
// because types such as JSONSchemaProps hold themselves.
type children struct {
	typ    string // the Go type of a built-in kind that has them: core/v1.PodSpec
	once   sync.Once
	load   func() []*Field
	list   []*Field
	byName map[string]*Field

	schemaOnce sync.Once
	schema     typed.ParseableType // of a kind's root
}

func (c *children) resolve() *children {
	c.once.Do(func() {
		c.list = c.load()
		c.byName = make(map[string]*Field, len(c.list))
		for _, f := range c.list {
			c.byName[f.Name] = f
		}
		c.load = nil
	})
	return c
}

// Fields are the fields that an Object declares, in the API's order. They are
// shared: change neither the slice nor its elements.
func (f *Field) Fields() []*Field {
	if f.children == nil {
		return nil
	}
	return f.children.resolve().list
}

// GoType is the Go type of an Object of a built-in kind: core/v1.PodSpec. It is ""
// for any other field.
func (f *Field) GoType() string {
	if f.children == nil {
		return ""
	}
	return f.children.typ
}

// Field is the field of that name: of an Object one that it declares or, where
// it takes others too, its Elem; of a Map the value under that key; of an Any
// again Any. It is nil where there can be none.
func (f *Field) Field(name string) *Field {
	switch f.Type {
	case Object:
		if child := f.children.resolve().byName[name]; child != nil {
			return child
		}
		return f.Elem
	case Map:
		if known := f.KnownKeys[name]; known != nil {
			return known
		}
		return f.Elem
	case Any:
		return anyBelow(f)
	}
	return nil
}

// anyBelow describes everything inside a free-form field.
func anyBelow(f *Field) *Field {
	return &Field{Type: Any, Sensitive: f.Sensitive, Immutable: f.Immutable, Allocated: f.Allocated, KeepsEmpty: true}
}

// At describes the field at that path in an object of the kind, nil when the
// kind has no such field. An index or the keys of an element lead to the
// element's description.
func (k *Kind) At(path addrs.Path) *Field {
	f := k.Root
	for _, step := range path.Steps() {
		switch {
		case step.IsField():
			f = f.Field(step.Field)
		case f.Type == List:
			f = f.Elem
		case f.Type == Any:
			f = anyBelow(f)
		default:
			return nil
		}
		if f == nil {
			return nil
		}
	}
	return f
}
