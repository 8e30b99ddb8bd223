package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// deleteAll carries out the plan's deletions, each after those of the objects
// that need it.
func (r *runner) deleteAll(ctx context.Context) hcl.Diagnostics {
	var g graph.Graph[*plan.Change]
	at := map[addrs.Instance][]*plan.Change{}
	for _, c := range r.Plan.Changes {
		if c.Action == plan.Delete || c.Action == plan.Forget {
			g.Add(c)
			at[c.Addr] = append(at[c.Addr], c)
		}
	}
	// The plan lists dependents first, so an edge to an earlier change can't
	// close a cycle; others are left out as the plan left them out.
	before := map[*plan.Change]bool{}
	for _, c := range g.Nodes() {
		before[c] = true
		for _, need := range c.Needs {
			for _, needed := range at[need] {
				if !before[needed] {
					g.Connect(needed, c)
				}
			}
		}
	}
	// Only the requests are bounded, not the waiting: emptying a namespace takes
	// seconds of the cluster's time and none of ours.
	turns := newTurns(r.Parallelism)
	results := graph.Walk(ctx, &g, 0, func(ctx context.Context, c *plan.Change, _ map[*plan.Change]struct{}) (struct{}, error) {
		err := r.deleteOne(ctx, c, turns)
		r.heed(err)
		return struct{}{}, err
	})
	var diags hcl.Diagnostics
	r.deletions = map[*plan.Change]error{}
	for _, c := range g.Nodes() {
		r.deletions[c] = results[c].Err
		diags = append(diags, deletionDiagnostics(c, results[c].Err)...)
	}
	return diags
}

func deletionDiagnostics(c *plan.Change, err error) hcl.Diagnostics {
	var diags hcl.Diagnostics
	switch {
	case err == nil, leftOut(err):
		return nil
	case errors.As(err, &diags):
		return diags
	}
	return plan.MaskSecrets(diag.FromKube(err, nil, c.Addr.String()), c)
}

// leftOut says whether a deletion was not tried, or not waited for to its end.
func leftOut(err error) bool {
	return errors.As(err, &graph.Skipped[*plan.Change]{}) || errors.Is(err, context.Canceled) || errors.Is(err, notStarted{})
}

// turns bounds how many do something at once; nil for no bound.
type turns chan struct{}

func newTurns(most int) turns {
	if most <= 0 {
		return nil
	}
	return make(turns, most)
}

func (t turns) take() {
	if t != nil {
		t <- struct{}{}
	}
}

func (t turns) give() {
	if t != nil {
		<-t
	}
}

func (r *runner) deleteOne(ctx context.Context, c *plan.Change, turns turns) error {
	if c.Action == plan.Forget {
		r.journal.gone(c)
		return nil
	}
	turns.take()
	done := sync.OnceFunc(turns.give)
	defer done()
	if r.stopped() || r.journal.mayStart(ctx) != nil {
		return notStarted{}
	}
	err := r.events.during(Event{Addr: c.Addr, Object: c.Object, Action: c.Action}, func(say func(string)) error {
		gone, err := r.tellToGo(ctx, c, "")
		done()
		if gone || err != nil {
			return err
		}
		return r.awaitGone(ctx, c, say)
	})
	if err != nil {
		return err
	}
	r.journal.gone(c)
	return nil
}

// remove deletes the object that was planned to be replaced, and no other of its
// name, and waits until it is gone. What somebody has put into it since the plan
// would be lost without anybody having agreed to that, so then it stays.
func (r *runner) remove(ctx context.Context, c *plan.Change, say func(string)) error {
	version := c.ResourceVersion
	if c.Reason == plan.BecauseTerminating {
		version = "" // it loses its finalizers one by one, as it should
	}
	var stale error
	for range staleTries {
		gone, err := r.tellToGo(ctx, c, version)
		switch {
		case gone:
			return nil
		case err == nil:
			return r.awaitGone(ctx, c, say)
		case kube.ReasonOf(err) != kube.Stale:
			return err
		}
		stale = err
		live, err := r.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		switch kube.ReasonOf(err) {
		case kube.NotFound, kube.NamespaceMissing:
			return nil
		}
		if err != nil {
			return err
		}
		if changed := c.ChangedSince(live); changed != "" && string(live.GetUID()) == c.UID {
			r.journal.untouched(c.Object)
			return overtaken(c, changed)
		}
		version = live.GetResourceVersion()
	}
	return stale
}

