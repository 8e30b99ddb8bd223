package plan

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// dryRunTries is how often an object is looked at when it changes between the
// look and the dry-run: its controller may write several times a second.
const dryRunTries = 8

// settle gives whoever is busy with an object time, twice as much each time: all
// tries together take over a second.
func settle(ctx context.Context, tries int) {
	select {
	case <-time.After(10 * time.Millisecond << (dryRunTries - tries)):
	case <-ctx.Done():
	}
}

// update plans an object that is there and ours.
func (p *planner) update(ctx context.Context, c *Change, live *unstructured.Unstructured) (hclspec.Seen, *Change, error) {
	if err := p.found(c, live); err != nil {
		return hclspec.Seen{}, nil, err
	}
	live = c.asDefined(live)
	if live.GetDeletionTimestamp() != nil {
		c.Reason = BecauseTerminating
		return p.replace(ctx, c, nil)
	}
	if p.replaces(c.Addr) {
		c.Reason = BecauseRequested
		return p.replace(ctx, c, nil)
	}
	if open := c.open().Sorted(); len(open) > 0 {
		return p.predictUpdate(ctx, c, live, open[0].String()+" is known after apply")
	}
	same, err := unchanged(c.Kind, c.DesiredFields, live, c.managers)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	if same {
		c.Action, c.Certainty, c.After = NoOp, Compared, c.Before
		return hclspec.Seen{Object: WithoutOwn(live.Object)}, c, nil
	}
	if appliedInOther(c.Kind, c.DesiredFields, live, c.managers) {
		c.Reason = BecauseVersion
	}
	if c.redefined {
		return p.updateUnasked(ctx, c, live, c.notDryRunnable)
	}
	return p.ask(ctx, c, live, dryRunTries)
}

// replaces says whether the user asked, by name, for the object to be made anew.
func (p *planner) replaces(addr addrs.Instance) bool {
	return slices.ContainsFunc(p.Replace, func(given addrs.Instance) bool { return Matches(given, addr) })
}

// found records what is known of the live object. It is also called anew when
// the object changed meanwhile. What is to be ignored of it may be of those fields
// that are about to become kplan's.
func (p *planner) found(c *Change, live *unstructured.Unstructured) error {
	c.takes, c.managers = nil, ownership.Of(live.Object)
	taken, err := c.WithTransferredFields(live)
	if err != nil {
		return err
	}
	c.DesiredFields = withIgnored(c.Kind, c.Desired, DesiredFields(c.Desired, p.state.StackID()), c.asDefined(taken))
	c.Before = live.Object
	c.UID, c.ResourceVersion = string(live.GetUID()), live.GetResourceVersion()
	c.Sensitive = sensitivePaths(c, c.Before)
	c.Sensitive.AddAll(addrs.NewPathSet(p.owned[c.Object.Identity()].Sensitive...))
	return nil
}

// asDefined is the live object as the server will show it once this plan has
// changed the definition of its kind, which may have lost fields.
func (c *Change) asDefined(live *unstructured.Unstructured) *unstructured.Unstructured {
	if !c.redefined {
		return live
	}
	return &unstructured.Unstructured{Object: c.Kind.Pruned(live.Object)}
}

// ask lets the server say what it would make of the wish.
func (p *planner) ask(ctx context.Context, c *Change, live *unstructured.Unstructured, tries int) (hclspec.Seen, *Change, error) {
	taken, err := c.WithTransferredFields(live)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	answer, err := p.answer(ctx, c, live, taken)
	if err == nil {
		return p.computedUpdate(ctx, c, answer)
	}
	err = c.discreet(err)
	switch kube.ReasonOf(err) {
	case kube.Stale:
		if tries == 1 {
			return hclspec.Seen{}, nil, err
		}
		settle(ctx, tries)
		live, err := p.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		if err == nil {
			err = p.found(c, live)
		}
		if err != nil {
			return hclspec.Seen{}, nil, err
		}
		return p.ask(ctx, c, live, tries-1)
	case kube.Immutable:
		c.Reason = BecauseImmutable
		return p.replace(ctx, c, immutable(c, taken, err))
	case kube.Invalid:
		return p.refused(ctx, c, live, tries, err)
	case kube.FieldConflict:
		c.Blocked = true
		seen, c, predictErr := p.predictUpdate(ctx, c, live, "another manager owns fields of it")
		if predictErr != nil {
			return seen, c, predictErr
		}
		return seen, c, conflict(c, live, conflictsOf(err))
	case kube.Forbidden:
		return p.updateUnasked(ctx, c, taken, "this user may not ask the server: "+forbiddenVerb("patch", c))
	case kube.DryRunUnsupported:
		return p.updateUnasked(ctx, c, taken, "an admission webhook does not support dry-run")
	}
	return hclspec.Seen{}, nil, err
}

