package apply

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
)

// shutdown is when nothing new may start: after an interrupt, after the state's
// lock was lost, in an outage of the cluster, or because of a bug.
type shutdown struct {
	ctx     context.Context // ended: nothing new starts
	cancel  context.CancelCauseFunc
	lost    func() <-chan struct{} // see Input.Lost
	cluster *kube.Cluster
}

func newShutdown(in Input) *shutdown {
	stop := in.Stop
	if stop == nil {
		stop = context.Background()
	}
	ctx, cancel := context.WithCancelCause(stop)
	return &shutdown{ctx, cancel, in.Lost, in.Cluster}
}

// errNotStarted is the error of what a shutdown kept from starting, or of a wait
// that it ended.
var errNotStarted = errors.New("not started: kplan is shutting down")

// begun reports whether nothing new may start.
func (s *shutdown) begun() bool { return s.ctx.Err() != nil || s.lostLock() }

func (s *shutdown) lostLock() bool {
	if s.lost == nil {
		return false
	}
	select {
	case <-s.lost():
		return true
	default:
		return false
	}
}

// inOutage begins the shutdown when an error is not of one object but of the
// cluster, and has what is in flight end soon.
func (s *shutdown) inOutage(err error) {
	if outage := kube.OutageOf(err); outage != nil {
		s.cancel(outage)
		s.cluster.Cancel()
	}
}

// outage is why the shutdown has begun, if that is an outage of the cluster.
func (s *shutdown) outage() *kube.Error { return kube.OutageOf(context.Cause(s.ctx)) }

// waiting is the context of a wait: it ends with ctx, or with errNotStarted when
// the shutdown begins.
func (s *shutdown) waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	unregister := context.AfterFunc(s.ctx, func() { cancel(errNotStarted) })
	return ctx, func() { unregister(); cancel(nil) }
}

// sleep waits for a while before something is tried again, and reports whether it
// still may be.
func (s *shutdown) sleep(ctx context.Context, d time.Duration) bool {
	ctx, cancel := s.waiting(ctx)
	defer cancel()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return !s.begun()
	case <-ctx.Done():
		return false
	}
}

// diagnostic is why the run ended early.
func (s *shutdown) diagnostic() *hcl.Diagnostic {
	if s.lostLock() {
		return &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "State lock lost",
			Detail: "The lock on the state was removed during this run, as kplan force-unlock does, so another run may be in progress: " +
				"nothing new was started. " +
				"Make sure that no run is in progress, then run kplan again to make the remaining changes.",
		}
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  diag.Interrupted,
		Detail:   "Nothing new was started; changes in progress have finished and are recorded. Run kplan again to make the remaining changes.",
	}
}