func overtaken(c *plan.Change, changed string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Plan is stale",
		Detail:   fmt.Sprintf("%s: after the plan %s. It was left as it is, for the change would be lost. Make a new plan.", c.Object, changed),
		Subject:  c.Range.Ptr(),
	}}
}

// tellToGo sends the deletion and says whether there is nothing to wait for. A
// version, if given, is the one that the object must still have.
func (r *runner) tellToGo(ctx context.Context, c *plan.Change, version string) (gone bool, err error) {
	err = r.Cluster.Delete(ctx, c.Kind, c.Object.Namespace, c.Object.Name, kube.DeleteOptions{UID: c.UID, ResourceVersion: version})
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing, kube.ReplacedOutside:
		return true, nil // gone, or gone and another one there: ours is no more
	case kube.NotServed:
		// That says nothing about the object, unless the definition of its kind
		// was replaced before.
		if r.Plan.CascadesTo(c.Object) {
			return true, nil
		}
	case kube.OutcomeUnknown:
		return r.cameThrough(ctx, c, err)
	}
	return false, err
}

// cameThrough looks at what has become of a deletion without an answer. An
// object that is there and not on its way out is not worth waiting for: the
// deletion has failed, with the error that it met.
func (r *runner) cameThrough(ctx context.Context, c *plan.Change, unknown error) (gone bool, err error) {
	live, err := r.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return true, nil
	}
	switch {
	case err != nil:
		return false, kube.Unresolved(unknown, err)
	case string(live.GetUID()) != c.UID:
		return true, nil
	case live.GetDeletionTimestamp() == nil:
		return false, unknown
	}
	return false, nil
}

// awaitGone waits until the object with the change's uid is no more, and says
// what keeps it.
func (r *runner) awaitGone(ctx context.Context, c *plan.Change, say func(string)) error {
	waitTimeout := r.waitTimeout(c.Addr)
	ctx, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	var last view
	blockers := blockers{r: r, start: time.Now()}
	err := r.observer.until(ctx, c.Kind, c.Object, r.ending.Done(), func(v view) (bool, error) {
		if last = v; v.live == nil || string(v.live.GetUID()) != c.UID {
			return true, nil
		}
		say(blockers.of(ctx, v.live))
		return false, nil
	})
	if outage := r.outage(); outage != nil && errors.Is(err, notStarted{}) {
		err = outage
	}
	switch {
	case kube.OutageOf(err) != nil:
		return kube.Unresolved(maybeGone(c), err)
	case errors.Is(err, notStarted{}): // what was told can't be taken back
		return notGone(c, "was not gone yet when kplan stopped waiting")
	case !errors.Is(err, context.DeadlineExceeded) || last.live == nil:
		return err
	}
	kept := blockers.of(r.ctx, last.live)
	if kept != "" {
		kept = ": " + kept
	}
	return notGone(c, fmt.Sprintf("is still there after %s%s", waitTimeout, kept))
}

func maybeGone(c *plan.Change) error {
	return &kube.Error{Op: "delete", Object: c.Object, Reason: kube.OutcomeUnknown, Message: "it was told to be deleted, and kplan could not see whether it is gone"}
}

func notGone(c *plan.Change, how string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Deletion is not complete",
		Detail:   fmt.Sprintf("%s was told to be deleted and %s. It stays in the state; run kplan again to go on waiting.", c.Object, how),
	}}
}
