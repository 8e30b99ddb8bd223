package plan

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/state"
)

// visit decides what to do about one object of the configuration.
func (p *planner) visit(ctx context.Context, desired *hclspec.Desired, needs decisions) (hclspec.Observed, decided, error) {
	if !p.scope.has(desired.Addr) {
		seen, err := p.observeUnplanned(ctx, desired)
		return seen, decided{}, err
	}
	if log.Traces(p.Log) { // what it sends is logged
		LearnSecrets(p.Secrets, desired)
	}
	d := p.newDecision(ctx, Named(desired, p.state))
	seen, err := p.decide(hearAbout(ctx, d), d, needs)
	if err == nil {
		err = cmp.Or(refuseDrift(d), violations(&p.schemas, d))
	}
	if d.answered {
		d.admitted = admittedTo(d.change())
	}
	if d.certainty == Computed && (d.action == Create || d.action == Replace) {
		findYields(ctx, p, d)
	}
	if d.before != nil {
		d.unmanaged = unmanagedIn(d.kind, d.managers, d.before, d.fields, d.configured(d.ignored()), p.AllUnmanaged)
	}
	logVerdict(p.Log, d, err)
	return seen, decided{d.change(), d.doubtful, warningsAbout(d)}, err
}

// logVerdict logs what was decided, and why.
func logVerdict(to *slog.Logger, d *decision, err error) {
	if !log.Debugs(to) {
		return
	}
	attrs := []any{"address", d.addr.String(), "object", d.object.String(), "action", string(d.action), "certainty", string(d.certainty)}
	if d.reason != NoReason {
		attrs = append(attrs, "reason", string(d.reason))
	}
	if d.why != "" {
		attrs = append(attrs, "why", d.why)
	}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	to.Debug("decided", attrs...)
}

func (p *planner) newDecision(ctx context.Context, desired *hclspec.Desired) *decision {
	entry, recorded := p.owned[desired.Object.Identity()]
	d := &decision{
		desired: desired, addr: desired.Addr, object: desired.Object, kind: desired.Kind, needs: predecessors(desired),
		fields: DesiredFields(desired, p.state.StackID()), entry: entry, recorded: recorded,
		unknown: desired.Unknown, sensitive: desired.Sensitive,
	}
	d.rules = rulesFor(ctx, p, d)
	return d
}

func (p *planner) decide(ctx context.Context, d *decision, needs decisions) (hclspec.Observed, error) {
	if p.Mode == RefreshOnly {
		return p.refresh(ctx, d)
	}
	d.redefined = slices.ContainsFunc(d.needs, func(addr addrs.Instance) bool { return needs[addr].change.Redefines(d.kind) })
	d.isTriggered = slices.ContainsFunc(d.desired.Triggers, func(t hclspec.Trigger) bool { return triggers(needs[t.Instance].change, t.Path) })
	d.prior = priorTo(d, needs)
	d.notDryRunnable, d.mayExist = whyNotDryRunnable(d, needs)
	if d.recorded {
		d.previous = movedFrom(p.movedAddr, d.entry, d.addr)
	} else if old, ok := p.state.Find(d.addr); ok && old.Object.GroupKind() == d.object.GroupKind() {
		d.reason = BecauseReplaced
	}
	if p.offline() {
		return d.predictOffline(p.state)
	}
	if d.object.Name == "" {
		return d.predictCreate("its name is known after apply")
	}
	if !d.recorded {
		return p.create(ctx, d)
	}
	if d.isDefinedBy(needs) { // the old definition took all its objects along
		d.reason = BecauseDeleted
		return p.create(ctx, d)
	}
	live, err := p.look(ctx, d.desired)
	switch {
	case err != nil:
		return hclspec.Observed{}, err
	case live == nil && isDone(p.state, d) && !anyMatches(p.Replace, d.addr):
		return leaveDone(d), nil
	case live == nil:
		d.reason = BecauseDeleted
		return p.create(ctx, d)
	case string(live.GetUID()) != d.entry.UID && p.adopts(d.addr):
		return p.adopt(ctx, d, live)
	case string(live.GetUID()) != d.entry.UID:
		return refuseUnmanaged(d.desired, live, "It was deleted and recreated by someone else since kplan last applied it.")
	case ManagingStack(live, p.state.StackID()) != "" && p.adopts(d.addr):
		return p.adopt(ctx, d, live)
	case ManagingStack(live, p.state.StackID()) != "":
		return hclspec.Observed{Presumed: true}, refuseOtherStack(d.desired, live)
	}
	return p.update(ctx, d, live)
}

// isDone reports whether an object that is not there any more has served its purpose:
// the cluster deletes it by itself then, and it is still defined as it was last applied.
// An object that is known to have failed has no digest.
func isDone(s *state.State, d *decision) bool {
	addr := d.addr
	if d.moved() {
		addr = d.previous
	}
	return server.ExpiresOnceDone(d.kind, d.fields) && d.entry.Digest != "" &&
		d.entry.Digest == s.Digest(desiredFieldsAt(d.desired, addr, s.StackID()))
}

// observeUnplanned leaves an object alone that is out of scope, though others of its
// block are not. References see it as it is.
func (p *planner) observeUnplanned(ctx context.Context, d *hclspec.Desired) (hclspec.Observed, error) {
	if p.offline() {
		return hclspec.Observed{}, nil
	}
	live, err := p.look(ctx, Named(d, p.state))
	if err != nil || live == nil {
		return hclspec.Observed{}, err
	}
	return hclspec.Observed{Object: WithoutOwn(live.Object)}, nil
}

// movedFrom is the address that the state has for an object, if it is not the
// one it has now.
func movedFrom(movedAddr map[addrs.Object]addrs.Instance, entry state.Object, now addrs.Instance) addrs.Instance {
	old := entry.Addr
	if before, moved := movedAddr[entry.Object.Identity()]; moved {
		old = before
	}
	if old == now {
		return addrs.Instance{}
	}
	return old
}

// whyNotDryRunnable returns why the server can't be asked what it would make of a
// new object, or "", and whether there may be one of that name all the same.
func whyNotDryRunnable(d *decision, needs decisions) (why string, mayExist bool) {
	if d.redefined {
		return fmt.Sprintf("the kind %s is changed by this plan", d.object.Kind), true
	}
	if d.kind.Undefined {
		return fmt.Sprintf("the kind %s is not served yet, and is expected to be by the time that this is applied", d.object.Kind), false
	}
	for _, addr := range d.needs {
		need := needs[addr].change
		if need == nil || need.Action != Create && need.Action != Replace {
			continue
		}
		switch {
		case need.Object.GroupKind() == kinds.Namespace && need.Object.Name == d.object.Namespace:
			return fmt.Sprintf("namespace %s is created by this plan", need.Object.Name), false
		case need.defines(d.kind):
			return fmt.Sprintf("the kind %s is created by this plan", d.object.Kind), false
		}
	}
	if paths := d.unknown.Sorted(); len(paths) > 0 {
		named := d.object.Name != "" && !d.unknown.Covers(addrs.NewPath("metadata", "namespace"))
		return fmt.Sprintf("%s is known after apply", paths[0]), named
	}
	return "", false
}

// isDefinedBy reports whether this plan creates the definition of the object's kind,
// since there is none.
func (d *decision) isDefinedBy(needs decisions) bool {
	return slices.ContainsFunc(d.needs, func(addr addrs.Instance) bool {
		need := needs[addr].change
		return need != nil && need.Action == Create && need.defines(d.kind)
	})
}
