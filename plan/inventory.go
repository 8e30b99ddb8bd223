package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// inventory is what the cluster has of the stack's objects: one LIST per kind,
// asked for when it is first needed and shared from then on. A stack that owns
// nothing of a kind asks nothing.
type inventory struct {
	cluster  *kube.Cluster
	selector string
	state    *state.State
	owned    map[addrs.Object]state.Object

	mu    sync.Mutex
	lists map[addrs.Object]func(context.Context) (liveObjects, error) // by kind in a version

	undefined undefinedKinds
}

// liveObjects is the live objects of one kind by identity.
type liveObjects map[addrs.Object]*unstructured.Unstructured

func newInventory(cluster *kube.Cluster, s *state.State) *inventory {
	return &inventory{
		cluster:  cluster,
		selector: addrs.StackLabel + "=" + s.StackID(),
		state:    s,
		owned:    s.ByIdentity(),
		lists:    map[addrs.Object]func(context.Context) (liveObjects, error){},

		undefined: undefinedKinds{cluster: cluster},
	}
}

// undefinedKinds finds out which of the kinds that the cluster does not serve have no
// definition any more, asking about each once.
type undefinedKinds struct {
	cluster *kube.Cluster
	mu      sync.Mutex
	known   map[addrs.GroupKind]bool
}

// has reports whether an error says that a kind is not served, and there is no
// definition of it: whatever there was of it went with that.
func (u *undefinedKinds) has(ctx context.Context, kind addrs.GroupKind, err error) (bool, error) {
	if kube.ReasonOf(err) != kube.NotServed {
		return false, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	undefined, known := u.known[kind]
	if !known {
		var problem error
		if undefined, problem = u.cluster.IsUndefined(ctx, kind); problem != nil {
			return false, problem
		}
		if u.known == nil {
			u.known = map[addrs.GroupKind]bool{}
		}
		u.known[kind] = undefined
	}
	if !undefined {
		return false, err
	}
	return true, nil
}

// prefetch starts the lists of all kinds in the state, so that they run while
// the configuration is evaluated. What goes wrong is met again by find.
func (inv *inventory) prefetch(ctx context.Context) {
	started := map[addrs.Object]bool{}
	for _, o := range inv.state.Objects {
		key := addrs.Object{Group: o.Object.Group, Version: o.Object.Version, Kind: o.Object.Kind}
		if started[key] {
			continue
		}
		started[key] = true
		var trap graph.Trap // a panic, too, is met again
		go trap.Run(nil, func() {
			if kind, err := inv.cluster.Lookup(key.Kind, key.APIVersion()); err == nil {
				inv.of(kind)(ctx)
			}
		})
	}
}

// find returns the live object, or nil when there is none. Only an object of
// the state is looked for; a list that lacks it does not prove it gone, since
// someone may have removed the label, so it is then read by name.
func (inv *inventory) find(ctx context.Context, kind *kinds.Kind, object addrs.Object) (*unstructured.Unstructured, error) {
	if _, ok := inv.owned[object.Identity()]; !ok || !kind.ScopeMatches(object) {
		return nil, nil
	}
	objects, err := inv.of(kind)(ctx)
	if err == nil {
		if live := objects[object.Identity()]; live != nil {
			return live, nil
		}
	} else if kube.ReasonOf(err) != kube.Forbidden {
		_, err = inv.undefined.has(ctx, kind.GroupKind(), err)
		return nil, err
	}
	live, err := inv.cluster.Get(ctx, kind, object.Namespace, object.Name)
	if err == nil {
		return live, nil
	}
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return nil, nil
	}
	return nil, err
}

func (inv *inventory) of(kind *kinds.Kind) func(context.Context) (liveObjects, error) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	key := kind.Object("", "")
	if inv.lists[key] == nil {
		inv.lists[key] = once(func(ctx context.Context) (liveObjects, error) { return inv.ask(ctx, kind) })
	}
	return inv.lists[key]
}

// once makes the first call the only one; the others share its result.
func once(ask func(context.Context) (liveObjects, error)) func(context.Context) (liveObjects, error) {
	var (
		do     sync.Once
		trap   graph.Trap // a list that was not made is not an empty one
		result liveObjects
		err    error
	)
	return func(ctx context.Context) (liveObjects, error) {
		do.Do(func() { trap.Run(nil, func() { result, err = ask(ctx) }) })
		trap.Rethrow()
		return result, err
	}
}

func (inv *inventory) ask(ctx context.Context, kind *kinds.Kind) (liveObjects, error) {
	found, err := inv.cluster.List(ctx, kind, kube.ListOptions{Selector: inv.selector, Namespaces: inv.namespaces(kind)})
	if err != nil {
		return nil, err
	}
	objects := make(liveObjects, len(found))
	for _, u := range found {
		objects[kind.Object(u.GetNamespace(), u.GetName()).Identity()] = u
	}
	return objects, nil
}

// namespaces are those in which the stack owns objects of the kind.
func (inv *inventory) namespaces(kind *kinds.Kind) []string {
	var names []string
	for _, o := range inv.state.Objects {
		if o.Object.GroupKind() == kind.GroupKind() && o.Object.Namespace != "" {
			names = append(names, o.Object.Namespace)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// look finds the live object that goes with a desired one, nil when there is
// none.
func (p *planner) look(ctx context.Context, d *hclspec.Desired) (*unstructured.Unstructured, error) {
	if d.Kind.Undefined {
		return nil, lookUndefined(ctx, p, d)
	}
	kind := p.served(d.Kind)
	live, err := p.live.find(ctx, kind, d.Object)
	if err != nil || live == nil {
		return nil, err
	}
	return inVersion(live, kind, d.Kind), nil
}

// lookUndefined makes sure that there are no objects of a kind that is not served, if the
// state has one.
func lookUndefined(ctx context.Context, p *planner, d *hclspec.Desired) error {
	if entry, recorded := p.owned[d.Object.Identity()]; recorded {
		if _, err := p.kindOf(entry); err != nil {
			_, err = p.live.undefined.has(ctx, d.Object.GroupKind(), err)
			return err
		}
	}
	return nil
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
// as far as that is known: versions of one definition have the same fields, unless
// it names a webhook that converts them.
func inVersion(live *unstructured.Unstructured, is, to *kinds.Kind) *unstructured.Unstructured {
	if is.Version == to.Version {
		return live
	}
	converted := live.DeepCopy()
	converted.SetAPIVersion(to.APIVersion())
	return converted
}

// kindOf finds the kind of an object in the state, in another version of its
// group where the recorded one is not served any more.
func (p *planner) kindOf(o state.Object) (*kinds.Kind, error) {
	kind, err := p.Cluster.Lookup(o.Object.Kind, o.Object.APIVersion())
	var unknown *kinds.UnknownError
	if err == nil || !errors.As(err, &unknown) {
		return kind, err
	}
	for _, apiVersion := range unknown.Known {
		if group, _, err := addrs.SplitAPIVersion(apiVersion); err == nil && group == o.Object.Group {
			return p.Cluster.Lookup(o.Object.Kind, apiVersion)
		}
	}
	var refusal *kube.Error
	if errors.As(err, &refusal) && refusal.Reason == kube.NotServed {
		advised := *refusal
		advised.Advice = fmt.Sprintf("The state has %s. If the definition of the kind was deleted, "+
			"the object went with it: kplan state rm '%s' makes kplan forget it.", o.Object, o.Addr)
		return nil, &advised
	}
	return nil, err
}
