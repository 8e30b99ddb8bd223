package plan

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// needs are the changes planned for the objects that one needs.
type needs = map[addrs.Instance]*Change

// visit decides what to do about one object of the configuration.
func (p *planner) visit(ctx context.Context, d *hclspec.Desired, needs needs) (hclspec.Seen, *Change, error) {
	if !p.scope.has(d.Addr) {
		return p.passBy(ctx, d)
	}
	d = Named(d, p.state)
	if p.Mode == RefreshOnly {
		return p.refresh(ctx, d)
	}
	c := p.newChange(d)
	c.redefined = slices.ContainsFunc(c.Needs, func(addr addrs.Instance) bool { return Redefines(needs[addr], c) })
	c.notDryRunnable = notDryRunnable(c, needs)
	entry, recorded := p.owned[d.Object.Identity()]
	if recorded {
		c.Previous = p.movedFrom(entry, d.Addr)
	} else if old, ok := p.state.Find(d.Addr); ok && old.Object.GroupKind() == d.Object.GroupKind() {
		c.Reason = BecauseReplaced
	}
	if p.offline() {
		return p.predictOffline(c, recorded && entry.Digest == p.state.Digest(c.DesiredFields), recorded)
	}
	if d.Object.Name == "" {
		return p.predictCreate(c, "its name is known after apply")
	}
	if !recorded {
		return p.create(ctx, c)
	}
	if definedAnew(c, needs) { // the old definition took all its objects along
		c.Reason = BecauseDeleted
		return p.create(ctx, c)
	}
	live, err := p.look(ctx, d)
	switch {
	case err != nil:
		return hclspec.Seen{}, nil, err
	case live == nil:
		c.Reason = BecauseDeleted
		return p.create(ctx, c)
	case string(live.GetUID()) != entry.UID && p.adopts(d.Addr):
		return p.adopt(ctx, c, live)
	case string(live.GetUID()) != entry.UID:
		return p.refuseUnmanaged(d, live, "It was deleted and made again by someone else since kplan last applied it.")
	case managingStack(live, p.state.StackID()) != "" && p.adopts(d.Addr):
		return p.adopt(ctx, c, live)
	case managingStack(live, p.state.StackID()) != "":
		return hclspec.Seen{Object: WithoutOwn(live.Object)}, nil, taken(d, live)
	}
	return p.update(ctx, c, live)
}

// look finds the live object that goes with a desired one, nil when there is
// none.
func (p *planner) look(ctx context.Context, d *hclspec.Desired) (*unstructured.Unstructured, error) {
	kind := p.served(d.Kind)
	live, err := p.live.find(ctx, kind, d.Object)
	if err != nil || live == nil {
		return nil, err
	}
	return inVersion(live, kind, d.Kind), nil
}

// served is the kind in a version in which the cluster has it: the definition
// in the configuration may have a new one, which is served after apply.
func (p *planner) served(kind *kinds.Kind) *kinds.Kind {
	if found, err := p.kindOf(state.Object{Object: kind.Object("", "")}); err == nil && found.Version != kind.Version {
		return found
	}
	return kind
}

// inVersion is an object as the server will show it in another version, as far
// as that can be told: versions of one definition have the same fields, unless
// it names a webhook that converts them.
func inVersion(live *unstructured.Unstructured, is, to *kinds.Kind) *unstructured.Unstructured {
	if is.Version == to.Version {
		return live
	}
	converted := live.DeepCopy()
	converted.SetAPIVersion(to.APIVersion())
	return converted
}

// passBy leaves an object alone that is out of scope, though others of its
// block are not. References see it as it is.
func (p *planner) passBy(ctx context.Context, d *hclspec.Desired) (hclspec.Seen, *Change, error) {
	if p.offline() {
		return hclspec.Seen{}, nil, nil
	}
	live, err := p.look(ctx, Named(d, p.state))
	if err != nil || live == nil {
		return hclspec.Seen{}, nil, err
	}
	return hclspec.Seen{Object: WithoutOwn(live.Object)}, nil, nil
}

func (p *planner) newChange(d *hclspec.Desired) *Change {
	return &Change{
		Addr:          d.Addr,
		Object:        d.Object,
		Kind:          d.Kind,
		DesiredFields: DesiredFields(d, p.state.StackID()),
		Unknown:       d.Unknown,
		Sensitive:     d.Sensitive,
		Needs:         predecessors(d),
		Protected:     d.Lifecycle.PreventDestroy,
		Range:         d.Range,
		Desired:       d,
	}
}

// predecessors are the instances that an object comes after, each once: one that it
// waits for is often one that it refers to.
func predecessors(d *hclspec.Desired) []addrs.Instance {
	needs := slices.Clone(d.Needs)
	for _, awaited := range d.Awaits {
		if !slices.Contains(needs, awaited) {
			needs = append(needs, awaited)
		}
	}
	return needs
}

// movedFrom is the address that the state has for an object, if it is not the
// one it has now.
func (p *planner) movedFrom(entry state.Object, now addrs.Instance) addrs.Instance {
	old := entry.Addr
	if before, moved := p.movedAddr[entry.Object.Identity()]; moved {
		old = before
	}
	if old == now {
		return addrs.Instance{}
	}
	return old
}

