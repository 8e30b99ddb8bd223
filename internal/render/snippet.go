package render

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"
)

// snippet is the source that a diagnostic is about.
type snippet struct {
	context   string // the block it stands in: resource "Pod" "web"
	lines     []string
	firstLine int
	// markLine is the line whose bytes from markFrom to markTo are meant.
	markLine, markFrom, markTo int
}

// sources are the endings of the files whose text may be shown. A file of
// variables may hold passwords.
var sources = []string{".kplan.hcl", ".kplan.json", ".kptest.hcl"}

// longestSnippet is how many lines of source are shown.
const longestSnippet = 6

// snippetOf is the source of a diagnostic, without lines when the file is not
// at hand or not to be shown.
func snippetOf(d *hcl.Diagnostic, files map[string]*hcl.File) snippet {
	file := files[d.Subject.Filename]
	if file == nil || !slices.ContainsFunc(sources, func(end string) bool { return strings.HasSuffix(d.Subject.Filename, end) }) {
		return snippet{}
	}
	subject, visible := *d.Subject, *d.Subject
	if d.Context != nil && d.Context.Filename == subject.Filename {
		visible = hcl.RangeOver(subject, *d.Context)
	}
	all := strings.Split(string(file.Bytes), "\n")
	if subject.Start.Line < 1 || subject.Start.Line > len(all) {
		return snippet{}
	}
	first, last := visible.Start.Line, min(visible.End.Line, len(all))
	if visible.End.Column == 1 && last > first { // the end of the line before
		last--
	}
	if last-first >= longestSnippet {
		first = max(first, subject.Start.Line-longestSnippet/2)
		last = min(last, first+longestSnippet-1)
	}
	s := snippet{firstLine: first, markLine: subject.Start.Line, context: contextOf(file, subject)}
	for _, line := range all[first-1 : last] {
		s.lines = append(s.lines, strings.TrimSuffix(line, "\r"))
	}
	s.mark(subject, len(strings.Join(all[:subject.Start.Line-1], "\n")))
	return s
}

func contextOf(file *hcl.File, subject hcl.Range) string {
	if file.Nav == nil {
		return ""
	}
	return hcled.ContextString(file, subject.Start.Byte)
}

// mark finds what of the marked line the subject covers; before is how many
// bytes stand in the lines above.
func (s *snippet) mark(subject hcl.Range, before int) {
	if subject.Start.Line > 1 {
		before++ // the last newline
	}
	line := s.lines[s.markLine-s.firstLine]
	ink := len(strings.TrimRight(line, " \t"))
	s.markFrom = min(max(subject.Start.Byte-before, 0), len(line))
	s.markTo = ink
	if subject.End.Line == subject.Start.Line {
		s.markTo = min(max(subject.End.Byte-before, 0), len(line))
	}
	s.markTo = max(s.markTo, s.markFrom)
}
