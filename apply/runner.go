package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply/informers"
	"kplan.dev/kplan/apply/readiness"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// Run carries out the plan. It returns what was done also when something failed,
// which the diagnostics then report.
func Run(ctx context.Context, in Input) (Summary, hcl.Diagnostics) {
	current, err := plan.Recover(ctx, in.Cluster, in.State)
	if err != nil {
		return Summary{State: in.State}, diag.FromKube(err, nil, "")
	}
	r := newRunner(in, current)
	if err := r.journal.begin(ctx, in.Plan); err != nil {
		// The stored state is as it was, or has what is pending besides: either is true.
		return Summary{State: in.State}, saveFailed(fmt.Errorf("%w. Nothing was changed in the cluster", err))
	}
	defer r.close()
	r.waits = newWaits(ctx)
	defer r.waits.end()
	finished := false
	defer func() {
		if !finished { // a bug, on its way up: what was done until then is kept
			_ = r.journal.end(context.WithoutCancel(ctx))
		}
	}()

	var deletions map[*plan.Change]error
	var deleteDiags hcl.Diagnostics
	outcome, diags := r.walk(ctx, func(outcome hclspec.Outcome[*applied]) {
		if r.mayGoOn() {
			r.journal.recordAcknowledged(in.Plan.Changes)
			deletions, deleteDiags = r.deleter.deleteAll(ctx, r.stillNeeded(outcome))
		}
	})
	if !r.mayGoOn() {
		r.waits.cancel(errNotStarted)
	}
	notReady, waitDiags := r.awaitAll(ctx, r.unawaited(outcome.Visited))
	diags = slices.Concat(diags, deleteDiags, waitDiags)
	r.background.trap.Rethrow()
	r.journal.recordOutputs(outcome.Outputs, in.Plan)
	finished = true
	summary := r.journal.summary()
	summary.Outputs = outcome.Outputs
	summary.tally(in.Plan, outcome.Visited, deletions)
	summary.NotReady = append(summary.NotReady, notReady...)
	return r.finish(ctx, summary, diags)
}

// runner is one run of apply.
type runner struct {
	Input
	changes map[addrs.Object]*plan.Change // of the configuration, by identity
	unnamed map[addrs.Instance]*plan.Change
	awaited map[addrs.Instance]bool // some other object waits until these are ready
	waits   *waits

	journal       *journal
	shutdown      *shutdown
	background    *background
	informers     *informers.Set
	stopInformers context.CancelFunc
	writer        *writer
	deleter       *deleter
	waiter        *waiter
}