// answer is what the server would make of the wish once the fields are taken
// that have to be taken first, and those that have outgrown the wish.
func (p *planner) answer(ctx context.Context, c *Change, live, taken *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	answer, err := p.plainAnswer(ctx, c, live, taken)
	if err != nil || c.adopts || answerIsLive(c, answer) {
		return answer, err
	}
	before := c.takes
	taken, err = c.transferStale(live)
	if err != nil || len(c.takes) == len(before) {
		return answer, err
	}
	renewed, err := p.Cluster.DryRunAfterTaking(ctx, c.Kind, taken, c.DesiredFields)
	switch kube.ReasonOf(err) {
	case kube.Invalid, kube.Immutable, kube.Denied: // better what was accepted
		c.takes = before
		return answer, nil
	}
	if err == nil && c.looksSame(answer.Object, renewed.Object) {
		c.takes = before
		return answer, nil
	}
	return renewed, err
}

// predicted is what applying would make of the live object once what has outgrown
// the wish is taken.
func (c *Change) predicted(live *unstructured.Unstructured) (map[string]any, error) {
	plain, err := kube.Predict(c.Kind, live, c.DesiredFields)
	if err != nil || c.adopts {
		return plain, err
	}
	before := c.takes
	taken, err := c.transferStale(live)
	if err != nil || len(c.takes) == len(before) {
		return plain, err
	}
	renewed, err := kube.Predict(c.Kind, taken, c.DesiredFields)
	if err == nil && c.looksSame(plain, renewed) {
		c.takes = before
	}
	return renewed, err
}

// looksSame says whether two results of a change are the same but for what the
// server keeps of its own.
func (c *Change) looksSame(a, b map[string]any) bool {
	a, b = visible(a), visible(b)
	return c.Kind.Root.Equal(a, b) && c.Kind.Root.SameOrder(a, b)
}

func (p *planner) plainAnswer(ctx context.Context, c *Change, live, taken *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if taken != live {
		return p.Cluster.DryRunAfterTaking(ctx, c.Kind, taken, c.DesiredFields)
	}
	options := kube.ApplyOptions{UID: c.UID, ResourceVersion: c.ResourceVersion}
	answer, err := p.Cluster.DryRunApply(ctx, c.Kind, c.DesiredFields, options)
	if kube.ReasonOf(err) == kube.FieldConflict && forced(c, err) {
		c.forced, options.Force = true, true
		return p.Cluster.DryRunApply(ctx, c.Kind, c.DesiredFields, options)
	}
	return answer, err
}

// refused goes on after the server said that values are wrong. It names what
// does not fit together before it comes to what can't be changed.
func (p *planner) refused(ctx context.Context, c *Change, live *unstructured.Unstructured, tries int, refusal error) (hclspec.Seen, *Change, error) {
	predicted, err := kube.Predict(c.Kind, live, c.DesiredFields)
	if err != nil {
		return hclspec.Seen{}, nil, refusal
	}
	if c.After = predicted; len(immutableChanges(c)) > 0 {
		c.Reason = BecauseImmutable
		return p.replace(ctx, c, immutableChanges(c))
	}
	left := staleFields(c, live, refusal)
	if len(left) == 0 {
		return hclspec.Seen{}, nil, explained(c, live, refusal)
	}
	c.takes = append(c.takes, left...)
	return p.ask(ctx, c, live, tries)
}

// asLastApplied says whether the wish is the one that was applied last, but for
// its address, and nobody has changed any of it since, for who changes a field
// owns it. What the live object has there is then what the server makes of the
// wish, though it may look different: admission adds to a pod's tolerations.
func (p *planner) asLastApplied(c *Change, live *unstructured.Unstructured) (bool, error) {
	addr := c.Addr
	if c.Moved() {
		addr = c.Previous
	}
	if p.owned[c.Object.Identity()].Digest != p.state.Digest(desiredFieldsAt(c.Desired, addr, p.state.StackID())) {
		return false, nil
	}
	return ownsDesired(c.Kind, c.DesiredFields, ownership.Of(live.Object))
}

