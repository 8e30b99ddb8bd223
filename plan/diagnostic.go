package plan

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kube"
)

// Diagnostic is an error or a warning that a plan was made with, as a saved plan keeps
// it: without the lines of the configuration that it is about.
type Diagnostic struct {
	Severity Severity       `json:"severity"`
	Summary  string         `json:"summary"`
	Detail   string         `json:"detail,omitempty"`
	Addr     addrs.Instance `json:"address,omitzero"`
	Range    *Range         `json:"range,omitempty"`
}

// Severity is how bad a Diagnostic is.
type Severity string

// The severities, as Terraform spells them.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Range is a part of a file.
type Range struct {
	Filename string   `json:"filename"`
	Start    Position `json:"start"`
	End      Position `json:"end"`
}

// Position is a position in a file. Lines and columns count from 1, bytes from 0.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// NewDiagnostics are diagnostics for a plan to keep. They must have no secret.
func NewDiagnostics(diags hcl.Diagnostics) []Diagnostic {
	var all []Diagnostic
	for _, d := range diags {
		kept := Diagnostic{Severity: SeverityError, Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			kept.Severity = SeverityWarning
		}
		kept.Addr, _ = hcl.DiagnosticExtra[addrs.Instance](d)
		if r := d.Subject; r != nil {
			kept.Range = &Range{r.Filename, Position(r.Start), Position(r.End)}
		}
		all = append(all, kept)
	}
	return all
}

// HCL is the diagnostic as it was reported.
func (d Diagnostic) HCL() *hcl.Diagnostic {
	reported := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: d.Summary, Detail: d.Detail}
	if d.Severity == SeverityWarning {
		reported.Severity = hcl.DiagWarning
	}
	if d.Addr != (addrs.Instance{}) {
		reported.Extra = d.Addr
	}
	if r := d.Range; r != nil {
		reported.Subject = &hcl.Range{Filename: r.Filename, Start: hcl.Pos(r.Start), End: hcl.Pos(r.End)}
	}
	return reported
}

// HCL is the warning as a diagnostic.
func (w Warning) HCL() *hcl.Diagnostic {
	detail := w.Text
	if w.Object.Name != "" {
		detail = w.Object.String() + ": " + detail
	}
	return Diagnostic{Severity: SeverityWarning, Summary: ServerWarning, Detail: detail, Addr: w.Addr}.HCL()
}

// ServerWarning is the summary of the diagnostics that repeat a warning of the API
// server.
const ServerWarning = "Warning from the API server"

// Warning is what the API server said about a request of the plan beside its answer:
// that a policy would be violated, that an API is deprecated. It has no secret.
type Warning struct {
	Addr   addrs.Instance `json:"address,omitzero"` // of the object it is about, if it is about one
	Object addrs.Object   `json:"object,omitzero"`
	Text   string         `json:"text"`
}

// heard collects warnings, each once.
type heard struct {
	mu       sync.Mutex
	warnings []Warning
}

func (h *heard) add(w Warning) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.warnings, w) {
		h.warnings = append(h.warnings, w)
	}
}

// hear returns a context for requests whose warnings are collected.
func (h *heard) hear(ctx context.Context) context.Context {
	return kube.FilterWarnings(ctx, func(about addrs.Object, text string) string {
		if about.Name == "" { // of a list, or of what has no object at all
			about = addrs.Object{}
		}
		h.add(Warning{Object: about, Text: text})
		return ""
	})
}

// sorted are the warnings in an order that does not depend on which came first.
func (h *heard) sorted() []Warning {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortFunc(h.warnings, func(a, b Warning) int {
		return cmp.Or(cmp.Compare(a.Object.String(), b.Object.String()), cmp.Compare(a.Text, b.Text))
	})
	return h.warnings
}

// hearAbout returns a context for the requests about one object. Warnings about others,
// such as a list that several decisions share, are left to the plan.
func hearAbout(ctx context.Context, d *decision) context.Context {
	of := Warning{Addr: d.addr, Object: d.object}
	if d.object.Name == "" { // it is known after apply
		of.Object = addrs.Object{}
	}
	return kube.FilterWarnings(ctx, func(about addrs.Object, text string) string {
		if about.Identity() != d.object.Identity() {
			return text
		}
		of.Text = text
		d.heard.add(of)
		return ""
	})
}

// warningsAbout are what was said about the object, without its secrets, which a
// policy's message may quote.
func warningsAbout(d *decision) []Warning {
	if len(d.heard.warnings) == 0 {
		return nil
	}
	masker := redact.New(secretsOf(d.desired, d.before, d.sensitive)...)
	for i, w := range d.heard.warnings {
		d.heard.warnings[i].Text = masker.Hide(w.Text)
	}
	return d.heard.warnings
}
