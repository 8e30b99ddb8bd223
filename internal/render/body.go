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

// row writes a line of a body: indented, with a symbol.
func (p *page) row(depth int, s symbol, parts ...string) {
	p.text.WriteString(strings.Repeat(" ", depth*indentWidth))
	p.text.WriteString(p.symbol(s))
	p.text.WriteByte(' ')
	p.line(parts...)
}

// note writes a comment into a body.
func (p *page) note(depth int, text string) {
	if !p.opts.Concise {
		p.row(depth, unchanged, p.paint(dim, "# ("+text+")"))
	}
}

// fields writes what is in an object: first its attributes, then its blocks.
func (p *page) fields(d *diff.Difference, depth int) {
	width := 0
	for _, c := range d.Children {
		if !c.IsBlock() {
			width = max(width, screenWidth(fieldName(c.Name)))
		}
	}
	blocks := d.Hidden.Blocks
	for _, c := range d.Children {
		if !c.IsBlock() {
			p.attribute(c, depth, pad(fieldName(c.Name), width))
		}
	}
	p.hidden(depth, d.Hidden.Attributes, "attribute")
	for _, c := range d.Children {
		switch {
		case !c.IsBlock():
		case c.Shape == diff.Elements:
			p.blocks(c, depth)
			blocks += c.Hidden.Elements
		default:
			p.block(c, depth, fieldName(c.Name))
		}
	}
	p.hidden(depth, blocks, "block")
}

func (p *page) hidden(depth, n int, thing string) {
	if n > 0 {
		p.note(depth, words.Count(n, "unchanged "+thing)+" hidden")
	}
}

// blocks writes a list of objects as repeated blocks.
func (p *page) blocks(list *diff.Difference, depth int) {
	for _, c := range list.Children {
		switch {
		case c.Shape == diff.Gap:
		case c.Shape == diff.Fields:
			p.blockOf(list, c, depth)
		default:
			p.attribute(c, depth, fieldName(list.Name))
		}
	}
	if list.Reordered {
		p.note(depth, "the order of "+fieldName(list.Name)+" changes")
	}
}

// blockOf writes an element of a list as a block. Of one that has no keys its
// position says which it is.
func (p *page) blockOf(list, d *diff.Difference, depth int) {
	note := keyNote(d)
	if note == "" && d.Op == diff.Changed && len(list.Children)+list.Hidden.Elements > 1 {
		steps := d.Path.Steps()
		note = " # " + fieldName(list.Name) + steps[len(steps)-1].String()
	}
	p.noted(d, depth, fieldName(list.Name), note)
}

// block writes an object as a block.
func (p *page) block(d *diff.Difference, depth int, name string) { p.noted(d, depth, name, "") }

// noted writes a block with a note behind its brace.
func (p *page) noted(d *diff.Difference, depth int, name, note string) {
	if len(d.Children) == 0 && d.Op != diff.Changed {
		p.row(depth, symbolOf(d.Op), name, " {}", note, p.suffix(d), gone(d))
		return
	}
	p.row(depth, symbolOf(d.Op), name, " {", note, p.suffix(d))
	p.fields(d, depth+1)
	p.row(depth, unchanged, "}", gone(d))
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
func (p *page) suffix(d *diff.Difference) string {
	text := ""
	if d.Respelled != "" {
		text = " # the same " + strings.ToUpper(string(d.Respelled)) + " value, written differently"
	}
	if d.ForcesReplacement {
		text += p.paint(red, forcesReplaced)
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
func (p *page) attribute(d *diff.Difference, depth int, name string) {
	p.value(d, depth, name+" = ", "")
}

// value writes a value between what comes before and after it on its line.
func (p *page) value(d *diff.Difference, depth int, before, after string) {
	s := symbolOf(d.Op)
	switch {
	case d.Unknown || d.Sensitive || d.Shape == diff.Leaf:
		p.row(depth, s, before, leaf(d), after, p.suffix(d))
	case d.Shape == diff.Text:
		p.row(depth, s, before, "<<-EOT", p.suffix(d))
		p.lines(d, depth+1)
		p.row(depth, unchanged, "EOT", after, goneFrom(d, after))
	case d.Shape == diff.Encoded:
		p.encoded(d, depth, before, after)
	case len(d.Children) == 0 && !d.Reordered:
		p.row(depth, s, before, emptyOf(d), after, goneFrom(d, after), p.suffix(d))
	case d.Shape == diff.Elements:
		p.row(depth, s, before, "[", p.suffix(d))
		p.elements(d, depth+1)
		p.row(depth, unchanged, "]", after, goneFrom(d, after))
	default:
		p.row(depth, s, before, "{", p.suffix(d))
		p.entries(d, depth+1)
		p.row(depth, unchanged, "}", after, goneFrom(d, after))
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
	case d.Op == diff.Removed:
		return before + " -> null"
	case d.Op == diff.Same || d.Sensitive && !d.Unknown:
		return before
	case d.Unknown:
		return before + " -> " + after
	}
	return change(d.Before, d.After)
}

// entries writes what is in a map.
func (p *page) entries(d *diff.Difference, depth int) {
	width := 0
	for _, c := range d.Children {
		width = max(width, screenWidth(quote(c.Name)))
	}
	for _, c := range d.Children {
		if c.Shape == diff.Fields { // an object as the value of a map
			p.objectValue(c, depth, pad(quote(c.Name), width)+" = ", "")
			continue
		}
		p.attribute(c, depth, pad(quote(c.Name), width))
	}
	p.hidden(depth, d.Hidden.Elements, "element")
}

// objectValue writes an object where no block can stand.
func (p *page) objectValue(d *diff.Difference, depth int, before, after string) {
	p.row(depth, symbolOf(d.Op), before, "{", p.suffix(d))
	p.fields(d, depth+1)
	p.row(depth, unchanged, "}", after, goneFrom(d, after))
}

// elements writes what is in a list.
func (p *page) elements(d *diff.Difference, depth int) {
	for _, c := range d.Children {
		switch c.Shape {
		case diff.Gap:
			p.hidden(depth, c.Hidden.Elements, "element")
		case diff.Fields:
			p.objectValue(c, depth, "", ",")
		default:
			p.element(c, depth)
		}
	}
	if d.Hidden.Elements > 0 && !hasGap(d) {
		p.hidden(depth, d.Hidden.Elements, "element")
	}
	if d.Reordered {
		p.note(depth, "the order of the elements changes")
	}
}

// element writes an element of a list.
func (p *page) element(d *diff.Difference, depth int) {
	if d.Op == diff.Removed && d.Shape == diff.Leaf && !d.Unknown {
		text := inline(d.Before)
		if d.Sensitive {
			text = redact.Mask
		}
		p.row(depth, destroy, text, ",", p.suffix(d))
		return
	}
	p.value(d, depth, "", ",")
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
func (p *page) encoded(d *diff.Difference, depth int, before, after string) {
	inside := *d.Children[0]
	inside.Op, inside.ForcesReplacement = d.Op, d.ForcesReplacement
	p.value(&inside, depth, before+string(d.Encoding)+"encode(", ")"+after)
}
