package apply

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
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
	kinds    *kindWaiter
	quotas   *quotaWaiter
	mutates  func(context.Context) bool // see mutates
	written  sync.Map                   // addrs.Object -> time.Time
	yielding sync.Mutex
	removals sync.Map // addrs.Object -> func() error, see remove
	yielded  sync.Map // addrs.Object -> the resource version that it has since
}

// change carries the change out, reports that, and records the result.
func (w *writer) change(ctx context.Context, c *plan.Change) (done *applied, err error) {
	var live *unstructured.Unstructured
	act := func(note func(string)) error {
		if c, err = w.kinds.await(ctx, c, note); err != nil {
			return err
		}
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
	w.journal.recordApplied(c, w.entry(c, live))
	if c.Action != plan.NoOp {
		w.activity.change(c.Object)
	}
	return &applied{Change: c, live: live}, nil
}

// entry is what the state records of an object as it is now configured.
func (w *writer) entry(c *plan.Change, live *unstructured.Unstructured) state.Object {
	return state.Object{
		Addr:         c.Addr,
		Object:       c.Object,
		UID:          string(live.GetUID()),
		Dependencies: c.Dependencies,
		Digest:       w.journal.digest(c.Desired),
		Applied:      c.AppliedFields(w.journal.state),
		Sensitive:    c.SensitiveDesired(),
		Protected:    c.Protected,
		Retained:     c.Retained,
	}
}

func (w *writer) act(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	switch c.Action {
	case plan.Create:
		return w.create(ctx, c, note)
	case plan.Update, plan.NoOp, plan.Adopt:
		if c.TransfersOwnership() {
			return w.transferAndUpdate(ctx, c, note)
		}
		return w.update(ctx, c, note)
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

// yield has what stands in the way of a change go first: Services that hold ports or
// addresses of it, and what is deleted and refuses it until then. One change at a time
// does so: two that swap what they have would else take it from each other for ever.
func (w *writer) yield(ctx context.Context, c *plan.Change) (done func(), err error) {
	if len(c.Yields) == 0 {
		return func() {}, nil
	}
	w.yielding.Lock()
	for _, holder := range c.Yields {
		if err := w.giveUp(ctx, c, w.changeOf(holder)); err != nil {
			w.yielding.Unlock()
			return nil, err
		}
	}
	return w.yielding.Unlock, nil
}

func (w *writer) changeOf(o addrs.Object) *plan.Change {
	for _, c := range w.deleter.plan.Changes {
		if c.Object.Identity() == o {
			return c
		}
	}
	return nil
}

// giveUp deletes the holder, also where it is replaced, or changes it as the plan has it.
// Where that is refused since it gets a port that is not free yet, it has any other port
// until then.
func (w *writer) giveUp(ctx context.Context, to, holder *plan.Change) error {
	if holder == nil {
		return nil
	}
	if holder.Action == plan.Delete || holder.Action == plan.Replace {
		return w.remove(ctx, holder, func(string) {})
	}
	fields := holder.DesiredFields
	var err error
	for range yieldTries {
		if err = w.giveUpWith(ctx, to, holder, fields); err == nil {
			return nil
		}
		switch kube.ReasonOf(err) {
		case kube.ResourceVersionChanged: // its own turn has come meanwhile
		case kube.Invalid:
			fields = withOtherPorts(holder.DesiredFields)
		default:
			return err
		}
	}
	return err
}

// giveUpWith applies fields to the holder, unless it has given up already.
func (w *writer) giveUpWith(ctx context.Context, to, holder *plan.Change, fields map[string]any) error {
	live, err := w.cluster.Get(ctx, holder.Kind, holder.Object.Namespace, holder.Object.Name)
	switch {
	case kube.ReasonOf(err) == kube.NotFound:
		return nil
	case err != nil:
		return err
	case string(live.GetUID()) != holder.UID, isDone(holder, live, to):
		return nil
	}
	options := kube.ApplyOptions{UID: holder.UID, ResourceVersion: live.GetResourceVersion(), Force: holder.Force}
	if live, err = w.cluster.Apply(ctx, holder.Kind, fields, options); err != nil {
		return err
	}
	w.yielded.Store(holder.Object.Identity(), live.GetResourceVersion())
	return nil
}

// isDone reports whether the holder has given up already what another gets, or is no longer
// as it was planned, which its own turn will tell.
func isDone(holder *plan.Change, live *unstructured.Unstructured, to *plan.Change) bool {
	if holder.Object.GroupKind() == kinds.Service {
		return !plan.SharesClaims(live.Object, to.DesiredFields)
	}
	return live.GetResourceVersion() != holder.ResourceVersion
}

// yieldTries is how many ports are tried. Most of them are free in any cluster.
const yieldTries = 20

// withOtherPorts is a Service with node ports that are drawn at random.
func withOtherPorts(service map[string]any) map[string]any {
	const first, all = 30000, 2768 // as the API server has them by default
	service = runtime.DeepCopyJSON(service)
	ports, _, _ := unstructured.NestedSlice(service, "spec", "ports")
	for _, port := range ports {
		if fields, ok := port.(map[string]any); ok && fields["nodePort"] != nil {
			fields["nodePort"] = int64(first + rand.IntN(all))
		}
	}
	_ = unstructured.SetNestedSlice(service, ports, "spec", "ports") // that is where they were
	return service
}
