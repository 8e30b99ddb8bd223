package apply

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// writer creates, updates and replaces objects.
type writer struct {
	cluster  *kube.Cluster
	journal  *journal
	events   *events
	shutdown *shutdown
	deleter  *deleter
	activity *activity
	mutates  func(context.Context) bool // see mutates
	written  sync.Map                   // addrs.Object -> time.Time
	yielding sync.Mutex
	yielded  sync.Map // addrs.Object -> the resource version that it has since
}

// change carries the change out, reports that, and records the result.
func (w *writer) change(ctx context.Context, c *plan.Change) (live *unstructured.Unstructured, err error) {
	act := func(note func(string)) error {
		w.settle(ctx, c)
		if err = w.confirm(ctx, c); err != nil {
			return err
		}
		yielded, err := w.yield(ctx, c)
		if err != nil {
			return err
		}
		defer yielded()
		live, err = w.act(ctx, c, note)
		return err
	}
	if c.Action == plan.NoOp {
		err = act(func(string) {}) // only the address moves: not worth a line
	} else {
		err = w.events.during(Event{Addr: c.Addr, Object: c.Object, Action: c.Action}, act)
	}
	if err != nil {
		return nil, err
	}
	w.written.Store(c.Object.Identity(), time.Now())
	w.journal.made(c, w.entry(c, live))
	if c.Action != plan.NoOp {
		w.activity.change(c.Object)
	}
	return live, nil
}

// entry is what the state records of an object as it is now configured.
func (w *writer) entry(c *plan.Change, live *unstructured.Unstructured) state.Object {
	return state.Object{
		Addr:      c.Addr,
		Object:    c.Object,
		UID:       string(live.GetUID()),
		Needs:     c.Needs,
		Digest:    w.journal.digest(c.Desired),
		Applied:   c.AppliedFields(w.journal.state),
		Sensitive: c.SensitiveDesired(),
		Protected: c.Protected,
	}
}

func (w *writer) act(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	switch c.Action {
	case plan.Create:
		return w.create(ctx, c)
	case plan.Update, plan.NoOp, plan.Adopt:
		if c.TransfersOwnership() {
			return w.transferAndUpdate(ctx, c)
		}
		return w.update(ctx, c)
	case plan.Replace:
		return w.replace(ctx, c, note)
	}
	panic(fmt.Sprintf("apply: no object in the configuration has the action %q", c.Action))
}

// definitionTimeout is how long an API server may take to serve a definition that
// was just changed.
const definitionTimeout = 5 * time.Second

// awaitDefinition waits until the server accepts the object, or for long enough: it
// goes on judging by the old definition for a moment. An error after that is
// reported when the object is written.
func (w *writer) awaitDefinition(ctx context.Context, c *plan.Change) {
	for end := time.Now().Add(definitionTimeout); time.Now().Before(end) && !w.shutdown.begun(); {
		_, err := w.cluster.DryRunReplacement(ctx, c.Kind, c.DesiredFields)
		switch kube.ReasonOf(err) {
		case kube.Invalid, kube.SchemaRejected, kube.NotServed:
		default:
			return
		}
		if !w.shutdown.sleep(ctx, definitionTimeout/50) {
			return
		}
	}
}
