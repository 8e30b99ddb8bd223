package apply

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply/readiness"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// visit does what the plan has for one object.
func (r *runner) visit(ctx context.Context, d *hclspec.Desired, needs map[addrs.Instance]*applied) (hclspec.Observed, *applied, error) {
	done, err := r.carryOut(ctx, d, needs)
	r.shutdown.inOutage(err)
	if done == nil || err != nil {
		return hclspec.Observed{}, done, err
	}
	return hclspec.Observed{Object: done.latest(), Pending: done.pending()}, done, nil
}

// carryOut carries out the change of an object. It returns no change where the plan has none
// for the object.
func (r *runner) carryOut(ctx context.Context, d *hclspec.Desired, needs map[addrs.Instance]*applied) (*applied, error) {
	c, diags := r.planned(d)
	if c == nil && r.Plan.Limited() {
		return nil, nil // other instances of its block are in the plan
	}
	if diags.HasErrors() {
		return nil, diags
	}
	if plan.IsDone(c) {
		done := &applied{Change: c, live: &unstructured.Unstructured{Object: plan.Gone(c)}, ready: true}
		r.journal.recordUnchanged(r.writer.entry(c, done.live))
		return done, nil
	}
	ctx = withoutSecrets(ctx, c)
	done := &applied{Change: c, live: &unstructured.Unstructured{Object: c.Before}}
	if c.Action != plan.NoOp || c.Moved() {
		if err := r.start(ctx, c); err != nil {
			return nil, err
		}
		if redefined(c, needs) {
			r.writer.awaitDefinition(ctx, c)
		}
		var err error
		if done, err = r.writer.change(ctx, c); err != nil {
			return nil, err
		}
		done.deviations = r.writer.deviations(ctx, done.Change, done.live)
	} else {
		r.journal.recordUnchanged(r.writer.entry(c, done.live))
	}
	if readiness.IsDeletedOnceFinished(done.live) && r.waiter.waits(d) {
		r.informers.Start(done.Kind) // a watch that starts later would not see that it existed
	}
	done.needs = r.needsOf(done)
	if mustBeReady(c) {
		hclspec.ReleaseSlot(ctx)                           // only the work is bounded, not the waiting
		return done, r.until(ctx, done, goal{ready: true}) // if that fails, it was applied all the same
	}
	return done, nil
}

// needsOf are the values of an object that are still to appear. One that changes until the
// object is ready is not used before.
func (r *runner) needsOf(done *applied) []need {
	needs := make([]need, len(done.Desired.Later))
	waits := r.waiter.waits(done.Desired)
	for n, later := range done.Desired.Later {
		there := later.IsIn(done.live.Object)
		needs[n].value = !later.Optional && !there
		needs[n].ready = waits && done.Action != plan.NoOp && (later.Progress || later.Optional && !there)
	}
	return needs
}

// recordUnfinished records that an object is not known to have done what it is for. Had
// it, it would not be created again once the cluster has deleted it.
func (r *runner) recordUnfinished(done *applied) {
	if server.ExpiresOnceDone(done.Kind, done.DesiredFields) {
		entry := r.writer.entry(done.Change, done.live)
		entry.Digest = ""
		r.journal.recordUnchanged(entry)
	}
}

// withoutSecrets is a context for the requests of a change, whose secrets are hidden
// in what the API server warns of.
func withoutSecrets(ctx context.Context, c *plan.Change) context.Context {
	masker := sync.OnceValue(func() redact.Masker { return plan.Masker(c) })
	return kube.FilterWarnings(ctx, func(_ addrs.Object, text string) string { return masker().Hide(text) })
}

// start makes sure that a change may be carried out, and that it can be recorded.
func (r *runner) start(ctx context.Context, c *plan.Change) error {
	ctx, cancel := r.shutdown.waiting(ctx)
	defer cancel()
	switch {
	case r.shutdown.begun(), r.journal.mayStart(ctx) != nil: // the last write reports why
		return errNotStarted
	case r.unnamed[c.Addr] != nil && r.journal.recordPending(ctx, c) != nil:
		return errNotStarted
	}
	return nil
}

// mustBeReady reports whether dependents can't even be created before this one is
// ready: a kind is served only once its definition is established.
func mustBeReady(c *plan.Change) bool {
	return c.Object.GroupKind() == kinds.CustomResourceDefinition && c.Action != plan.NoOp
}

// redefined reports whether this run has changed the definition of c's kind.
func redefined(c *plan.Change, needs map[addrs.Instance]*applied) bool {
	return slices.ContainsFunc(c.Dependencies, func(addr addrs.Instance) bool {
		return needs[addr] != nil && needs[addr].Redefines(c.Kind)
	})
}

// planned finds the change that was approved for this object and makes sure that
// what would be sent now is what was shown then.
func (r *runner) planned(d *hclspec.Desired) (*plan.Change, hcl.Diagnostics) {
	d = r.journal.withName(d)
	plan.LearnSecrets(r.Secrets, d)
	c := r.changes[d.Object.Identity()]
	if c == nil {
		c, d = r.unnamed[d.Addr], plan.NewlyNamed(d)
	}
	if c == nil {
		return nil, notPlanned(d, "The object is not in the plan.")
	}
	resolved, err := c.Resolve(d, r.journal.stack())
	if err != nil {
		return nil, notPlanned(d, err.Error()+".")
	}
	return resolved, nil
}

func notPlanned(d *hclspec.Desired, why string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Change differs from the plan",
		Detail:   fmt.Sprintf("%s (%s) was left unchanged. %s Plan again.", d.Addr, d.Object, why),
		Subject:  d.Range.Ptr(),
	}}
}
