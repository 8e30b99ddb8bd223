package render

import (
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
)

// jsonDiagnostic is a diagnostic as Terraform writes it in JSON.
type jsonDiagnostic struct {
	Severity string       `json:"severity"`
	Summary  string       `json:"summary"`
	Detail   string       `json:"detail"`
	Address  string       `json:"address,omitempty"`
	Range    *jsonRange   `json:"range,omitempty"`
	Snippet  *jsonSnippet `json:"snippet,omitempty"`
}

type jsonRange struct {
	Filename string  `json:"filename"`
	Start    jsonPos `json:"start"`
	End      jsonPos `json:"end"`
}

type jsonPos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

type jsonSnippet struct {
	Context              *string       `json:"context"`
	Code                 string        `json:"code"`
	StartLine            int           `json:"start_line"`
	HighlightStartOffset int           `json:"highlight_start_offset"`
	HighlightEndOffset   int           `json:"highlight_end_offset"`
	Values               []exprValue   `json:"values"`
	FunctionCall         *jsonFunction `json:"function_call,omitempty"`
}

type jsonFunction struct {
	CalledAs string `json:"called_as"`
}

// ValidateJSON writes the result of a validation for machines.
func ValidateJSON(w io.Writer, diags hcl.Diagnostics, src Sources) error {
	errors, warnings := counts(diags)
	return writeJSON(w, struct {
		FormatVersion string           `json:"format_version"`
		Valid         bool             `json:"valid"`
		ErrorCount    int              `json:"error_count"`
		WarningCount  int              `json:"warning_count"`
		Diagnostics   []jsonDiagnostic `json:"diagnostics"`
	}{"1.0", errors == 0, errors, warnings, jsonDiagnostics(diags, src)}, true)
}

func jsonDiagnostics(diags hcl.Diagnostics, src Sources) []jsonDiagnostic {
	all := []jsonDiagnostic{}
	for _, d := range diags {
		all = append(all, jsonDiagnosticOf(d, src))
	}
	return all
}

func jsonDiagnosticOf(d *hcl.Diagnostic, src Sources) jsonDiagnostic {
	s := snippetOf(d, src)
	j := jsonDiagnostic{Severity: severity(d), Summary: d.Summary, Detail: s.without(d.Detail)}
	if inst, ok := hcl.DiagnosticExtra[addrs.Instance](d); ok {
		j.Address = inst.String()
	}
	if d.Subject == nil {
		return j
	}
	j.Range = &jsonRange{d.Subject.Filename, jsonPos(d.Subject.Start), jsonPos(d.Subject.End)}
	if len(s.lines) > 0 {
		j.Snippet = jsonSnippetOf(s, d, src.Secrets.Names)
	}
	return j
}

func severity(d *hcl.Diagnostic) string {
	if d.Severity == hcl.DiagWarning {
		return "warning"
	}
	return "error"
}

func jsonSnippetOf(s snippet, d *hcl.Diagnostic, secret map[string]bool) *jsonSnippet {
	before := 0 // bytes of code above the marked line
	for _, line := range s.lines[:s.markLine-s.firstLine] {
		before += len(line) + 1
	}
	j := &jsonSnippet{
		Code: strings.Join(s.lines, "\n"), StartLine: s.firstLine,
		HighlightStartOffset: before + s.markFrom, HighlightEndOffset: before + s.markTo,
		Values: append([]exprValue{}, valuesIn(d, secret)...),
	}
	if s.context != "" {
		j.Context = &s.context
	}
	if name := functionIn(d); name != "" {
		j.FunctionCall = &jsonFunction{CalledAs: strings.TrimSuffix(name, "(...)")}
	}
	return j
}