// create plans an object that is not there, as far as kplan knows.
func (p *planner) create(ctx context.Context, c *Change) (hclspec.Seen, *Change, error) {
	if c.notDryRunnable != "" {
		if c.redefined { // so there may be objects of the kind
			return p.createUnasked(ctx, c, c.notDryRunnable)
		}
		return p.predictCreate(c, c.notDryRunnable)
	}
	answer, err := p.Cluster.DryRunCreate(ctx, c.Kind, c.DesiredFields)
	if err == nil {
		return p.computedCreate(c, answer)
	}
	switch kube.ReasonOf(err) {
	case kube.AlreadyExists:
		return p.existing(ctx, c)
	case kube.Forbidden:
		return p.createUnasked(ctx, c, "this user may not ask the server: "+forbiddenVerb("create", c))
	case kube.DryRunUnsupported:
		return p.createUnasked(ctx, c, "an admission webhook does not support dry-run")
	}
	return hclspec.Seen{}, nil, err
}

// unaskable says why the server can't be asked what it would make of c, or "".
func notDryRunnable(c *Change, needs needs) string {
	if c.redefined {
		return fmt.Sprintf("the kind %s is changed by this plan", c.Object.Kind)
	}
	for _, addr := range c.Needs {
		need := needs[addr]
		if need == nil || need.Action != Create && need.Action != Replace {
			continue
		}
		switch {
		case need.Object.GroupKind() == kinds.Namespace && need.Object.Name == c.Object.Namespace:
			return fmt.Sprintf("namespace %s is created by this plan", need.Object.Name)
		case declares(need, c):
			return fmt.Sprintf("the kind %s is created by this plan", c.Object.Kind)
		}
	}
	if paths := c.Unknown.Sorted(); len(paths) > 0 {
		return fmt.Sprintf("%s is known after apply", paths[0])
	}
	return ""
}

// Redefines says whether need changes the definition of c's kind, so that the
// server judges c by another schema afterwards than before.
func Redefines(need, c *Change) bool {
	return need != nil && need.Action == Update && declares(need, c) &&
		!reflect.DeepEqual(need.Before["spec"], need.After["spec"])
}

// declares says whether need is about the definition of c's kind.
func declares(need, c *Change) bool {
	return need.Object.GroupKind() == kinds.CustomResourceDefinition && need.Object.Name == c.Kind.Plural+"."+c.Kind.Group
}

// definedAnew says whether this plan makes the definition of c's kind, since
// there is none.
func definedAnew(c *Change, needs needs) bool {
	return slices.ContainsFunc(c.Needs, func(addr addrs.Instance) bool {
		need := needs[addr]
		return need != nil && need.Action == Create && declares(need, c)
	})
}

// createUnasked predicts a creation after making sure that there is nothing of
// that name, which the refused dry-run did not tell.
func (p *planner) createUnasked(ctx context.Context, c *Change, why string) (hclspec.Seen, *Change, error) {
	kind := p.served(c.Kind)
	live, err := p.Cluster.Get(ctx, kind, c.Object.Namespace, c.Object.Name)
	if err == nil {
		return p.claim(ctx, c, inVersion(live, kind, c.Kind))
	}
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return p.predictCreate(c, why)
	}
	return hclspec.Seen{}, nil, err
}

// existing deals with an object that is there although kplan has no record of it.
func (p *planner) existing(ctx context.Context, c *Change) (hclspec.Seen, *Change, error) {
	live, err := p.Cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	return p.claim(ctx, c, live)
}

// claim goes on with an object that bears this stack's label, as one does whose
// making was recorded too late; any other is refused.
func (p *planner) claim(ctx context.Context, c *Change, live *unstructured.Unstructured) (hclspec.Seen, *Change, error) {
	entry, recorded := p.owned[c.Object.Identity()]
	if recorded && entry.UID == string(live.GetUID()) {
		c.Reason = NoReason // it is there, only its label was taken off
		return p.update(ctx, c, live)
	}
	if p.adopts(c.Addr) || !recorded && MadeBy(live, p.state.StackID()) {
		return p.adopt(ctx, c, live)
	}
	return p.refuseUnmanaged(c.Desired, live, "")
}

func forbiddenVerb(verb string, c *Change) string {
	if c.Object.Namespace == "" {
		return fmt.Sprintf("no right to %s %s", verb, c.Kind.Plural)
	}
	return fmt.Sprintf("no right to %s %s in namespace %s", verb, c.Kind.Plural, c.Object.Namespace)
}

// computedCreate plans a creation from the server's own answer.
func (p *planner) computedCreate(c *Change, answer *unstructured.Unstructured) (hclspec.Seen, *Change, error) {
	c.Action, c.Certainty = Create, Computed
	c.After, c.Unknown = withoutAllocated(c.Kind, answer.Object, c.DesiredFields)
	c.Sensitive = sensitivePaths(c, c.After)
	return hclspec.Seen{Object: WithoutOwn(c.After), Unknown: c.Unknown}, c, nil
}

// predictCreate plans a creation that the server could not be asked about.
func (p *planner) predictCreate(c *Change, why string) (hclspec.Seen, *Change, error) {
	predicted, err := kube.Predict(c.Kind, nil, c.DesiredFields)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	c.Action, c.Certainty, c.Why = Create, Predicted, why
	after, unknown := withoutAllocated(c.Kind, predicted, c.DesiredFields)
	for path := range c.Unknown {
		unknown.Add(path)
	}
	c.After, c.Unknown = after, unknown
	c.Sensitive = sensitivePaths(c, c.After)
	// What the server adds by itself is not known, so references see no more
	// than the wish.
	return hclspec.Seen{}, c, nil
}
