package render

import (
	"io"

	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/plan/diff"
)

// Value writes the value of an expression for people, as the configuration would spell it. What
// is marked is sensitive; hide replaces what is secret in a text.
func Value(w io.Writer, value cty.Value, hide func(string) string, opts Options) {
	p := newPage(opts)
	p.literal(0, "", valueTree{hide}.of(value), "")
	p.writeTo(w)
}

// TypeOf writes the type of a value, as a variable block would spell it.
func TypeOf(w io.Writer, value cty.Value, opts Options) {
	p := newPage(opts)
	if value.ContainsMarked() { // the names in it may be as secret as its values
		p.line(redact.Mask)
	} else {
		p.line(Clean(typeexpr.TypeString(value.Type())))
	}
	p.writeTo(w)
}

// call is a value that a function makes of another one.
type call struct {
	function string
	value    any
}

// valueTree makes of a value what page.literal writes.
type valueTree struct{ hide func(string) string }

func (t valueTree) of(value cty.Value) any {
	ty := value.Type()
	switch {
	case value.IsMarked():
		return diff.Literal(redact.Mask)
	case !value.IsKnown():
		return diff.Literal(knownAfterApply)
	case value.IsNull():
		return nil
	case ty == cty.String:
		return t.hide(value.AsString())
	case ty == cty.Number:
		return diff.Literal(value.AsBigFloat().Text('f', -1))
	case ty == cty.Bool:
		return value.True()
	case ty.IsObjectType():
		return t.entries(value)
	case ty.IsMapType():
		return call{"tomap", t.entries(value)}
	case ty.IsTupleType():
		return t.elements(value)
	case ty.IsSetType():
		return call{"toset", t.elements(value)}
	}
	return call{"tolist", t.elements(value)}
}

func (t valueTree) entries(value cty.Value) map[string]any {
	entries := map[string]any{}
	for name, entry := range value.AsValueMap() {
		entries[t.hide(name)] = t.of(entry)
	}
	return entries
}

func (t valueTree) elements(value cty.Value) []any {
	elements := []any{}
	for _, element := range value.AsValueSlice() {
		elements = append(elements, t.of(element))
	}
	return elements
}
