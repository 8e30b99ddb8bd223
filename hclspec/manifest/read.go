// Package manifest reads the body of a resource against the description of its kind,
// and decodes it for each instance.
//
// A Reader turns the body into parts, once: what is wrong with it whatever its values
// are is reported then, and what is the same for all instances is evaluated. A Decoder
// evaluates the parts in the scope of one instance, into JSON form with the fields that
// are not known or sensitive. Origins are the instances that values came from.
package manifest

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// Part is a piece of a resource's body that was read against the description
// of its kind, once for all instances. What is wrong with it whatever its
// values are has been reported; evaluating it for an instance is left to a
// decoder. Exactly one of the last five is set.
type Part struct {
	Field *kinds.Field
	// At is the range of the value's source: an expression, or the head of a block.
	At hcl.Range

	broken bool      // reported already
	fixed  any       // a scalar that is the same for all instances, in JSON form
	value  cty.Value // anything else that is the same for all instances
	Expr   hcl.Expression
	Object *objectPart
	list   *listPart
}

type objectPart struct {
	members []member
	// misspelled are the fields that were most likely meant by names reported as unknown: a
	// misspelled field is not missing.
	misspelled []string
}

// member is a field of an object or an entry of a map.
type member struct {
	name string
	key  hcl.Expression // the name where it depends on the instance
	at   hcl.Range      // the whole attribute or the head of the block
	part *Part
}

// listPart are repeated blocks or the elements of a list. Where single is set there is at most one
// object, which is then the value.
type listPart struct {
	items  []listItem
	single bool
}

type listItem struct {
	part    *Part
	dynamic *dynamicPart // repeats part, or nil
}

type dynamicPart struct {
	forEach  hcl.Expression
	iterator string
}

// Reader turns bodies and expressions into parts.
type Reader struct {
	Kind *kinds.Kind
	// Scope is that of the block, without each and count.
	Scope *hcl.EvalContext
	// Fixed reports whether an expression has the same value for all instances,
	// now and later.
	Fixed func(hcl.Expression) bool
	Files map[string]*hcl.File
	Diags hcl.Diagnostics
}

func (r *Reader) Problem(summary string, at hcl.Range, format string, args ...any) {
	r.Diags = append(r.Diags, source.Problem(summary, at, format, args...)...)
}

// Entry is all that one body has under one name.
type Entry struct {
	Name   string
	Attr   *hcl.Attribute
	blocks []*hclsyntax.Block // those of that type, and dynamic ones
	first  int                // byte
}

// Entries groups the content of a body by name, in the order of first appearance.
func (r *Reader) Entries(body hcl.Body) []*Entry {
	byName := map[string]*Entry{}
	var all []*Entry
	at := func(name string, pos int) *Entry {
		e := byName[name]
		if e == nil {
			e = &Entry{Name: name, first: pos}
			byName[name] = e
			all = append(all, e)
		}
		e.first = min(e.first, pos)
		return e
	}
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs, diags := body.JustAttributes()
		r.Diags = append(r.Diags, diags...)
		for _, attr := range source.SortedAttributes(attrs) {
			if attr.Name != "//" { // JSON's way to comment
				at(attr.Name, attr.NameRange.Start.Byte).Attr = attr
			}
		}
		return all
	}
	for _, attr := range native.Attributes {
		at(attr.Name, attr.NameRange.Start.Byte).Attr = attr.AsHCLAttribute()
	}
	for _, b := range native.Blocks {
		name := b.Type
		if source.IsDynamic(b) {
			name = b.Labels[0]
		}
		e := at(name, b.TypeRange.Start.Byte)
		e.blocks = append(e.blocks, b)
	}
	slices.SortFunc(all, func(a, b *Entry) int { return a.first - b.first })
	return all
}

// body reads the content of a block that is to be a value of field.
func (r *Reader) body(body hcl.Body, field *kinds.Field, where string) *objectPart {
	return r.Members(r.Entries(body), field, where)
}

