package apply

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply/informers"
	"kplan.dev/kplan/apply/readiness"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// deleter deletes objects and waits until they are gone.
type deleter struct {
	cluster   *kube.Cluster
	plan      *plan.Plan
	journal   *journal
	events    *events
	informers *informers.Set
	diagnoser *readiness.Diagnoser
	timeouts  timeouts
	shutdown  *shutdown
	slots     slots
	early     sync.Map // *plan.Change: deleted before its turn
	activity  *activity
}

// errStillNeeded is the error of a deletion that was not started, since something
// that used the object was not applied.
var errStillNeeded = errors.New("not deleted: what used it was not applied")

// deleteAll carries out the plan's deletions, each after those of the objects that
// need it, but for those of which needed is true, and returns what each came to.
func (d *deleter) deleteAll(ctx context.Context, needed func(*plan.Change) bool) (map[*plan.Change]error, hcl.Diagnostics) {
	g := deletionOrder(d.plan)
	results := graph.Walk(ctx, g, 0, func(ctx context.Context, c *plan.Change, _ map[*plan.Change]struct{}) (struct{}, error) {
		if needed(c) {
			return struct{}{}, errStillNeeded
		}
		err := d.deleteOne(ctx, c)
		d.shutdown.inOutage(err)
		return struct{}{}, err
	})
	var diags hcl.Diagnostics
	deletions := map[*plan.Change]error{}
	for _, c := range g.Nodes() {
		deletions[c] = results[c].Err
		diags = append(diags, deletionDiagnostics(c, results[c].Err)...)
	}
	return deletions, diags
}

// deletionOrder is the graph of the plan's deletions. The plan lists dependents
// first, so an edge to an earlier change can't close a cycle; others are left out,
// as the plan left them out.
func deletionOrder(p *plan.Plan) *graph.Graph[*plan.Change] {
	g := &graph.Graph[*plan.Change]{}
	at := map[addrs.Instance][]*plan.Change{}
	for _, c := range p.Changes {
		if c.Action == plan.Delete || c.Action == plan.Forget {
			g.Add(c)
			at[c.Addr] = append(at[c.Addr], c)
		}
	}
	before := map[*plan.Change]bool{}
	for _, c := range g.Nodes() {
		before[c] = true
		for _, need := range c.Dependencies {
			for _, needed := range at[need] {
				if !before[needed] {
					g.Connect(needed, c)
				}
			}
		}
	}
	return g
}

func deletionDiagnostics(c *plan.Change, err error) hcl.Diagnostics {
	var diags hcl.Diagnostics
	switch {
	case err == nil, isSkipped(err):
		return nil
	case errors.As(err, &diags):
		return diags
	}
	return plan.MaskSecrets(diag.FromKube(err, nil, c.Addr.String()), c)
}

// isSkipped reports whether a deletion was not started, or not waited for to its
// end.
func isSkipped(err error) bool {
	return errors.As(err, &graph.Skipped[*plan.Change]{}) || errors.Is(err, context.Canceled) || errors.Is(err, errNotStarted) ||
		errors.Is(err, errStillNeeded)
}

// slots bounds how many deletions are sent at once; nil for no bound. Only the
// requests are bounded, not the waiting: emptying a namespace takes seconds of the
// cluster's time and none of kplan's.
type slots chan struct{}

func newSlots(most int) slots {
	if most <= 0 {
		return nil
	}
	return make(slots, most)
}

