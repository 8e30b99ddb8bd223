// Package apply makes a plan come true. It decides nothing: it walks the same
// configuration as the plan did, makes sure that what it is about to send is
// what was agreed, sends it, and records what became of it.
//
// Before the first change the state records every object that is about to be
// created, replaced or deleted. Results are written in groups while the walk
// goes on, so a run that dies leaves nothing that the next one can't find.
package apply

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// Input is what an apply works with.
type Input struct {
	// Plan is the agreed plan, as plan.Make returned it.
	Plan    *plan.Plan
	Config  *hclspec.Config
	Cluster *kube.Cluster
	// State is the state the plan was made from; Run leaves it as it is.
	State *state.State
	// Save stores a state durably, in place of the last one that was saved. It
	// is never called twice at once.
	Save func(context.Context, *state.State) error
	Wait WaitOptions
	// Parallelism bounds the objects under way at once; 0 means no bound.
	Parallelism int
	// Progress, when set, is told what happens. It is never called twice at once.
	Progress func(Event)
	// Stop, when it has ended, lets nothing new start: what is in flight finishes
	// and is recorded. It may be nil.
	Stop context.Context
	// Lost, when set, is asked before each change for a channel that is closed if
	// the state is no longer this run's to change. Then nothing new starts either.
	Lost func() <-chan struct{}
}

// WaitOptions says whether and how long to wait until objects are ready.
type WaitOptions struct {
	Enabled bool
	Timeout time.Duration // for one object; 0 means DefaultWaitTimeout
}

// DefaultWaitTimeout is how long an object may take to become ready.
const DefaultWaitTimeout = 10 * time.Minute

// Summary is what an apply came to.
type Summary struct {
	Added, Changed, Destroyed, Forgotten, Adopted int
	Failed                                        []addrs.Instance
	Unknown                                       []addrs.Instance // the answer was lost: maybe done, maybe not
	NotTried                                      []addrs.Instance // held back by a failure or an interruption
	NotReady                                      []addrs.Instance // done, but not ready in time, or at all
	Outputs                                       []hclspec.OutputValue
	// State is what is true now. Unsaved says that it could not be stored.
	State   *state.State
	Unsaved error
}

// Run makes the plan come true. It returns what was done also when something
// failed, which the diagnostics then say.
func Run(ctx context.Context, in Input) (Summary, hcl.Diagnostics) {
	current, err := plan.Recover(ctx, in.Cluster, in.State)
	if err != nil {
		return Summary{State: in.State}, diag.FromKube(err, nil, "")
	}
	r := newRunner(in, current)
	if err := r.journal.begin(ctx, in.Plan); err != nil {
		// The stored state is as it was, or tells what is pending besides: either is true.
		return Summary{State: in.State}, saveFailed(fmt.Errorf("%w. Nothing was changed in the cluster", err))
	}
	defer r.close()
	finished := false
	defer func() {
		if !finished { // a bug of ours, on its way up: what was done until then is kept
			_ = r.journal.end(context.WithoutCancel(ctx))
		}
	}()

	outcome, diags := r.walk(ctx)
	if r.wentWell(diags) {
		r.journal.accepted(in.Plan.Changes)
		diags = append(diags, r.deleteAll(ctx)...)
		diags = append(diags, r.awaitAll(ctx, outcome.Visited)...)
	}
	r.aside.trap.Rethrow()
	r.journal.outputs(outcome.Outputs, in.Plan)
	finished = true
	return r.finish(ctx, outcome, diags)
}

// runner is one run of apply.
type runner struct {
	Input
	ctx      context.Context // ends with the run, for what outlives a visit
	cancel   context.CancelFunc
	ending   context.Context // when it has ended nothing new starts
	end      context.CancelCauseFunc
	changes  map[addrs.Object]*plan.Change // of the configuration, by identity
	unnamed  map[addrs.Instance]*plan.Change
	awaited  map[addrs.Instance]bool // some other object waits until these are ready
	journal  *journal
	observer *observer
	events   *events
	aside    *aside
	classes  remembered               // storage classes
	masker   func() *strings.Replacer // of all secrets that the plan knows
	// deletions are what became of those that were tried, and unready is what was
	// waited for in the end in vain.
	deletions map[*plan.Change]error
	unready   []addrs.Instance
}

func newRunner(in Input, current *state.State) *runner {
	ctx, cancel := context.WithCancel(context.Background())
	if in.Stop == nil {
		in.Stop = ctx
	}
	ending, end := context.WithCancelCause(in.Stop)
	r := &runner{
		Input:    in,
		ctx:      ctx,
		cancel:   cancel,
		ending:   ending,
		end:      end,
		changes:  map[addrs.Object]*plan.Change{},
		unnamed:  map[addrs.Instance]*plan.Change{},
		awaited:  map[addrs.Instance]bool{},
		journal:  newJournal(current, in.Save),
		observer: newObserver(ctx, in.Cluster, in.Plan, addrs.StackLabel+"="+current.StackID()),
		aside:    &aside{end: func() { end(nil) }},
		masker:   sync.OnceValue(func() *strings.Replacer { return plan.Masker(in.Plan.Changes...) }),
	}
	r.journal.aside = r.aside
	r.events = &events{aside: r.aside, tell: in.Progress}
	// What became of the actions that were pending is to be written even if
	// there is nothing else to do.
	r.journal.dirty = current != in.State
	if r.Wait.Timeout == 0 {
		r.Wait.Timeout = DefaultWaitTimeout
	}
	for _, c := range in.Plan.Changes {
		if c.Desired == nil {
			continue
		}
		for _, addr := range c.Desired.Awaits {
			r.awaited[addr] = true
		}
		if c.Object.Name == "" {
			r.unnamed[c.Addr] = c
		} else {
			r.changes[c.Object.Identity()] = c
		}
	}
	return r
}

