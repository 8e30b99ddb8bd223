package convert

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kplan.dev/kplan/addrs"
)

// node is a value in an object, with what its source says around it.
type node struct {
	shape   shape
	text    string   // of a text; of a number and a boolean, as HCL spells it
	entries []*entry // of an object, in order
	items   []*node  // of a list
	// reference takes the place of a text: it refers to the object that the text names.
	reference string
	comments  comments
	line      int  // of the source, 0 for none
	octal     bool // a number that is written in octal
}

type shape byte

const (
	null shape = iota
	text
	number
	boolean
	object
	list
)

// entry is a field of an object. The comments around the key are those of the value.
type entry struct {
	key   string
	value *node
}

// comments are those around a value: lines above it, at the end of its line, and lines below it that
// belong to nothing else.
type comments struct{ above, beside, below []string }

func (c comments) isEmpty() bool { return len(c.above)+len(c.beside)+len(c.below) == 0 }

// and joins comments, in order.
func (c comments) and(others comments) comments {
	return comments{
		above: slices.Concat(c.above, others.above), beside: slices.Concat(c.beside, others.beside),
		below: slices.Concat(c.below, others.below),
	}
}

// all are the comments as lines above something.
func (c comments) all() []string { return slices.Concat(c.above, c.beside, c.below) }

// field is the value in a field of an object, nil for none.
func (n *node) field(name string) *node {
	if e := n.entry(name); e != nil {
		return e.value
	}
	return nil
}

func (n *node) entry(name string) *entry {
	if n == nil || n.shape != object {
		return nil
	}
	for _, e := range n.entries {
		if e.key == name {
			return e
		}
	}
	return nil
}

// string is the text in a field, "" for any other value.
func (n *node) string(name string) string {
	if v := n.field(name); v != nil && v.shape == text {
		return v.text
	}
	return ""
}

// remove removes a field and returns the comments around it.
func (n *node) remove(name string) comments {
	for i, e := range n.entries {
		if e.key == name {
			n.entries = slices.Delete(n.entries, i, i+1)
			return e.value.comments
		}
	}
	return comments{}
}

// set sets a field, as the last where there was none.
func (n *node) set(name string, value *node) {
	if e := n.entry(name); e != nil {
		e.value = value
		return
	}
	n.entries = append(n.entries, &entry{name, value})
}

// isEmpty reports whether an object or a list has nothing in it.
func (n *node) isEmpty() bool { return len(n.entries)+len(n.items) == 0 }

// hasComments reports whether there are any around the value or in it.
func (n *node) hasComments() bool {
	return !n.comments.isEmpty() || slices.ContainsFunc(n.items, (*node).hasComments) ||
		slices.ContainsFunc(n.entries, func(e *entry) bool { return e.value.hasComments() })
}

// at is the value at a path of fields and positions, nil for none.
func (n *node) at(path addrs.Path) *node {
	for _, step := range path.Steps() {
		switch {
		case n == nil:
			return nil
		case step.IsField():
			n = n.field(step.Field)
		case step.IsIndex() && step.PositionIn(make([]any, len(n.items))) >= 0:
			n = n.items[step.PositionIn(make([]any, len(n.items)))]
		default:
			return nil
		}
	}
	return n
}

// fields is an object in JSON form.
func (n *node) fields() map[string]any {
	fields, _ := n.json().(map[string]any)
	return fields
}

// json is a value in JSON form: whole numbers as int64, others as float64.
func (n *node) json() any {
	switch n.shape {
	case text:
		return n.text
	case number:
		if whole, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			return whole
		}
		fraction, _ := strconv.ParseFloat(n.text, 64)
		return fraction
	case boolean:
		return n.text == "true"
	case object:
		fields := make(map[string]any, len(n.entries))
		for _, e := range n.entries {
			fields[e.key] = e.value.json()
		}
		return fields
	case list:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = item.json()
		}
		return items
	}
	return nil
}

// commentLines are the lines of a comment, each with its #. An empty line between two comments is "".
func commentLines(comment string) []string {
	if comment == "" {
		return nil
	}
	var lines []string
	for line := range strings.SplitSeq(comment, "\n") {
		line = strings.TrimSpace(strings.Map(printable, line))
		if line != "" && !strings.HasPrefix(line, "#") {
			line = "# " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// printable keeps what a terminal shows.
func printable(r rune) rune {
	if r == '\t' || unicode.IsPrint(r) {
		return r
	}
	return ' '
}
