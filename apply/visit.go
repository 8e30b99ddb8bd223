package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// visit does what the plan says about one object.
func (r *runner) visit(ctx context.Context, d *hclspec.Desired, needs map[addrs.Instance]*applied) (hclspec.Seen, *applied, error) {
	c, diags := r.agreed(d)
	if c == nil && r.Plan.Limited() {
		return hclspec.Seen{}, nil, nil // other instances of its block are in the plan
	}
	if diags.HasErrors() {
		return hclspec.Seen{}, nil, diags
	}
	live := &unstructured.Unstructured{Object: c.Before}
	if c.Action != plan.NoOp || c.Moved() {
		if r.stopped() {
			return hclspec.Seen{}, nil, notStarted{}
		}
		if err := r.journal.mayStart(ctx); err != nil {
			return hclspec.Seen{}, nil, notStarted{}
		}
		if r.unnamed[c.Addr] != nil {
			if err := r.journal.intend(ctx, c); err != nil {
				return hclspec.Seen{}, nil, notStarted{} // the last write says why
			}
		}
		if redefined(c, needs) {
			r.awaitDefinition(ctx, c)
		}
		var err error
		live, err = r.change(ctx, c)
		if err != nil {
			return hclspec.Seen{}, nil, err
		}
	} else {
		r.journal.kept(r.entry(c, live))
	}
	done := &applied{c, live}
	if goesOnceEnded(live) && r.waits(d) {
		r.observer.stream(c.Kind) // who begins to look later does not see that it was there
	}
	if r.awaited[d.Addr] && r.waits(d) || mustBeReady(c) {
		hclspec.ReleaseSlot(ctx) // only the work is bounded, not the waiting
		ready, err := r.await(ctx, done)
		if err != nil {
			return hclspec.Seen{}, done, err // it was applied all the same
		}
		done.live = ready
	}
	return hclspec.Seen{Object: plan.WithoutOwn(done.live.Object)}, done, nil
}

// applied is a change that was carried out, and what the object was after it.
type applied struct {
	*plan.Change
	live *unstructured.Unstructured
}

// mustBeReady says whether others can't even be made before this one is ready:
// a kind is served only once its definition is established.
func mustBeReady(c *plan.Change) bool {
	return c.Object.GroupKind() == kinds.CustomResourceDefinition && c.Action != plan.NoOp
}

// redefined says whether this run has changed the definition of c's kind.
func redefined(c *plan.Change, needs map[addrs.Instance]*applied) bool {
	return slices.ContainsFunc(c.Needs, func(addr addrs.Instance) bool {
		return needs[addr] != nil && plan.Redefines(needs[addr].Change, c)
	})
}

// definitionTime is how long an API server may take to judge by a definition
// that was just changed.
const definitionTime = 5 * time.Second

// awaitDefinition waits until the server has nothing against the object, or for
// long enough: it goes on judging by the old definition for a moment. What it
// says thereafter, it says when the object is written.
func (r *runner) awaitDefinition(ctx context.Context, c *plan.Change) {
	for end := time.Now().Add(definitionTime); time.Now().Before(end) && !r.stopped(); time.Sleep(definitionTime / 50) {
		_, err := r.Cluster.DryRunReplacement(ctx, c.Kind, c.DesiredFields)
		switch kube.ReasonOf(err) {
		case kube.Invalid, kube.SchemaRejected, kube.NotServed:
		default:
			return
		}
	}
}

// agreed finds the change that was agreed on for this object and makes sure
// that what would be sent now is what was shown then.
func (r *runner) agreed(d *hclspec.Desired) (*plan.Change, hcl.Diagnostics) {
	d = r.journal.named(d)
	c := r.changes[d.Object.Identity()]
	if c == nil {
		c, d = r.unnamed[d.Addr], plan.NewlyNamed(d)
	}
	if c == nil {
		return nil, notAgreed(d, "The plan does not have this object.")
	}
	resolved, err := c.Resolve(d, r.journal.stack())
	if err != nil {
		return nil, notAgreed(d, err.Error()+".")
	}
	return resolved, nil
}

func notAgreed(d *hclspec.Desired, why string) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Not what was planned",
		Detail:   fmt.Sprintf("%s (%s) was left as it is. %s Make a new plan.", d.Addr, d.Object, why),
		Subject:  d.Range.Ptr(),
	}}
}

// change carries the change out, telling of it, and records the result.
func (r *runner) change(ctx context.Context, c *plan.Change) (live *unstructured.Unstructured, err error) {
	act := func(say func(string)) error {
		live, err = r.act(ctx, c, say)
		return err
	}
	if c.Action == plan.NoOp {
		err = act(func(string) {}) // only the address moves: not worth a line
	} else {
		err = r.events.during(Event{Addr: c.Addr, Object: c.Object, Action: c.Action}, act)
	}
	if err != nil {
		return nil, err
	}
	r.journal.made(c, r.entry(c, live))
	return live, nil
}

