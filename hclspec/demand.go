package hclspec

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