func (r *runner) close() {
	r.end(nil)
	r.cancel()
	r.observer.wait()
}

// stopped says whether nothing new may start.
func (r *runner) stopped() bool {
	return r.ending.Err() != nil || r.lostLock()
}

// heed lets nothing new start when an error is not of one object but of the
// cluster, and has what is in flight end soon.
func (r *runner) heed(err error) {
	if outage := kube.OutageOf(err); outage != nil {
		r.end(outage)
		r.Cluster.Hurry()
	}
}

// outage is why nothing new starts, if it is that the cluster went away.
func (r *runner) outage() *kube.Error { return kube.OutageOf(context.Cause(r.ending)) }

func (r *runner) lostLock() bool { return r.Lost != nil && isClosed(r.Lost()) }

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// wentWell says whether all that is wished for is there, so that what is not may
// go. What was not started for a state that could not be saved is missing also
// once it can be saved again.
func (r *runner) wentWell(diags hcl.Diagnostics) bool {
	return !diags.HasErrors() && !r.stopped() && r.journal.halt() == nil
}

// walk applies every change of the configuration.
func (r *runner) walk(ctx context.Context) (hclspec.Outcome[*applied], hcl.Diagnostics) {
	if r.Plan.Mode != plan.Normal { // nothing is wished for
		return hclspec.Outcome[*applied]{}, nil
	}
	options := hclspec.WalkOptions{Parallelism: r.Parallelism}
	if r.Plan.Limited() {
		planned := map[addrs.Resource]bool{}
		for _, c := range r.Plan.Changes {
			planned[c.Addr.Resource] = true
		}
		options.Only = func(resource addrs.Resource) bool { return planned[resource] }
	}
	outcome, diags := hclspec.Walk(ctx, r.Plan.Preview, options, func(ctx context.Context, d *hclspec.Desired, needs map[addrs.Instance]*applied) (hclspec.Seen, *applied, error) {
		seen, done, err := r.visit(ctx, d, needs)
		r.heed(err)
		return seen, done, err
	})
	for _, v := range outcome.Visited {
		diags = append(diags, r.visitDiagnostics(v)...)
	}
	return outcome, diags
}

func (r *runner) visitDiagnostics(v hclspec.Visited[*applied]) hcl.Diagnostics {
	switch err := v.Err.(type) {
	case nil:
		return nil
	case hcl.Diagnostics:
		return err
	case notStarted:
		return nil
	}
	about := []*plan.Change{{Desired: v.Desired}}
	if c := r.changes[v.Desired.Object.Identity()]; c != nil {
		about = append(about, c)
	}
	return plan.MaskSecrets(diag.FromKube(v.Err, v.Desired.RangeOf, v.Desired.Addr.String()), about...)
}

// notStarted is the error of a visit that an interruption kept from starting.
type notStarted struct{}

func (notStarted) Error() string { return "not started: kplan was interrupted" }

// finish writes the last state and sums up.
func (r *runner) finish(ctx context.Context, outcome hclspec.Outcome[*applied], diags hcl.Diagnostics) (Summary, hcl.Diagnostics) {
	summary := r.journal.summary()
	summary.Outputs = outcome.Outputs
	summary.tally(r.Plan, outcome.Visited, r.deletions)
	summary.NotReady = append(summary.NotReady, r.unready...)
	switch outage := r.outage(); {
	case outage != nil:
		diags = r.cutShort(diags, outage, summary.Unknown)
	case r.stopped():
		diags = append(diag.Merge(diags), r.interrupted())
	default:
		diags = diag.Merge(diags)
	}
	if err := r.journal.end(context.WithoutCancel(ctx)); err != nil {
		summary.Unsaved = err
		diags = append(diags, saveFailed(err)...)
	} else if err := r.journal.halt(); err != nil {
		diags = append(diags, saveFailed(fmt.Errorf("%w. So nothing new was started. In the end the state could be saved: what was done is recorded. Run kplan again to do the rest", err))...)
	}
	summary.State = r.journal.state
	return summary, diags
}

func saveFailed(err error) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "State could not be saved",
		Detail:   fmt.Sprintf("%s.", err),
	}}
}

// cutShort tells how a run ended whose cluster went away.
func (r *runner) cutShort(diags hcl.Diagnostics, outage *kube.Error, unknown []addrs.Instance) hcl.Diagnostics {
	how, then := "Nothing new was started, and what was done is recorded.", "Then run kplan again to do the rest."
	switch n := len(unknown); n {
	case 0:
	case 1:
		how += fmt.Sprintf(" Whether one change that was under way was carried out is not known: %s.", unknown[0])
		then = "Then run kplan again: it looks at that one first, and does the rest."
	default:
		how += fmt.Sprintf(" Whether %d changes that were under way were carried out is not known: %s.", n, diag.Names(texts(unknown)))
		then = "Then run kplan again: it looks at these first, and does the rest."
	}
	return diag.CutShort(diags, outage, r.Cluster.Host(), how, then)
}

func texts(instances []addrs.Instance) []string {
	all := make([]string, len(instances))
	for i, addr := range instances {
		all[i] = addr.String()
	}
	return all
}

func (r *runner) interrupted() *hcl.Diagnostic {
	if r.lostLock() {
		return &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Lock lost",
			Detail: "The lock on the state was taken away from this run, as kplan force-unlock does, so another may be at work: nothing new was started. " +
				"Make sure that no run is under way, then run kplan again to do the rest.",
		}
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Interrupted",
		Detail:   "Nothing new was started, what was under way has finished and is recorded. Run kplan again to do the rest.",
	}
}