// entry is what the state remembers of an object as it is now wished for.
func (r *runner) entry(c *plan.Change, live *unstructured.Unstructured) state.Object {
	return state.Object{
		Addr:      c.Addr,
		Object:    c.Object,
		UID:       string(live.GetUID()),
		Needs:     c.Needs,
		Digest:    r.journal.digest(c.Desired),
		Sensitive: c.SensitiveDesired(),
		Protected: c.Protected,
	}
}

func (r *runner) act(ctx context.Context, c *plan.Change, say func(string)) (*unstructured.Unstructured, error) {
	switch c.Action {
	case plan.Create:
		return r.create(ctx, c)
	case plan.Update, plan.NoOp, plan.Adopt:
		if c.TransfersOwnership() {
			return r.takeFirst(ctx, c)
		}
		return r.update(ctx, c)
	case plan.Replace:
		return r.replace(ctx, c, say)
	}
	panic(fmt.Sprintf("apply: nothing is done to a wished object by %q", c.Action))
}

// create makes an object that must not exist yet. A lost answer is resolved by
// looking: an object that this stack made can only be the one just sent, or one
// that a run before this sent, and that was long on its way.
func (r *runner) create(ctx context.Context, c *plan.Change) (*unstructured.Unstructured, error) {
	live, err := r.createInRoom(ctx, c)
	switch kind := kube.ReasonOf(err); {
	case err == nil:
		return live, nil
	case kind == kube.OutcomeUnknown, kind == kube.AlreadyExists:
		return r.createAgain(ctx, c, err)
	case rejected(kind):
		r.journal.untouched(c.Object)
	}
	return nil, err
}

// roomTime is how long a quota may take to notice that an object is gone.
const roomTime = 30 * time.Second

// createInRoom makes an object. A quota may still count the one that it replaces:
// its controller hears of deletions like everybody else.
func (r *runner) createInRoom(ctx context.Context, c *plan.Change) (*unstructured.Unstructured, error) {
	live, err := r.Cluster.Create(ctx, c.Kind, c.DesiredFields)
	for end := time.Now().Add(roomTime); c.Action == plan.Replace && kube.ReasonOf(err) == kube.QuotaExceeded && time.Now().Before(end) && !r.stopped(); {
		time.Sleep(roomTime / 100)
		live, err = r.Cluster.Create(ctx, c.Kind, c.DesiredFields)
	}
	return live, err
}

// rejected says whether an error of that kind means that nothing was changed.
func rejected(kind kube.Reason) bool {
	switch kind {
	case kube.Invalid, kube.SchemaRejected, kube.TooLarge, kube.Denied, kube.QuotaExceeded, kube.NamespaceMissing,
		kube.NamespaceTerminating, kube.Forbidden, kube.Unauthorized, kube.NotServed, kube.WebhookFailed:
		return true
	}
	return false
}

// lookTries is how often a creation whose answer was lost is looked for and
// tried anew.
const lookTries = 5

// createAgain goes on after a creation that failed so that it may have been
// carried out.
func (r *runner) createAgain(ctx context.Context, c *plan.Change, err error) (*unstructured.Unstructured, error) {
	for range lookTries {
		last := err
		var live *unstructured.Unstructured
		live, err = r.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		if err == nil {
			return r.takeOver(ctx, c, live)
		}
		if kube.ReasonOf(err) != kube.NotFound && kube.ReasonOf(err) != kube.NamespaceMissing {
			return nil, kube.Unresolved(last, err)
		}
		if r.stopped() {
			return nil, last
		}
		live, err = r.Cluster.Create(ctx, c.Kind, c.DesiredFields)
		if err == nil {
			return live, nil
		}
		if kind := kube.ReasonOf(err); kind != kube.OutcomeUnknown && kind != kube.AlreadyExists {
			return nil, err
		}
	}
	return nil, err
}

func (r *runner) takeOver(ctx context.Context, c *plan.Change, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if !plan.MadeBy(live, r.journal.stack()) {
		r.journal.untouched(c.Object)
		return nil, madeMeanwhile(c)
	}
	return r.Cluster.Apply(ctx, c.Kind, c.DesiredFields, kube.ApplyOptions{UID: string(live.GetUID()), ResourceVersion: live.GetResourceVersion()})
}

func madeMeanwhile(c *plan.Change) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Object already exists",
		Detail:   fmt.Sprintf("%s was made by someone else after the plan. It was left as it is. Make a new plan.", c.Object),
		Subject:  c.Range.Ptr(),
	}}
}

// staleTries is how often an object that changes under our hands is looked at
// again.
const staleTries = 5

// update changes an object in place. When it was changed since the plan, it is
// asked again what would become of it, and changed only if that is what was
// agreed.
func (r *runner) update(ctx context.Context, c *plan.Change) (*unstructured.Unstructured, error) {
	options := kube.ApplyOptions{UID: c.UID, ResourceVersion: c.ResourceVersion, Force: c.Forces()}
	var last error
	for range staleTries {
		live, err := r.Cluster.Apply(ctx, c.Kind, c.DesiredFields, options)
		if err == nil {
			return live, nil
		}
		if kind := kube.ReasonOf(err); kind != kube.Stale && kind != kube.OutcomeUnknown {
			return nil, err
		}
		last = err
		if options.ResourceVersion, err = r.stillAgreed(ctx, c, options.Force); kube.Unanswered(err) {
			return nil, kube.Unresolved(last, err)
		} else if err != nil {
			return nil, err
		}
		if r.stopped() {
			break
		}
	}
	return nil, last
}

