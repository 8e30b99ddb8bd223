package apply

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply/readiness"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/plan"
)

// applied is a change that was carried out.
//
// Who needs more of the object than that it exists waits for it: an instance that refers to a value
// which appears later, one that depends_on it, an output. All of them share one wait, which begins with
// the first of them and ends when all has come that anything needs. So what merely refers to the
// object's name goes on at once; it may be what the object waits for.
type applied struct {
	*plan.Change
	live *unstructured.Unstructured // right after the change
	// deviations are warnings of what the server made other than the plan shows.
	deviations hcl.Diagnostics
	needs      []need // of its Later, each

	start sync.Once
	mu    sync.Mutex
	ready bool                       // when it was last seen
	now   *unstructured.Unstructured // the same, nil before
	news  chan struct{}              // closed with the next news, nil while nobody waits
	// started and ended are of the wait that all share, err is why it failed.
	started, ended bool
	err            error
}

// need is what a value that appears later takes: that it is there, or that the object is ready.
type need struct{ value, ready bool }

// pending are the values that can't be used yet.
func (a *applied) pending() []int {
	var pending []int
	for n, needed := range a.needs {
		if needed.value || needed.ready {
			pending = append(pending, n)
		}
	}
	return pending
}

// latest is the object as it was last seen.
func (a *applied) latest() map[string]any {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now != nil {
		return plan.WithoutOwn(a.now.Object)
	}
	return plan.WithoutOwn(a.live.Object)
}

func (a *applied) isReady() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ready
}

func (a *applied) hasFailed() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err != nil
}

// observe notes what the object is now.
func (a *applied) observe(state readiness.State) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now, a.ready = state.Live, state.Ready
	a.tell()
}

// finish notes how the wait that all share ended.
func (a *applied) finish(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended, a.err = true, err
	a.tell()
}

func (a *applied) tell() {
	if a.news != nil {
		close(a.news)
		a.news = nil
	}
}

// has reports whether the object has the value, or is ready, and otherwise what closes when that
// may have changed.
func (a *applied) has(n int) (ok bool, news <-chan struct{}, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if n == hclspec.Ready {
		ok = a.ready
	} else {
		ok = (!a.needs[n].ready || a.ready) && (!a.needs[n].value || a.now != nil && a.Desired.Later[n].IsIn(a.now.Object))
	}
	if !ok && a.ended {
		return false, nil, cmp.Or(a.err, errNotStarted)
	}
	return ok, a.next(), nil
}

// outcome reports whether the wait that all share has ended, and how.
func (a *applied) outcome() (ended bool, news <-chan struct{}, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.ended, a.next(), a.err
}

func (a *applied) next() <-chan struct{} {
	if a.news == nil {
		a.news = make(chan struct{})
	}
	return a.news
}

// waits are those that go on beside the walk.
type waits struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	running sync.WaitGroup
}

func newWaits(ctx context.Context) *waits {
	ctx, cancel := context.WithCancelCause(ctx)
	return &waits{ctx: ctx, cancel: cancel}
}

// end ends them all.
func (w *waits) end() {
	w.cancel(nil)
	w.running.Wait()
}

// await waits until an object has a value that something refers to, or is ready.
func (r *runner) await(ctx context.Context, done *applied, d *hclspec.Desired, n int) error {
	if done == nil || n == hclspec.Ready && !r.waiter.waits(d) {
		return nil
	}
	for {
		ok, news, err := done.has(n)
		if ok || err != nil {
			return err
		}
		done.start.Do(func() { r.startWait(done) })
		select {
		case <-news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// startWait begins the wait for all that anything needs of an object in the walk.
func (r *runner) startWait(done *applied) {
	done.started = true
	r.waits.running.Go(func() {
		err := errNotStarted
		defer func() { done.finish(err) }()
		r.background.run(func() { err = r.waitFor(r.waits.ctx, done) })
	})
}

// waitFor waits for all that anything needs of an object in the walk.
func (r *runner) waitFor(ctx context.Context, done *applied) error {
	goal := goal{ready: r.awaited[done.Addr] && r.waiter.waits(done.Desired)}
	for n, needed := range done.needs {
		goal.ready = goal.ready || needed.ready
		if needed.value {
			goal.values = append(goal.values, done.Desired.Later[n])
		}
	}
	return r.until(ctx, done, goal)
}

// until waits until an object has reached the goal.
func (r *runner) until(ctx context.Context, done *applied, goal goal) error {
	err := r.waiter.await(ctx, done, goal)
	if err != nil {
		r.recordUnfinished(done)
	}
	r.shutdown.inOutage(err)
	return err
}

// awaitAll waits, side by side, until all these are ready, and returns those that
// are not.
func (r *runner) awaitAll(ctx context.Context, objects []*applied) (notReady []addrs.Instance, diags hcl.Diagnostics) {
	var g graph.Graph[*applied]
	for _, done := range objects {
		g.Add(done)
	}
	results := graph.Walk(ctx, &g, 0, func(ctx context.Context, done *applied, _ map[*applied]struct{}) (struct{}, error) {
		return struct{}{}, r.awaitRest(ctx, done)
	})
	for _, done := range g.Nodes() {
		err := results[done].Err
		if err != nil {
			notReady = append(notReady, done.Addr)
		}
		if known, ok := err.(hcl.Diagnostics); ok {
			diags = append(diags, known...)
		} else if err != nil && !errors.Is(err, errNotStarted) {
			diags = append(diags, diag.FromKube(err, done.Desired.RangeOf, done.Addr.String())...)
		}
	}
	return notReady, diags
}

// awaitRest lets the wait for what the walk needs of an object come to its end, and then waits until
// the object is ready.
func (r *runner) awaitRest(ctx context.Context, done *applied) error {
	for done.started {
		ended, news, err := done.outcome()
		if err != nil || ended && done.isReady() {
			return err
		}
		if ended {
			break
		}
		select {
		case <-news:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if !r.mayGoOn() || !r.waiter.waits(done.Desired) {
		return nil
	}
	return r.until(ctx, done, goal{ready: true})
}