// updateUnasked predicts an update that the server would not be asked about,
// and finds the conflicts that it would have told of.
func (p *planner) updateUnasked(ctx context.Context, c *Change, live *unstructured.Unstructured, why string) (hclspec.Seen, *Change, error) {
	same, err := p.asLastApplied(c, live)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	if same {
		c.Action, c.Certainty, c.After = NoOp, Compared, c.Before
		return hclspec.Seen{Object: WithoutOwn(live.Object)}, c, nil
	}
	seen, c, err := p.predictUpdate(ctx, c, live, why)
	if err != nil || c.Action != Update {
		return seen, c, err
	}
	conflicts, err := kube.PredictConflicts(c.Kind, live, c.DesiredFields)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	if diags := conflict(c, live, conflicts); diags.HasErrors() {
		c.Blocked = true
		return seen, c, diags
	}
	return seen, c, nil
}

func (p *planner) computedUpdate(ctx context.Context, c *Change, answer *unstructured.Unstructured) (hclspec.Seen, *Change, error) {
	c.Action, c.Certainty = Update, Computed
	c.After, c.Unknown = withoutNewlyAllocated(c, answer.Object, true)
	c.Sensitive.AddAll(sensitivePaths(c, c.After))
	p.attribute(c)
	if paths := triggers(c); len(paths) > 0 {
		c.Reason = BecauseTriggered
		return p.replace(ctx, c, paths)
	}
	// The server may change nothing at all where something looked different
	// here, and a move is told of as a move: only its annotation changes.
	if same := answerIsLive(c, answer); same || c.Moved() && onlyAddressDiffers(c) {
		c.Action, c.After, c.Unknown = NoOp, c.Before, addrs.PathSet{}
		if same {
			return hclspec.Seen{Object: WithoutOwn(c.After)}, c, nil
		}
	}
	return seenChanged(c), c, tellOwnership(c)
}

// seenChanged is what references see of an object that an apply will change:
// its version will be another, and its generation maybe.
func seenChanged(c *Change) hclspec.Seen {
	unknown := c.Unknown.Clone()
	for _, name := range []string{"resourceVersion", "generation", "managedFields"} {
		unknown.Add(addrs.NewPath("metadata", name))
	}
	return hclspec.Seen{Object: withoutPlaces(WithoutOwn(c.After), unknown), Unknown: unknown}
}

func (p *planner) predictUpdate(ctx context.Context, c *Change, live *unstructured.Unstructured, why string) (hclspec.Seen, *Change, error) {
	predicted, err := c.predicted(live)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	c.Action, c.Certainty, c.Why, c.After = Update, Predicted, why, predicted
	if paths := immutableChanges(c); len(paths) > 0 {
		c.Reason = BecauseImmutable
		return p.replace(ctx, c, paths)
	}
	if paths := triggers(c); len(paths) > 0 {
		c.Reason = BecauseTriggered
		return p.replace(ctx, c, paths)
	}
	c.After, c.Unknown = withoutNewlyAllocated(c, predicted, false)
	for path := range c.open() {
		if spot, ok := positioned(c.Kind, c.After, keyed(c.Kind, c.DesiredFields, path)); ok {
			path = spot
		}
		c.Unknown.Add(path)
	}
	p.attribute(c)
	c.Sensitive.AddAll(sensitivePaths(c, c.After))
	if len(c.Unknown) == 0 && c.Moved() && onlyAddressDiffers(c) {
		c.Action, c.After = NoOp, c.Before
	}
	return seenChanged(c), c, tellOwnership(c)
}

