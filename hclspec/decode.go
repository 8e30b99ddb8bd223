package hclspec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// decoder evaluates the parts of a manifest for one instance. It collects all
// that is wrong and goes on: a value that can't be had counts as unknown.
type decoder struct {
	kind      *kinds.Kind
	scope     *hcl.EvalContext
	diags     hcl.Diagnostics
	unknown   addrs.PathSet
	sensitive addrs.PathSet
	origins   origins
	// sources says, for a list made by dynamic blocks, which item of the source
	// each of its elements came from.
	sources map[addrs.Path][]int
}

// state says what became of a value.
type state byte

const (
	valuePresent state = iota
	valueAbsent        // null: as if it were not there
	valueUnknown       // not known yet, or wrong
)

// place is where in the object the decoder is. It becomes a path only when
// somebody asks.
type place struct {
	above *place
	field string
	index int // -1 for a field
}

func (at *place) below(field string) *place { return &place{above: at, field: field, index: -1} }
func (at *place) element(i int) *place      { return &place{above: at, index: i} }

func (at *place) path() addrs.Path {
	switch {
	case at == nil:
		return addrs.Path{}
	case at.index < 0:
		return at.above.path().Field(at.field)
	}
	return at.above.path().Index(at.index)
}

func (d *decoder) problem(summary string, at hcl.Range, format string, args ...any) {
	d.diags = append(d.diags, source.Problem(summary, at, format, args...)...)
}

// notKnown takes note of a place without a value.
func (d *decoder) notKnown(at *place) (any, state) {
	if d.unknown == nil {
		d.unknown = addrs.PathSet{}
	}
	d.unknown.Add(at.path())
	return nil, valueUnknown
}

func (d *decoder) secret(at *place) {
	if d.sensitive == nil {
		d.sensitive = addrs.PathSet{}
	}
	d.sensitive.Add(at.path())
}

// unmark takes the marks off a value and notes what they say of its place.
func (d *decoder) unmark(v cty.Value, at *place) cty.Value {
	if !v.IsMarked() && v.IsKnown() {
		return v
	}
	marks := cty.ValueMarks(nil)
	if v, marks = unmarkUnknown(v); len(marks) > 0 {
		if d.origins.take(marks) {
			d.secret(at)
		}
	}
	return v
}

func (d *decoder) eval(expr hcl.Expression) (cty.Value, bool) {
	v, diags := expr.Value(d.scope)
	if len(diags) > 0 {
		d.diags = append(d.diags, diags...)
		if diags.HasErrors() {
			return cty.DynamicVal, false
		}
	}
	return v, true
}

// part evaluates one part.
func (d *decoder) part(p *part, at *place) (any, state) {
	json, what := d.unmaskedPart(p, at)
	if what != valueAbsent && p.field != nil && p.field.Sensitive {
		d.secret(at)
	}
	return json, what
}

func (d *decoder) unmaskedPart(p *part, at *place) (any, state) {
	switch {
	case p.broken:
		return d.notKnown(at)
	case p.fixed != nil:
		return p.fixed, valuePresent
	case p.object != nil:
		return d.object(p, at)
	case p.list != nil:
		return d.list(p, at)
	case p.expr != nil:
		v, ok := d.eval(p.expr)
		if !ok {
			return d.notKnown(at)
		}
		return d.value(v, p.field, at, p.at)
	}
	return d.value(p.value, p.field, at, p.at)
}

func (d *decoder) object(p *part, at *place) (any, state) {
	fields := make(map[string]any, len(p.object.members))
	for i := range p.object.members {
		m := &p.object.members[i]
		if m.key != nil {
			if !d.keyedMember(m, p.field, fields, at) {
				return d.notKnown(at)
			}
			continue
		}
		if _, again := fields[m.name]; again {
			d.problem("Duplicate key", m.at, "%s has this key already. Only one of the two values would count.", d.valueName(at))
			continue
		}
		if json, what := d.part(m.part, at.below(m.name)); what == valuePresent {
			fields[m.name] = json
		}
	}
	for _, name := range p.object.misspelled {
		if _, set := fields[name]; !set && p.field.Field(name) != nil {
			d.notKnown(at.below(name))
		}
	}
	d.checkRequired(fields, p.field, at, p.at)
	return fields, valuePresent
}

