package render

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan/diff"
)

// longestTextLine is how many characters of a line of a text are shown.
const longestTextLine = 400

// lines writes the lines of a text, each behind a gutter: none of them may
// begin a line of ours. A change is shown to its end, unless the page is to be
// short.
func (b body) lines(d *diff.Difference) {
	shown := d.Lines
	if limit := b.page.opts.maxLines(); len(shown) > limit && (d.Op != diff.Changed || b.page.opts.MaxLines > 0) {
		shown = shown[:limit]
	}
	opposite := opposites(d.Lines)
	for i, l := range shown {
		if l.Skipped > 0 {
			b.row(unchanged, b.page.paint(dim, "… "+words.Count(l.Skipped, "unchanged line")))
			continue
		}
		b.row(symbolOf(l.Op), textLine(l, opposite[i]))
		if l.NoEnd {
			b.row(unchanged, b.page.paint(dim, "# (no newline at the end)"))
		}
	}
	if rest := len(d.Lines) - len(shown); rest > 0 {
		b.row(unchanged, b.page.paint(dim, fmt.Sprintf("… %s more", words.Count(rest, "line"))))
	}
}

// opposites are, for each line, the text that is in its place on the other
// side, nil for none: of lines that go and lines that come right after them,
// the first belongs to the first, and so on.
func opposites(lines []diff.Line) []*string {
	all := make([]*string, len(lines))
	for i := 0; i < len(lines); {
		gone := runOf(lines[i:], diff.Removed)
		come := runOf(lines[i+gone:], diff.Added)
		for k := range min(gone, come) {
			all[i+k], all[i+gone+k] = &lines[i+gone+k].Text, &lines[i+k].Text
		}
		i += max(gone+come, 1)
	}
	return all
}

// runOf is how many lines at the beginning have that Op.
func runOf(lines []diff.Line, op diff.Op) int {
	n := 0
	for n < len(lines) && lines[n].Op == op && lines[n].Skipped == 0 {
		n++
	}
	return n
}

// textLine spells one line of a text. How it differs from the line in its place
// on the other side can be seen: of a very long one the
// part that differs is shown, and one that would look like the other is
// spelled in ASCII.
func textLine(l diff.Line, opposite *string) string {
	text := l.Text
	if opposite == nil {
		return behindGutter(clip(spelledLine(text, l.Op), longestTextLine))
	}
	before, after := "", ""
	other := *opposite
	if utf8.RuneCountInString(text) > longestTextLine || utf8.RuneCountInString(other) > longestTextLine {
		text, other, before, after = differingPart(text, other)
	}
	spelled := spelledLine(text, l.Op)
	if text != other && norm.NFKC.String(spelled) == norm.NFKC.String(spelledLine(other, l.Op)) {
		spelled = ascii(text)
	}
	return behindGutter(before + clip(spelled, longestTextLine) + after)
}

// differingPart is where a line differs from another one, with what to put
// before and after it, and that part of the other line.
func differingPart(text, other string) (part, otherPart, before, after string) {
	t, o := []rune(text), []rune(other)
	head, tail := shared(t, o)
	part, before, after = window(t, head, tail)
	otherPart, _, _ = window(o, head, tail)
	return part, otherPart, before, after
}

// spelledLine makes a line printable. Where it changes, white space that could
// be the change is made visible.
func spelledLine(text string, op diff.Op) string {
	tab := "    "
	if op != diff.NoOp {
		tab = "→   "
		ink := strings.TrimRight(text, " ")
		text = ink + strings.Repeat("·", len(text)-len(ink))
	}
	return Clean(strings.ReplaceAll(text, "\t", tab))
}

func behindGutter(text string) string {
	if text == "" {
		return strings.TrimRight(gutter, " ")
	}
	return gutter + text
}
