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
	"kplan.dev/kplan/state"
)

// visit decides what to do about one object of the configuration.
func (p *planner) visit(ctx context.Context, desired *hclspec.Desired, needs decisions) (hclspec.Seen, decided, error) {
	if !p.scope.has(desired.Addr) {
		seen, err := p.passBy(ctx, desired)
		return seen, decided{}, err
	}
	d := p.newDecision(Named(desired, p.state))
	seen, err := p.decide(ctx, d, needs)
	return seen, decided{d.change(), d.doubtful}, err
}

func (p *planner) decide(ctx context.Context, d *decision, needs decisions) (hclspec.Seen, error) {
	if p.Mode == RefreshOnly {
		return p.refresh(ctx, d)
	}
	d.redefined = slices.ContainsFunc(d.needs, func(addr addrs.Instance) bool { return needs[addr].change.Redefines(d.kind) })
	d.notDryRunnable = d.whyNotDryRunnable(needs)
	if d.recorded {
		d.previous = p.movedFrom(d.entry, d.addr)
	} else if old, ok := p.state.Find(d.addr); ok && old.Object.GroupKind() == d.object.GroupKind() {
		d.reason = BecauseReplaced
	}
	if p.offline() {
		return p.predictOffline(d)
	}
	if d.object.Name == "" {
		return p.predictCreate(d, "its name is known after apply")
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
		return hclspec.Seen{}, err
	case live == nil:
		d.reason = BecauseDeleted
		return p.create(ctx, d)
	case string(live.GetUID()) != d.entry.UID && p.adopts(d.addr):
		return p.adopt(ctx, d, live)
	case string(live.GetUID()) != d.entry.UID:
		return p.refuseUnmanaged(d.desired, live, "It was deleted and made again by someone else since kplan last applied it.")
	case managingStack(live, p.state.StackID()) != "" && p.adopts(d.addr):
		return p.adopt(ctx, d, live)
	case managingStack(live, p.state.StackID()) != "":
		return hclspec.Seen{Object: WithoutOwn(live.Object)}, taken(d.desired, live)
	}
	return p.update(ctx, d, live)
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
func (p *planner) passBy(ctx context.Context, d *hclspec.Desired) (hclspec.Seen, error) {
	if p.offline() {
		return hclspec.Seen{}, nil
	}
	live, err := p.look(ctx, Named(d, p.state))
	if err != nil || live == nil {
		return hclspec.Seen{}, err
	}
	return hclspec.Seen{Object: WithoutOwn(live.Object)}, nil
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

// whyNotDryRunnable returns why the server can't be asked what it would make of a
// new object, or "".
func (d *decision) whyNotDryRunnable(needs decisions) string {
	if d.redefined {
		return fmt.Sprintf("the kind %s is changed by this plan", d.object.Kind)
	}
	for _, addr := range d.needs {
		need := needs[addr].change
		if need == nil || need.Action != Create && need.Action != Replace {
			continue
		}
		switch {
		case need.Object.GroupKind() == kinds.Namespace && need.Object.Name == d.object.Namespace:
			return fmt.Sprintf("namespace %s is created by this plan", need.Object.Name)
		case need.defines(d.kind):
			return fmt.Sprintf("the kind %s is created by this plan", d.object.Kind)
		}
	}
	if paths := d.unknown.Sorted(); len(paths) > 0 {
		return fmt.Sprintf("%s is known after apply", paths[0])
	}
	return ""
}

// Redefines reports whether the change is to the definition of a kind, so that the
// server judges objects of it by another schema afterwards than before.
func (c *Change) Redefines(kind *kinds.Kind) bool {
	return c != nil && c.Action == Update && c.defines(kind) && !reflect.DeepEqual(c.Before["spec"], c.After["spec"])
}

// defines reports whether the object is the definition of the kind.
func (c *Change) defines(kind *kinds.Kind) bool {
	return c.Object.GroupKind() == kinds.CustomResourceDefinition && c.Object.Name == kind.Plural+"."+kind.Group
}

// isDefinedBy reports whether this plan creates the definition of the object's kind,
// since there is none.
func (d *decision) isDefinedBy(needs decisions) bool {
	return slices.ContainsFunc(d.needs, func(addr addrs.Instance) bool {
		need := needs[addr].change
		return need != nil && need.Action == Create && need.defines(d.kind)
	})
}
