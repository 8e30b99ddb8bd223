package render

import (
	"strings"

	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan/diff"
)

// symbol is what stands before a line to say what happens to what it shows.
type symbol string

const (
	unchanged      symbol = "   "
	create         symbol = "  +"
	update         symbol = "  ~"
	destroy        symbol = "  -"
	replace        symbol = "-/+" // gone before the new one is made
	replaceAfter   symbol = "+/-" // gone after the new one is made
	forget         symbol = "  ."
	indentWidth           = 4
	gutter                = "│ "
	forcesReplaced        = " # forces replacement"
	setByAdmission        = " # set by admission"
)

func (p *page) symbol(s symbol) string {
	switch s {
	case create:
		return p.paint(green, string(s))
	case update:
		return p.paint(yellow, string(s))
	case destroy:
		return p.paint(red, string(s))
	case replace:
		return p.paint(red, "-") + "/" + p.paint(green, "+")
	case replaceAfter:
		return p.paint(green, "+") + "/" + p.paint(red, "-")
	}
	return string(s)
}

func symbolOf(op diff.Op) symbol {
	switch op {
	case diff.Added:
		return create
	case diff.Removed:
		return destroy
	case diff.Changed:
		return update
	}
	return unchanged
}

// body is what is between the braces of a block, at some depth of a page.
type body struct {
	page  *page
	depth int
}

func (b body) deeper() body { return body{b.page, b.depth + 1} }

// row writes a line of a body: indented, with a symbol.
func (b body) row(s symbol, parts ...string) {
	b.page.text.WriteString(strings.Repeat(" ", b.depth*indentWidth))
	b.page.text.WriteString(b.page.symbol(s))
	b.page.text.WriteByte(' ')
	b.page.line(parts...)
}

// note writes a comment into a body.
func (b body) note(text string) {
	if !b.page.opts.Concise {
		b.row(unchanged, b.page.paint(dim, "# ("+text+")"))
	}
}

// fields writes what is in an object: first its attributes, then its blocks.
func (b body) fields(d *diff.Difference) {
	width := 0
	for _, c := range d.Children {
		if !c.IsBlock() {
			width = max(width, screenWidth(fieldName(c.Name)))
		}
	}
	blocks := d.Hidden.Blocks
	for _, c := range d.Children {
		if !c.IsBlock() {
			b.attribute(c, pad(fieldName(c.Name), width))
		}
	}
	b.hidden(d.Hidden.Attributes, "attribute")
	for _, c := range d.Children {
		switch {
		case !c.IsBlock():
		case c.Shape == diff.Elements:
			b.blocks(c)
			blocks += c.Hidden.Elements
		default:
			b.block(c, fieldName(c.Name))
		}
	}
	b.hidden(blocks, "block")
}

func (b body) hidden(n int, thing string) {
	if n > 0 {
		b.note(words.Count(n, "unchanged "+thing) + " hidden")
	}
}

// blocks writes a list of objects as repeated blocks.
func (b body) blocks(list *diff.Difference) {
	for _, c := range list.Children {
		switch {
		case c.Shape == diff.Gap:
		case c.Shape == diff.Fields:
			b.blockOf(list, c)
		default:
			b.attribute(c, fieldName(list.Name))
		}
	}
	if list.Reordered {
		b.note("the order of " + fieldName(list.Name) + " changes")
	}
}

// blockOf writes an element of a list as a block. Of one that has no keys its
// position says which it is.
func (b body) blockOf(list, d *diff.Difference) {
	note := keyNote(d)
	if note == "" && d.Op == diff.Changed && len(list.Children)+list.Hidden.Elements > 1 {
		steps := d.Path.Steps()
		note = " # " + fieldName(list.Name) + steps[len(steps)-1].String()
	}
	b.noted(d, fieldName(list.Name), note)
}

// block writes an object as a block.
func (b body) block(d *diff.Difference, name string) { b.noted(d, name, "") }

// noted writes a block with a note behind its brace.
func (b body) noted(d *diff.Difference, name, note string) {
	if len(d.Children) == 0 && d.Op != diff.Changed {
		b.row(symbolOf(d.Op), name, " {}", note, b.suffix(d), gone(d))
		return
	}
	b.row(symbolOf(d.Op), name, " {", note, b.suffix(d))
	b.deeper().fields(d)
	b.row(unchanged, "}", gone(d))
}

// keyNote says which element of a list a block is.
func keyNote(d *diff.Difference) string {
	parts := make([]string, len(d.Keys))
	for i, key := range d.Keys {
		parts[i] = fieldName(key.Name) + " = " + inline(key.Value)
	}
	if len(parts) == 0 {
		return ""
	}
	return " # " + strings.Join(parts, ", ")
}

