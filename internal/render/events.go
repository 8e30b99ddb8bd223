package render

import (
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// uiVersion is the version of Terraform's event format that Events writes.
const uiVersion = "1.2"

// Events writes what happens as one JSON object per line, as Terraform's -json
// does. It is not safe for use by several goroutines at once.
type Events struct {
	w   io.Writer
	now func() time.Time
	err error
}

// NewEvents writes to w; now is the clock.
func NewEvents(w io.Writer, now func() time.Time) *Events { return &Events{w: w, now: now} }

// Err is the first error that writing met.
func (e *Events) Err() error { return e.err }

// event is one line. Its keys are written in the order of the alphabet, so that
// those of the log come first.
type event map[string]any

func (e *Events) send(level, message, kind string, more event) {
	if e.err != nil {
		return // what came after a gap would be misread
	}
	line := event{
		"@level":     level,
		"@message":   message,
		"@module":    "kplan.ui",
		"@timestamp": e.now().Format("2006-01-02T15:04:05.000000Z07:00"),
		"type":       kind,
	}
	for key, value := range more {
		line[key] = value
	}
	e.err = writeJSON(e.w, line, false)
}

// Version reports the version of kplan. It comes first.
func (e *Events) Version(version string) {
	e.send("info", "kplan "+version, "version", event{"kplan": version, "terraform": version, "ui": uiVersion})
}

// Log reports something that has no event of its own.
func (e *Events) Log(level, message string) { e.send(level, message, "log", nil) }

// LockAwaited reports that another run has the state's lock.
func (e *Events) LockAwaited(message string) { e.send("info", message, "state_lock_acquire", nil) }

// Plan reports the changes of a plan, how many there are, and its outputs.
// An incomplete one has no such end: the errors that follow are the end of it.
func (e *Events) Plan(pl *plan.Plan) {
	for _, entry := range allEntries(pl) {
		if drift, ok := driftOf(entry, pl.Mode); ok {
			e.drift(drift)
		}
	}
	for _, entry := range entriesOf(pl) {
		change := eventChange(entry)
		if pl.Mode == plan.RefreshOnly {
			continue // its drift is all that it shows
		}
		e.send("info", fmt.Sprintf("%s: Plan to %s", entry.Addr, change["action"]), "planned_change", event{"change": change})
	}
	for _, w := range pl.Warnings {
		e.Diagnostic(w.HCL(), Sources{})
	}
	if pl.Incomplete {
		return
	}
	e.summary(summary(pl), pl.Counts(), "plan")
	if len(pl.Outputs) > 0 {
		e.plannedOutputs(pl.Outputs)
	}
}

// drift reports an object that changed outside of kplan.
func (e *Events) drift(drift entry) {
	change := eventChange(drift)
	e.send("info", fmt.Sprintf("%s: Drift detected (%s)", drift.Addr, change["action"]), "resource_drift", event{"change": change})
}

// Applied reports how an apply or destroy ended.
func (e *Events) Applied(n plan.Counts, mode plan.Mode) {
	operation := "apply"
	if mode == plan.Destroy {
		operation = "destroy"
	}
	e.summary(ApplySummary(n, mode, Options{}), n, operation)
}

func (e *Events) summary(message string, n plan.Counts, operation string) {
	e.send("info", message, "change_summary", event{"changes": event{
		"add": n.Add, "change": n.Change, "import": n.Adopt, "remove": n.Destroy, "forget": n.Forget,
		"move": n.Move, "operation": operation,
	}})
}

// Diagnostic reports a problem.
func (e *Events) Diagnostic(d *hcl.Diagnostic, src Sources) {
	level, title := "error", "Error: "
	if d.Severity == hcl.DiagWarning {
		level, title = "warn", "Warning: "
	}
	e.send(level, title+d.Summary, "diagnostic", event{"diagnostic": jsonDiagnosticOf(d, src)})
}

// Step reports a step of an apply.
func (e *Events) Step(s Step) {
	kind := map[Phase]string{
		Started: "apply_start", Progress: "apply_progress", Done: "apply_complete", Failed: "apply_errored",
		Waiting: "wait_progress", Ready: "wait_complete", NotReady: "wait_errored",
	}[s.Phase]
	hook := event{"resource": eventResource(s.Addr), "action": eventAction(s.Action)}
	if s.Object.Name != "" {
		hook["id_key"], hook["id_value"] = "object", s.Object.String()
	}
	if s.Phase != Started {
		hook["elapsed_seconds"] = int(s.Elapsed.Round(time.Second).Seconds())
	}
	if s.Detail != "" {
		hook["detail"] = s.Detail
	}
	if n, m, _ := s.Tally.of(s.Phase); m > 0 {
		hook["done"], hook["total"] = n, m
	}
	level := "info"
	if s.Phase == Failed || s.Phase == NotReady {
		level = "error"
	}
	e.send(level, s.Addr.String()+": "+s.text(), kind, event{"hook": hook})
}

func (e *Events) plannedOutputs(outputs []plan.OutputChange) {
	all := event{}
	for _, o := range outputs {
		all[o.Name] = event{"sensitive": o.Sensitive, "action": eventAction(o.Action)}
	}
	e.send("info", "Outputs: "+number(len(outputs)), "outputs", event{"outputs": all})
}

// Outputs reports the outputs after an apply.
func (e *Events) Outputs(outputs []Output) {
	all := event{}
	for _, o := range outputs {
		all[o.Name] = o.json()
	}
	e.send("info", "Outputs: "+number(len(outputs)), "outputs", event{"outputs": all})
}

func eventChange(e entry) event {
	change := event{"resource": eventResource(e.Addr), "action": eventAction(e.Action)}
	if e.Action == plan.NoOp && e.Moved() {
		change["action"] = "move"
	}
	if e.Moved() {
		change["previous_resource"] = eventResource(e.Previous)
	}
	if reason := eventReason(e.Reason); reason != "" {
		change["reason"] = reason
	}
	if e.Action == plan.Adopt {
		change["importing"] = event{"id": e.Object.String()}
	}
	if e.Certainty != "" {
		change["certainty"] = e.Certainty
	}
	if e.Blocked {
		change["blocked"] = true
	}
	return change
}

// eventReason is the reason as the event stream spells it, which is not always
// as the plan does.
func eventReason(r plan.Reason) string {
	switch r {
	case plan.BecauseImmutable:
		return "cannot_update"
	case plan.BecauseRequested:
		return "requested"
	}
	return string(r)
}

func eventAction(a plan.Action) string {
	switch a {
	case plan.NoOp:
		return "noop"
	case plan.Adopt:
		return "import"
	case plan.Forget:
		return "remove"
	}
	return string(a)
}

func eventResource(addr addrs.Instance) event {
	r := event{
		"addr": addr.String(), "module": addr.Resource.Module, "resource": localAddress(addr),
		"implied_provider": "kubernetes", "resource_type": addr.Resource.Type, "resource_name": addr.Resource.Name,
		"resource_key": index(addr.Key),
	}
	return r
}

// localAddress is the address inside its module.
func localAddress(addr addrs.Instance) string {
	addr.Resource.Module = ""
	return addr.String()
}
