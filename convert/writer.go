package convert

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// widest is how long a line may become by putting a whole object or list into it.
const widest = 100

// writer writes blocks, one after another.
type writer struct {
	opts      Options
	names     map[*Object]addrs.Resource
	variables variableNames
	declared  []Variable

	// of the block at hand
	object *Object
	out    bytes.Buffer
	lines  []int // by line that was written, the line of the source
	depth  int
	secret bool // there is one in the clear
	diags  hcl.Diagnostics
}

// block writes the block of an object.
func (w *writer) block(o *Object) (*Block, hcl.Diagnostics) {
	w.object, w.lines, w.depth, w.diags, w.secret = o, nil, 0, nil, false
	w.out.Reset()
	b := &Block{Object: o, Address: w.names[o]}
	if !o.separate { // then they are in that file
		w.comment(w.headComments(), o.root.line)
	}
	w.line(o.root.line, "resource %q %q {", b.Address.Type, b.Address.Name)
	w.depth++
	switch {
	case o.separate:
		b.Manifest, b.ManifestText = definitionsDirectory+"/"+o.id.Name+".yaml", o.document
		w.line(o.root.line, "manifest = yamldecode(file(%s))", quote(b.Manifest))
	case o.needsManifest():
		first(o.root, "apiVersion", "kind")
		w.argument("manifest", o.root, o.of.Root)
	default:
		if version := o.root.field("apiVersion"); o.explicit {
			w.line(version.line, "apiVersion = %s", quote(version.text))
		}
		o.root.remove("apiVersion")
		o.root.remove("kind")
		w.members(o.root, o.of.Root)
	}
	w.depth--
	w.line(o.root.line, "}")
	if !o.separate {
		w.comment(o.root.comments.below, o.root.line)
	}
	if o.Import {
		w.adoption(b.Address)
	}
	b.Text, b.lines, b.HasSecrets = layOut(w.out.Bytes()), w.lines, w.secret
	return b, w.diags
}

// headComments are the comments above a block: those around what is in its head.
func (w *writer) headComments() []string {
	root := w.object.root
	lines := root.comments.above
	for _, name := range []string{"apiVersion", "kind"} {
		if n := root.field(name); n != nil {
			lines = slices.Concat(lines, n.comments.all())
			n.comments = comments{}
		}
	}
	return slices.Concat(lines, root.comments.beside)
}

func (w *writer) adoption(to addrs.Resource) {
	w.line(0, "")
	w.line(0, "import {")
	w.line(0, "to = %s", to)
	if len(w.object.Managers) > 0 {
		w.line(0, "managers = [%s]", strings.Join(quoteAll(w.object.Managers), ", "))
	}
	w.line(0, "}")
}

// needsManifest reports whether an object has fields that have another meaning in a block.
func (o *Object) needsManifest() bool {
	return slices.ContainsFunc(o.root.entries, func(e *entry) bool {
		return source.IsMetaArgument(e.key) || e.key == "manifest" || e.key == "dynamic" || !hclsyntax.ValidIdentifier(e.key)
	})
}

// line writes a line that comes from a line of the source.
func (w *writer) line(from int, format string, args ...any) {
	w.begin()
	fmt.Fprintf(&w.out, format, args...)
	w.end(from)
}

func (w *writer) begin() { w.out.WriteString(strings.Repeat("  ", w.depth)) }

func (w *writer) end(from int) {
	w.out.WriteByte('\n')
	w.lines = append(w.lines, from)
}

func (w *writer) comment(lines []string, from int) {
	for _, line := range lines {
		if line == "" {
			w.end(from)
			continue
		}
		w.line(from, "%s", line)
	}
}

// below writes the comments that follow a value, apart from what comes next.
func (w *writer) below(n *node) {
	if len(n.comments.below) > 0 {
		w.comment(n.comments.below, n.line)
		w.end(n.line)
	}
}

// members writes the fields of an object into a block.
func (w *writer) members(n *node, f *kinds.Field) {
	for i, e := range n.entries {
		w.member(e, fieldOf(f, e.key))
		if i < len(n.entries)-1 {
			w.below(e.value)
		} else {
			w.comment(e.value.comments.below, e.value.line)
		}
	}
}

// fieldOf describes a field. What the kind does not have is written, and reported when the result is
// evaluated.
func fieldOf(f *kinds.Field, name string) *kinds.Field {
	if child := f.Field(name); child != nil {
		return child
	}
	return &kinds.Field{Type: kinds.Any, KeepsEmpty: true}
}

func elementOf(f *kinds.Field) *kinds.Field {
	if f.Type == kinds.List && f.Elem != nil {
		return f.Elem
	}
	return &kinds.Field{Type: kinds.Any, KeepsEmpty: true, Sensitive: f.Sensitive}
}