// takeFirst changes an object of which fields have to become kplan's first: those
// that kubectl applied from the client side and nobody else would ever remove, or
// that the server filled in and does not accept any more.
func (r *runner) takeFirst(ctx context.Context, c *plan.Change) (*unstructured.Unstructured, error) {
	var last error
	for n := range staleTries {
		live, err := r.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		if err != nil {
			return nil, err
		}
		taken, err := r.takeable(ctx, c, live)
		if err != nil {
			return nil, err
		}
		if taken == live {
			return r.update(ctx, c)
		}
		if live, err = r.Cluster.TransferFields(ctx, c.Kind, taken); err == nil {
			changed := *c
			changed.ResourceVersion = live.GetResourceVersion()
			return r.update(ctx, &changed)
		}
		if kind := kube.ReasonOf(err); kind != kube.Stale && kind != kube.OutcomeUnknown {
			return nil, err
		}
		last = err
		if r.stopped() {
			break
		}
		settle(n)
	}
	return nil, last
}

// settle gives whoever is busy with an object time, twice as much each time.
func settle(n int) { time.Sleep(20 * time.Millisecond << n) }

// takeable is the live object with the fields taken, live itself where there are
// none to take, and makes sure that what comes of it is still what was agreed.
func (r *runner) takeable(ctx context.Context, c *plan.Change, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if string(live.GetUID()) != c.UID {
		return live, nil // the update says what became of it
	}
	taken, err := c.WithTransferredFields(live)
	if err != nil || taken == live || live.GetResourceVersion() == c.ResourceVersion {
		return taken, err
	}
	answer, err := r.Cluster.DryRunAfterTaking(ctx, c.Kind, taken, c.DesiredFields)
	if err != nil {
		return nil, err
	}
	if differences := c.Disagreements(live, answer); len(differences) > 0 {
		return nil, changedMeanwhile(c, live, differences)
	}
	return taken, nil
}

// stillAgreed looks at an object that changed since the plan and returns the
// version of it for which the result is still the agreed one.
func (r *runner) stillAgreed(ctx context.Context, c *plan.Change, force bool) (resourceVersion string, err error) {
	live, answer, err := r.askAgain(ctx, c, force)
	if err != nil {
		return "", err
	}
	if differences := c.Disagreements(live, answer); len(differences) > 0 {
		return "", changedMeanwhile(c, live, differences)
	}
	return live.GetResourceVersion(), nil
}

func changedMeanwhile(c *plan.Change, live *unstructured.Unstructured, differences []addrs.Path) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Plan is stale",
		Detail: fmt.Sprintf("%s: after the plan %s, and applying it now would not give what was agreed of %s. It was left as it is. Make a new plan.",
			c.Object, cmp.Or(c.ChangedSince(live), "something about it was changed"), joinPaths(differences)),
		Subject: c.Range.Ptr(),
	}}
}

// askAgain looks at an object and asks what would become of it, until it does
// not change in between.
func (r *runner) askAgain(ctx context.Context, c *plan.Change, force bool) (live, answer *unstructured.Unstructured, err error) {
	for range staleTries {
		if live, err = r.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name); err != nil {
			return nil, nil, err
		}
		options := kube.ApplyOptions{UID: c.UID, ResourceVersion: live.GetResourceVersion(), Force: force}
		if answer, err = r.Cluster.DryRunApply(ctx, c.Kind, c.DesiredFields, options); kube.ReasonOf(err) != kube.Stale {
			break
		}
	}
	return live, answer, err
}

// replace deletes the object, waits until it is gone and makes it anew. What the
// new one is, and what the cluster allows, may be known better now than it was
// to the plan: an object whose successor is refused is not deleted.
func (r *runner) replace(ctx context.Context, c *plan.Change, say func(string)) (*unstructured.Unstructured, error) {
	if _, _, err := plan.DryRunReplacement(ctx, r.Cluster, c); err != nil && r.isThere(ctx, c) {
		r.journal.untouched(c.Object)
		return nil, err
	}
	if err := r.remove(ctx, c, say); err != nil {
		return nil, err
	}
	r.journal.unmade(c)
	return r.create(ctx, c)
}

// isThere says whether the object that a change is about may still be there: it
// goes along with its namespace where that is replaced, too.
func (r *runner) isThere(ctx context.Context, c *plan.Change) bool {
	live, err := r.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return false
	}
	return err != nil || string(live.GetUID()) == c.UID
}

func joinPaths(paths []addrs.Path) string {
	const shown = 3
	var texts []string
	for i, p := range paths {
		if i == shown {
			texts = append(texts, fmt.Sprintf("and %d more", len(paths)-shown))
			break
		}
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}
