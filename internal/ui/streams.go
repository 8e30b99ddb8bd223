// Package ui is where kplan speaks and listens: standard input, output and error,
// what the terminal can show, and the events that programs read.
//
// Everything is reported once, to every stream. Report and Tell write events where
// those are asked for, on standard output (-json) or in a file beside the text
// (-json-into); people read the text.
package ui

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/term"

	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
)

// Streams is where a run reads and writes, and how.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Input reports whether questions may be asked at all, and Terminal whether
	// someone is there to answer them.
	Input, Terminal bool
	// Version is what events begin with.
	Version string
	// View is how text is shown, but for color and width.
	View    render.Options
	NoColor bool
	// Secrets are hidden in all diagnostics, notices and steps.
	Secrets redact.Secrets
	// SourcesOf are the files that diagnostics quote, nil for none.
	SourcesOf func(hcl.Diagnostics) render.Sources

	// color and errColor report whether standard output and standard error show
	// color. width is the terminal's, 0 where there is none.
	color, errColor bool
	width           int
	region          *render.Region // nil: what is in progress can't be redrawn

	// events is where everything is reported as JSON instead of text, and record
	// where it is reported besides; nil for neither. Whoever writes holds speaking.
	events   *render.Events
	record   *record
	inJSON   atomic.Bool // whether events is set, for those who can't wait for the lock
	speaking sync.Mutex
}

// Std returns the standard streams. They respect NO_COLOR, TERM, CI and KPLAN_INPUT.
func Std(version string) *Streams {
	s := &Streams{
		In:       os.Stdin,
		Out:      &output{w: os.Stdout},
		Err:      os.Stderr,
		Input:    !isOff(os.Getenv("KPLAN_INPUT")),
		Terminal: isTerminal(os.Stdin),
		Version:  version,
	}
	if os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		s.color, s.errColor = isTerminal(os.Stdout), isTerminal(os.Stderr)
	}
	if isTerminal(os.Stdout) && canRedraw() {
		s.region = render.NewRegion(os.Stdout, terminalSize)
		s.Out, s.Err = s.region.Writer(os.Stdout), s.region.Writer(os.Stderr)
	}
	s.width, _ = terminalSize()
	return s
}

// canRedraw reports whether a terminal can move its cursor up some lines. A build
// server keeps what it is sent as a log.
func canRedraw() bool {
	kind := os.Getenv("TERM")
	if kind == "" && runtime.GOOS == "windows" {
		kind = os.Getenv("WT_SESSION") // only the newer one understands what is sent
	}
	return kind != "" && kind != "dumb" && (os.Getenv("CI") == "" || isOff(os.Getenv("CI")))
}

