package render

import (
	"fmt"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// Step is a step of an apply.
type Step struct {
	Addr    addrs.Instance
	Object  addrs.Object
	Action  plan.Action
	Phase   Phase
	Elapsed time.Duration // since the action, or the waiting, began
	Detail  string        // of Progress and Waiting: what is still missing
	Tally   Tally
}

// Tally is how far an apply has got.
type Tally struct {
	Done, Changes  int // objects that were changed, of those to be changed
	Ready, Awaited int // objects that are ready, of those waited for
}

// of returns the two numbers that a phase is about, and what they count.
func (t Tally) of(p Phase) (n, m int, what string) {
	switch p {
	case Waiting, Ready, NotReady:
		return t.Ready, t.Awaited, "ready"
	}
	return t.Done, t.Changes, "done"
}

// Phase is how far a step has got.
type Phase byte

const (
	Started  Phase = iota // the first request is about to be sent
	Progress              // it is still in progress
	Done                  // it has been done
	Failed                // it has failed
	Waiting               // it has been done and is not ready yet
	Ready                 // it is ready
	NotReady              // it is not, and nobody waits for it any longer
)

// inProgress reports whether more is to come.
func (p Phase) inProgress() bool { return p == Started || p == Progress || p == Waiting }

// actionName is what an action is called while it goes on and after it.
type actionName struct{ doing, done string }

var actionNames = map[plan.Action]actionName{
	plan.Create:  {"Creating", "Creation"},
	plan.Update:  {"Modifying", "Modifications"},
	plan.Replace: {"Replacing", "Replacement"},
	plan.Delete:  {"Destroying", "Destruction"},
	plan.Adopt:   {"Adopting", "Adoption"},
	plan.Forget:  {"Forgetting", "Removal from the state"},
	plan.NoOp:    {"Refreshing state", "Refresh"},
}

// ProgressLine is the line that reports a step, without its newline.
func ProgressLine(s Step, opts Options) string {
	p := newPage(opts)
	return p.paint(bold, Clean(s.Addr.String())+": "+s.text())
}

func (s Step) text() string {
	w := actionNames[s.Action]
	switch s.Phase {
	case Started:
		return w.doing + "..." + s.object()
	case Progress:
		return "Still " + lowerFirst(w.doing) + "... " + s.soFar() + s.detail()
	case Done:
		return w.done + " complete after " + elapsed(s.Elapsed) + s.object()
	case Failed:
		return w.done + " failed after " + elapsed(s.Elapsed)
	case Waiting:
		return "Still waiting... " + s.soFar() + s.detail()
	case NotReady:
		return "Not ready after " + elapsed(s.Elapsed)
	}
	return "Ready after " + elapsed(s.Elapsed) + s.count(" (%s of %s)")
}

// soFar is how long a step has taken, and how far all of them have got.
func (s Step) soFar() string {
	_, _, what := s.Tally.of(s.Phase)
	return "[" + elapsed(s.Elapsed) + " elapsed" + s.count(", %s of %s "+what) + "]"
}

// count is how far the apply has got, in that format; "" where that is not known.
func (s Step) count(format string) string {
	n, m, _ := s.Tally.of(s.Phase)
	if m == 0 {
		return ""
	}
	return fmt.Sprintf(format, number(n), number(m))
}

// object is the cluster's name of the object, which stands where Terraform
// shows an id.
func (s Step) object() string {
	if s.Object.Name == "" {
		return ""
	}
	return " [" + clip(Clean(s.Object.QualifiedName()), 80) + "]"
}

func (s Step) detail() string {
	if s.Detail == "" {
		return ""
	}
	return " " + clip(Clean(s.Detail), 300)
}

// elapsed is a time in whole seconds: 1m20s.
func elapsed(d time.Duration) string { return d.Round(time.Second).String() }

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return string(s[0]|0x20) + s[1:]
}

// ApplySummary is the sentence that ends an apply or a destroy.
func ApplySummary(n plan.Counts, mode plan.Mode, opts Options) string {
	p := newPage(opts)
	title := "Apply complete!"
	if mode == plan.Destroy {
		title = "Destroy complete!"
	}
	return p.paint(green, p.paint(bold, title)) + " " + applied(n, mode)
}

// IncompleteSummary is the sentence that ends an apply or a destroy that did not
// do all it was to do.
func IncompleteSummary(n plan.Counts, mode plan.Mode, opts Options) string {
	p := newPage(opts)
	title := "Apply incomplete."
	if mode == plan.Destroy {
		title = "Destroy incomplete."
	}
	return p.paint(bold, title) + " " + applied(n, mode)
}

// applied counts what was done.
func applied(n plan.Counts, mode plan.Mode) string {
	text := "Resources: "
	if mode != plan.Destroy {
		text += number(n.Add) + " added, " + number(n.Change) + " changed, "
	}
	text += number(n.Destroy) + " destroyed"
	for _, more := range []struct {
		n    int
		what string
	}{{n.Adopt, "adopted"}, {n.Forget, "forgotten"}, {n.Move, "moved"}} {
		if more.n > 0 {
			text += ", " + number(more.n) + " " + more.what
		}
	}
	return text + "."
}
