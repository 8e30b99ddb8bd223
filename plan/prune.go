package plan

import (
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/state"
)

// planPruned adds the deletion of what the state holds and the configuration
// no longer has. An object whose block could not be planned is not pruned, as after a rename
// to a name that is taken.
func (p *planner) planPruned(ctx context.Context, plan *Plan, outcome hclspec.Outcome[decided]) hcl.Diagnostics {
	wanted := map[addrs.Object]bool{}
	declared := map[addrs.Instance]bool{}
	failed := map[addrs.Instance]bool{}
	uids := map[string]bool{} // of objects that stay, under whatever name
	for _, v := range outcome.Visited {
		if c := v.Result.change; c != nil && c.UID != "" {
			uids[c.UID] = true
		}
		wanted[Named(v.Desired, p.state).Object.Identity()] = true
		declared[v.Desired.Addr] = true
		failed[v.Desired.Addr] = v.Err != nil
	}
	kept := map[addrs.Resource]bool{}
	for _, h := range outcome.Skipped {
		kept[h.Addr.Resource] = true
	}
	var pruned []state.Object
	for _, o := range p.state.Objects {
		if !wanted[o.Object.Identity()] && !uids[o.UID] && !kept[o.Addr.Resource] && !failed[o.Addr] && p.scope.has(o.Addr) {
			pruned = append(pruned, o)
		}
	}
	return p.delete(ctx, plan, pruned, func(o state.Object) Reason {
		if declared[o.Addr] {
			return BecauseRenamed
		}
		if !hclspec.HasModule(p.preview(), o.Addr.Resource.Module) {
			return BecauseNoModule
		}
		return pruneReason(p.Config, o.Addr)
	})
}

func (p *planner) destroyAll(ctx context.Context, plan *Plan) hcl.Diagnostics {
	var objects []state.Object
	for _, o := range p.state.Objects {
		if p.scope.has(o.Addr) {
			objects = append(objects, o)
		}
	}
	diags := p.delete(ctx, plan, objects, func(state.Object) Reason { return BecauseDestroy })
	plan.Outputs = compareOutputs(p.state, nil)
	return diags
}

// pruneReason is why the configuration no longer has an object of that address.
func pruneReason(c *config.Config, addr addrs.Instance) Reason {
	block := c.Resource(addr.Resource)
	if block == nil {
		return BecauseNotInConfig
	}
	_, isIndex := addr.Key.Index()
	switch {
	case isIndex && block.Count != nil:
		return BecauseCountIndex
	case !isIndex && !addr.Key.IsZero() && block.ForEach != nil:
		return BecauseEachKey
	case addr.Key.IsZero() && block.Enabled != nil:
		return BecauseDisabled
	}
	return BecauseRepetition
}

// delete plans the deletion of these objects, dependents first.
func (p *planner) delete(ctx context.Context, plan *Plan, objects []state.Object, reason func(state.Object) Reason) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, o := range deletionOrder(objects) {
		c, err := p.deletion(ctx, o, reason(o))
		if err != nil {
			p.cancelOnOutage(err)
			diags = append(diags, diag.FromKube(err, nil, o.Addr.String())...)
			continue
		}
		if isKept(c, objects) {
			c = p.removal(o, c.Kind, Forget, BecauseKept, nil)
		}
		plan.Changes = append(plan.Changes, c)
		diags = append(diags, guard(c)...)
	}
	return diags
}

// isKept reports whether the cluster itself keeps the object of a deletion, and does not
// delete it with its namespace either.
func isKept(c *Change, deleted []state.Object) bool {
	return c.Action == Delete && kinds.IsKeptByCluster(c.Object, c.Before) && !slices.ContainsFunc(deleted, func(o state.Object) bool {
		return o.Object.GroupKind() == kinds.Namespace && o.Object.Name == c.Object.Namespace && !kinds.IsKeptByCluster(o.Object, nil)
	})
}

