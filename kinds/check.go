package kinds

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
)

// ProblemKind says what is wrong at a place of a manifest.
type ProblemKind byte

const (
	UnknownField ProblemKind = iota // the kind has no such field
	WrongType                       // the value is not of the field's type, or can't be read as it
	Missing                         // the server refuses the object without it
	DuplicateKey                    // two elements of a list have the same key
	BadValue                        // not one of the values that are allowed there
)

// Problem is one thing that is wrong with a manifest. Neither text holds a
// value of the manifest, which may be a secret.
type Problem struct {
	Path    addrs.Path // the place; of a missing field where it would be
	Kind    ProblemKind
	Summary string // a few words, the same for every problem of the kind
	Detail  string // what is wrong, where, and what to do
	Nearest string // the field or value that was probably meant, "" when none is close
}

// Check says what is wrong with a manifest in JSON form, as far as the kind's
// description tells: fields that there are not, values of the wrong type or that
// don't parse, required fields that lack, list elements with the same key. The
// problems are in the order of their places.
func (k *Kind) Check(obj map[string]any) []Problem {
	c := checker{kind: k}
	c.object(addrs.Path{}, k.Root, obj)
	c.name(obj)
	return c.problems
}

// checker collects the problems of one manifest.
type checker struct {
	kind     *Kind
	problems []Problem
}

func (c *checker) add(p Problem) { c.problems = append(c.problems, p) }

// name checks that the object has a name, or is to be given one.
func (c *checker) name(obj map[string]any) {
	metadata, ok := obj["metadata"].(map[string]any)
	if !ok && obj["metadata"] != nil || metadata["name"] != nil || metadata["generateName"] != nil {
		return
	}
	c.add(Problem{
		Path: addrs.NewPath("metadata", "name"), Kind: Missing, Summary: "Missing field",
		Detail: c.at(addrs.Path{}) + " needs metadata.name, or metadata.generateName for a name that the server makes.",
	})
}

func (c *checker) value(at addrs.Path, f *Field, v any) {
	if v == nil { // null is as good as absent
		return
	}
	switch f.Type {
	case Any:
	case Object:
		if m, ok := v.(map[string]any); ok {
			c.object(at, f, m)
			return
		}
		c.wrongType(at, f, v)
	case Map:
		if m, ok := v.(map[string]any); ok {
			c.mapping(at, f, m)
			return
		}
		c.wrongType(at, f, v)
	case List:
		if elems, ok := v.([]any); ok {
			c.list(at, f, elems)
			return
		}
		c.wrongType(at, f, v)
	default:
		c.scalar(at, f, v)
	}
}

func (c *checker) object(at addrs.Path, f *Field, m map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if child := f.Field(name); child != nil {
			c.value(at.Field(name), child, m[name])
		} else {
			c.unknown(at, f, name)
		}
	}
	if f.Allocated { // what is the server's to fill need not be complete
		return
	}
	for _, child := range f.Fields() {
		if child.Required && m[child.Name] == nil && child.Default == nil {
			c.add(Problem{
				Path: at.Field(child.Name), Kind: Missing, Summary: "Missing field",
				Detail: fmt.Sprintf("%s needs %s, %s.", c.at(at), child.Name, child.Type.noun()),
			})
		}
	}
}

func (c *checker) mapping(at addrs.Path, f *Field, m map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		c.value(at.Field(key), f.Field(key), m[key])
	}
}

func (c *checker) list(at addrs.Path, f *Field, elems []any) {
	seen := map[string]int{}
	for i, elem := range elems {
		place := at.Index(i)
		if elem == nil && !f.isLeaf() {
			c.add(Problem{
				Path: place, Kind: WrongType, Summary: "Wrong type",
				Detail: fmt.Sprintf("%s is null. It must be %s.", place, f.Elem.Type.noun()),
			})
			continue
		}
		c.value(place, f.Elem, elem)
		c.duplicate(at, f, i, elem, seen)
	}
}

func (c *checker) duplicate(at addrs.Path, f *Field, i int, elem any, seen map[string]int) {
	if f.isLeaf() {
		return
	}
	key := f.ElementKey(elem)
	if key == "" {
		return // not an object, or without a key: a problem of its own
	}
	first, there := seen[key]
	if !there {
		seen[key] = i
		return
	}
	detail := fmt.Sprintf("%s is the same as %s. Each element may be there once.", at.Index(i), at.Index(first))
	if !f.Set {
		detail = fmt.Sprintf("%s has the same %s as %s. The elements of this list are told apart by that.", at.Index(i), joinAnd(f.ListKeys), at.Index(first))
	}
	c.add(Problem{Path: at.Index(i), Kind: DuplicateKey, Summary: "Duplicate key", Detail: detail})
}

