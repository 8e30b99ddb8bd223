package apply

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// quotaWaiter waits until the cluster has counted what quotas limit. One object of a kind and
// namespace tries again at a time, since all of them wait for the same.
type quotaWaiter struct {
	shutdown *shutdown
	timeouts timeouts
	turns    sync.Map // addrs.Object without a name -> chan struct{}, full while one tries
}

// countedEvery is how often the cluster is asked whether it has counted.
const countedEvery = time.Second

// await writes a change, again and again as long as it is refused because a quota is not
// counted yet.
func (w *quotaWaiter) await(
	ctx context.Context, c *plan.Change, note func(string), write func() (*unstructured.Unstructured, error),
) (*unstructured.Unstructured, error) {
	live, err := write()
	if kube.ReasonOf(err) != kube.QuotaUncounted {
		return live, err
	}
	note("waiting until the cluster has counted what a quota limits")
	hclspec.ReleaseSlot(ctx)
	ctx, cancel := w.shutdown.waiting(ctx)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, w.timeouts.of(c.Addr))
	defer cancel()
	if !w.takeTurn(ctx, c.Object) {
		return nil, w.explained(err, c)
	}
	defer w.endTurn(c.Object)
	for {
		live, err = write()
		if kube.ReasonOf(err) != kube.QuotaUncounted {
			return live, err
		}
		if !w.shutdown.sleep(ctx, countedEvery) {
			return nil, w.explained(err, c)
		}
	}
}

func (w *quotaWaiter) turn(o addrs.Object) chan struct{} {
	o.Name = ""
	turn, _ := w.turns.LoadOrStore(o.Identity(), make(chan struct{}, 1))
	return turn.(chan struct{})
}

// takeTurn waits until the object is the one that tries; false means that ctx ended.
func (w *quotaWaiter) takeTurn(ctx context.Context, o addrs.Object) bool {
	select {
	case w.turn(o) <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *quotaWaiter) endTurn(o addrs.Object) { <-w.turn(o) }

// explained is the refusal with how long kplan waited, unless it was interrupted.
func (w *quotaWaiter) explained(refusal error, c *plan.Change) error {
	var e *kube.Error
	if !errors.As(refusal, &e) || w.shutdown.begun() {
		return refusal
	}
	explained := *e
	explained.Advice = "The cluster counts by itself, which takes it a minute or more for a kind that is new. " + w.timeouts.explain(c.Addr)
	return &explained
}