// deletion plans the deletion of one object. That its kind is not served any more does
// not mean that the object is gone; that there is no definition of the kind does.
func (p *planner) deletion(ctx context.Context, o state.Object, reason Reason) (*Change, error) {
	leaving := leavingReason(p, o)
	if reason == BecauseDestroy && leaving == BecauseRemoved { // which is about what the configuration no longer has
		leaving = ""
	}
	if p.offline() {
		c := p.removal(o, builtinKind(o.Object), Delete, reason, nil)
		if leaving != "" {
			c.Action, c.Reason, c.Protected = Forget, leaving, false
		}
		c.Certainty, c.Why = Predicted, offlineWhy
		return c, nil
	}
	kind, err := p.kindOf(o)
	if err != nil {
		if undefined, err := p.live.undefined.has(ctx, o.Object.GroupKind(), err); !undefined {
			return nil, err
		}
		return p.removal(o, builtinKind(o.Object), Forget, BecauseUndefined, nil), nil
	}
	live, err := p.live.find(ctx, kind, o.Object)
	switch {
	case err != nil:
		return nil, err
	case leaving == BecauseRemoved:
		return p.removal(o, kind, Forget, leaving, nil), nil
	case live == nil || string(live.GetUID()) != o.UID: // gone, or recreated by someone else: either way no longer managed
		return p.removal(o, kind, Forget, BecauseGone, nil), nil
	case ManagingStack(live, p.state.StackID()) != "":
		return p.removal(o, kind, Forget, BecauseOtherStack, nil), nil
	case leaving == BecauseRetained:
		return p.removal(o, kind, Forget, leaving, nil), nil
	}
	return p.removal(o, kind, Delete, reason, live), nil
}

// removal makes the Change of an object that the configuration does not have.
func (p *planner) removal(o state.Object, kind *kinds.Kind, action Action, reason Reason, live *unstructured.Unstructured) *Change {
	c := &Change{
		Addr: o.Addr, Previous: p.movedAddr[o.Object.Identity()], Object: o.Object, Kind: kind, Dependencies: o.Dependencies, UID: o.UID,
		Action: action, Reason: reason, Certainty: Compared, Protected: o.Protected && action == Delete,
		Sensitive: addrs.NewPathSet(o.Sensitive...), Unknown: addrs.PathSet{},
	}
	if live != nil {
		c.Before, c.ResourceVersion = live.Object, live.GetResourceVersion()
		c.Sensitive.AddAll(redact.Paths(kind, c.Before))
		c.Sensitive.AddAll(redact.Copies(c.Before, redact.TextsAt(c.Before, c.Sensitive)))
		c.Unmanaged = unmanagedIn(kind, ownership.Of(c.Before), c.Before, nil, nil, p.AllUnmanaged)
		hideKeys(c)
	}
	return c
}

// builtinKind is the kind of an object as far as that is known without a cluster.
func builtinKind(o addrs.Object) *kinds.Kind {
	kind, err := kinds.Builtin().Lookup(o.Kind, o.APIVersion())
	if err != nil {
		return kinds.Opaque(o.Group, o.Version, o.Kind, "", o.Namespace != "")
	}
	return kind
}

// leavingReason is why an object that the configuration no longer has stays in the cluster, "" where it does not. A removed block
// decides, else the resource block that there still is, else what that had when the object was last applied.
func leavingReason(p *planner, o state.Object) Reason {
	removed := slices.DeleteFunc(slices.Clone(p.Config.AllRemoved()), func(r *config.Removed) bool { return !r.Means(o.Addr) })
	block := p.Config.Resource(o.Addr.Resource)
	switch {
	case slices.ContainsFunc(removed, func(r *config.Removed) bool { return !r.Destroy }):
		return BecauseRemoved
	case len(removed) > 0:
	case block != nil && block.Lifecycle.Retain, block == nil && o.Retained:
		return BecauseRetained
	}
	return ""
}

// deletionOrder puts what needs others before what it needs, and what keeps another in the
// cluster before that: a claim before its volume also where the volume names the claim.
func deletionOrder(objects []state.Object) []state.Object {
	var g graph.Graph[addrs.Object]
	byAddr := map[addrs.Instance][]addrs.Object{}
	byIdentity := map[addrs.Object]state.Object{}
	for _, o := range objects {
		g.Add(o.Object.Identity())
		byAddr[o.Addr] = append(byAddr[o.Addr], o.Object.Identity())
		byIdentity[o.Object.Identity()] = o
	}
	for _, o := range objects {
		for _, need := range o.Dependencies {
			for _, later := range byAddr[need] {
				first := o.Object.Identity()
				if slices.Contains(relations.HoldersOf(first.GroupKind()), later.GroupKind()) {
					first, later = later, first
				}
				if !g.DependsOn(later, first) && first != later {
					g.Connect(first, later)
				}
			}
		}
	}
	order := g.Order()
	slices.Reverse(order)
	sorted := make([]state.Object, 0, len(order))
	for _, identity := range order {
		sorted = append(sorted, byIdentity[identity])
	}
	return sorted
}