func (w *writer) member(e *entry, f *kinds.Field) {
	n := e.value
	switch {
	case e.key == "dynamic":
		w.attribute(e, f)
	case n.shape == object && w.isBlock(n, f):
		w.comment(slices.Concat(n.comments.above, n.comments.beside), n.line)
		w.nested(e.key, n, f)
	case n.shape == list && isBlocks(n, f):
		w.comment(slices.Concat(n.comments.above, n.comments.beside), n.line)
		for _, item := range n.items {
			w.comment(slices.Concat(item.comments.above, item.comments.beside), item.line)
			w.nested(e.key, item, f.Elem)
			w.comment(item.comments.below, item.line)
		}
	default:
		w.attribute(e, f)
	}
}

// isBlock reports whether an object is written as a block: its fields are declared or, where nothing is known of
// them, look as if they were.
func (w *writer) isBlock(n *node, f *kinds.Field) bool {
	switch {
	case !haveNames(n):
		return false
	case f.Type == kinds.Object:
		return true
	case f.Type != kinds.Any || n.isEmpty():
		return false
	}
	return w.depth == 1 || slices.ContainsFunc(n.entries, func(e *entry) bool { return e.value.shape == object && !e.value.isEmpty() })
}

// isBlocks reports whether a list is written as repeated blocks.
func isBlocks(n *node, f *kinds.Field) bool {
	return f.Type == kinds.List && f.Elem.Type == kinds.Object && len(n.items) > 0 &&
		!slices.ContainsFunc(n.items, func(item *node) bool { return item.shape != object || !haveNames(item) })
}

// haveNames reports whether the keys of an object can be those of a block.
func haveNames(n *node) bool {
	return !slices.ContainsFunc(n.entries, func(e *entry) bool { return !hclsyntax.ValidIdentifier(e.key) })
}

// nested writes a block inside of another.
func (w *writer) nested(name string, n *node, f *kinds.Field) {
	if n.isEmpty() {
		w.line(n.line, "%s {}", name)
		return
	}
	if inside, ok := w.single(n, f); ok && 2*w.depth+len(name)+len(inside) < widest-5 {
		w.line(n.line, "%s { %s }", name, inside)
		return
	}
	w.line(n.line, "%s {", name)
	w.depth++
	w.members(n, f)
	w.depth--
	w.line(n.line, "}")
}

// single is the only argument of a block that is written in one line.
func (w *writer) single(n *node, f *kinds.Field) (string, bool) {
	if len(n.entries) != 1 || n.hasInnerComments() {
		return "", false
	}
	e := n.entries[0]
	child := fieldOf(f, e.key)
	if e.value.shape == object && w.isBlockBelow(e.value, child) || e.value.shape == list && isBlocks(e.value, child) {
		return "", false
	}
	value, ok := w.inline(e.value, child, e.key)
	return e.key + " = " + value, ok && note(e.value, child) == ""
}

func (w *writer) isBlockBelow(n *node, f *kinds.Field) bool {
	w.depth++
	defer func() { w.depth-- }()
	return w.isBlock(n, f)
}

// hasInnerComments reports whether there are comments in the value, not around it.
func (n *node) hasInnerComments() bool {
	return slices.ContainsFunc(n.items, (*node).hasComments) ||
		slices.ContainsFunc(n.entries, func(e *entry) bool { return e.value.hasComments() })
}

// attribute writes a field as an argument.
func (w *writer) attribute(e *entry, f *kinds.Field) {
	w.assign(e.key, e.value, f, "", e.key)
}

func (w *writer) argument(name string, n *node, f *kinds.Field) { w.assign(name, n, f, "", name) }

// assign writes name = value and what ends an element.
func (w *writer) assign(name string, n *node, f *kinds.Field, end, key string) {
	value, inLine := w.inline(n, f, key)
	beside := n.comments.beside
	if octal := note(n, f); octal != "" && len(beside) == 0 {
		beside = []string{octal}
	}
	if inLine = inLine && fits(n, 2*w.depth+len(name)+3+len(value)); inLine && len(beside) <= 1 {
		w.comment(n.comments.above, n.line)
		w.line(n.line, "%s", strings.TrimRight(name+" = "+value+end+" "+strings.Join(beside, ""), " "))
		return
	}
	w.comment(slices.Concat(n.comments.above, beside), n.line)
	w.begin()
	w.out.WriteString(name + " = ")
	w.long(n, f, key)
	w.out.WriteString(end)
	w.end(n.line)
}

// fits reports whether a value is written in one line. A scalar always is.
func fits(n *node, width int) bool {
	return width <= widest || n.shape != object && n.shape != list || n.isEmpty()
}

// note is a comment about a number that people know by another spelling: the mode of a file.
func note(n *node, f *kinds.Field) string {
	isMode := f.Type == kinds.Integer && (f.Name == "mode" || f.Name == "defaultMode")
	var value int64
	if n.shape != number || !n.octal && !isMode {
		return ""
	}
	if _, err := fmt.Sscan(n.text, &value); err != nil || value < 8 {
		return ""
	}
	return fmt.Sprintf("# 0%o", value)
}