func terminalSize() (width, height int) {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func isOff(value string) bool { return value == "0" || value == "false" }

// Options is how text is shown on standard output.
func (s *Streams) Options() render.Options {
	opts := s.View
	opts.Color, opts.Width = s.color && !s.NoColor, s.width
	return opts
}

// Paint wraps text in an ANSI style, if standard output shows it.
func (s *Streams) Paint(style, text string) string {
	if !s.color || s.NoColor {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// Bold is text in bold type.
func (s *Streams) Bold(text string) string { return s.Paint("1", text) }

// InJSON reports whether events are written instead of text.
func (s *Streams) InJSON() bool { return s.inJSON.Load() }

// UseJSON has everything reported as events on standard output instead of text.
// Then nothing can be asked.
func (s *Streams) UseJSON() {
	s.speaking.Lock()
	defer s.speaking.Unlock()
	s.Input = false
	s.inJSON.Store(true)
	s.events = render.NewEvents(s.Out, time.Now)
	s.events.Version(s.Version)
}

// Emit writes events wherever those are asked for, one goroutine at a time.
func (s *Streams) Emit(say func(*render.Events)) {
	s.speaking.Lock()
	defer s.speaking.Unlock()
	if s.events != nil {
		say(s.events)
	}
	if s.record != nil {
		say(s.record.Events)
	}
}

// Print writes text for people to standard error, one goroutine at a time.
func (s *Streams) Print(text string) {
	if s.InJSON() {
		return
	}
	s.speaking.Lock()
	defer s.speaking.Unlock()
	fmt.Fprint(s.Err, text)
}

// Report shows diagnostics. Errors and warnings go to standard error alike, so
// that standard output has only what a command is asked for.
func (s *Streams) Report(diags hcl.Diagnostics) {
	if len(diags) == 0 {
		return
	}
	src := s.sources(diags)
	diags = s.masked(diags)
	s.Emit(func(e *render.Events) {
		for _, d := range diags {
			e.Diagnostic(d, src)
		}
	})
	if s.InJSON() {
		return
	}
	s.speaking.Lock()
	defer s.speaking.Unlock()
	opts := s.Options()
	opts.Color = s.errColor && !s.NoColor
	render.Diagnostics(s.Err, diags, src, opts)
}

// Discreet are diagnostics as Report shows them, for a plan to keep.
func (s *Streams) Discreet(diags hcl.Diagnostics) hcl.Diagnostics {
	return render.Discreet(s.masked(diags), s.sources(diags))
}

// longestDetail bounds what is shown of a diagnostic: a webhook may have much to say.
const longestDetail = 10_000

// masked are the diagnostics without the secrets that are known by now, which come before they are
// shortened: of half a secret nothing is known.
func (s *Streams) masked(diags hcl.Diagnostics) hcl.Diagnostics {
	all := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		masked := *d
		masked.Summary, masked.Detail = s.Secrets.Hide(d.Summary), words.Shorten(s.Secrets.Hide(d.Detail), longestDetail)
		all[i] = &masked
	}
	return all
}

// Notice reports something in passing, with a summary for programs.
func (s *Streams) Notice(summary, text string) {
	text = s.Secrets.Hide(text)
	s.Emit(func(e *render.Events) {
		e.Diagnostic(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: text}, render.Sources{})
	})
	s.Print(render.Clean(text) + "\n")
}

func (s *Streams) sources(diags hcl.Diagnostics) render.Sources {
	if s.SourcesOf == nil {
		return render.Sources{}
	}
	src := s.SourcesOf(diags)
	src.Known = &s.Secrets
	return src
}

// Errors returns diagnostics with an error among them. Warnings alone are
// reported at once, and are no reason to stop.
func (s *Streams) Errors(diags hcl.Diagnostics) hcl.Diagnostics {
	if diags.HasErrors() {
		return diags
	}
	s.Report(diags)
	return nil
}

// Interrupted reports what comes of an interrupt. Whoever reads at a terminal
// hears it first: where events go may be stuck.
func (s *Streams) Interrupted(text string) {
	if !s.InJSON() {
		fmt.Fprintf(s.Err, "\n%s\n\n", text)
	}
	s.Emit(func(e *render.Events) { e.Log("warn", text) })
}

// Live shows what is in progress at the lower end of the terminal, if there is
// one, until stop is called.
func (s *Streams) Live() (stop func()) {
	if s.region == nil || s.InJSON() {
		return func() {}
	}
	s.region.Start(s.Options())
	return s.region.Stop
}

// Step shows a step of an apply. One that is quiet is seen only where it can be
// redrawn.
func (s *Streams) Step(step render.Step, quiet bool) {
	step.Detail = s.Secrets.Hide(step.Detail)
	if !quiet {
		s.Emit(func(e *render.Events) { e.Step(step) })
	}
	switch {
	case s.InJSON():
	case s.region != nil:
		s.region.Step(step)
	case !quiet:
		fmt.Fprintln(s.Out, render.ProgressLine(step, s.Options()))
	}
}

// StopLive ends what Live began, whoever began it. A panic of the goroutine that
// redraws comes back here.
func (s *Streams) StopLive() {
	if s.region != nil {
		s.region.Stop()
	}
}

// Rethrow brings a panic back that drawing has met.
func (s *Streams) Rethrow() {
	if s.region != nil {
		s.region.Rethrow()
	}
}
