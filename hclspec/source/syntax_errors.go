package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// firstErrors reduces the errors of the native parser to one for each mistake. Behind a quote that is
// missing, what is text and what is not are swapped until the end of the file, so nothing there
// is reported. Of other mistakes the parser recovers at the end of the line.
func firstErrors(diags hcl.Diagnostics, src []byte, filename string) hcl.Diagnostics {
	SortDiagnostics(diags)
	if yaml := yamlIn(diags, src); yaml != nil {
		return hcl.Diagnostics{yaml}
	}
	diags = explained(diags, src)
	if heredoc := brokenHeredoc(diags, src, filename); heredoc != nil {
		return heredoc
	}
	if len(diags) < 2 {
		return diags
	}
	var kept hcl.Diagnostics
	quote := missingQuote(src, filename)
	for _, d := range diags {
		line := subject(d).Start.Line
		if quote != nil && line >= quote.Subject.Start.Line {
			break
		}
		if len(kept) == 0 || subject(kept[len(kept)-1]).End.Line < line {
			kept = append(kept, d)
		}
	}
	if quote != nil {
		kept = append(kept, quote)
	}
	return kept
}

// yamlLine is a line of YAML, up to the colon behind a key.
var yamlLine = regexp.MustCompile(`^[ \t]*(- )?["\w./-]+:([ \t]|\r?$)`)

// yamlIn is the error that YAML stands where HCL is meant, nil if the first error is another.
func yamlIn(diags hcl.Diagnostics, src []byte) *hcl.Diagnostic {
	if len(diags) == 0 || diags[0].Summary != "Argument or block definition required" || diags[0].Subject == nil {
		return nil
	}
	start := bytes.LastIndexByte(src[:min(diags[0].Subject.Start.Byte, len(src))], '\n') + 1
	line, _, _ := bytes.Cut(src[start:], []byte("\n"))
	if !yamlLine.Match(line) {
		return nil
	}
	return Problem("YAML in a configuration", *diags[0].Subject, "This is written as in YAML. In a configuration a field is written "+
		"name = value, an object name { … }, and a list of objects as that block again and again. An object in YAML is used with "+
		"manifest = yamldecode(file(\"name.yaml\")).")[0]
}

// heredocHead is how a text of several lines may not begin: its word in quotes, or something behind it.
var heredocHead = regexp.MustCompile(`<<-?[ \t]*["'\w][^\n]*`)

// brokenHeredoc are the errors up to a text of several lines that does not begin or end as it should: what follows it is
// no other mistake. It is nil if there is none.
func brokenHeredoc(diags hcl.Diagnostics, src []byte, filename string) hcl.Diagnostics {
	for i, d := range diags {
		at := min(subject(d).Start.Byte, len(src))
		switch {
		case d.Summary == "Invalid expression" && bytes.HasPrefix(src[at:], []byte("<<")):
			head := heredocHead.Find(src[at:])
			return append(diags[:i:i], Problem("Invalid heredoc", byteRange(src, filename, at, at+max(len(bytes.TrimSpace(head)), 2)),
				"A text of several lines begins with <<EOT or <<-EOT and ends with EOT in a line of its own. The word has no quotes, and "+
					"nothing else is in its line.")...)
		case d.Summary == "Unterminated template string":
			if open := openHeredoc(src, filename); open != nil {
				return append(diags[:i:i], Problem("Missing end of heredoc", *open, "The text that begins here has no end: a line with nothing but %s.",
					bytes.TrimSpace(bytes.TrimLeft(src[open.Start.Byte:open.End.Byte], "<-")))...)
			}
		}
	}
	return nil
}

// openHeredoc is the beginning of the heredoc that has no end, nil if each has one.
func openHeredoc(src []byte, filename string) *hcl.Range {
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	var open []hcl.Range
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOHeredoc:
			open = append(open, byteRange(src, filename, token.Range.Start.Byte, token.Range.Start.Byte+len(bytes.TrimSpace(token.Bytes))))
		case hclsyntax.TokenCHeredoc:
			open = open[:max(len(open)-1, 0)]
		}
	}
	if len(open) == 0 {
		return nil
	}
	return &open[0]
}

// missingQuote is the error of the first text in quotes that goes on after the end of its line;
// nil if there is none.
func missingQuote(src []byte, filename string) *hcl.Diagnostic {
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	var quotes []hcl.Range
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOQuote:
			quotes = append(quotes, token.Range)
		case hclsyntax.TokenCQuote:
			quotes = quotes[:max(len(quotes)-1, 0)]
		case hclsyntax.TokenQuotedNewline:
			if len(quotes) > 0 {
				at := quotes[len(quotes)-1]
				return Problem("Missing quote", at, "The text that begins with this quote does not end in its line: in line %d, "+
					"a quote is missing, or there is one too many. A text of several lines is written <<-EOT … EOT.", at.Start.Line)[0]
			}
		}
	}
	return nil
}

