package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
)

// Diagnostics writes diagnostics for people, each in its box: warnings first, so
// that the errors stand where the reader looks. A diagnostic whose Extra is an
// addrs.Instance says which instance it is about.
func Diagnostics(w io.Writer, diags hcl.Diagnostics, src Sources, opts Options) {
	p := newPage(opts)
	if opts.CompactWarnings && len(diags) > 0 && !diags.HasErrors() {
		p.compactWarnings(diags)
	} else {
		for _, d := range grouped(diags, opts.EachWarning) {
			p.diagnostic(d, src)
		}
	}
	p.writeTo(w)
}

// PlanDiagnostics writes the diagnostics that a saved plan was made with.
func PlanDiagnostics(w io.Writer, pl *plan.Plan, opts Options) {
	var diags hcl.Diagnostics
	for _, d := range pl.Diagnostics {
		diags = append(diags, d.HCL())
	}
	opts.EachWarning, opts.CompactWarnings = true, false
	Diagnostics(w, diags, Sources{}, opts)
}

// Discreet are diagnostics whose details repeat none of the secrets in the source that
// they are about.
func Discreet(diags hcl.Diagnostics, src Sources) hcl.Diagnostics {
	all := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		hidden := *d
		hidden.Detail = snippetOf(d, src).without(d.Detail)
		all[i] = &hidden
	}
	return all
}

// similar is a diagnostic, and how many more report the same elsewhere.
type similar struct {
	*hcl.Diagnostic
	more int
}

// grouped puts warnings before errors and warnings with the same summary
// together, unless each is to be shown.
func grouped(diags hcl.Diagnostics, each bool) []similar {
	var all []similar
	at := map[string]int{}
	for _, d := range diags {
		if d.Severity != hcl.DiagWarning {
			continue
		}
		if i, ok := at[d.Summary]; ok && !each {
			all[i].more++
			continue
		}
		at[d.Summary] = len(all)
		all = append(all, similar{Diagnostic: d})
	}
	for _, d := range diags {
		if d.Severity != hcl.DiagWarning {
			all = append(all, similar{Diagnostic: d})
		}
	}
	return all
}

// box is the frame of a diagnostic.
type box struct {
	*page
	ink style
}

func (b box) line(parts ...string) {
	text := strings.Join(parts, "")
	if text == "" {
		b.page.line(b.paint(b.ink, "│"))
		return
	}
	b.page.line(b.paint(b.ink, "│"), " ", text)
}

func (p *page) diagnostic(d similar, src Sources) {
	b, title := box{p, red}, "Error: "
	if d.Severity == hcl.DiagWarning {
		b.ink, title = yellow, "Warning: "
	}
	p.line(p.paint(b.ink, "╷"))
	b.line(p.paint(bold, p.paint(b.ink, title)), p.paint(bold, Clean(d.Summary)))
	s := snippetOf(d.Diagnostic, src)
	b.where(d.Diagnostic, s, src.Secrets.Names)
	if d.Detail != "" {
		b.line()
		b.detail(s.without(d.Detail))
	}
	if d.more > 0 {
		b.line()
		b.line("(and ", words.Count(d.more, "more similar warning"), " elsewhere)")
	}
	p.line(p.paint(b.ink, "╵"))
}

// where writes what the diagnostic is about: instance, range and source.
func (b box) where(d *hcl.Diagnostic, s snippet, secret map[string]bool) {
	inst, hasInstance := hcl.DiagnosticExtra[addrs.Instance](d)
	if !hasInstance && d.Subject == nil {
		return
	}
	b.line()
	if hasInstance {
		end := ""
		if d.Subject != nil {
			end = ","
		}
		b.line("  with ", Clean(inst.String()), end)
	}
	if d.Subject == nil {
		return
	}
	at := fmt.Sprintf("  on %s line %d", Clean(d.Subject.Filename), d.Subject.Start.Line)
	if s.context != "" {
		at += ", in " + Clean(s.context)
	}
	if len(s.lines) == 0 {
		b.line(at, ".")
		return
	}
	b.line(at, ":")
	b.source(s)
	b.values(d, secret)
}

// source writes the lines of the source, with carets under what is meant.
func (b box) source(s snippet) {
	for i, text := range s.lines {
		n := s.firstLine + i
		b.line(fmt.Sprintf("%4d: ", n), untabbed(text))
		if n == s.markLine {
			from := screenWidth(untabbed(text[:s.markFrom]))
			width := max(1, screenWidth(untabbed(text[s.markFrom:s.markTo])))
			b.line(strings.Repeat(" ", 6+from), b.paint(b.ink, strings.Repeat("^", width)))
		}
	}
}

// untabbed is a line of source as it is shown.
func untabbed(text string) string {
	return Clean(strings.ReplaceAll(text, "\t", "    "))
}

// values writes what the references in the failed expression came to.
func (b box) values(d *hcl.Diagnostic, secret map[string]bool) {
	values := valuesIn(d, secret)
	call := functionIn(d)
	if len(values) == 0 && call == "" {
		return
	}
	b.line(b.paint(dim, "    ├────────────────"))
	if call != "" {
		b.line(b.paint(dim, "    │"), " while calling ", Clean(call))
	}
	for _, v := range values {
		b.line(b.paint(dim, "    │"), " ", b.paint(bold, Clean(v.Traversal)), " ", Clean(v.Statement))
	}
}

// detail writes the detail: paragraphs are wrapped, indented lines are kept.
func (b box) detail(text string) {
	for _, line := range cleanLines(text) {
		if line == "" || strings.HasPrefix(line, " ") {
			b.line(strings.TrimRight(line, " "))
			continue
		}
		for _, part := range wrap(line, b.opts.width()-2) {
			b.line(part)
		}
	}
}

// compactWarnings writes nothing but what each warning is called, and where.
func (p *page) compactWarnings(diags hcl.Diagnostics) {
	b := box{p, yellow}
	p.line(p.paint(b.ink, "╷"))
	b.line(p.paint(bold, p.paint(b.ink, "Warnings:")))
	b.line()
	for _, d := range grouped(diags, false) {
		b.line("- ", Clean(d.Summary))
		if d.Subject == nil {
			continue
		}
		at := fmt.Sprintf("  on %s line %d", Clean(d.Subject.Filename), d.Subject.Start.Line)
		if d.more > 0 {
			at += fmt.Sprintf(" (and %d more)", d.more)
		}
		b.line(at)
	}
	b.line()
	for _, line := range wrap("To see the full warning notes, run kplan without "+string(option.CompactWarnings)+".", p.opts.width()-2) {
		b.line(line)
	}
	p.line(p.paint(b.ink, "╵"))
}

// counts are how many errors and warnings there are.
func counts(diags hcl.Diagnostics) (errors, warnings int) {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			errors++
		}
	}
	return errors, len(diags) - errors
}
