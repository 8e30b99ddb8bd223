package render

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcled"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/redact"
)

// Sources are the files that diagnostics quote, by name, and what of them is
// secret.
type Sources struct {
	Files map[string]*hcl.File
	// Open are more files, whatever their names, of which everything may be shown.
	Open    map[string]*hcl.File
	Secrets config.Secrets
	// Known are values that must not be shown, wherever they stand; nil: none.
	Known *redact.Secrets
}

// snippet is the source that a diagnostic is about.
type snippet struct {
	context   string // the block that contains it: resource "Pod" "web"
	lines     []string
	firstLine int
	// markLine is the line whose bytes from markFrom to markTo are meant.
	markLine, markFrom, markTo int
	// hidden are the secrets that these lines contain or refer to.
	hidden []string
}

// sources are the endings of the files whose text may be shown. A file of
// variables may hold passwords.
var sources = []string{".kplan.hcl", ".kplan.json"}

// longestSnippet is how many lines of source are shown.
const longestSnippet = 6

// snippetOf is the source of a diagnostic, without lines when the file is not
// at hand or not to be shown.
func snippetOf(d *hcl.Diagnostic, src Sources) snippet {
	if d.Subject == nil {
		return snippet{}
	}
	s := snippet{hidden: secretTexts(d, src.Secrets.Names)}
	file := src.quoted(d.Subject.Filename)
	if file == nil {
		return s
	}
	subject, visible := *d.Subject, *d.Subject
	if d.Context != nil && d.Context.Filename == subject.Filename {
		visible = hcl.RangeOver(subject, *d.Context)
	}
	all := strings.Split(string(file.Bytes), "\n")
	if subject.Start.Line < 1 || subject.Start.Line > len(all) {
		return s
	}
	first, last := visible.Start.Line, min(visible.End.Line, len(all))
	if visible.End.Column == 1 && last > first { // the end of the line before
		last--
	}
	if last-first >= longestSnippet {
		first = max(first, subject.Start.Line-longestSnippet/2)
		last = min(last, first+longestSnippet-1)
	}
	s.firstLine, s.markLine, s.context = first, subject.Start.Line, contextOf(file, subject)
	s.mark(all, subject)
	secrets := secretsIn(subject.Filename, src.Secrets.Ranges)
	at := len(strings.Join(all[:first-1], "\n")) + min(first-1, 1)
	for i, line := range all[first-1 : last] {
		line := strings.TrimSuffix(line, "\r")
		s.add(first+i, line, at, withKnown(secrets, src.Known.Find(line), at))
		at += len(line) + 1
	}
	return s
}

// withKnown are the secret ranges of a file and what is known as secret in a line of it,
// which begins at a byte of the file.
func withKnown(ranges []hcl.Range, known []redact.Span, at int) []hcl.Range {
	if len(known) == 0 {
		return ranges
	}
	all := slices.Clone(ranges)
	for _, span := range known {
		all = append(all, hcl.Range{Start: hcl.Pos{Byte: at + span.From}, End: hcl.Pos{Byte: at + span.To}})
	}
	slices.SortStableFunc(all, func(a, b hcl.Range) int { return cmp.Compare(a.Start.Byte, b.Start.Byte) })
	return all
}

// secretsIn are the secret ranges of a file, in order.
func secretsIn(filename string, ranges []hcl.Range) []hcl.Range {
	ranges = slices.DeleteFunc(slices.Clone(ranges), func(r hcl.Range) bool { return r.Filename != filename })
	slices.SortFunc(ranges, func(a, b hcl.Range) int { return cmp.Compare(a.Start.Byte, b.Start.Byte) })
	return ranges
}

// add adds a line, which begins at a byte of the file, with the mask in the
// place of each secret. The mark stays under the same text.
func (s *snippet) add(number int, line string, at int, secrets []hcl.Range) {
	var shown strings.Builder
	done, from, to := 0, s.markFrom, s.markTo
	for _, r := range secrets {
		start, end := max(r.Start.Byte-at, done), min(r.End.Byte-at, len(line))
		if start >= end || strings.TrimSpace(line[start:end]) == "" {
			continue
		}
		start += len(line[start:end]) - len(strings.TrimLeft(line[start:end], " \t"))
		s.hidden = append(s.hidden, line[start:end])
		shown.WriteString(line[done:start] + redact.Mask)
		from += moved(s.markFrom, start, end, 0)
		to += moved(s.markTo, start, end, len(redact.Mask))
		done = end
	}
	if number == s.markLine {
		s.markFrom, s.markTo = from, to
	}
	s.lines = append(s.lines, s.clipped(number, shown.String()+line[done:]))
}

// longestQuoted is how many bytes of a line are quoted: a generated file may be one line.
const longestQuoted = 400

// clipped is a line, or what is around the mark of one that is too long. Secrets are masked by now: half of one is not
// recognized.
func (s *snippet) clipped(number int, line string) string {
	if len(line) <= longestQuoted {
		return line
	}
	boundary := func(at int) int {
		for at > 0 && at < len(line) && !utf8.RuneStart(line[at]) {
			at--
		}
		return at
	}
	from := 0
	if number == s.markLine {
		from = boundary(max(0, min(s.markFrom-longestQuoted/4, len(line)-longestQuoted)))
	}
	to := boundary(min(from+longestQuoted+utf8.UTFMax, len(line)))
	before, after := "", ""
	if from > 0 {
		before = "… "
	}
	if to < len(line) {
		after = " …"
	}
	if number == s.markLine {
		s.markFrom, s.markTo = s.markFrom-from+len(before), min(s.markTo, to)-from+len(before)
	}
	return before + line[from:to] + after
}

// moved is by how much a place in a line moves when the mask takes the place of
// the text from start to end. One in the midst of that goes so far into the
// mask.
func moved(place, start, end, into int) int {
	switch {
	case place >= end:
		return len(redact.Mask) - (end - start)
	case place > start:
		return start + into - place
	}
	return 0
}

// quoted is the file of that name, nil when its text is not to be shown.
func (src Sources) quoted(name string) *hcl.File {
	if file := src.Open[name]; file != nil {
		return file
	}
	if slices.ContainsFunc(sources, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return src.Files[name]
	}
	return nil
}

func contextOf(file *hcl.File, subject hcl.Range) string {
	if file.Nav == nil {
		return ""
	}
	return hcled.ContextString(file, subject.Start.Byte)
}

// mark finds what of the marked line the subject covers.
func (s *snippet) mark(all []string, subject hcl.Range) {
	before := len(strings.Join(all[:s.markLine-1], "\n")) + min(s.markLine-1, 1) // bytes in the lines above
	line := strings.TrimSuffix(all[s.markLine-1], "\r")
	ink := len(strings.TrimRight(line, " \t"))
	s.markFrom = min(max(subject.Start.Byte-before, 0), len(line))
	s.markTo = ink
	if subject.End.Line == subject.Start.Line {
		s.markTo = min(max(subject.End.Byte-before, 0), len(line))
	}
	s.markTo = max(s.markTo, s.markFrom)
}

// without is what is said about the source, without the secrets in it.
func (s snippet) without(message string) string {
	var secrets []string
	for _, text := range s.hidden {
		text = strings.Trim(text, "\"' \t")
		secrets = append(secrets, text)
		if plain, err := strconv.Unquote(`"` + text + `"`); err == nil {
			secrets = append(secrets, plain)
		}
	}
	return redact.New(secrets...).Hide(message)
}
