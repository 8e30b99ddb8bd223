package main

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/plan"
)

// showPlan shows a plan, and then what went wrong with it.
func (s *session) showPlan(p *plan.Plan, diags hcl.Diagnostics, view render.Options) {
	s.tell(func(e *render.Events) { e.Plan(p) })
	if s.events == nil {
		render.Plan(s.stdout, p, view)
	}
	s.report(diags)
}

// progress tells of a step of an apply.
func (s *session) progress(e apply.Event) {
	step := render.Step{Addr: e.Addr, Object: e.Object, Action: e.Action, Phase: phases[e.Phase], Elapsed: e.Elapsed, Detail: e.Detail}
	if !e.Quiet {
		s.tell(func(e *render.Events) { e.Step(step) })
	}
	switch {
	case s.events != nil:
	case s.region != nil:
		s.region.Step(step)
	case !e.Quiet:
		fmt.Fprintln(s.stdout, render.ProgressLine(step, s.options()))
	}
}

// showLive shows what is under way at the lower end of the terminal, if there is
// one, until stop is called.
func (s *session) showLive() (stop func()) {
	if s.region == nil || s.events != nil {
		return func() {}
	}
	s.region.Start(s.options())
	return s.region.Stop
}

var phases = map[apply.Phase]render.Phase{
	apply.Started:  render.Started,
	apply.Progress: render.Progress,
	apply.Done:     render.Done,
	apply.Failed:   render.Failed,
	apply.Waiting:  render.Waiting,
	apply.Ready:    render.Ready,
	apply.NotReady: render.NotReady,
}

// showSummary says what an apply came to.
func (s *session) showSummary(p *plan.Plan, summary apply.Summary, ok bool) {
	n := plan.Counts{
		Add: summary.Added, Change: summary.Changed, Destroy: summary.Destroyed,
		Adopt: summary.Adopted, Forget: summary.Forgotten, Move: p.Counts().Move,
	}
	if ok {
		s.tell(func(e *render.Events) {
			e.Applied(n, p.Mode)
			if p.Mode != plan.RefreshOnly { // which leaves them as they are
				e.Outputs(outputsOf(summary.Outputs))
			}
		})
	}
	switch {
	case s.events != nil:
	case !ok:
		s.showIncomplete(n, p.Mode, summary)
	default:
		fmt.Fprintf(s.stdout, "\n%s\n", render.ApplySummary(n, p.Mode, s.options()))
		if outputs := outputsOf(summary.Outputs); len(outputs) > 0 {
			fmt.Fprintf(s.stdout, "\n%s\n\n", s.paint("32;1", "Outputs:"))
			render.Outputs(s.stdout, outputs, s.options())
		}
	}
}

// showIncomplete says how far an apply got that did not get to its end.
func (s *session) showIncomplete(n plan.Counts, mode plan.Mode, summary apply.Summary) {
	fmt.Fprintf(s.stdout, "\n%s\n", render.IncompleteSummary(n, mode, s.options()))
	for _, part := range []struct {
		title string
		addrs []string
	}{{"Failed", texts(summary.Failed)}, {"Outcome unknown", texts(summary.Unknown)}, {"Not ready", texts(summary.NotReady)}, {"Skipped", texts(summary.Skipped)}} {
		for i, addr := range part.addrs {
			if i == 0 {
				fmt.Fprintf(s.stdout, "%s:\n", part.title)
			}
			fmt.Fprintf(s.stdout, "    %s\n", render.Clean(addr))
		}
	}
}

func texts[T fmt.Stringer](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.String()
	}
	return all
}

func outputsOf(values []hclspec.OutputValue) []render.Output {
	var outputs []render.Output
	for _, v := range values {
		outputs = append(outputs, render.Output{Name: v.Name, Value: v.Value, Type: v.Type, Sensitive: v.Sensitive})
	}
	return outputs
}

// tell has one goroutine at a time say something in JSON, wherever that is heard.
func (s *session) tell(say func(*render.Events)) {
	s.speaking.Lock()
	defer s.speaking.Unlock()
	if s.events != nil {
		say(s.events)
	}
	if s.record != nil {
		say(s.record.Events)
	}
}

// lockAwaited says that another run has the state's lock.
func (s *session) lockAwaited(text string) {
	s.tell(func(e *render.Events) { e.LockAwaited(text) })
	if !s.inJSON.Load() {
		s.say(text + "\n")
	}
}

// interrupted says what comes of an interrupt. Whoever reads at a terminal is
// told first: where events go may stand still.
func (s *session) interrupted(text string) {
	if !s.inJSON.Load() {
		fmt.Fprintf(s.stderr, "\n%s\n\n", text)
	}
	s.tell(func(e *render.Events) { e.Log("warn", text) })
}

// speakJSON has the session write events instead of text.
func (s *session) speakJSON() {
	s.speaking.Lock()
	defer s.speaking.Unlock()
	s.input = false
	s.inJSON.Store(true)
	s.events = render.NewEvents(s.stdout, time.Now)
	s.events.Version(versionText())
}
