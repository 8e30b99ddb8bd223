package apply

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// servedEvery is how often the cluster is asked whether it serves a kind.
const servedEvery = time.Second

// kindWaiter waits for kinds that the cluster does not serve yet.
type kindWaiter struct {
	cluster  *kube.Cluster
	journal  *journal
	shutdown *shutdown
	timeouts timeouts
}

// await waits until the cluster serves the kind of an object that was planned without its
// definition, and returns the change as one of the kind that it serves then.
func (w *kindWaiter) await(ctx context.Context, c *plan.Change, note func(string)) (*plan.Change, error) {
	if !c.Kind.Undefined {
		return c, nil
	}
	hclspec.ReleaseSlot(ctx) // what installs the definition may need it
	ctx, cancel := w.shutdown.waiting(ctx)
	defer cancel()
	deadline, cancel := context.WithTimeout(ctx, w.timeouts.of(c.Addr))
	defer cancel()
	for {
		kind, err := w.served(deadline, c)
		switch {
		case err == nil && kind.Namespaced != c.Kind.Namespaced:
			w.journal.recordNotAttempted(c.Object)
			return c, otherScope(c, kind)
		case err == nil:
			return plan.OfKind(c, kind), nil
		case ctx.Err() != nil:
			w.journal.recordNotAttempted(c.Object)
			return c, context.Cause(ctx)
		case deadline.Err() != nil:
			w.journal.recordNotAttempted(c.Object)
			return c, notServed(c, w.timeouts.explain(c.Addr))
		case kube.OutageOf(err) != nil:
			return c, err
		}
		note(fmt.Sprintf("waiting until the cluster serves %s %s", c.Kind.APIVersion(), c.Kind.Name))
		w.shutdown.sleep(deadline, servedEvery)
	}
}

// served is the kind of an object once the server takes objects of it: discovery may know
// of it before.
func (w *kindWaiter) served(ctx context.Context, c *plan.Change) (*kinds.Kind, error) {
	kind, err := w.cluster.LookupAnew(ctx, c.Kind.Name, c.Kind.APIVersion())
	if err != nil || kind.Namespaced != c.Kind.Namespaced {
		return kind, err
	}
	if _, err := w.cluster.DryRunCreate(ctx, kind, c.DesiredFields); kube.ReasonOf(err) == kube.NotServed {
		return nil, err
	}
	return kind, nil
}

func notServed(c *plan.Change, waited string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Kind is not served",
		Detail: fmt.Sprintf("%s (%s) was not created, since the cluster does not serve %s %s: nothing has installed its definition. %s",
			c.Addr, c.Object, c.Kind.APIVersion(), c.Kind.Name, waited),
		Subject: c.Range.Ptr(),
	}}
}

func otherScope(c *plan.Change, kind *kinds.Kind) hcl.Diagnostics {
	scope := "is cluster-scoped. Remove metadata.namespace"
	if kind.Namespaced {
		scope = "has a namespace. Set metadata.namespace"
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Kind has another scope than planned",
		Detail: fmt.Sprintf("%s (%s) was not created: now that the cluster serves %s %s, it is known that each object of it %s, and plan again.",
			c.Addr, c.Object, kind.APIVersion(), kind.Name, scope),
		Subject: c.Range.Ptr(),
	}}
}