func (c *checker) scalar(at addrs.Path, f *Field, v any) {
	if !f.takes(v) {
		c.wrongType(at, f, v)
		return
	}
	if s, ok := v.(string); ok && f.verbatim && len(f.Enum) > 0 && !slices.Contains(f.Enum, s) {
		near := addrs.Nearest(s, f.Enum)
		c.add(Problem{
			Path: at, Kind: BadValue, Summary: "Value not allowed", Nearest: near,
			Detail: fmt.Sprintf("%s must be %s.%s", at, joinOr(f.Enum), didYouMean(near)),
		})
	}
}

// takes says whether the server would read a scalar into the field.
func (f *Field) takes(v any) bool {
	s, isString := v.(string)
	n, isNumber := asNumber(v)
	switch f.Type {
	case String:
		return isString
	case Boolean:
		_, ok := v.(bool)
		return ok
	case Integer:
		return isNumber && n.isWhole()
	case Number:
		return isNumber
	case IntOrString:
		return isString || isNumber && n.isWhole()
	case Quantity:
		_, err := parseQuantity(v)
		return err == nil
	}
	if !isString || f.verbatim {
		return isString
	}
	var err error
	switch f.Type {
	case Time:
		_, err = f.parseTime(s)
	case Duration:
		_, err = parseDuration(s)
	case Bytes:
		_, err = parseBytes(s)
	}
	return err == nil
}

func (c *checker) wrongType(at addrs.Path, f *Field, v any) {
	c.add(Problem{
		Path: at, Kind: WrongType, Summary: "Wrong type",
		Detail: fmt.Sprintf("%s is %s. It must be %s.%s", at, nounOf(v), f.Type.noun(), f.hint(v)),
	})
}

// nounOf says what a JSON value is.
func nounOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "a string"
	case bool:
		return "true or false"
	}
	if n, ok := asNumber(v); ok && n.isWhole() {
		return "a whole number"
	}
	return "a number"
}

// hint says how to turn a value of the wrong type into one of the right type.
func (f *Field) hint(v any) string {
	_, isNumber := asNumber(v)
	_, isString := v.(string)
	_, isBool := v.(bool)
	switch {
	case f.Type == String && (isNumber || isBool):
		return " Put it in quotes."
	case (f.Type == Integer || f.Type == Number || f.Type == Boolean) && isString:
		return " Write it without quotes."
	case f.Type == List && !isNumber && !isBool:
		return " A list with one element is written in brackets."
	case isString && f.Type == Bytes:
		return " Encode it, or use the field that takes plain text where there is one."
	}
	return ""
}

func (c *checker) unknown(at addrs.Path, f *Field, name string) {
	names := make([]string, 0, len(f.Fields()))
	for _, child := range f.Fields() {
		names = append(names, child.Name)
	}
	near := nearestField(name, names)
	detail := fmt.Sprintf("%s has no field %s.%s", c.at(at), name, didYouMean(near))
	if near == "" {
		if holder, ok := findBelow(f, name, 3); ok {
			detail += fmt.Sprintf(" It belongs to %s.", joinPath(at, holder))
		}
	}
	c.add(Problem{Path: at.Field(name), Kind: UnknownField, Summary: "Unknown field", Detail: detail, Nearest: near})
}

// at names a place in a sentence: the object itself or a part of it.
func (c *checker) at(p addrs.Path) string {
	if p.IsZero() {
		return article(c.kind.Name, "A") + " " + c.kind.Name
	}
	return p.String() + " of " + article(c.kind.Name, "a") + " " + c.kind.Name
}

func article(noun, a string) string {
	if strings.ContainsRune("AEIO", rune(noun[0])) {
		return a + "n"
	}
	return a
}

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return " Did you mean " + near + "?"
}

// nearestField is the field that was probably meant: the same but for capitals,
// dashes and underscores, or close by its letters.
func nearestField(given string, names []string) string {
	for _, name := range names {
		if plainLetters(name) == plainLetters(given) {
			return name
		}
	}
	return addrs.Nearest(given, names)
}

func plainLetters(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// findBelow looks for an object inside the field that declares the name, no
// more than depth steps down, the nearest first.
func findBelow(f *Field, name string, depth int) (addrs.Path, bool) {
	type candidate struct {
		path  addrs.Path
		field *Field
	}
	level := []candidate{{addrs.Path{}, f}}
	for range depth {
		var next []candidate
		for _, at := range level {
			for _, child := range at.field.Fields() {
				if child.Type != Object || child.Allocated || child.Name == "metadata" {
					continue
				}
				below := candidate{at.path.Field(child.Name), child}
				if child.children.resolve().byName[name] != nil {
					return below.path, true
				}
				next = append(next, below)
			}
		}
		level = next
	}
	return addrs.Path{}, false
}

func joinPath(a, b addrs.Path) addrs.Path {
	for _, step := range b.Steps() {
		a = a.Append(step)
	}
	return a
}
