package main

import (
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/render"
)

// report shows problems. Errors and warnings go to standard error alike, so
// that what a command is asked for stands alone on standard output.
func (s *session) report(diags hcl.Diagnostics) {
	diags = withAdvice(diags)
	src := s.sources(diags)
	s.tell(func(e *render.Events) {
		for _, d := range diags {
			e.Diagnostic(d, src)
		}
	})
	if s.events != nil {
		return
	}
	s.speaking.Lock()
	defer s.speaking.Unlock()
	opts := s.options()
	opts.Color = s.errColour && !s.noColor
	render.Diagnostics(s.stderr, diags, src, opts)
}

// say shows a text that is no problem. It may be called from several goroutines
// at once.
func (s *session) say(text string) {
	s.speaking.Lock()
	defer s.speaking.Unlock()
	fmt.Fprint(s.stderr, text)
}

// sources are the files that these diagnostics quote.
func (s *session) sources(diags hcl.Diagnostics) render.Sources {
	if s.loaded == nil || !slices.ContainsFunc(diags, func(d *hcl.Diagnostic) bool { return d.Subject != nil }) {
		return render.Sources{Open: s.lists}
	}
	return render.Sources{Files: s.loaded.Files, Open: s.lists, Secrets: s.loaded.Secrets(s.kinds)}
}

// fail reports an error that has no place in the configuration.
func (s *session) fail(summary, detail string, args ...any) {
	s.report(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}})
}

// capital is an error's text as the beginning of a sentence.
func capital(err error) string {
	return capitalized(err.Error())
}

func capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if first == utf8.RuneError {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
