package main

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/plan"
)

// showPlan shows a plan.
func showPlan(u *ui.Streams, p *plan.Plan, view render.Options) {
	u.Emit(func(e *render.Events) { e.Plan(p) })
	if !u.InJSON() {
		render.Plan(u.Out, p, view)
	}
}

// showStep shows a step of an apply.
func showStep(u *ui.Streams, e apply.Event) {
	u.Step(render.Step{
		Addr: e.Addr, Object: e.Object, Action: e.Action, Phase: phases[e.Phase], Elapsed: e.Elapsed, Detail: e.Detail,
		Tally: render.Tally(e.Tally),
	}, e.Quiet)
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

// showSummary shows what an apply has done.
func showSummary(u *ui.Streams, p *plan.Plan, summary apply.Summary, diags hcl.Diagnostics) {
	n := plan.Counts{
		Add: summary.Added, Change: summary.Changed, Destroy: summary.Destroyed,
		Adopt: summary.Adopted, Forget: summary.Forgotten, Move: summary.Moved,
	}
	if diags.HasErrors() {
		showIncomplete(u, n, p.Mode, summary)
		return
	}
	outputs := outputsOf(summary.Outputs)
	u.Emit(func(e *render.Events) {
		e.Applied(n, p.Mode)
		if p.Mode != plan.RefreshOnly { // which leaves them as they are
			e.Outputs(outputs)
		}
	})
	if u.InJSON() {
		return
	}
	fmt.Fprintf(u.Out, "\n%s\n", render.ApplySummary(n, p.Mode, u.Options()))
	if len(outputs) > 0 {
		showOutputs(u, outputs)
	}
}

func showOutputs(u *ui.Streams, outputs []render.Output) {
	fmt.Fprintf(u.Out, "\n%s\n\n", u.Bold("Outputs:"))
	render.Outputs(u.Out, outputs, u.Options())
}

// showIncomplete shows how far an apply got that did not get to its end.
func showIncomplete(u *ui.Streams, n plan.Counts, mode plan.Mode, summary apply.Summary) {
	if u.InJSON() {
		return
	}
	fmt.Fprintf(u.Out, "\n%s\n", render.IncompleteSummary(n, mode, u.Options()))
	for _, part := range []struct {
		title string
		addrs []string
	}{
		{"Failed", texts(summary.Failed)}, {"Outcome unknown", texts(summary.Unknown)},
		{"Not ready", texts(summary.NotReady)}, {"Skipped", texts(summary.Skipped)},
	} {
		for i, addr := range part.addrs {
			if i == 0 {
				fmt.Fprintf(u.Out, "%s:\n", part.title)
			}
			fmt.Fprintf(u.Out, "    %s\n", render.Clean(addr))
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
