package plan

import (
	"context"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// update plans an object that exists and belongs to this stack.
func (p *planner) update(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Observed, error) {
	if err := p.found(d, live); err != nil {
		return hclspec.Observed{}, err
	}
	live = d.asDefined(live)
	if live.GetDeletionTimestamp() != nil {
		return p.replace(ctx, d, BecauseTerminating, nil)
	}
	if anyMatches(p.Replace, d.addr) {
		return p.replace(ctx, d, BecauseRequested, nil)
	}
	if d.isTriggered {
		return p.replace(ctx, d, BecauseTriggered, nil)
	}
	if unresolved := d.unresolved().Sorted(); len(unresolved) > 0 {
		return p.predictUpdateAndConflicts(ctx, d, live, unresolved[0].String()+" is known after apply")
	}
	same, err := unchanged(d.kind, d.fields, live, d.managers)
	if err != nil {
		return hclspec.Observed{}, err
	}
	if len(d.transfer) == 0 && (same || isRewritten(d, p.state, live)) {
		return d.leave(Compared), nil
	}
	if appliedInOther(d.kind, d.fields, live, d.managers) {
		d.reason = BecauseVersion
	}
	if d.redefined {
		return p.predictUpdateAndConflicts(ctx, d, live, d.notDryRunnable)
	}
	return p.dryRunUpdate(ctx, d, live)
}

// found records what is known of the live object. It is called again when the
// object changes meanwhile. The ignored fields may be among those whose ownership
// is about to be transferred to kplan.
func (p *planner) found(d *decision, live *unstructured.Unstructured) error {
	d.transfer, d.taken, d.managers = nil, nil, ownership.Of(live.Object)
	transferred, err := d.withTransferredFields(live)
	if err != nil {
		return err
	}
	d.fields = withIgnored(d.kind, d.desired, DesiredFields(d.desired, p.state.StackID()), d.asDefined(transferred))
	d.fields = withRewritten(d.kind, d.fields, live.Object, d.rewritten)
	d.before = live.Object
	d.uid, d.resourceVersion = string(live.GetUID()), live.GetResourceVersion()
	d.sensitive = d.sensitivePaths(d.before)
	d.sensitive.AddAll(addrs.NewPathSet(d.entry.Sensitive...))
	if p.Mode != RefreshOnly {
		exclude(d)
	}
	return nil
}

// computedUpdate plans an update from the server's own answer.
func (p *planner) computedUpdate(ctx context.Context, d *decision, live, answer *unstructured.Unstructured) (hclspec.Observed, error) {
	stamped := stamps(d, answer.Object)
	d.after, d.unknown = withoutNewlyAllocated(d, withoutPaths(answer.Object, stamped), true)
	d.unknown.AddAll(stamped)
	d.sensitive.AddAll(d.sensitivePaths(d.after))
	d.findDrift()
	if paths := d.triggers(); len(paths) > 0 {
		return p.replace(ctx, d, BecauseTriggered, paths)
	}
	// The server may change nothing at all where something looked different here.
	if d.isLive(answer, stamped) || isAdmissions(d, p.state, live, answer) {
		d.unknown = addrs.PathSet{}
		return d.leave(Computed), nil
	}
	d.action, d.certainty, d.answered = Update, Computed, true
	if d.why = subjectOf(d).whyUncertain(); d.why != "" {
		d.certainty = Predicted
	}
	if d.onlyMoves() {
		d.unknown = addrs.PathSet{}
		d.leave(Computed)
	}
	return d.seenChanged(), d.findOwnershipChanges()
}

// predictUpdate plans an update that the server can't be asked about, for the
// reason given.
func (p *planner) predictUpdate(ctx context.Context, d *decision, live *unstructured.Unstructured, why string) (hclspec.Observed, error) {
	predicted, err := d.predict(live)
	if err != nil {
		return hclspec.Observed{}, err
	}
	d.after = predicted
	if paths := d.immutableChanges(); len(paths) > 0 {
		if d.rewritten != nil || !isThere(d, server.WithMatchLabels(d.kind, d.fields), paths) {
			return p.replace(ctx, d, BecauseImmutable, paths)
		}
		d.rewritten, d.fields = paths, withRewritten(d.kind, d.fields, d.before, paths)
		return p.predictUpdate(ctx, d, live, why)
	}
	if paths := d.triggers(); len(paths) > 0 {
		return p.replace(ctx, d, BecauseTriggered, paths)
	}
	d.action, d.certainty, d.why, d.answered = Update, Predicted, why, false
	d.after, d.unknown = withoutNewlyAllocated(d, predicted, false)
	for path := range d.unresolved() {
		if at, ok := positioned(d.kind, d.after, keyed(d.kind, d.fields, path)); ok {
			path = at
		}
		d.unknown.Add(path)
	}
	d.findDrift()
	d.sensitive.AddAll(d.sensitivePaths(d.after))
	if len(d.unknown) == 0 && d.onlyMoves() {
		d.leave(Predicted)
	}
	return d.seenChanged(), d.findOwnershipChanges()
}

// predict is what applying would make of the live object once kplan owns its stale
// defaults.
func (d *decision) predict(live *unstructured.Unstructured) (map[string]any, error) {
	live, err := d.withTransferredFields(live)
	if err != nil {
		return nil, err
	}
	plain, err := kube.Predict(d.kind, live, d.fields)
	if err != nil || d.adopts {
		return plain, err
	}
	before := d.transfer
	transferred, err := d.transferStale(live)
	if err != nil || len(d.transfer) == len(before) {
		return plain, err
	}
	renewed, err := kube.Predict(d.kind, transferred, d.fields)
	if err == nil && d.looksSame(plain, renewed) {
		d.transfer = before
	}
	return renewed, err
}

// predictUpdateAndConflicts predicts an update, and the conflicts that the server
// would report if it could be asked.
func (p *planner) predictUpdateAndConflicts(
	ctx context.Context, d *decision, live *unstructured.Unstructured, why string,
) (hclspec.Observed, error) {
	same, err := d.isLastApplied(p.state, live)
	if err != nil {
		return hclspec.Observed{}, err
	}
	if same {
		return d.leave(Compared), nil
	}
	seen, err := p.predictUpdate(ctx, d, live, why)
	if err != nil || d.action != Update {
		return seen, err
	}
	conflicts, err := kube.PredictConflicts(d.kind, live, d.fields)
	if err != nil {
		d.action = ""
		return hclspec.Observed{}, err
	}
	if diags := conflict(d, live, conflicts); diags.HasErrors() {
		d.blocked = true
		return seen, diags
	}
	if len(conflicts) > 0 {
		take(d, conflicts)
	}
	return seen, nil
}

// isLastApplied reports whether the desired fields are those that were applied last,
// but for the address, and nobody has changed any of them since, for who changes a
// field owns it. What the live object has there is then what the server makes of
// them, though it may look different: admission adds to a pod's tolerations.
func (d *decision) isLastApplied(s *state.State, live *unstructured.Unstructured) (bool, error) {
	addr := d.addr
	if d.moved() {
		addr = d.previous
	}
	if d.entry.Digest != s.Digest(desiredFieldsAt(d.desired, addr, s.StackID())) {
		return false, nil
	}
	return ownsDesired(d.kind, d.fields, ownership.Of(live.Object))
}

// seenChanged is what references see of an object that an apply will change: its
// version will be another, and its generation maybe.
func (d *decision) seenChanged() hclspec.Observed {
	unknown := d.unknown.Clone()
	for _, name := range []string{"resourceVersion", "generation", "managedFields"} {
		unknown.Add(addrs.NewPath("metadata", name))
	}
	if !reflect.DeepEqual(jsonForm(d.before["spec"]), jsonForm(d.after["spec"])) {
		unknown.AddAll(progressOf(d.desired))
	}
	return hclspec.Observed{Object: withoutPaths(WithoutOwn(d.after), unknown), Unknown: unknown}
}

// progressOf are the fields that something refers to, and whose values are those of
// before the change until the object is ready again.
func progressOf(d *hclspec.Desired) addrs.PathSet {
	paths := addrs.PathSet{}
	for _, later := range d.Later {
		if later.Progress {
			paths.AddAll(addrs.NewPathSet(later.Paths...))
		}
	}
	return paths
}

// looksSame reports whether two results of a change are the same but for what the
// server keeps of its own.
func (d *decision) looksSame(a, b map[string]any) bool {
	a, b = visible(a), visible(b)
	return d.kind.Root.Equal(a, b) && d.kind.Root.SameOrder(a, b)
}

// isLive reports whether a dry-run's answer differs from the live object in nothing
// but the times in its managedFields, and what admission writes there each time.
func (d *decision) isLive(answer *unstructured.Unstructured, stamps addrs.PathSet) bool {
	return answer.GetResourceVersion() == d.resourceVersion &&
		d.looksSame(withoutPaths(d.before, stamps), withoutPaths(answer.Object, stamps)) && ownership.SameOwners(d.before, answer.Object)
}

// isRewritten reports whether the live object differs from the desired fields only where
// nobody can have changed it since they were applied: so this is what the server made of
// them.
func isRewritten(d *decision, s *state.State, live *unstructured.Unstructured) bool {
	if last, err := d.isLastApplied(s, live); err != nil || !last {
		return false
	}
	predicted, err := kube.Predict(d.kind, live, d.fields)
	if err != nil {
		return false
	}
	before, after := visible(d.before), visible(predicted)
	found := differences(d.kind.Root, before, after)
	for path := range found {
		if !server.ForbidsChange(d.kind, d.before, predicted, path) {
			return false
		}
	}
	return len(found) > 0 && len(d.kind.Root.Reordered(before, after)) == 0
}

// isAdmissions reports whether a dry-run's answer differs from the live object in nothing
// that applying is for: the fields that kplan owns stay the same ones and, as far as the
// desired object sets them, keep their values. What differs is what admission makes of
// any write: a stamp that nobody owns, and a value of ours that it has overwritten before
// and would overwrite again.
func isAdmissions(d *decision, s *state.State, live, answer *unstructured.Unstructured) bool {
	if len(d.transfer)+len(d.taken) > 0 || d.adopts || d.forced || d.moved() {
		return false
	}
	if owns, err := ownsDesired(d.kind, d.fields, d.managers); err != nil || !owns {
		return false
	}
	if !d.kind.Root.SameOrder(visible(d.before), visible(answer.Object)) {
		return false
	}
	before, after := wanted(d.kind, d.before, d.fields), wanted(d.kind, answer.Object, d.fields)
	if d.kind.Root.Equal(visible(before), visible(after)) {
		return true
	}
	if last, err := d.isLastApplied(s, live); err != nil || !last {
		return false
	}
	for path := range differences(d.kind.Root, visible(before), visible(after)) {
		desired, _ := valueIn(d.kind, d.fields, path)
		made, _ := valueIn(d.kind, after, path)
		if d.kind.At(path).Equal(desired, made) {
			return false // applying does what it is for
		}
	}
	return true
}

// onlyMoves reports whether nothing changes but the annotation that holds the
// object's address. A move is shown as a move.
func (d *decision) onlyMoves() bool {
	if !d.moved() {
		return false
	}
	paths := differences(d.kind.Root, visible(d.before), visible(d.after))
	_, differs := paths[addrs.NewPath("metadata", "annotations", addrs.AddressAnnotation)]
	return differs && len(paths) == 1
}