// replace plans to delete the object and make it anew under the same name, as
// the configuration has it: what was ignored goes with the old one.
func (p *planner) replace(ctx context.Context, c *Change, paths []addrs.Path) (hclspec.Seen, *Change, error) {
	c.DesiredFields = DesiredFields(c.Desired, p.state.StackID())
	predicted, err := kube.Predict(c.Kind, nil, c.DesiredFields)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	c.Action, c.Certainty, c.ReplacePaths = Replace, Predicted, paths
	c.After, c.Unknown = withoutAllocated(c.Kind, predicted, c.DesiredFields)
	c.Unknown.AddAll(c.Desired.Unknown)
	c.Sensitive.AddAll(sensitivePaths(c, c.After))
	if c.Why = c.notDryRunnable; c.Why != "" {
		return hclspec.Seen{}, c, nil
	}
	answer, why, err := DryRunReplacement(ctx, p.Cluster, c)
	switch {
	case err != nil:
		c.Blocked = true
		return hclspec.Seen{}, c, err
	case why != "":
		c.Why = why
		return hclspec.Seen{}, c, nil
	}
	c.Certainty = Computed
	c.After, c.Unknown = withoutAllocated(c.Kind, answer.Object, c.DesiredFields)
	c.Sensitive.AddAll(sensitivePaths(c, c.After))
	return hclspec.Seen{Object: WithoutOwn(c.After), Unknown: c.Unknown}, c, nil
}

// frozen are the changed places that the kind's description says can't change,
// the order of a list among them.
func immutableChanges(c *Change) []addrs.Path {
	var paths []addrs.Path
	before, after := visible(c.Before), visible(c.After)
	if c.Kind.GroupKind() == kinds.Pod && !hasToken(c.DesiredFields) {
		before, after = withoutToken(before), withoutToken(after)
	}
	for path := range differences(c.Kind.Root, before, after) {
		if c.Kind.ForbidsChange(c.Before, c.After, path) {
			paths = append(paths, wholeElement(c, path))
		}
	}
	for _, list := range c.Kind.Root.Reordered(before, after) {
		if c.Kind.ForbidsChange(c.Before, c.After, list) {
			paths = append(paths, list)
		}
	}
	slices.SortFunc(paths, addrs.Path.Compare)
	return slices.Compact(paths)
}

// immutable are the places for which the server refuses an update. It names them
// roughly, the whole spec of a Pod or an address that it made of another field, so
// what the kind's description knows more exactly comes from there.
func immutable(c *Change, live *unstructured.Unstructured, refusal error) []addrs.Path {
	refused := refusedPaths(refusal)
	predicted, err := kube.Predict(c.Kind, live, c.DesiredFields)
	if err != nil {
		return refused
	}
	c.After = predicted
	exact := immutableChanges(c)
	for _, path := range refused {
		place := keyed(c.Kind, c.Before, path)
		if !slices.ContainsFunc(exact, func(known addrs.Path) bool { return place.Contains(known) || known.Contains(place) }) {
			exact = append(exact, path)
		}
	}
	return exact
}

// wholeElement is the list element that comes or goes with a place, else the
// place itself.
func wholeElement(c *Change, path addrs.Path) addrs.Path {
	var place addrs.Path
	for _, step := range path.Steps() {
		place = place.Append(step)
		if !step.IsKeys() {
			continue
		}
		_, before := ValueAt(c.Before, place)
		if _, after := ValueAt(c.After, place); before != after {
			return place
		}
	}
	return path
}

// attribute says who made the live object differ from what was last applied.
func (p *planner) attribute(c *Change) {
	addDrift(c, p.owned[c.Object.Identity()], p.state.Digest(DesiredFields(c.Desired, p.state.StackID())))
}

// triggers are the changed places for which lifecycle.replace_on asks for a
// replacement.
func triggers(c *Change) []addrs.Path {
	if len(c.Desired.Lifecycle.ReplaceOn) == 0 {
		return nil
	}
	var paths []addrs.Path
	listed := configured(c, c.Desired.Lifecycle.ReplaceOn)
	for _, path := range sortedPaths(differences(c.Kind.Root, c.Before, c.After)) {
		if coveredBy(listed, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// onlyAddressDiffers says whether nothing is changed but the annotation that
// holds the object's address.
func onlyAddressDiffers(c *Change) bool {
	places := differences(c.Kind.Root, visible(c.Before), visible(c.After))
	_, differs := places[addrs.NewPath("metadata", "annotations", addrs.AddressAnnotation)]
	return differs && len(places) == 1
}

// answerIsLive says whether a dry-run's answer differs from the live object in
// nothing but the times in its managedFields.
func answerIsLive(c *Change, answer *unstructured.Unstructured) bool {
	return answer.GetResourceVersion() == c.ResourceVersion &&
		c.looksSame(c.Before, answer.Object) && ownership.Same(c.Before, answer.Object)
}