func newRunner(in Input, current *state.State) *runner {
	r := &runner{
		Input:    in,
		changes:  map[addrs.Object]*plan.Change{},
		unnamed:  map[addrs.Instance]*plan.Change{},
		awaited:  map[addrs.Instance]bool{},
		journal:  newJournal(current, in.Save),
		shutdown: newShutdown(in),
	}
	r.background = &background{stop: func() { r.shutdown.cancel(nil) }}
	r.journal.background = r.background
	// What became of the actions that were pending is to be written even if there is
	// nothing else to do.
	r.journal.dirty = current != in.State
	r.connect(current.StackID())
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

// connect makes the parts of a run and hands each what it needs.
func (r *runner) connect(stackID string) {
	namespaces := map[addrs.GroupKind][]string{}
	for _, c := range r.Plan.Changes {
		if c.Object.Namespace != "" {
			kind := c.Object.GroupKind()
			namespaces[kind] = append(namespaces[kind], c.Object.Namespace)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stopInformers = cancel
	r.informers = informers.New(ctx, r.Cluster, informers.Options{
		Selector: addrs.StackLabel + "=" + stackID, Namespaces: namespaces, Keep: readiness.HasFinished,
	})
	diagnoser := &readiness.Diagnoser{Cluster: r.Cluster, Informers: r.informers, Secrets: r.Secrets}
	events := &events{background: r.background, report: r.Progress}
	activity := newActivity()
	timeouts := newTimeouts(r.Config, r.Wait.Timeout)
	r.deleter = &deleter{
		cluster: r.Cluster, plan: r.Plan, journal: r.journal, events: events, informers: r.informers, diagnoser: diagnoser,
		timeouts: timeouts, shutdown: r.shutdown, slots: newSlots(r.Parallelism), activity: activity,
	}
	r.writer = &writer{
		cluster: r.Cluster, journal: r.journal, events: events, shutdown: r.shutdown, deleter: r.deleter, activity: activity,
		kinds: &kindWaiter{r.Cluster, r.journal, r.shutdown, timeouts}, quotas: &quotaWaiter{shutdown: r.shutdown, timeouts: timeouts},
	}
	var once sync.Once
	var any bool
	r.writer.mutates = func(ctx context.Context) bool {
		once.Do(func() { any = mutates(ctx, r.Cluster, r.Plan) })
		return any
	}
	r.waiter = &waiter{
		enabled: r.Wait.Enabled, timeouts: timeouts, informers: r.informers, diagnoser: diagnoser, events: events, shutdown: r.shutdown,
		activity: activity, masker: sync.OnceValue(func() redact.Masker { return plan.Masker(r.Plan.Changes...) }),
	}
	events.expect(r.total())
}

// total is what the run has to do and to wait for.
func (r *runner) total() (changes int, awaited []addrs.Instance) {
	for _, c := range r.Plan.Changes {
		if c.Action != plan.NoOp && c.Action != plan.Forget {
			changes++
		}
		if c.Desired != nil && becomesReady(c) && (r.waiter.waits(c.Desired) || mustBeReady(c)) {
			awaited = append(awaited, c.Addr)
		}
	}
	return changes, awaited
}

func (r *runner) close() {
	r.shutdown.cancel(nil)
	r.stopInformers()
	r.informers.Wait()
}

// mayGoOn reports whether what does not depend on a failed object may still be
// done. What was not started because the state could not be saved is missing also
// once it can be saved again.
func (r *runner) mayGoOn() bool { return !r.shutdown.begun() && r.journal.haltedBy() == nil }

// stillNeeded returns the test for objects that must not be deleted after all:
// something that used one of them by the state, or is to come in its place, was not
// applied, or is not ready although others wait for that. A refresh-only plan
// applies nothing, so nothing failed in it.
func (r *runner) stillNeeded(outcome hclspec.Outcome[*applied]) func(*plan.Change) bool {
	if r.Plan.Mode == plan.RefreshOnly {
		return func(*plan.Change) bool { return false }
	}
	done := map[addrs.Instance]bool{}
	for _, v := range outcome.Visited {
		done[v.Desired.Addr] = v.Err == nil && (v.Result == nil || !v.Result.hasFailed())
	}
	needed := map[addrs.Instance]bool{}
	var failed []*plan.Change
	for _, c := range r.Plan.Changes {
		if c.Desired == nil || done[c.Addr] {
			continue
		}
		failed = append(failed, c)
		needed[c.Addr] = true
		for _, addr := range []addrs.Instance{c.Addr, c.Previous} {
			entry, _ := r.State.Find(addr)
			for _, need := range entry.Dependencies {
				needed[need] = true
			}
		}
	}
	return func(deletion *plan.Change) bool {
		return needed[deletion.Addr] || slices.ContainsFunc(failed, func(c *plan.Change) bool { return deletion.Holds(c.Object) })
	}
}

// walk applies every change of the configuration, and then calls visited. The outputs wait for
// values after that, which may appear only once others are deleted.
func (r *runner) walk(ctx context.Context, visited func(hclspec.Outcome[*applied])) (hclspec.Outcome[*applied], hcl.Diagnostics) {
	if r.Plan.Mode != plan.Normal { // then nothing is desired
		nothing := hclspec.Outcome[*applied]{}
		visited(nothing)
		return nothing, nil
	}
	options := hclspec.WalkOptions{Parallelism: r.Parallelism}
	if r.Plan.Limited() {
		planned := map[addrs.Resource]bool{}
		for _, c := range r.Plan.Changes {
			planned[c.Addr.Resource] = true
		}
		options.Only = func(resource addrs.Resource) bool { return planned[resource] }
	}
	visitor := hclspec.Visitor[*applied]{Visit: r.visit, Await: r.await, Visited: visited, Latest: (*applied).latest}
	outcome, diags := visitor.Walk(ctx, r.Plan.Preview, options)
	for _, v := range outcome.Visited {
		diags = append(diags, r.visitDiagnostics(v)...)
		if v.Result != nil {
			diags = append(diags, v.Result.deviations...)
		}
	}
	return outcome, diags
}

func (r *runner) visitDiagnostics(v hclspec.Visited[*applied]) hcl.Diagnostics {
	if v.Err == nil || errors.Is(v.Err, errNotStarted) {
		return nil
	}
	if diags, ok := v.Err.(hcl.Diagnostics); ok {
		return diags
	}
	about := []*plan.Change{{Desired: v.Desired}}
	if c := r.changes[v.Desired.Object.Identity()]; c != nil {
		about = append(about, c)
	}
	return plan.MaskSecrets(diag.FromKube(v.Err, v.Desired.RangeOf, v.Desired.Addr.String()), about...)
}

// unawaited are the applied objects that are to be ready and that nothing in the walk
// has waited for to the end.
func (r *runner) unawaited(visited []hclspec.Visited[*applied]) []*applied {
	var rest []*applied
	for _, v := range visited {
		if v.Err == nil && v.Result != nil && (v.Result.started || r.mayGoOn() && r.waiter.waits(v.Desired) && !v.Result.isReady()) {
			rest = append(rest, v.Result)
		}
	}
	return rest
}

// finish writes the last state, and reports how the run ended.
func (r *runner) finish(ctx context.Context, summary Summary, diags hcl.Diagnostics) (Summary, hcl.Diagnostics) {
	switch outage := r.shutdown.outage(); {
	case outage != nil:
		diags = r.cutShort(diags, outage, summary.Unknown)
	case r.shutdown.begun():
		diags = append(diag.Merge(diags), r.shutdown.diagnostic())
	default:
		diags = diag.Merge(diags)
	}
	if err := r.journal.end(context.WithoutCancel(ctx)); err != nil {
		summary.Unsaved = err
		diags = append(diags, saveFailed(err)...)
	} else if err := r.journal.haltedBy(); err != nil {
		diags = append(diags, saveFailed(fmt.Errorf("%w. Nothing new was started. Later the state could be saved: "+
			"all results are recorded. Run kplan again to make the remaining changes", err))...)
	}
	summary.State = r.journal.state
	return summary, diags
}

// cutShort reports how a run ended whose cluster became unreachable.
func (r *runner) cutShort(diags hcl.Diagnostics, outage *kube.Error, unknown []addrs.Instance) hcl.Diagnostics {
	how, then := "Nothing new was started, and all results are recorded.", "Then run kplan again to make the remaining changes."
	switch n := len(unknown); n {
	case 0:
	case 1:
		how += fmt.Sprintf(" Whether one change that was in progress was carried out is not known: %s.", unknown[0])
		then = "Then run kplan again: it first determines the outcome, then makes the remaining changes."
	default:
		how += fmt.Sprintf(" Whether %d changes that were in progress were carried out is not known: %s.", n, diag.Names(texts(unknown)))
		then = "Then run kplan again: it first determines the outcomes, then makes the remaining changes."
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

func saveFailed(err error) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "State could not be saved",
		Detail:   fmt.Sprintf("%s.", err),
	}}
}