func (s slots) acquire(ctx context.Context) error {
	if s == nil {
		return nil
	}
	select {
	case s <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s slots) release() {
	if s != nil {
		<-s
	}
}

// deleteEarly deletes an object that holds what another gets.
func (d *deleter) deleteEarly(ctx context.Context, c *plan.Change) error {
	err := d.deleteOne(ctx, c)
	if err == nil {
		d.early.Store(c, true)
	}
	return err
}

// forget takes the stack's marks off an object that stays, so that no rebuilt state has it
// again, and records that it is managed no more.
func (d *deleter) forget(ctx context.Context, c *plan.Change) error {
	if plan.LeavesObject(c) {
		if err := Release(ctx, d.cluster, c.Kind, c.Object, c.UID, d.journal.stack()); err != nil {
			return err
		}
	}
	d.journal.recordGone(c)
	return nil
}

func (d *deleter) deleteOne(ctx context.Context, c *plan.Change) error {
	if _, deleted := d.early.Load(c); deleted {
		return nil
	}
	if c.Action == plan.Forget {
		return d.forget(ctx, c)
	}
	starting, cancel := d.shutdown.waiting(ctx)
	defer cancel()
	if err := d.slots.acquire(starting); err != nil {
		return err
	}
	sent := sync.OnceFunc(d.slots.release)
	defer sent()
	if d.shutdown.begun() || d.journal.mayStart(starting) != nil {
		return errNotStarted
	}
	err := d.events.during(Event{Addr: c.Addr, Object: c.Object, Action: c.Action}, func(note func(string)) error {
		gone, err := d.sendAsPlanned(ctx, c)
		sent()
		if gone || err != nil {
			return err
		}
		return d.awaitGone(ctx, c, note)
	})
	if err != nil {
		return err
	}
	d.journal.recordGone(c)
	d.activity.change(c.Object)
	return nil
}

// remove deletes the object that is to be replaced, and no other of its name, and
// waits until it is gone.
func (d *deleter) remove(ctx context.Context, c *plan.Change, note func(string)) error {
	gone, err := d.sendAsPlanned(ctx, c)
	if gone || err != nil {
		return err
	}
	return d.awaitGone(ctx, c, note)
}

// sendAsPlanned deletes an object as the plan has shown it. A change that somebody made
// to it since would be lost without anybody having approved that, so then it is kept.
func (d *deleter) sendAsPlanned(ctx context.Context, c *plan.Change) (gone bool, err error) {
	version := c.ResourceVersion
	if (&unstructured.Unstructured{Object: c.Before}).GetDeletionTimestamp() != nil {
		version = "" // its finalizers are removed one by one, as they should be
	}
	for range staleTries {
		gone, err = d.send(ctx, c, version)
		if gone || kube.ReasonOf(err) != kube.ResourceVersionChanged {
			return gone, err
		}
		live, getErr := d.cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		switch kube.ReasonOf(getErr) {
		case kube.NotFound, kube.NamespaceMissing:
			return true, nil
		}
		if getErr != nil {
			return false, getErr
		}
		if string(live.GetUID()) != c.UID {
			return true, nil // another object has its name now
		}
		if live.GetDeletionTimestamp() != nil {
			return false, nil // by us, where the answer was lost, or by somebody else
		}
		if changed := c.ChangedSince(live); changed != "" {
			d.journal.recordNotAttempted(c.Object)
			return false, staleDeletion(c, changed)
		}
		version = live.GetResourceVersion()
	}
	return false, err
}

func staleDeletion(c *plan.Change, changed string) hcl.Diagnostics {
	done, what := "deleted", "deletion"
	if c.Action == plan.Replace {
		done, what = "replaced", "replacement"
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Plan is stale",
		Detail: fmt.Sprintf("%s: after the plan %s. The object was not %s, since the %s would lose that change. "+
			"Plan again.", c.Object, changed, done, what),
		Subject: c.Range.Ptr(),
	}}
}

// send sends the deletion and reports whether there is nothing to wait for. A
// version, if given, is the one that the object must still have.
func (d *deleter) send(ctx context.Context, c *plan.Change, version string) (gone bool, err error) {
	err = d.cluster.Delete(ctx, c.Kind, c.Object.Namespace, c.Object.Name, kube.DeleteOptions{UID: c.UID, ResourceVersion: version})
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing, kube.ReplacedOutside:
		return true, nil // gone, or another object has its name now
	case kube.NotServed:
		// That is no news of the object, unless the definition of its kind was
		// replaced before.
		if d.plan.CascadesTo(c.Object) {
			return true, nil
		}
	case kube.OutcomeUnknown:
		return d.outcome(ctx, c, err)
	}
	return false, err
}

// outcome looks at what has become of a deletion that was not answered. Where the
// object exists and is not being deleted there is nothing to wait for: the deletion
// has failed, with the error that it met.
func (d *deleter) outcome(ctx context.Context, c *plan.Change, unknown error) (gone bool, err error) {
	live, err := d.cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
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

// awaitGone waits until the object with the change's uid is gone, and notes what
// keeps it.
func (d *deleter) awaitGone(ctx context.Context, c *plan.Change, note func(string)) error {
	ctx, cancel := d.shutdown.waiting(ctx)
	defer cancel()
	timeout := d.timeouts.of(c.Addr)
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var last informers.View
	blockers := readiness.Blockers{Diagnoser: d.diagnoser, Start: time.Now()}
	err := d.informers.Until(deadline, c.Kind, c.Object, func(v informers.View) (bool, error) {
		if last = v; v.Live == nil || string(v.Live.GetUID()) != c.UID {
			return true, nil
		}
		note(blockers.Of(deadline, v.Live))
		return false, nil
	})
	if outage := d.shutdown.outage(); outage != nil && errors.Is(err, errNotStarted) {
		err = outage
	}
	switch {
	case kube.OutageOf(err) != nil:
		return kube.Unresolved(maybeGone(c), err)
	case errors.Is(err, errNotStarted): // a deletion can't be taken back
		return notGone(c, "still existed when kplan stopped waiting")
	case !errors.Is(err, context.DeadlineExceeded) || last.Live == nil:
		return err
	}
	kept := blockers.Of(ctx, last.Live)
	if kept != "" {
		kept = ": " + kept
	}
	return notGone(c, fmt.Sprintf("still exists after %s%s", timeout, kept))
}

func maybeGone(c *plan.Change) error {
	return &kube.Error{Op: "delete", Object: c.Object, Reason: kube.OutcomeUnknown, Message: "the deletion was accepted, " +
		"but kplan could not find out whether the object is gone"}
}

func notGone(c *plan.Change, how string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Deletion is not complete",
		Detail:   fmt.Sprintf("%s is being deleted and %s. It stays in the state; run kplan again to continue waiting.", c.Object, how),
	}}
}
