package diff

import (
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
)

// View is one side of a change as a machine may read it.
type View struct {
	// Value is the object without what only the server or kplan keeps in it, and
	// with redact.Mask in the field of whatever is secret. It is nil where there is no
	// object.
	Value any
	// Sensitive and Unknown have the shape of Value, with true in the field of
	// what is secret or only known after the apply, and without all that holds no
	// such field: nil, unless there is one.
	Sensitive, Unknown any
}

// Views are both sides of a change.
func Views(o Object) (before, after View) {
	at := position{sensitive: trailOf(o.Sensitive)}
	if o.Kind != nil {
		at.field = o.Kind.Root
	}
	before = at.view(asValue(withoutNoise(o.Before)))
	at.unknown = trailOf(o.Unknown)
	after = at.view(asValue(withoutNoise(o.After)))
	return before, after
}

// view is a value, read by its field.
func (at position) view(value any) View {
	switch {
	case at.unknown.covered:
		return View{Unknown: true, Sensitive: truthOrNil(at.sensitive.covered)}
	case value != nil && at.isSecret(value):
		return View{Value: redact.Mask, Sensitive: true}
	}
	switch shapeOf(at, value, value) {
	case Entries:
		fields, _ := value.(map[string]any)
		return at.viewFields(fields)
	case Elements:
		list, _ := value.([]any)
		return at.viewElements(list)
	}
	return View{Value: value}
}

func truthOrNil(b bool) any {
	if b {
		return true
	}
	return nil
}

func (at position) viewFields(fields map[string]any) View {
	value, sensitive, unknown := map[string]any{}, map[string]any{}, map[string]any{}
	for _, name := range new(differ).names(at, fields, nil) {
		v := at.below(name).view(fields[name])
		if v.Unknown != true {
			value[name] = v.Value
		}
		if v.Sensitive != nil {
			sensitive[name] = v.Sensitive
		}
		if v.Unknown != nil {
			unknown[name] = v.Unknown
		}
	}
	return View{value, nilIfEmpty(sensitive), nilIfEmpty(unknown)}
}

func nilIfEmpty(m map[string]any) any {
	if len(m) == 0 {
		return nil
	}
	return m
}

func (at position) viewElements(list []any) View {
	v := View{Value: make([]any, len(list))}
	sensitive, unknown := make([]any, len(list)), make([]any, len(list))
	pair := listPair{at: at, after: list}
	for i, element := range list {
		name := ""
		if at.hasKeys() {
			name = pair.stepOf(element)
		}
		e := pair.element(none, i, none, name).view(element)
		v.Value.([]any)[i] = e.Value
		sensitive[i], unknown[i] = orBlank(e.Sensitive, element), orBlank(e.Unknown, element)
		if e.Sensitive != nil {
			v.Sensitive = sensitive
		}
		if e.Unknown != nil {
			v.Unknown = unknown
		}
	}
	return v
}

func (at position) hasKeys() bool {
	return at.field != nil && at.field.Type == kinds.List && len(at.field.ListKeys) > 0
}

// orBlank is what stands for an element of a list that has nothing marked.
func orBlank(marked, element any) any {
	switch {
	case marked != nil:
		return marked
	case valueShape(element) == Entries:
		return map[string]any{}
	case valueShape(element) == Elements:
		return []any{}
	}
	return false
}

// withoutSecrets is an object or a list that is shown as one value, since there
// is nothing to compare it with, and redact.Mask in the field of each secret in it.
func (at position) withoutSecrets(value any) any {
	if valueShape(value) == Leaf {
		return value
	}
	at.unknown = trail{}
	v := at.view(value)
	return maskedWhere(v.Sensitive, v.Value)
}

// maskedWhere is a value that spells redact.Mask as what it is, and not as a text, in
// the fields that sensitive has.
func maskedWhere(sensitive, value any) any {
	switch s := sensitive.(type) {
	case bool:
		if s {
			return Literal(redact.Mask)
		}
	case map[string]any:
		fields, _ := value.(map[string]any)
		for name, inner := range s {
			fields[name] = maskedWhere(inner, fields[name])
		}
	case []any:
		list, _ := value.([]any)
		for i, inner := range s {
			list[i] = maskedWhere(inner, list[i])
		}
	}
	return value
}
