package manifest

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Decoder evaluates the parts of a manifest for one instance. It collects all that is wrong and
// goes on: a value that can't be evaluated counts as unknown.
type Decoder struct {
	Kind      *kinds.Kind
	Scope     *hcl.EvalContext
	Budget    *budget.Budget
	Diags     hcl.Diagnostics
	Unknown   addrs.PathSet
	Sensitive addrs.PathSet
	Origins   Origins
	// Referred, when set, is the field that an expression refers to, nil for any other
	// expression.
	Referred func(hcl.Range) *kinds.Field
	// Sources is, for a list made by dynamic blocks, the item of the source that each of its
	// elements came from.
	Sources map[addrs.Path][]int
}

// presence is the outcome of decoding a value.
type presence byte

const (
	valuePresent presence = iota
	valueAbsent           // null: as if it were not there
	valueUnknown          // not known yet, or wrong
)

// location is where in the object the decoder is. It becomes a path only on demand.
type location struct {
	above *location
	field string
	index int // -1 for a field
}

func (at *location) below(field string) *location {
	return &location{above: at, field: field, index: -1}
}
func (at *location) element(i int) *location { return &location{above: at, index: i} }

func (at *location) path() addrs.Path {
	switch {
	case at == nil:
		return addrs.Path{}
	case at.index < 0:
		return at.above.path().Field(at.field)
	}
	return at.above.path().Index(at.index)
}

func (d *Decoder) Problem(summary string, at hcl.Range, format string, args ...any) {
	d.Diags = append(d.Diags, source.Problem(summary, at, format, args...)...)
}

// notKnown records a field without a known value.
func (d *Decoder) notKnown(at *location) (any, presence) {
	if d.Unknown == nil {
		d.Unknown = addrs.PathSet{}
	}
	d.Unknown.Add(at.path())
	return nil, valueUnknown
}

func (d *Decoder) secret(at *location) {
	if d.Sensitive == nil {
		d.Sensitive = addrs.PathSet{}
	}
	d.Sensitive.Add(at.path())
}

// unmark removes the marks of a value and records what they mean for its field.
func (d *Decoder) unmark(v cty.Value, at *location) cty.Value {
	if !v.IsMarked() && v.IsKnown() {
		return v
	}
	marks := cty.ValueMarks(nil)
	if v, marks = UnmarkUnknown(v); len(marks) > 0 {
		if d.Origins.Take(marks) {
			d.secret(at)
		}
	}
	return v
}

func (d *Decoder) Eval(expr hcl.Expression) (cty.Value, bool) {
	v, diags := funcs.Evaluate(expr, d.Scope)
	if len(diags) > 0 {
		d.Diags = append(d.Diags, diags...)
		if diags.HasErrors() {
			return cty.DynamicVal, false
		}
	}
	return v, true
}

// Part evaluates one part.
func (d *Decoder) Part(p *Part, at *location) (any, presence) {
	d.Budget.SpendAt(budget.Decoded, p.At)
	json, what := d.unmaskedPart(p, at)
	if what != valueAbsent && p.Field != nil && p.Field.Sensitive {
		d.secret(at)
	}
	return json, what
}

func (d *Decoder) unmaskedPart(p *Part, at *location) (any, presence) {
	switch {
	case p.broken:
		return d.notKnown(at)
	case p.fixed != nil:
		return p.fixed, valuePresent
	case p.Object != nil:
		return d.object(p, at)
	case p.list != nil:
		return d.list(p, at)
	case p.Expr != nil:
		v, ok := d.Eval(p.Expr)
		if !ok {
			return d.notKnown(at)
		}
		if unfit := d.unfitReference(v, p); unfit != nil {
			d.Problem("Invalid value", p.At, "%s must be %s, and this is %s.", d.valueName(at), Describe(p.Field), Describe(unfit))
			return d.notKnown(at)
		}
		return d.Value(v, p.Field, at, p.At)
	}
	return d.Value(p.value, p.Field, at, p.At)
}

// unfitReference is the field that a part refers to, if its value is not known yet
// and can't be one of the part's field, whatever it will be; else nil.
func (d *Decoder) unfitReference(v cty.Value, p *Part) *kinds.Field {
	if shallow, _ := v.Unmark(); shallow.IsKnown() || shallow.Type() != cty.DynamicPseudoType || d.Referred == nil || p.Field == nil {
		return nil
	}
	from := d.Referred(p.Expr.Range())
	if from == nil || from.Type == kinds.Any || p.Field.Type == kinds.Any {
		return nil
	}
	isMap := func(f *kinds.Field) bool { return f.Type == kinds.Object || f.Type == kinds.Map }
	if isMap(from) != isMap(p.Field) || (from.Type == kinds.List) != (p.Field.Type == kinds.List) {
		return from
	}
	return nil
}