// long writes a value that takes several lines, of which the last is not ended.
func (w *writer) long(n *node, f *kinds.Field, key string) {
	switch n.shape {
	case object:
		w.out.WriteByte('{')
		w.end(n.line)
		w.depth++
		for i, e := range n.entries {
			w.assign(spellKey(e.key), e.value, fieldOf(f, e.key), "", e.key)
			w.afterElement(e.value, i == len(n.entries)-1)
		}
		w.depth--
		w.begin()
		w.out.WriteByte('}')
	case list:
		w.out.WriteByte('[')
		w.end(n.line)
		w.depth++
		for i, item := range n.items {
			w.element(item, elementOf(f), key, i == len(n.items)-1)
			w.afterElement(item, i == len(n.items)-1)
		}
		w.depth--
		w.begin()
		w.out.WriteByte(']')
	default:
		w.heredoc(n)
	}
}

func (w *writer) afterElement(n *node, last bool) {
	if last {
		w.comment(n.comments.below, n.line)
	} else {
		w.below(n)
	}
}

// element writes an element of a list.
func (w *writer) element(n *node, f *kinds.Field, key string, last bool) {
	value, inLine := w.inline(n, f, key)
	if inLine && fits(n, 2*w.depth+len(value)) && len(n.comments.beside) <= 1 {
		w.comment(n.comments.above, n.line)
		w.line(n.line, "%s", strings.TrimRight(value+", "+strings.Join(n.comments.beside, ""), " "))
		return
	}
	w.comment(slices.Concat(n.comments.above, n.comments.beside), n.line)
	w.begin()
	w.long(n, f, key)
	if n.shape == text && strings.HasSuffix(n.text, "\n") { // nothing may follow the end of the heredoc
		w.end(n.line)
		if last {
			return
		}
		w.begin()
	}
	w.out.WriteByte(',')
	w.end(n.line)
}

// inline is a value in one line, false where it should have several.
func (w *writer) inline(n *node, f *kinds.Field, key string) (string, bool) {
	switch {
	case n.reference != "":
		return n.reference, true
	case n.shape == text:
		return w.text(n, f, key)
	case n.hasInnerComments():
		return "", false
	case n.shape == object:
		return w.inlineObject(n, f)
	case n.shape == list:
		return w.inlineList(n, f, key)
	case n.shape == null:
		return "null", true
	}
	w.mustBeText(n, f, key)
	return n.text, true
}

// mustBeText reports a number or a boolean where the API needs a text. In a configuration it would be
// converted, so that evaluating the result does not find it.
func (w *writer) mustBeText(n *node, f *kinds.Field, key string) {
	if f.Type == kinds.String || f.Type == kinds.Bytes || f.Type == kinds.Time || f.Type == kinds.Duration {
		what := n.text
		if f.Sensitive {
			what = "something else"
		}
		w.report("Invalid value", n, "%s must be a string, and YAML has %s there. Put it in quotes.", key, what)
	}
}

// mustBeData reports a text that is no binary data. Where it becomes a variable, evaluating the result does not find it.
func (w *writer) mustBeData(n *node, f *kinds.Field, key string) {
	if _, err := decodeBase64(n.text); err != nil && f.Type == kinds.Bytes {
		w.report("Invalid value", n, "%s must be binary data in base64. In a Secret, plain text goes into stringData.", key)
	}
}

// report reports a problem with a value, once: values are looked at again to see whether they fit in a line.
func (w *writer) report(summary string, n *node, format string, args ...any) {
	for _, d := range w.object.problem(summary, n.line, format, args...) {
		if !slices.ContainsFunc(w.diags, func(other *hcl.Diagnostic) bool {
			return other.Detail == d.Detail && (d.Subject == nil || *other.Subject == *d.Subject)
		}) {
			w.diags = append(w.diags, d)
		}
	}
}

const mostInLine = 3 // fields of an object in one line

func (w *writer) inlineObject(n *node, f *kinds.Field) (string, bool) {
	if n.isEmpty() {
		return "{}", true
	}
	parts := make([]string, 0, len(n.entries))
	inLine := len(n.entries) <= mostInLine
	for _, e := range n.entries {
		child := fieldOf(f, e.key)
		value, ok := w.inline(e.value, child, e.key)
		inLine = inLine && ok && (e.value.shape != object || e.value.isEmpty() || len(n.entries) == 1) && note(e.value, child) == ""
		if !inLine {
			return "", false
		}
		parts = append(parts, spellKey(e.key)+" = "+value)
	}
	return "{ " + strings.Join(parts, ", ") + " }", true
}

func (w *writer) inlineList(n *node, f *kinds.Field, key string) (string, bool) {
	parts := make([]string, 0, len(n.items))
	for _, item := range n.items {
		value, ok := w.inline(item, elementOf(f), key)
		if !ok || len(n.items) > 1 && item.shape == object {
			return "", false
		}
		parts = append(parts, value)
	}
	return "[" + strings.Join(parts, ", ") + "]", true
}