func (r *Reader) Members(entries []*Entry, field *kinds.Field, where string) *objectPart {
	object := &objectPart{}
	for _, e := range entries {
		if child := field.Field(e.Name); child != nil {
			object.members = append(object.members, r.member(e, child, where))
		} else {
			object.misspelled = append(object.misspelled, r.unknownField(e.Name, e.NameRange(), field, where))
		}
	}
	return object
}

// unknownField reports a name that the field does not have, and returns the one that it most likely
// means.
func (r *Reader) unknownField(name string, at hcl.Range, field *kinds.Field, where string) (meant string) {
	meant, diags := UnknownField(r.Kind, name, at, field, where)
	r.Diags = append(r.Diags, diags...)
	if meant == "manifest" {
		return "metadata" // which is in it
	}
	return meant
}

func (r *Reader) member(e *Entry, child *kinds.Field, where string) member {
	below := JoinWhere(where, e.Name)
	if e.Attr != nil && len(e.blocks) > 0 {
		second := e.blocks[0].TypeRange
		if second.Start.Byte < e.Attr.NameRange.Start.Byte {
			second = e.Attr.NameRange
		}
		r.Problem("Field set twice", second, "%s is written as a block and as an attribute. Use one of the two.", below)
	}
	m := member{name: e.Name}
	if e.Attr != nil {
		m.at, m.part = e.Attr.Range, r.Expr(e.Attr.Expr, child, below)
	} else {
		m.at, m.part = e.blocks[0].DefRange(), r.blocks(e.blocks, child, below)
	}
	return m
}

func (e *Entry) NameRange() hcl.Range {
	switch {
	case e.Attr != nil:
		return e.Attr.NameRange
	case source.IsDynamic(e.blocks[0]):
		return e.blocks[0].LabelRanges[0]
	}
	return e.blocks[0].TypeRange
}

func JoinWhere(where, name string) string {
	if where == "" {
		return name
	}
	return where + "." + name
}

// Expr reads the expression of an attribute. Objects and lists that are
// written out become parts of their own, so that each item is evaluated, and
// blamed, by itself.
func (r *Reader) Expr(expr hcl.Expression, field *kinds.Field, where string) *Part {
	p := &Part{Field: field, At: expr.Range()}
	if field.Type == kinds.Object || field.Type == kinds.Map || field.Type == kinds.Any {
		if pairs, ok := staticMap(expr); ok {
			p.Object = r.pairs(pairs, field, where)
			return p
		}
	}
	if field.Type == kinds.List || field.Type == kinds.Any {
		if exprs, ok := staticList(expr); ok {
			p.list = &listPart{}
			for i, e := range exprs {
				p.list.items = append(p.list.items, listItem{part: r.Expr(e, elementOf(field), elementWhere(where, i))})
			}
			return p
		}
	}
	if !r.Fixed(expr) {
		p.Expr = expr
		return p
	}
	value, diags := expr.Value(r.Scope)
	if diags.HasErrors() {
		r.Diags = append(r.Diags, diags...)
		p.broken = true
		return p
	}
	if written, ok := r.lossy(expr, value, field); ok {
		what := "without quotes this is another number"
		if !field.Sensitive {
			what = fmt.Sprintf("%s without quotes is the number %s", written, words.Shorten(source.Text(value), 60))
		}
		r.Problem("Invalid value", p.At, "%s must be a string, and %s. Put it in quotes.", orManifest(where), what)
		p.broken = true
		return p
	}
	return r.constant(value, p, where)
}

// lossy reports whether a number is written out where a string is needed, and would lose its
// spelling: 1.10 is 1.1.
func (r *Reader) lossy(expr hcl.Expression, value cty.Value, field *kinds.Field) (written string, ok bool) {
	literal, isLiteral := source.Bare(expr).(*hclsyntax.LiteralValueExpr)
	if !isLiteral || field.Type != kinds.String || value.Type() != cty.Number || r.Files[literal.SrcRange.Filename] == nil {
		return "", false
	}
	written = string(literal.SrcRange.SliceBytes(r.Files[literal.SrcRange.Filename].Bytes))
	return written, written != source.Text(value)
}

func elementOf(field *kinds.Field) *kinds.Field {
	if field.Type == kinds.List {
		return field.Elem
	}
	return field
}

