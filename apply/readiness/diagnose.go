package readiness

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/apply/informers"
	"kplan.dev/kplan/internal/redact"
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
	// Secrets are hidden in what containers and their runtimes wrote. It may be nil.
	Secrets *redact.Secrets

	storageClasses cache
}

// diagnose adds to what is known of an object that is not ready what keeps it: a
// failure of its pods, or what a volume is not provisioned from.
func (d *Diagnoser) diagnose(ctx context.Context, c *Check, state State) State {
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
	if f, lasting := c.clocks.worst(failuresAmong(live, pods), c.changed()); f != nil {
		f.message = d.excerpt(f.message)
		state.Failure, state.Why = f, join(state.Why, f.String())
		if f.terminal && !state.Terminal {
			state.Terminal, state.Stuck = f.gracePeriod == 0, lasting >= f.gracePeriod
		}
	}
	if r := d.refusal(c, live, pods); r.why != "" && !state.Terminal {
		state.Why = join(state.Why, r.why)
		if r.current {
			state.Retried, state.Reason = true, "FailedCreate"
		}
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

// refusal is why a controller can't create its pods, such as a quota.
type refusal struct {
	why     string // "" where nothing is wrong
	current bool   // it was met after the last change that may have cured it
}

// refusal finds it in the controller's condition. Those that write none write an
// event, which is there when the failure has passed, too: it counts while there are
// fewer pods than asked for, and none has been created since.
func (d *Diagnoser) refusal(c *Check, live *unstructured.Unstructured, pods []*unstructured.Unstructured) refusal {
	why, condition := creationFailure(live), refusedCondition(live)
	if isPod(live) || why == "" && (time.Since(c.Start) < creationPeriod || int64(len(pods)) >= podsWanted(live)) {
		return refusal{}
	}
	events := d.failedCreates(live)
	if why == "" {
		if why = creationFailureEvent(live, pods, events); why == "" {
			return refusal{}
		}
	}
	if c.isUntouched() || c.refusals.since(c.changed(), refusedCondition(c.Applied), condition, events) {
		return refusal{why, true}
	}
	return refusal{why: why + " (before the last change; the controller has not tried again yet)"}
}

// failedCreates are the events by which the controllers of an object report that
// they can't create pods.
func (d *Diagnoser) failedCreates(live *unstructured.Unstructured) []*unstructured.Unstructured {
	informer, err := d.Informers.FailedCreates(live.GetNamespace())
	if err != nil || !informer.Synced() {
		return nil
	}
	return slices.DeleteFunc(informer.List(), func(event *unstructured.Unstructured) bool { return !reportsOn(event, live) })
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
		state.Retried, state.Reason = true, "no storage class"
	case err == nil && class.Object["volumeBindingMode"] == "WaitForFirstConsumer":
		return State{Live: state.Live, Ready: true}
	}
	return state
}