// checkJSONSyntax reports the first mistake in the syntax of JSON: what follows it can't be
// understood.
func checkJSONSyntax(src []byte, filename string) hcl.Diagnostics {
	var (
		raw json.RawMessage
		bad *json.SyntaxError
	)
	if err := json.Unmarshal(src, &raw); !errors.As(err, &bad) {
		return nil
	}
	at := max(int(bad.Offset)-1, 0) // of the character that is not expected
	before := bytes.TrimRight(src[:min(at, len(src))], " \t\r\n")
	problem := func(from, to int, summary, format string, args ...any) hcl.Diagnostics {
		return Problem(summary, byteRange(src, filename, from, to), format, args...)
	}
	switch text := bad.Error(); {
	case len(bytes.TrimSpace(src)) == 0:
		return problem(0, 0, "Empty file", "A file in JSON holds at least {}.")
	case strings.Contains(text, "in string literal") && src[at] == '\n':
		return problem(openQuote(before), at, "Missing quote", "This text does not end in its line: a quote is missing in this line, "+
			"or there is one too many.")
	case strings.Contains(text, "unexpected end"):
		open := innermostOpen(src)
		return problem(open, open+1, "Unclosed bracket", "What begins with this %c is not closed before the end of the file.", src[open])
	case (src[at] == '}' || src[at] == ']') && bytes.HasSuffix(before, []byte(",")):
		return problem(len(before)-1, len(before), "Trailing comma", "JSON has no comma behind the last element: remove it.")
	case strings.Contains(text, "after object key:value pair"), strings.Contains(text, "after array element"):
		return problem(at, at+1, "Missing comma", "A comma or the closing bracket is expected here, and this is %q.", runeAt(src, at))
	case strings.Contains(text, "after object key"):
		return problem(at, at+1, "Missing colon", "A colon is expected between the name of a property and its value, and this is %q.",
			runeAt(src, at))
	case strings.Contains(text, "object key string"):
		return problem(at, at+1, "Invalid property name", "The name of a property, in double quotes, is expected here, and this is %q.",
			runeAt(src, at))
	case strings.Contains(text, "after top-level value"):
		return problem(at, at+1, "Unexpected text", "The JSON value has ended before this %q: a bracket is closed too early.", runeAt(src, at))
	}
	if from, to := wordAround(src, at); from < to {
		return problem(from, to, "Invalid JSON value", "This is no value in JSON: a text is in double quotes.")
	}
	return problem(at, at+1, "Invalid JSON value", "A value or a closing bracket is expected here, and this is %q.", runeAt(src, at))
}

// wordAround are the bounds of the word that a byte of a source is in.
func wordAround(src []byte, at int) (from, to int) {
	isLetter := func(c byte) bool {
		return c == '_' || c == '-' || isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	from, to = at, at
	for from > 0 && isLetter(src[from-1]) {
		from--
	}
	for to < len(src) && isLetter(src[to]) {
		to++
	}
	return from, to
}

func runeAt(src []byte, at int) string {
	r, _ := utf8.DecodeRune(src[at:])
	return fmt.Sprintf("%c", r)
}

// openQuote is the position of the quote that the text's last, unclosed string begins with.
func openQuote(src []byte) int {
	line := bytes.LastIndexByte(src, '\n') + 1
	open := -1
	for i := line; i < len(src); i++ {
		switch {
		case src[i] == '\\' && open >= 0:
			i++
		case src[i] == '"' && open >= 0:
			open = -1
		case src[i] == '"':
			open = i
		}
	}
	return max(open, line)
}

// innermostOpen is the position of the last bracket or quote that nothing closes.
func innermostOpen(src []byte) int {
	var open []int
	quote := -1
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case quote >= 0 && c == '\\':
			i++
		case quote >= 0 && c == '"':
			quote = -1
		case quote >= 0:
		case c == '"':
			quote = i
		case c == '{' || c == '[':
			open = append(open, i)
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	if quote >= 0 {
		return quote
	}
	if len(open) > 0 {
		return open[len(open)-1]
	}
	return max(len(bytes.TrimRight(src, " \t\r\n"))-1, 0) // the file ends in the middle of a word
}

// byteRange is the range between two bytes of a source.
func byteRange(src []byte, filename string, from, to int) hcl.Range {
	from, to = min(from, len(src)), min(max(from, to), len(src))
	return hcl.Range{Filename: filename, Start: positionOf(src, from), End: positionOf(src, to)}
}

// positionOf is where a byte of a source is.
func positionOf(src []byte, at int) hcl.Pos {
	line := bytes.LastIndexByte(src[:at], '\n') + 1
	return hcl.Pos{Line: bytes.Count(src[:at], []byte("\n")) + 1, Column: utf8.RuneCount(src[line:at]) + 1, Byte: at}
}