func (d *Decoder) object(p *Part, at *location) (any, presence) {
	fields := make(map[string]any, len(p.Object.members))
	for i := range p.Object.members {
		m := &p.Object.members[i]
		if m.key != nil {
			if !d.keyedMember(m, p.Field, fields, at) {
				return d.notKnown(at)
			}
			continue
		}
		if _, again := fields[m.name]; again {
			d.Problem("Duplicate key", m.at, "%s has this key already. Only one of the two values would count.", d.valueName(at))
			continue
		}
		if json, what := d.Part(m.part, at.below(m.name)); what == valuePresent {
			fields[m.name] = json
		}
	}
	for _, name := range p.Object.misspelled {
		if _, set := fields[name]; !set && p.Field.Field(name) != nil {
			d.notKnown(at.below(name))
		}
	}
	d.checkRequired(fields, p.Field, at, p.At)
	return fields, valuePresent
}

// keyedMember evaluates a member whose name is an expression. It reports whether the name is known.
func (d *Decoder) keyedMember(m *member, field *kinds.Field, fields map[string]any, at *location) bool {
	key, ok := d.Eval(m.key)
	if !ok {
		return false
	}
	key = d.unmark(key, at)
	if !key.IsKnown() {
		return false
	}
	name, ok := source.KeyString(key)
	if !ok {
		d.Problem("Invalid key", m.key.Range(), "A key is a string.")
		return false
	}
	child := d.child(field, name, m.key.Range(), at)
	if child == nil {
		return true
	}
	if _, again := fields[name]; again {
		d.Problem("Duplicate key", m.key.Range(), "%s has this key already. Only one of the two values would count.", d.valueName(at))
		return true
	}
	v, ok := d.Eval(m.part.Expr)
	if !ok {
		d.notKnown(at.below(name))
		return true
	}
	if json, what := d.Value(v, child, at.below(name), m.part.At); what == valuePresent {
		fields[name] = json
	}
	return true
}

// child is the field of that name; when there is none it has been reported.
func (d *Decoder) child(field *kinds.Field, name string, blame hcl.Range, at *location) *kinds.Field {
	child := field.Field(name)
	if child == nil {
		if secret, ok := d.secretAbove(at); ok {
			d.Problem("Unknown field", blame,
				"%s has a field that %s does not have. It is sensitive, so its name is not shown.",
				orManifest(secret.path().String()), WithArticle(d.Kind.Name))
			return nil
		}
		_, diags := UnknownField(d.Kind, name, blame, field, at.path().String())
		d.Diags = append(d.Diags, diags...)
	}
	return child
}

// checkRequired reports the fields that an object can't be without.
func (d *Decoder) checkRequired(fields map[string]any, field *kinds.Field, at *location, blame hcl.Range) {
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
		if !d.Unknown.Covers(at.below(f.Name).path()) {
			d.Problem("Missing field", blame, "%s needs the field %s, which is %s.", d.name(at), f.Name, Describe(f))
		}
	}
}

// name is the field path at the start of a sentence. Inside of a secret it is the path of the
// secret, since the keys of a map are part of it.
func (d *Decoder) name(at *location) string {
	if secret, ok := d.secretAbove(at); ok {
		at = secret
	}
	if at == nil {
		return UpperFirst(WithArticle(d.Kind.Name))
	}
	return at.path().String()
}

// valueName is the name of the field's value.
func (d *Decoder) valueName(at *location) string {
	if secret, ok := d.secretAbove(at); ok && secret != at {
		return "A value inside of " + cmp.Or(secret.path().String(), "the manifest")
	}
	return orManifest(at.path().String())
}

// secretAbove is the outermost secret that a location is, or is inside of.
func (d *Decoder) secretAbove(at *location) (secret *location, found bool) {
	if len(d.Sensitive) == 0 {
		return nil, false
	}
	for ; at != nil; at = at.above {
		if d.Sensitive.Has(at.path()) {
			secret, found = at, true
		}
	}
	if d.Sensitive.Has(addrs.Path{}) {
		return nil, true
	}
	return secret, found
}

// Value brings an evaluated value into the JSON form of the field.
func (d *Decoder) Value(v cty.Value, f *kinds.Field, at *location, blame hcl.Range) (any, presence) {
	d.Budget.SpendAt(budget.DecodedPrice(v), blame)
	if !d.isText(v, f, at, blame, true) {
		return nil, valueUnknown
	}
	v = d.unmark(v, at)
	switch {
	case v.IsNull() && d.isValue(v, f):
		return nil, valuePresent
	case v.IsNull():
		return nil, valueAbsent
	case !v.IsKnown():
		if unsuitable(v.Type(), f) {
			d.Problem("Invalid value", blame, "%s must be %s, and this is %s.%s",
				d.valueName(at), Describe(f), DescribeValue(v), hint(v, f, d.Kind))
		}
		return d.notKnown(at)
	}
	json, what := d.knownValue(v, f, at, blame)
	if what != valueAbsent && f.Sensitive {
		d.secret(at)
	}
	return json, what
}