// keyedMember evaluates a member whose name is an expression. It says whether
// the name could be told.
func (d *decoder) keyedMember(m *member, field *kinds.Field, fields map[string]any, at *place) bool {
	key, ok := d.eval(m.key)
	if !ok {
		return false
	}
	key = d.unmark(key, at)
	if !key.IsKnown() {
		return false
	}
	name, ok := source.KeyString(key)
	if !ok {
		d.problem("Unsuitable key", m.key.Range(), "A key is a string.")
		return false
	}
	child := d.child(field, name, m.key.Range(), at)
	if child == nil {
		return true
	}
	if _, again := fields[name]; again {
		d.problem("Duplicate key", m.key.Range(), "%s has this key already. Only one of the two values would count.", d.valueName(at))
		return true
	}
	v, ok := d.eval(m.part.expr)
	if !ok {
		d.notKnown(at.below(name))
		return true
	}
	if json, what := d.value(v, child, at.below(name), m.part.at); what == valuePresent {
		fields[name] = json
	}
	return true
}

// child is the field of that name; when there is none it has been reported.
func (d *decoder) child(field *kinds.Field, name string, blame hcl.Range, at *place) *kinds.Field {
	child := field.Field(name)
	if child == nil {
		if secret, ok := d.secretAbove(at); ok {
			d.problem("Unknown field", blame, "%s has a field that %s does not have. It is sensitive, so its name is not shown.", orManifest(secret.path().String()), withArticle(d.kind.Name))
			return nil
		}
		_, diags := unknownField(d.kind, name, blame, field, at.path().String())
		d.diags = append(d.diags, diags...)
	}
	return child
}

// checkRequired reports the fields that an object can't be without.
func (d *decoder) checkRequired(fields map[string]any, field *kinds.Field, at *place, blame hcl.Range) {
	if field.Type != kinds.Object || field.Allocated {
		return
	}
	for _, f := range field.Fields() {
		if !f.Required || f.Default != nil {
			continue
		}
		if _, ok := fields[f.Name]; ok {
			continue
		}
		if place := at.below(f.Name); !d.unknown.Covers(place.path()) {
			d.problem("Missing field", blame, "%s needs the field %s, which is %s.", d.name(at), f.Name, describe(f))
		}
	}
}

// name is the place as a sentence begins with it. Of what lies inside of a
// secret not even the place is told, since the keys of a map are part of it.
func (d *decoder) name(at *place) string {
	if secret, ok := d.secretAbove(at); ok {
		at = secret
	}
	if at == nil {
		return upperFirst(withArticle(d.kind.Name))
	}
	return at.path().String()
}

// valueName is the name of what the place holds.
func (d *decoder) valueName(at *place) string {
	if secret, ok := d.secretAbove(at); ok && secret != at {
		return "A value inside of " + cmp.Or(secret.path().String(), "the manifest")
	}
	return orManifest(at.path().String())
}

// secretAbove is the outermost secret that a place is, or lies in.
func (d *decoder) secretAbove(at *place) (secret *place, found bool) {
	if len(d.sensitive) == 0 {
		return nil, false
	}
	for ; at != nil; at = at.above {
		if d.sensitive.Has(at.path()) {
			secret, found = at, true
		}
	}
	if d.sensitive.Has(addrs.Path{}) {
		return nil, true
	}
	return secret, found
}

