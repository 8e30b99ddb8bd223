package manifest

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

func (d *Decoder) list(p *Part, at *location) (any, presence) {
	l := listDecoder{Decoder: d, part: p, at: at, elements: make([]any, 0, len(p.list.items))}
	for i := range p.list.items {
		item := &p.list.items[i]
		if item.dynamic == nil {
			l.add(i, item.part)
			continue
		}
		l.dynamic = true
		l.repeat(i, item)
	}
	return l.finish()
}

// listDecoder collects the elements of one list.
type listDecoder struct {
	*Decoder
	part     *Part
	at       *location
	elements []any
	ranges   []hcl.Range
	items    []int
	dynamic  bool
	unknown  bool
}

func (l *listDecoder) add(i int, p *Part) {
	at := l.at.element(len(l.elements))
	if l.part.list.single {
		at = l.at
	}
	json, what := l.Decoder.Part(p, at)
	switch what {
	case valueAbsent:
		l.nullElement(p.At, elementOf(l.part.Field), l.at)
		fallthrough
	case valueUnknown:
		l.unknown = true
		return
	}
	l.elements = append(l.elements, json)
	l.ranges = append(l.ranges, p.At)
	l.items = append(l.items, i)
}

// nullElement refuses an element that is null. The API reads one as an element with
// nothing in it, which may mean everything, such as a rule of a NetworkPolicy that
// allows all traffic: to leave it out could mean the opposite.
func (d *Decoder) nullElement(blame hcl.Range, element *kinds.Field, at *location) {
	meaning := "as 0 or false, or refuses it"
	instead := "Write the value that is meant"
	switch element.Type {
	case kinds.Object, kinds.Map, kinds.Any:
		meaning, instead = "as an empty object, which may mean everything", "Write {} if that is meant"
	case kinds.String, kinds.IntOrString, kinds.Quantity, kinds.Time, kinds.Duration, kinds.Bytes:
		meaning, instead = "as an empty string, or refuses it", `Write "" if that is meant`
	case kinds.List:
		meaning, instead = "as an empty list", "Write [] if that is meant"
	}
	d.Problem("Null in a list", blame, "%s can't hold null. The API server reads it %s. %s, or leave the element out to have none.",
		d.name(at), meaning, instead)
}

// repeat adds an element for each of a dynamic block's for_each.
func (l *listDecoder) repeat(i int, item *listItem) {
	collection, ok := l.Eval(item.dynamic.forEach)
	if !ok {
		l.unknown = true
		return
	}
	collection = l.unmark(collection, l.at)
	blame := item.dynamic.forEach.Range()
	switch {
	case collection.IsNull():
		l.Problem("Invalid for_each argument", blame, "The for_each of a dynamic block is null. For no block at all give an empty list.")
		l.unknown = true
	case !collection.IsKnown(), collection.CanIterateElements() && !collection.Length().IsKnown():
		l.unknown = true // also a set with elements that may turn out to be equal
	case !collection.CanIterateElements():
		l.Problem("Invalid for_each argument", blame,
			"The for_each of a dynamic block is a list, a set or a map, and this is %s.", DescribeValue(collection))
		l.unknown = true
	default:
		l.repeatFor(collection, i, item)
	}
}

func (l *listDecoder) repeatFor(collection cty.Value, i int, item *listItem) {
	outer := l.Scope
	defer func() { l.Scope = outer }()
	isSet := collection.Type().IsSetType()
	for it := collection.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if isSet {
			key = value
		}
		l.Scope = outer.NewChild()
		l.Scope.Variables = map[string]cty.Value{
			item.dynamic.iterator: cty.ObjectVal(map[string]cty.Value{"key": key, "value": value}),
		}
		l.add(i, item.part)
	}
}

// finish is the list, which is unknown as a whole when one of its elements is:
// leaving that out would move the others.
func (l *listDecoder) finish() (any, presence) {
	if l.unknown {
		return l.notKnown(l.at)
	}
	if l.dynamic {
		if l.Decoder.Sources == nil {
			l.Decoder.Sources = map[addrs.Path][]int{}
		}
		l.Decoder.Sources[l.at.path()] = l.items
	}
	switch {
	case l.part.list.single:
		return l.single()
	case l.dynamic && len(l.elements) == 0:
		return nil, valueAbsent // as if the blocks were not written
	}
	l.checkList(l.elements, l.part.Field, l.at, func(i int) hcl.Range { return l.ranges[i] })
	return l.elements, valuePresent
}

// single is the one object of blocks that can repeat.
func (l *listDecoder) single() (any, presence) {
	switch len(l.elements) {
	case 0:
		return nil, valueAbsent
	case 1:
		return l.elements[0], valuePresent
	}
	if l.dynamic { // else it was reported when the body was read
		l.Problem("Duplicate block", l.ranges[1], "%s is a single object, and the dynamic blocks make %d of it.", l.name(l.at), len(l.elements))
	}
	return l.notKnown(l.at)
}

// checkList reports elements with the same key, or with a secret key.
func (d *Decoder) checkList(elements []any, field *kinds.Field, at *location, blame func(int) hcl.Range) {
	for i := range elements {
		d.checkKeys(field, at.element(i), blame(i))
	}
	if field.Type != kinds.List || len(field.ListKeys) == 0 && !field.Set || len(elements) < 2 {
		return
	}
	seen := make(map[string]int, len(elements))
	for i, element := range elements {
		key := field.ElementKey(element)
		if key == "" || d.keyUnknown(field, at, i) {
			continue
		}
		first, again := seen[key]
		if !again {
			seen[key] = i
			continue
		}
		if field.Set {
			d.Problem("Duplicate element", blame(i), "%s is a set: its elements %d and %d are equal.", d.name(at), first, i)
		} else {
			d.Problem("Duplicate element", blame(i),
				"The elements %d and %d of %s have the same %s, which must be unique.", first, i, d.name(at), words.And(field.ListKeys))
		}
	}
}

// checkKeys refuses a sensitive value in the key of a list's element: the server writes it into
// managedFields, and it is part of field paths. A key that the kind itself declares as secret is
// accepted.
func (d *Decoder) checkKeys(field *kinds.Field, element *location, blame hcl.Range) {
	if len(d.Sensitive) == 0 || field.Type != kinds.List {
		return
	}
	refuse := func(at *location, key *kinds.Field) {
		if d.Sensitive.Has(at.path()) && (key == nil || !key.Sensitive) {
			d.Problem("Sensitive key", blame, "%s is sensitive, and it identifies the element in its list, "+
				"which plans and errors show. If it is no secret, wrap it in nonsensitive().", d.name(at))
		}
	}
	if field.Set {
		refuse(element, field.Elem)
	}
	for _, name := range field.ListKeys {
		refuse(element.below(name), field.Elem.Field(name))
	}
}

// keyUnknown reports whether the key of an element is not known.
func (d *Decoder) keyUnknown(field *kinds.Field, at *location, i int) bool {
	if len(d.Unknown) == 0 {
		return false
	}
	for _, name := range field.ListKeys {
		if d.Unknown.Covers(at.element(i).below(name).path()) {
			return true
		}
	}
	return false
}