// staticMap is the content of an object that is written out.
func staticMap(expr hcl.Expression) ([]hcl.KeyValuePair, bool) {
	switch e := source.Bare(expr).(type) {
	case *hclsyntax.ParenthesesExpr:
		return staticMap(e.Expression)
	case *hclsyntax.ObjectConsExpr:
		return e.ExprMap(), true
	case hclsyntax.Expression:
		return nil, false
	}
	pairs, diags := hcl.ExprMap(expr)
	return pairs, !diags.HasErrors()
}

// staticList is the content of a list that is written out.
func staticList(expr hcl.Expression) ([]hcl.Expression, bool) {
	switch e := source.Bare(expr).(type) {
	case *hclsyntax.ParenthesesExpr:
		return staticList(e.Expression)
	case *hclsyntax.TupleConsExpr:
		return e.ExprList(), true
	case hclsyntax.Expression:
		return nil, false
	}
	exprs, diags := hcl.ExprList(expr)
	return exprs, !diags.HasErrors()
}

func (r *Reader) pairs(pairs []hcl.KeyValuePair, field *kinds.Field, where string) *objectPart {
	object := &objectPart{}
	seen := map[string]hcl.Range{}
	for _, pair := range pairs {
		m := member{key: pair.Key, at: hcl.RangeBetween(pair.Key.Range(), pair.Value.Range())}
		if !r.keyName(&m) {
			continue
		}
		if m.key != nil {
			// The name selects the field: each instance decodes the whole.
			m.part = &Part{At: pair.Value.Range(), Expr: pair.Value}
			object.members = append(object.members, m)
			continue
		}
		if _, again := seen[m.name]; again {
			r.Problem("Duplicate key", pair.Key.Range(), "%s has this key twice.", orManifest(where))
			continue
		}
		seen[m.name] = pair.Key.Range()
		child := field.Field(m.name)
		if child == nil {
			object.misspelled = append(object.misspelled, r.unknownField(m.name, pair.Key.Range(), field, where))
			continue
		}
		m.part = r.Expr(pair.Value, child, JoinWhere(where, m.name))
		object.members = append(object.members, m)
	}
	return object
}

func orManifest(where string) string {
	if where == "" {
		return "The manifest"
	}
	return where
}

// keyName finds the member's name if it is the same for all instances. False
// means that the key is wrong.
func (r *Reader) keyName(m *member) bool {
	if !r.Fixed(m.key) {
		return true
	}
	value, diags := m.key.Value(r.Scope)
	if diags.HasErrors() {
		r.Diags = append(r.Diags, diags...)
		return false
	}
	if value.IsMarked() || !value.IsKnown() {
		return true // the decoder reports what that means for the object
	}
	name, ok := source.KeyString(value)
	if !ok {
		r.Problem("Invalid key", m.key.Range(), "A key is a string.")
		return false
	}
	m.name, m.key = name, nil
	return true
}

// constant stores a value that is the same for all instances.
func (r *Reader) constant(value cty.Value, p *Part, where string) *Part {
	if value.IsMarked() || !value.IsKnown() || value.IsNull() || !value.Type().IsPrimitiveType() {
		p.value = value
		return p
	}
	json, why := scalar(value, p.Field)
	if why != "" {
		r.Problem("Invalid value", p.At, "%s must be %s%s.%s", orManifest(where), Describe(p.Field), why, hint(value, p.Field, r.Kind))
		p.broken = true
		return p
	}
	p.fixed = json
	r.Diags = append(r.Diags, unusual(json, r.Kind, p.Field, p.At, func() string { return where })...)
	return p
}

// unusual warns of a value that the API does not list. It may be one that a
// newer server has, so it is no error.
func unusual(json any, kind *kinds.Kind, field *kinds.Field, at hcl.Range, where func() string) hcl.Diagnostics {
	s, ok := json.(string)
	if !ok || len(field.Enum) == 0 || kind.IsCustom() || slices.Contains(field.Enum, s) {
		return nil
	}
	detail := fmt.Sprintf("As far as kplan knows, %s is %s.%s", where(), words.Or(Quoted(field.Enum)), SuggestField(s, field.Enum))
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Unusual value", Detail: detail, Subject: at.Ptr()}}
}
