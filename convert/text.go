package convert

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/kinds"
)

// text is a text as an expression in one line, false where it is written in several.
func (w *writer) text(n *node, f *kinds.Field, key string) (string, bool) {
	w.mustBeData(n, f, key)
	if f.Sensitive && n.text != "" && w.opts.SecretVariables {
		return w.variable(n, key), true
	}
	w.secret = w.secret || f.Sensitive && n.text != ""
	return quote(n.text), !isHeredoc(n.text)
}

// isHeredoc reports whether a text has several lines, and arrives as it is when they are written as such.
func isHeredoc(text string) bool {
	const mostLines = 5_000 // half of what source.Check allows in a configuration
	lines := strings.Count(text, "\n")
	if lines == 0 || lines == 1 && strings.HasSuffix(text, "\n") || lines > mostLines || lines*len(text) > 1_000_000_000 {
		return false
	}
	return strings.Trim(text, "\n") != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && !unicode.IsPrint(r)
	})
}

// heredoc writes a text of several lines.
func (w *writer) heredoc(n *node) {
	delimiter := delimiterFor(n.text)
	cut := !strings.HasSuffix(n.text, "\n")
	lines := strings.Split(strings.TrimSuffix(n.text, "\n"), "\n")
	indent := strings.Repeat("  ", w.depth+1)
	opening := "<<-" + delimiter
	if !slices.ContainsFunc(lines, func(line string) bool { return line != "" && !unicode.IsSpace([]rune(line)[0]) }) {
		opening, indent = "<<"+delimiter, "" // what all lines begin with would be removed
	}
	if cut {
		opening = "chomp(" + opening
	}
	w.out.WriteString(opening)
	w.end(n.line)
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			w.out.WriteString(indent)
		}
		w.out.WriteString(escapeTemplates(line))
		w.end(n.line + 1 + i)
	}
	w.begin()
	w.out.WriteString(delimiter)
	if cut {
		w.end(n.line)
		w.begin()
		w.out.WriteString(")")
	}
}

// delimiterFor is a word that ends a heredoc, and that no line of the text consists of.
func delimiterFor(text string) string {
	word := "EOT"
	for n := 2; slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == word }); n++ {
		word = fmt.Sprintf("EOT%d", n)
	}
	return word
}

// escapeTemplates escapes what begins an interpolation or a directive.
func escapeTemplates(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, "${", "$${"), "%{", "%%{")
}

// quote is a text in quotes.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range escapeTemplates(text) {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func quoteAll(texts []string) []string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quote(text)
	}
	return quoted
}

// keywords are names that mean something else as the key of an object.
var keywords = []string{"for", "if", "in", "else", "endif", "endfor", "true", "false", "null"}

// spellKey is a key of an object, in quotes where it is no name.
func spellKey(key string) string {
	if hclsyntax.ValidIdentifier(key) && !slices.Contains(keywords, key) {
		return key
	}
	return quote(key)
}
