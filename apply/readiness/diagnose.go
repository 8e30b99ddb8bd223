package readiness

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/apply/informers"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// lookupTimeout bounds what finding out more may take.
const lookupTimeout = 5 * time.Second

// creationPeriod is how long a controller may take for its pods before its events
// are searched for why it creates none.
const creationPeriod = 3 * time.Second

// Diagnoser asks the cluster what keeps objects from being ready or from being
// deleted.
type Diagnoser struct {
	Cluster   *kube.Cluster
	Informers *informers.Set

	storageClasses cache
}

// diagnose adds to what is known of an object that is not ready what keeps it: a
// failure of its pods, or what a volume is not provisioned from.
func (d *Diagnoser) diagnose(ctx context.Context, state State, waited time.Duration) State {
	live := state.Live
	switch {
	case state.Ready || live.GetDeletionTimestamp() != nil:
		return state
	case groupKindOf(live) == kinds.PersistentVolumeClaim:
		return d.diagnoseClaim(ctx, state)
	case !runsPods(live) || isBehind(live):
		return state
	}
	pods := d.podsOf(live)
	if f := failureAmong(live, pods); f != nil {
		state.Failure, state.Why = f, join(state.Why, f.String())
		if !state.Terminal {
			state.Terminal, state.GracePeriod, state.Reason = f.terminal, f.gracePeriod, f.reason
		}
	}
	if why := d.creationFailure(live, pods, waited); why != "" && !state.Terminal {
		state.Why = join(state.Why, why)
		state.Terminal, state.GracePeriod, state.Reason = true, propagationPeriod, "FailedCreate"
	}
	return state
}

// podsOf are the pods of an object as the cluster last reported them.
func (d *Diagnoser) podsOf(live *unstructured.Unstructured) []*unstructured.Unstructured {
	if live.GetKind() == "Pod" {
		return podsOf(live, nil)
	}
	pods, err := d.Informers.Pods(live.GetNamespace())
	if err != nil {
		return nil
	}
	return podsOf(live, pods.List())
}

// creationFailure is why a controller can't create its pods, such as a quota; ""
// where nothing is wrong. Those that write no condition write an event, which is
// there when the failure has passed, too: it counts while there are fewer pods than
// asked for, and none has been created since.
func (d *Diagnoser) creationFailure(live *unstructured.Unstructured, pods []*unstructured.Unstructured, waited time.Duration) string {
	why := creationFailure(live)
	if why != "" || isPod(live) || waited < creationPeriod || int64(len(pods)) >= podsWanted(live) {
		return why
	}
	events, err := d.Informers.FailedCreates(live.GetNamespace())
	if err != nil {
		return ""
	}
	return creationFailureEvent(live, pods, events.List())
}

// diagnoseClaim adds what a claim that is not bound waits for. One that waits for
// the first pod to use it is as ready as it can be.
func (d *Diagnoser) diagnoseClaim(ctx context.Context, state State) State {
	name := text(state.Live, "spec", "storageClassName")
	volume := text(state.Live, "spec", "volumeName")
	if name == "" || volume != "" || text(state.Live, "status", "phase") != "Pending" || state.Terminal {
		return state
	}
	kind, err := d.Cluster.Lookup("StorageClass", "")
	if err != nil {
		return state
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	class, err := d.storageClasses.get(ctx, name, func() (*unstructured.Unstructured, error) { return d.Cluster.Get(ctx, kind, "", name) })
	switch {
	case kube.ReasonOf(err) == kube.NotFound:
		state.Why = join(state.Why, fmt.Sprintf("there is no storage class %q", name))
		state.Terminal, state.GracePeriod, state.Reason = true, propagationPeriod, "no storage class"
	case err == nil && class.Object["volumeBindingMode"] == "WaitForFirstConsumer":
		return State{Live: state.Live, Ready: true}
	}
	return state
}