// suffix is what follows the first line of a field.
func (b body) suffix(d *diff.Difference) string {
	text := ""
	if d.Reencoded != "" {
		text = " # the same " + strings.ToUpper(string(d.Reencoded)) + " value, written differently"
	}
	if d.Admitted {
		text += setByAdmission
	}
	if d.ForcesReplacement {
		text += b.page.paint(red, forcesReplaced)
	}
	return text
}

func gone(d *diff.Difference) string {
	if d.Op == diff.Removed {
		return " -> null"
	}
	return ""
}

// goneFrom is gone for a value that something follows. An element of a list has
// no "-> null" behind its comma: nothing takes its place.
func goneFrom(d *diff.Difference, after string) string {
	if strings.HasSuffix(after, ",") {
		return ""
	}
	return gone(d)
}

// attribute writes a value with its name, already padded.
func (b body) attribute(d *diff.Difference, name string) {
	b.value(d, name+" = ", "")
}

// value writes a value between what comes before and after it on its line.
func (b body) value(d *diff.Difference, before, after string) {
	s := symbolOf(d.Op)
	switch {
	case d.Unknown || d.Sensitive || d.Shape == diff.Leaf:
		b.row(s, before, leaf(d), after, goneFrom(d, after), b.suffix(d))
	case d.Shape == diff.Text:
		b.row(s, before, "<<-EOT", b.suffix(d))
		b.deeper().lines(d)
		b.row(unchanged, "EOT", after, goneFrom(d, after))
	case d.Shape == diff.Encoded:
		b.encoded(d, before, after)
	case len(d.Children) == 0 && !d.Reordered:
		b.row(s, before, emptyOf(d), after, goneFrom(d, after), b.suffix(d))
	case d.Shape == diff.Elements:
		b.row(s, before, "[", b.suffix(d))
		b.deeper().elements(d)
		b.row(unchanged, "]", after, goneFrom(d, after))
	default:
		b.row(s, before, "{", b.suffix(d))
		b.deeper().entries(d)
		b.row(unchanged, "}", after, goneFrom(d, after))
	}
}

func emptyOf(d *diff.Difference) string {
	if d.Shape == diff.Elements {
		return "[]"
	}
	return "{}"
}

// leaf spells a single value and what becomes of it.
func leaf(d *diff.Difference) string {
	before, after := inline(d.Before), inline(d.After)
	if d.Sensitive {
		before, after = redact.Mask, redact.Mask
	}
	if d.Unknown {
		after = knownAfterApply
	}
	switch {
	case d.Op == diff.Added:
		return after
	case d.Op == diff.Removed || d.Op == diff.NoOp || d.Sensitive && !d.Unknown:
		return before
	case d.Unknown:
		return before + " -> " + after
	}
	return change(d.Before, d.After)
}

// entries writes what is in a map.
func (b body) entries(d *diff.Difference) {
	width := 0
	for _, c := range d.Children {
		width = max(width, screenWidth(quote(c.Name)))
	}
	for _, c := range d.Children {
		if c.Shape == diff.Fields { // an object as the value of a map
			b.objectValue(c, pad(quote(c.Name), width)+" = ", "")
			continue
		}
		b.attribute(c, pad(quote(c.Name), width))
	}
	b.hidden(d.Hidden.Elements, "element")
}

// objectValue writes an object where no block can stand.
func (b body) objectValue(d *diff.Difference, before, after string) {
	b.row(symbolOf(d.Op), before, "{", b.suffix(d))
	b.deeper().fields(d)
	b.row(unchanged, "}", after, goneFrom(d, after))
}

// elements writes what is in a list.
func (b body) elements(d *diff.Difference) {
	for _, c := range d.Children {
		switch c.Shape {
		case diff.Gap:
			b.hidden(c.Hidden.Elements, "element")
		case diff.Fields:
			b.objectValue(c, "", ",")
		default:
			b.value(c, "", ",")
		}
	}
	if d.Hidden.Elements > 0 && !hasGap(d) {
		b.hidden(d.Hidden.Elements, "element")
	}
	if d.Reordered {
		b.note("the order of the elements changes")
	}
}

func hasGap(d *diff.Difference) bool {
	for _, c := range d.Children {
		if c.Shape == diff.Gap {
			return true
		}
	}
	return false
}

// encoded writes a string that holds other values.
func (b body) encoded(d *diff.Difference, before, after string) {
	inside := *d.Children[0]
	inside.Op, inside.ForcesReplacement = d.Op, d.ForcesReplacement
	b.value(&inside, before+string(d.Encoding)+"encode(", ")"+after)
}
