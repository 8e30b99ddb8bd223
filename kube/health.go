package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kplan.dev/kplan/graph"
)

// timeout is how long the server may be silent: Options.RequestTimeout. So long
// all attempts of one request together wait for the head of an answer. A change or
// a dry-run gives one attempt all of it, since the server may be waiting for
// webhooks. The other times are parts of it; of the usual 60 s:
type timeout time.Duration

// first is for the very first answer: 15 s.
func (t timeout) first() time.Duration { return time.Duration(t) / 4 }

// read is for one attempt to read: 20 s. Then another is made, maybe over another
// connection.
func (t timeout) read() time.Duration { return time.Duration(t) / 3 }

// notice is after which the user is notified, each time again: 10 s.
func (t timeout) notice() time.Duration { return time.Duration(t) / 6 }

const (
	defaultTimeout = timeout(60 * time.Second)
	cancelTimeout  = 5 * time.Second // for what is in flight after Cancel
)

// errNoResponse is the error of an attempt that got no answer in time.
var errNoResponse = errors.New("there was no answer in time")

// health is whether the server answers anything at all.
type health struct {
	mu       sync.Mutex
	heard    time.Time // when it last answered, be it with an error
	notified time.Time // when the user was last notified that it does not
	outageAt time.Time // when a request was given up, with nothing heard since
	outage   *Error    // what that came to
}

// answered records that there was an answer.
func (h *health) answered() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.heard, h.outage = time.Now(), nil
}

// gaveUp records that a request was given up that was first asked then, which is
// an outage unless others were answered meanwhile.
func (h *health) gaveUp(asked time.Time, why *Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.heard.Before(asked) {
		why.Outage = true
		h.outageAt, h.outage = time.Now(), why
	}
}

// isDown is the error of a request that need not be sent, since one was given up
// just now: else a thousand objects would wait for the same silence in turn.
func (h *health) isDown(r *request, just time.Duration) *Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.outage == nil || time.Since(h.outageAt) > just {
		return nil
	}
	e := h.outage.ofServer() // this one was not even sent
	e.Op, e.Object = r.op, r.object
	return e
}

// nearTimeout reports whether a request will have waited for its answer, after a
// pause, as long as any is to wait, but for what another attempt would need.
func (c *client) nearTimeout(r *request, pause time.Duration) bool {
	return !r.asked.IsZero() && time.Since(r.asked)+pause > time.Duration(c.timeout)-c.timeout.notice()
}

// silence is for how long nothing was heard since a request was asked, if it is
// time to notify the user.
func (h *health) silence(asked time.Time, atLeast time.Duration) (time.Duration, bool) {
	h.mu.Lock()
	since := asked
	if h.heard.After(since) {
		since = h.heard
	}
	h.mu.Unlock()
	silent := time.Since(since)
	return silent, silent >= atLeast && h.mayNotify(atLeast)
}

// reportNoResponse notifies the user of the server's silence, as long as it lasts,
// until the returned function is called, which rethrows a panic of the notice.
func (c *client) reportNoResponse(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	if c.notice == nil {
		return end
	}
	asked := time.Now()
	var trap graph.Trap
	go trap.Run(nil, func() {
		tick := time.NewTicker(c.timeout.notice())
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if silent, yes := c.health.silence(asked, c.timeout.notice()); yes {
					c.notice(fmt.Sprintf("The API server %s has not answered for %s.", c.host(), rounded(silent)))
				}
			}
		}
	})
	return func() { end(); trap.Rethrow() }
}

// noticeRetry notifies the user why a request is still retried after some time.
func (c *client) noticeRetry(began time.Time, wait time.Duration, e *Error) {
	var why string
	switch {
	case e.Status != 0:
		why = fmt.Sprintf("The API server %s refuses requests for now (HTTP %d).", c.host(), e.Status)
	case e.Reason == Unreachable:
		why = fmt.Sprintf("The API server can't be reached for now: %s.", e.Message)
	default: // watchSilence reports silence
		return
	}
	waited := time.Since(began)
	if c.notice == nil || waited+wait < c.timeout.notice() || !c.health.mayNotify(c.timeout.notice()) {
		return
	}
	c.notice(fmt.Sprintf("%s Trying again in %s.", why, rounded(wait)))
}

// mayNotify keeps the notices to the user apart by some time.
func (h *health) mayNotify(apart time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.notified) < apart/2 {
		return false
	}
	h.notified = time.Now()
	return true
}

// rounded is a time in whole seconds, as far as it has any.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}
