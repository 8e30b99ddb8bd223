package plan

import (
	"context"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// Recover finds out what became of the actions that an interrupted run left
// pending, and returns a state that says so; the given one stays as it is. An
// object is ours if it bears our stack's label.
func Recover(ctx context.Context, cluster *kube.Cluster, s *state.State) (*state.State, error) {
	if len(s.Pending) == 0 {
		return s, nil
	}
	found := make([]remains, len(s.Pending))
	g, inner := graph.NewGroup(ctx)
	for i, pending := range s.Pending {
		g.Go(func() (err error) {
			found[i], err = lookFor(inner, cluster, pending, s.StackID())
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
				Addr: pending.Addr, Object: pending.Object, UID: uid, Needs: pending.Needs,
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
	unknown bool   // that can't be told
}

func lookFor(ctx context.Context, cluster *kube.Cluster, pending state.Pending, stack string) (remains, error) {
	kind, err := cluster.Lookup(pending.Object.Kind, pending.Object.APIVersion())
	if kube.ReasonOf(err) == kube.NotServed {
		// Its definition was to be made by the same run, or is gone. That says
		// nothing about the object, and is no reason to stop.
		return remains{unknown: true}, nil
	}
	if err != nil || !kind.Fits(pending.Object) {
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