// value brings an evaluated value into the JSON form of the field.
func (d *decoder) value(v cty.Value, f *kinds.Field, at *place, blame hcl.Range) (any, state) {
	if !d.isText(v, f, at, blame, true) {
		return nil, valueUnknown
	}
	v = d.unmark(v, at)
	switch {
	case v.IsNull():
		return nil, valueAbsent
	case !v.IsKnown():
		return d.notKnown(at)
	}
	json, what := d.knownValue(v, f, at, blame)
	if what != valueAbsent && f.Sensitive {
		d.secret(at)
	}
	return json, what
}

func (d *decoder) knownValue(v cty.Value, f *kinds.Field, at *place, blame hcl.Range) (any, state) {
	ty := v.Type()
	isMap := ty.IsObjectType() || ty.IsMapType()
	isList := ty.IsTupleType() || ty.IsListType() || ty.IsSetType()
	switch {
	case isMap && (f.Type == kinds.Object || f.Type == kinds.Map || f.Type == kinds.Any):
		return d.mapValue(v, f, at, blame)
	case isList && (f.Type == kinds.List || f.Type == kinds.Any):
		return d.listValue(v, f, at, blame)
	}
	json, why := scalar(v, f)
	if why != "" {
		d.problem("Unsuitable value", blame, "%s must be %s%s.%s", d.valueName(at), describe(f), why, hint(v, f, d.kind))
		return d.notKnown(at)
	}
	d.diags = append(d.diags, unusual(json, d.kind, f, blame, d.name(at))...)
	return json, valuePresent
}

func (d *decoder) mapValue(v cty.Value, f *kinds.Field, at *place, blame hcl.Range) (any, state) {
	fields := make(map[string]any, v.LengthInt())
	entries := v.AsValueMap()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if entries[name].IsNull() {
			continue // an optional attribute of a type, say, that the kind need not know
		}
		child := d.child(f, name, blame, at)
		if child == nil || !d.isText(entries[name], child, at.below(name), blame, false) {
			continue
		}
		if json, what := d.value(entries[name], child, at.below(name), blame); what == valuePresent {
			fields[name] = json
		}
	}
	d.checkRequired(fields, f, at, blame)
	return fields, valuePresent
}

// isText refuses a bool or a number that a YAML document has in the place of a
// string, as the API server would. picked says that an expression took it out of
// the document: it is then converted like any other, unless it was written
// otherwise than it is read.
func (d *decoder) isText(v cty.Value, f *kinds.Field, at *place, blame hcl.Range, picked bool) bool {
	m, ok := funcs.YamlScalar(v)
	if f.Type != kinds.String || !ok || picked && m.Read == m.Written {
		return true
	}
	d.unmark(v, at)
	what := "has " + m.Read + " there"
	if _, secret := d.secretAbove(at); secret || f.Sensitive {
		what = "has " + describeValue(v) + " there"
	} else if m.Written != m.Read {
		what = fmt.Sprintf("reads %s, which stands there, as %s", m.Written, m.Read)
	}
	d.problem("Unsuitable value", blame, "%s must be a string, and YAML %s. Put it in quotes.", d.valueName(at), what)
	d.notKnown(at)
	return false
}

func (d *decoder) listValue(v cty.Value, f *kinds.Field, at *place, blame hcl.Range) (any, state) {
	elements := make([]any, 0, v.LengthInt())
	anyUnknown := false
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if !d.isText(element, elementOf(f), at.element(len(elements)), blame, false) {
			elements, anyUnknown = append(elements, nil), true
			continue
		}
		json, what := d.value(element, elementOf(f), at.element(len(elements)), blame)
		switch what {
		case valueAbsent:
			d.problem("Null in a list", blame, "%s can't hold null. Leave the element out.", d.name(at))
			anyUnknown = true
		case valueUnknown:
			anyUnknown = true
		}
		elements = append(elements, json)
	}
	if anyUnknown {
		return d.notKnown(at)
	}
	d.checkList(elements, f, at, func(int) hcl.Range { return blame })
	return elements, valuePresent
}
