package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// content is what a block holds, whether or not it is valid. In JSON all blocks are arguments.
type content struct {
	attrs  map[string]hcl.Expression
	blocks hclsyntax.Blocks
}

// block is a block of a file's top level.
type block struct {
	typ    string // of the known types the one that was meant
	labels []string
	content
}

func contentOf(body *hclsyntax.Body) content {
	c := content{attrs: map[string]hcl.Expression{}, blocks: body.Blocks}
	for name, attr := range body.Attributes {
		c.attrs[name] = attr.Expr
	}
	return c
}

// blocksOf are the blocks of a file's top level.
func blocksOf(file *hcl.File) []block {
	if file.Body == nil {
		return nil
	}
	var blocks []block
	if native, ok := file.Body.(*hclsyntax.Body); ok {
		for _, b := range native.Blocks {
			blocks = append(blocks, block{intendedBlock(b.Type), b.Labels, contentOf(b.Body)})
		}
		return blocks
	}
	attrs, _ := file.Body.JustAttributes()
	for name, attr := range attrs {
		typ := intendedBlock(name)
		for _, b := range objectsIn(attr.Expr, labelsOf(typ)) {
			b.typ = typ
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// intendedBlock is the type of block that was probably meant by one, or that itself.
func intendedBlock(typ string) string {
	if near := words.Nearest(strings.ToLower(typ), append(blockNames(), "data")); near != "" {
		return near
	}
	return typ
}

func labelsOf(typ string) int {
	for _, b := range blockTypes {
		if b.name == typ {
			return len(b.labels)
		}
	}
	return 2
}

// objectsIn are the blocks that an expression in JSON stands for: so many labels as keys, then an
// object or a list of objects.
func objectsIn(expr hcl.Expression, labels int) []block {
	if elements, diags := hcl.ExprList(expr); !diags.HasErrors() {
		var blocks []block
		for _, element := range elements {
			blocks = append(blocks, objectsIn(element, labels)...)
		}
		return blocks
	}
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return nil
	}
	var blocks []block
	c := content{attrs: map[string]hcl.Expression{}}
	for _, pair := range pairs {
		name, ok := keyOf(pair)
		switch {
		case !ok:
		case labels == 0:
			c.attrs[name] = pair.Value
		default:
			for _, b := range objectsIn(pair.Value, labels-1) {
				b.labels = append([]string{name}, b.labels...)
				blocks = append(blocks, b)
			}
		}
	}
	if labels == 0 {
		blocks = append(blocks, block{content: c})
	}
	return blocks
}

// shape is what is known of a value in a resource: which fields it may have, and what a field is
// taken for that it can't have.
type shape struct {
	field *kinds.Field // nil when the kind has no such field
	root  bool         // the whole object
	// suspect marks an object of a kind that has secret fields: what the kind has no field for is
	// probably one of those, misspelled or in the wrong place.
	suspect bool
	secret  bool // such a value
}

// shapeOf is the shape of a resource, as good as its kind is known.
func (f *secretFinder) shapeOf(b block) shape {
	label := b.kind()
	kind := f.kindOf(label, writtenVersion(b.attrs["apiVersion"]))
	meant := intendedKind(label)
	switch {
	case kind == nil && meant == nil && strings.Contains(strings.ToLower(label), "secret"):
		meant, _ = kinds.Builtin().Lookup("Secret", "")
		fallthrough
	case kind == nil:
		kind = meant
	}
	if kind == nil {
		return shape{root: true}
	}
	isOpen := kind.Root.Elem != nil
	return shape{field: kind.Root, root: true, suspect: hasSecrets(kind) || isOpen && hasSecrets(meant)}
}

// kind is the label of a block that names its kind. In a block of an unknown type it may be the type
// or any label.
func (b block) kind() string {
	if b.typ != "resource" && b.typ != "data" {
		for _, label := range append([]string{b.typ}, b.labels...) {
			if hasSecrets(intendedKind(label)) {
				return label
			}
		}
	}
	if len(b.labels) == 0 {
		return ""
	}
	return b.labels[0]
}

func (f *secretFinder) kindOf(label, version string) *kinds.Kind {
	kind, err := f.kinds.Lookup(label, version)
	if err != nil { // a cluster that does not answer
		kind, err = kinds.Builtin().Lookup(label, version)
	}
	if err != nil {
		return nil
	}
	return kind
}

// intendedKind is the built-in kind that a label probably means, nil for none.
func intendedKind(label string) *kinds.Kind {
	kind, err := kinds.Builtin().Lookup(NearestKind(label), "")
	if err != nil {
		return nil
	}
	return kind
}

func hasSecrets(kind *kinds.Kind) bool {
	return kind != nil && slices.ContainsFunc(kind.Root.Fields(), func(field *kinds.Field) bool { return field.Sensitive })
}

// writtenVersion is the apiVersion of a resource where it is written out.
func writtenVersion(expr hcl.Expression) string {
	if expr == nil {
		return ""
	}
	text, _ := source.QuotedWord(expr)
	return text
}

// below is the shape of a field.
func (s shape) below(name string) shape {
	if s.field != nil {
		under := s.field.Field(name)
		if under != nil && (under.Name != "" || !s.root) { // declared, or in a map
			return shape{field: under, suspect: s.suspect}
		}
	}
	if s.root && name == "manifest" { // the whole object as one value
		return s
	}
	if s.suspect || s.root && s.isMisplacedData(name) {
		return shape{secret: true}
	}
	return shape{}
}

// isMisplacedData reports whether a field that the kind does not have looks more like one of a Secret
// than like any that the kind has.
func (s shape) isMisplacedData(name string) bool {
	var known []string
	if s.field != nil {
		for _, field := range s.field.Fields() {
			known = append(known, strings.ToLower(field.Name))
		}
	}
	near := words.Nearest(strings.ToLower(name), append(known, "data", "stringdata"))
	return near != "" && !slices.Contains(known, near)
}

// element is the shape of an element, if the value is a list.
func (s shape) element() shape {
	switch {
	case s.field == nil:
		return s
	case s.field.Type == kinds.List:
		return shape{field: s.field.Elem, suspect: s.suspect}
	}
	return s
}

func (s shape) isSecret() bool { return s.secret || s.field != nil && s.field.Sensitive }

// isNear reports whether a word is another or a misspelling of it.
func isNear(word, meant string) bool {
	return words.Nearest(strings.ToLower(word), []string{meant}) != ""
}