// isValue reports whether null is a value of the field, rather than that the field is not set. So it
// is in a custom resource, where a schema is nullable or free, for a null that is written out or
// decoded from YAML or JSON. One that has a type is a variable, an optional attribute or the branch
// of a conditional: it means not set, as everywhere.
func (d *Decoder) isValue(null cty.Value, f *kinds.Field) bool {
	return null.Type() == cty.DynamicPseudoType && d.Kind.IsCustom() && (f.Nullable || f.Type == kinds.Any)
}

// emptyForNull reports whether the API server reads null in a map as an empty string: so it
// does in the built-in kinds, whose maps are of Go's strings, and so a YAML file with an entry
// that has no value means it.
func (d *Decoder) emptyForNull(f *kinds.Field) bool {
	return f.Type == kinds.Map && f.Elem != nil && (f.Elem.Type == kinds.String || f.Elem.Type == kinds.Bytes) && !d.Kind.IsCustom()
}

func (d *Decoder) knownValue(v cty.Value, f *kinds.Field, at *location, blame hcl.Range) (any, presence) {
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
		d.Problem("Invalid value", blame, "%s must be %s%s.%s", d.valueName(at), Describe(f), why, hint(v, f, d.Kind))
		return d.notKnown(at)
	}
	d.Diags = append(d.Diags, unusual(json, d.Kind, f, blame, func() string { return d.name(at) })...)
	return json, valuePresent
}

func (d *Decoder) mapValue(v cty.Value, f *kinds.Field, at *location, blame hcl.Range) (any, presence) {
	fields := make(map[string]any, v.LengthInt())
	for name, entry := range entriesOf(v) {
		if entry.IsNull() && (entry.Type() != cty.DynamicPseudoType || f.Field(name) == nil) {
			continue // an optional attribute of a type, say, that the kind need not know
		}
		if funcs.IsYAMLNull(entry) && d.emptyForNull(f) {
			fields[name] = ""
			continue
		}
		child := d.child(f, name, blame, at)
		if child == nil || !d.isText(entry, child, at.below(name), blame, false) {
			continue
		}
		if json, what := d.Value(entry, child, at.below(name), blame); what == valuePresent {
			fields[name] = json
		}
	}
	d.checkRequired(fields, f, at, blame)
	return fields, valuePresent
}

// entriesOf are the entries of an object or a map, sorted by their names.
func entriesOf(v cty.Value) iter.Seq2[string, cty.Value] {
	entry := v.GetAttr
	var names []string
	if v.Type().IsObjectType() { // to make a map of it takes as long as to decode it
		names = slices.Sorted(maps.Keys(v.Type().AttributeTypes()))
	} else {
		entries := v.AsValueMap()
		names, entry = slices.Sorted(maps.Keys(entries)), func(name string) cty.Value { return entries[name] }
	}
	return func(yield func(string, cty.Value) bool) {
		for _, name := range names {
			if !yield(name, entry(name)) {
				return
			}
		}
	}
}

// isText refuses a bool or a number that a YAML document has instead of a string, as the API server
// would. picked means that an expression selected it from the document: it is then converted like
// any other, unless its text differs from the value read.
func (d *Decoder) isText(v cty.Value, f *kinds.Field, at *location, blame hcl.Range, picked bool) bool {
	m, ok := funcs.YAMLScalar(v)
	if f.Type != kinds.String || !ok || picked && m.Read == m.Written {
		return true
	}
	d.unmark(v, at)
	what := "has " + m.Read + " there"
	if _, secret := d.secretAbove(at); secret || f.Sensitive {
		what = "has " + DescribeValue(v) + " there"
	} else if m.Written != m.Read {
		what = fmt.Sprintf("reads %s as %s", m.Written, m.Read)
	}
	d.Problem("Invalid value", blame, "%s must be a string, and YAML %s. Put it in quotes.", d.valueName(at), what)
	d.notKnown(at)
	return false
}

func (d *Decoder) listValue(v cty.Value, f *kinds.Field, at *location, blame hcl.Range) (any, presence) {
	elements := make([]any, 0, v.LengthInt())
	anyUnknown := false
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if !d.isText(element, elementOf(f), at.element(len(elements)), blame, false) {
			elements, anyUnknown = append(elements, nil), true
			continue
		}
		json, what := d.Value(element, elementOf(f), at.element(len(elements)), blame)
		switch what {
		case valueAbsent:
			d.nullElement(blame, elementOf(f), at)
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
