package apply

import (
	"context"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// releaseAttempts is how often an object may change while it is released.
const releaseAttempts = 5

// Release takes the marks of a stack off an object that it no longer manages. It does
// nothing where the object is gone, is another one by now, or belongs to another stack.
func Release(ctx context.Context, cluster *kube.Cluster, kind *kinds.Kind, object addrs.Object, uid, stackID string) error {
	for attempt := 1; ; attempt++ {
		live, err := cluster.Get(ctx, kind, object.Namespace, object.Name)
		switch {
		case kube.ReasonOf(err) == kube.NotFound:
			return nil
		case err != nil:
			return err
		case string(live.GetUID()) != uid, plan.ManagingStack(live, stackID) != "":
			return nil
		}
		err = cluster.Release(ctx, kind, live)
		switch kube.ReasonOf(err) {
		case kube.NotFound, kube.ReplacedOutside:
			return nil
		case kube.ResourceVersionChanged:
			if attempt < releaseAttempts {
				continue
			}
		}
		return err
	}
}
