package plan

import (
	"context"

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
	recovered := s.Clone()
	recovered.Pending = nil
	objects := recovered.Table()
	for _, pending := range s.Pending {
		if err := recoverOne(ctx, cluster, recovered, objects, pending); err != nil {
			return nil, err
		}
	}
	recovered.Objects = objects.List()
	return recovered, nil
}

func recoverOne(ctx context.Context, cluster *kube.Cluster, s *state.State, objects *state.Table, pending state.Pending) error {
	kind, err := cluster.Lookup(pending.Object.Kind, pending.Object.APIVersion())
	if kube.KindOf(err) == kube.NotServed {
		// Its definition was to be made by the same run, or is gone. That says
		// nothing about the object, and is no reason to stop.
		s.Pending = append(s.Pending, pending)
		return nil
	}
	if err != nil {
		return err
	}
	live, err := cluster.Get(ctx, kind, pending.Object.Namespace, pending.Object.Name)
	if kind := kube.KindOf(err); kind == kube.NotFound || kind == kube.NamespaceMissing {
		return nil
	}
	if err != nil {
		return err
	}
	if !MadeBy(live, s.StackID()) {
		return nil
	}
	if known, ok := objects.FindObject(pending.Object); ok && known.UID == string(live.GetUID()) {
		return nil
	}
	objects.Put(state.Object{
		Addr: pending.Addr, Object: pending.Object, UID: string(live.GetUID()), Needs: pending.Needs,
		Deposed: pending.Action == state.PendingDelete,
	})
	return nil
}
