package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// Recover finds out what became of the actions that an interrupted run left
// pending, and returns a state that records it; the given one stays as it is. An
// object is managed if it has the label of this stack.
func Recover(ctx context.Context, cluster *kube.Cluster, s *state.State) (*state.State, error) {
	if len(s.Pending) == 0 {
		return s, nil
	}
	found := make([]remains, len(s.Pending))
	g, inner := graph.NewGroup(ctx)
	undefined := &undefinedKinds{cluster: cluster}
	for i, pending := range s.Pending {
		g.Go(func() (err error) {
			found[i], err = findRemains(inner, undefined, pending, s.StackID())
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	recovered := s.Clone()
	recovered.Pending = nil
	objects := recovered.Table()
	for i, pending := range s.Pending {
		if found[i].unknown {
			recovered.Pending = append(recovered.Pending, pending)
		}
		known, _ := objects.FindObject(pending.Object)
		if uid := found[i].uid; uid != "" && uid != known.UID {
			objects.Put(state.Object{
				Addr: pending.Addr, Object: pending.Object, UID: uid, Dependencies: pending.Dependencies,
				Applied: pending.Applied, Sensitive: pending.Sensitive, Protected: pending.Protected, Retained: pending.Retained,
				Deposed: pending.Action == state.PendingDelete,
			})
		}
	}
	recovered.Objects = objects.List()
	return recovered, nil
}

// remains is what a pending action has left in the cluster.
type remains struct {
	uid     string // of an object of this stack, "" for none
	unknown bool   // the outcome is not known
}

func findRemains(ctx context.Context, undefined *undefinedKinds, pending state.Pending, stack string) (remains, error) {
	cluster := undefined.cluster
	kind, err := cluster.Lookup(pending.Object.Kind, pending.Object.APIVersion())
	if kube.ReasonOf(err) == kube.NotServed {
		// Its definition was to be made by the same run, or is gone: then so is the
		// object. Otherwise nothing is known about it, which is no reason to stop.
		isGone, err := undefined.has(ctx, pending.Object.GroupKind(), err)
		if kube.ReasonOf(err) == kube.NotServed {
			err = nil
		}
		return remains{unknown: !isGone}, err
	}
	if err != nil || !kind.ScopeMatches(pending.Object) {
		return remains{}, err
	}
	live, err := cluster.Get(ctx, kind, pending.Object.Namespace, pending.Object.Name)
	if kind := kube.ReasonOf(err); kind == kube.NotFound || kind == kube.NamespaceMissing {
		return remains{}, nil
	}
	if err != nil || !MadeBy(live, stack) {
		return remains{}, err
	}
	return remains{uid: string(live.GetUID())}, nil
}

// checkClusterAndRecover makes sure that this is the cluster the state belongs to, and
// finds out what became of an interrupted run. Offline the state is all there
// is.
func checkClusterAndRecover(ctx context.Context, in Input, plan *Plan) (current *state.State, diags hcl.Diagnostics) {
	if in.offline() {
		return in.State, in.missingOffline()
	}
	if plan.Cluster, diags = CheckCluster(ctx, in); diags.HasErrors() {
		return nil, diags
	}
	plan.Host = in.Cluster.Host()
	current, err := Recover(ctx, in.Cluster, in.State)
	return current, diag.FromKube(err, nil, "")
}

// CheckCluster refuses to plan with a state that belongs to another cluster:
// all its objects would seem to be deleted.
func CheckCluster(ctx context.Context, in Input) (uid string, diags hcl.Diagnostics) {
	uid, err := in.Cluster.Identity(ctx)
	switch {
	case kube.ReasonOf(err) == kube.Forbidden:
		uid = hostIdentity + in.Cluster.Host()
	case err != nil:
		return "", diag.FromKube(err, nil, "")
	}
	if !sameCluster(in.State.Cluster, uid) {
		return "", hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "State belongs to another cluster",
			Detail: fmt.Sprintf("The state was written for the cluster whose kube-system namespace has the uid %s, but %s has the uid %s. "+
				"Choose the right context with %s or in the cluster block, or use another state.",
				in.State.Cluster, in.Cluster.Host(), uid, option.Context),
		}}
	}
	return uid, nil
}

// hostIdentity begins the identity of a cluster whose kube-system namespace
// this user may not see: then its address is used.
const hostIdentity = "host:"

// sameCluster reports whether two identities may be of one cluster. Those of
// different sorts can't be compared: the user got or lost a right in between.
func sameCluster(known, now string) bool {
	return known == "" || known == now || !sameSort(known, now)
}

// sameSort reports whether two identities are of one sort.
func sameSort(a, b string) bool {
	return strings.HasPrefix(a, hostIdentity) == strings.HasPrefix(b, hostIdentity)
}

// applyMoves gives the objects of the state the addresses that moved blocks
// say, and returns what they had before. A move to an address that is taken, or
// from one that is not known, has been made already or has nothing to do.
func applyMoves(moves []*config.Moved, s *state.State) (*state.State, map[addrs.Object]addrs.Instance) {
	before := map[addrs.Object]addrs.Instance{}
	moved := s
	for _, m := range moves {
		for _, o := range slices.Clone(moved.Objects) {
			to, ok := m.Destination(o.Addr)
			if o.Deposed || !ok {
				continue
			}
			if _, exists := moved.Find(to); exists {
				continue
			}
			if moved == s {
				moved = s.Clone()
			}
			if _, again := before[o.Object.Identity()]; !again {
				before[o.Object.Identity()] = o.Addr
			}
			moved.Move(o.Addr, to)
		}
	}
	return moved, before
}

// recogniseGenerated gives the objects whose names the API server would have made up
// the addresses of the blocks that they are now of: their names are not in the
// configuration, so a renamed block is known by what it makes. It is one that no
// object of the state has the address of, and an object goes to the one that it was
// made by but for the address, else to the first with its key.
func recogniseGenerated(desired []*hclspec.Desired, s *state.State) (moves map[addrs.Instance]addrs.Instance) {
	declared := map[addrs.Instance]bool{}
	for _, d := range desired {
		declared[d.Addr] = true
	}
	known := map[addrs.Instance]bool{}
	left := map[addrs.Object][]state.Object{} // by kind and namespace, those without a block
	for _, o := range s.Objects {
		known[o.Addr] = true
		if !declared[o.Addr] && !o.Deposed {
			at := unnamed(o.Object)
			left[at] = append(left[at], o)
		}
	}
	moves = map[addrs.Instance]addrs.Instance{}
	if len(left) == 0 {
		return moves
	}
	var waiting []*hclspec.Desired
	for _, d := range desired {
		if !known[d.Addr] && len(left[unnamed(d.Object)]) > 0 {
			waiting = append(waiting, d)
		}
	}
	for _, same := range []func(d *hclspec.Desired, o state.Object) bool{
		func(d *hclspec.Desired, o state.Object) bool {
			return o.Digest != "" && o.Digest == s.Digest(desiredFieldsAt(withName(d, o.Object.Name), o.Addr, s.StackID()))
		},
		func(d *hclspec.Desired, o state.Object) bool { return d.Addr.Key == o.Addr.Key },
	} {
		waiting = match(waiting, left, moves, same)
	}
	return moves
}

// unnamed is the kind and namespace of an object.
func unnamed(o addrs.Object) addrs.Object {
	o.Version, o.Name = "", ""
	return o
}

// match moves objects to the blocks that want one like them, and returns the blocks
// that are left.
func match(
	waiting []*hclspec.Desired, left map[addrs.Object][]state.Object, moves map[addrs.Instance]addrs.Instance,
	same func(*hclspec.Desired, state.Object) bool,
) (rest []*hclspec.Desired) {
	for _, d := range waiting {
		prefix, generated := generatedName(d)
		at := unnamed(d.Object)
		i := slices.IndexFunc(left[at], func(o state.Object) bool { return isGeneratedFrom(o.Object.Name, prefix) && same(d, o) })
		if !generated || i < 0 {
			rest = append(rest, d)
			continue
		}
		moves[left[at][i].Addr] = d.Addr
		left[at] = slices.Delete(slices.Clone(left[at]), i, i+1)
	}
	return rest
}
