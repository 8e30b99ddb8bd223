package source

import (
	"bytes"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// explained are the parser's errors, with what to write instead where a text for another program was likely meant.
func explained(diags hcl.Diagnostics, src []byte) hcl.Diagnostics {
	for i, d := range diags {
		if d.Subject == nil {
			continue
		}
		if isGoTemplate(d, src) {
			return append(diags[:i:i], goTemplate(*d.Subject, src))
		}
		if more := literally(d, src); more != "" {
			told := *d
			told.Detail = strings.TrimSpace(d.Detail + " " + more)
			diags[i] = &told
		}
	}
	return diags
}

// isGoTemplate reports whether the parser stumbled over {{ … }}.
func isGoTemplate(d *hcl.Diagnostic, src []byte) bool {
	line, at := lineAt(src, d.Subject.Start.Byte)
	open := bytes.Index(line, []byte("{{"))
	return open >= 0 && at >= open && at <= max(bytes.LastIndex(line, []byte("}}"))+2, open+2)
}

func goTemplate(at hcl.Range, src []byte) *hcl.Diagnostic {
	const summary = "Template of another language"
	if line, _ := lineAt(src, at.Start.Byte); bytes.Contains(line, []byte("${{")) {
		return Problem(summary, at, "For a text that has ${{ … }} in it, as GitHub's workflows have, write $${{ … }}.")[0]
	}
	return Problem(summary, at, "{{ … }} is a template of Helm or Go. Here a value is written var.name, in a text \"${var.name}\", "+
		"a condition a ? b : c, and what repeats for_each = … or dynamic. In quotes, {{ … }} is a text like any other.")[0]
}

// literally is how what the parser stumbled over is written if it is meant as a text.
func literally(d *hcl.Diagnostic, src []byte) string {
	at := min(d.Subject.Start.Byte, len(src))
	switch here := src[at:]; {
	case d.Summary == "Invalid character" && bytes.HasPrefix(here, []byte("$")):
		return "A reference is written without it: var.name. In a text it is \"${var.name}\"."
	case d.Summary == "Invalid escape sequence" && bytes.HasPrefix(here, []byte(`\$`)):
		return "For a \"${\" that stays as it is write \"$${\"; a \"$\" without a brace needs nothing."
	case d.Summary == "Invalid escape sequence" && bytes.HasPrefix(here, []byte(`\%`)):
		return "For a \"%{\" that stays as it is write \"%%{\"; a \"%\" without a brace needs nothing."
	case d.Summary == "Invalid template control keyword":
		return "For a \"%{\" that stays as it is write \"%%{\"."
	}
	return ""
}

// lineAt is the line of a source that has a byte, and where in it that is.
func lineAt(src []byte, at int) (line []byte, offset int) {
	at = min(at, len(src))
	start := bytes.LastIndexByte(src[:at], '\n') + 1
	line, _, _ = bytes.Cut(src[start:], []byte("\n"))
	return line, at - start
}

// AsText is how an expression that is all of an interpolation is written if it is meant as a text, for a shell for
// example; "" if it is anything else.
func AsText(src []byte, at hcl.Range) string {
	from, to := at.Start.Byte, at.End.Byte
	if from < 2 || to >= len(src) || from > to || string(src[from-2:from]) != "${" || src[to] != '}' {
		return ""
	}
	return " If ${" + string(src[from:to]) + "} is meant as text, for a shell for example, write $${" + string(src[from:to]) + "}."
}
