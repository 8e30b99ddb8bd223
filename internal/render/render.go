// Package render shows what kplan has to say: plans, progress, diagnostics,
// values and states, as text for people and as JSON for machines.
//
// Everything it is given may come from someone who wants to mislead the reader
// or the machine that prints the text: an annotation in the cluster, a module,
// a server's message. So every text goes through Clean, and no line begins with
// one: lines begin with a symbol, a name that the language allows, or a gutter.
// What is secret is left out before it gets here, and again here where it may
// not have been.
package render

import (
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// Options are how to show something. The zero Options are good for a log.
type Options struct {
	Color   bool // with ANSI colours
	Width   int  // columns to wrap prose at; 0 is 78
	Concise bool // leave out notes and the counts of what is hidden

	// SavedAs is the file that holds the plan, if -out was given. Otherwise,
	// with Unsaved, the text ends with the note that there is none. ApplyLine is
	// the command that applies the saved plan; it is shown if there is one.
	SavedAs   string
	ApplyLine string
	Unsaved   bool

	// MaxLines is how many lines of a text that comes or goes are shown; 0 is
	// 200.
	MaxLines int
	// CompactWarnings shows warnings by their summaries alone when there is no
	// error.
	CompactWarnings bool
	// EachWarning shows all warnings that say the same, not the first alone.
	EachWarning bool
}

func (o Options) width() int {
	if o.Width <= 0 {
		return 78
	}
	return max(o.Width, 20)
}

func (o Options) maxLines() int {
	if o.MaxLines <= 0 {
		return 200
	}
	return o.MaxLines
}

// style is an ANSI SGR code.
type style string

const (
	bold   style = "1"
	dim    style = "90"
	red    style = "31"
	green  style = "32"
	yellow style = "33"
)

// page is a text as it is being written.
type page struct {
	opts Options
	text strings.Builder
}

func newPage(opts Options) *page { return &page{opts: opts} }

// paint wraps text in a style if there is colour at all.
func (p *page) paint(s style, text string) string {
	if !p.opts.Color || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// line writes one line.
func (p *page) line(parts ...string) {
	for _, part := range parts {
		p.text.WriteString(part)
	}
	p.text.WriteByte('\n')
}

// prose writes a paragraph of ours, wrapped.
func (p *page) prose(text string) {
	for _, line := range wrap(text, p.opts.width()) {
		p.line(line)
	}
}

// writeTo writes the page. Whether the reader went away is known to the writer.
func (p *page) writeTo(w io.Writer) {
	_, _ = io.WriteString(w, p.text.String())
}

// wrap breaks a line at spaces. A word that is too long stands alone.
func wrap(text string, width int) []string {
	var lines []string
	line, used := "", 0
	for word := range strings.SplitSeq(text, " ") {
		w := screenWidth(word)
		if used > 0 && used+1+w > width {
			lines, line, used = append(lines, line), "", 0
		}
		if line != "" {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+w
	}
	return append(lines, line)
}

// screenWidth is how many columns text takes on the screen, its colours none.
func screenWidth(text string) int {
	return displaywidth.Options{ControlSequences: true}.String(text)
}

// pad fills text up to a width on the screen.
func pad(text string, width int) string {
	if missing := width - screenWidth(text); missing > 0 {
		return text + strings.Repeat(" ", missing)
	}
	return text
}
