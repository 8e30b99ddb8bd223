package kube

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kplan.dev/kplan/graph"
)

// How long the server may say nothing is Options.RequestTimeout: so long all
// attempts of one request together wait for the head of an answer. Whoever asks
// for a change or a dry-run gives one attempt all of it, since the server may be
// waiting for webhooks. The other times are parts of it; of the usual 60 s:

// greetTime is for the very first answer: 15 s.
func (c *Cluster) greetTime() time.Duration { return c.timeout / 4 }

// readTime is for one attempt to read: 20 s. Then another is made, maybe over
// another connection.
func (c *Cluster) readTime() time.Duration { return c.timeout / 3 }

// noticeTime is after which the user is told, each time anew: 10 s.
func (c *Cluster) noticeTime() time.Duration { return c.timeout / 6 }

const (
	connectTime = 10 * time.Second // to get a connection; the TLS handshake has ten more
	hurryTime   = 5 * time.Second  // for what is in flight once the user wants to leave
)

// errSilent is the error of an attempt that got no answer in time.
var errSilent = errors.New("there was no answer in time")

// pulse is what is known of whether the server says anything at all.
type pulse struct {
	mu       sync.Mutex
	answered time.Time // when it last did, be it with an error
	noticed  time.Time // when the user was last told that it does not
	gaveUp   time.Time // when a request was given up, with nothing heard since
	why      *Error    // what that came to
}

// beat notes that there was an answer.
func (p *pulse) beat() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered, p.why = time.Now(), nil
}

// flatline notes that a request was given up that was first asked then, which is
// an outage unless others were answered meanwhile.
func (p *pulse) flatline(asked time.Time, why *Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.answered.Before(asked) {
		why.Outage = true
		p.gaveUp, p.why = time.Now(), why
	}
}

// isDown is the error of a request that need not be sent, since one was given up
// just now: else a thousand objects would wait for the same silence in turn.
func (p *pulse) isDown(r *request, just time.Duration) *Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.why == nil || time.Since(p.gaveUp) > just {
		return nil
	}
	e := p.why.ofServer() // this one was not even sent
	e.Op, e.Object = r.op, r.object
	return e
}

// longSilent says whether a request will have waited for its answer, after a
// pause, as long as any is to wait, but for what another attempt would need.
func (c *Cluster) longSilent(r *request, pause time.Duration) bool {
	return !r.asked.IsZero() && time.Since(r.asked)+pause > c.timeout-c.noticeTime()
}

// silence is for how long nothing was heard since a request was asked, if it is
// time to tell the user.
func (p *pulse) silence(asked time.Time, atLeast time.Duration) (time.Duration, bool) {
	p.mu.Lock()
	since := asked
	if p.answered.After(since) {
		since = p.answered
	}
	p.mu.Unlock()
	silent := time.Since(since)
	return silent, silent >= atLeast && p.mayNotice(atLeast)
}

// listen tells the user of the server's silence, as long as it lasts, until the
// returned function is called, which meets again what went wrong with that.
func (c *Cluster) listen(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	if c.notice == nil {
		return end
	}
	asked := time.Now()
	var trap graph.Trap
	go trap.Run(nil, func() {
		tick := time.NewTicker(c.noticeTime())
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if silent, yes := c.pulse.silence(asked, c.noticeTime()); yes {
					c.notice(fmt.Sprintf("The API server %s has not answered for %s.", c.Host(), rounded(silent)))
				}
			}
		}
	})
	return func() { end(); trap.Rethrow() }
}

// tellAgain tells the user why a request is still tried again after some time.
func (c *Cluster) tellAgain(began time.Time, wait time.Duration, e *Error) {
	var why string
	switch {
	case e.Status != 0:
		why = fmt.Sprintf("The API server %s refuses requests for now (HTTP %d).", c.Host(), e.Status)
	case e.Reason == Unreachable:
		why = fmt.Sprintf("The API server can't be reached for now: %s.", e.Message)
	default: // listen tells of silence
		return
	}
	waited := time.Since(began)
	if c.notice == nil || waited+wait < c.noticeTime() || !c.pulse.mayNotice(c.noticeTime()) {
		return
	}
	c.notice(fmt.Sprintf("%s Trying again in %s.", why, rounded(wait)))
}

// mayNotice keeps what the user is told apart by some time.
func (p *pulse) mayNotice(apart time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.noticed) < apart/2 {
		return false
	}
	p.noticed = time.Now()
	return true
}

// rounded is a time in whole seconds, as far as it has any.
func rounded(d time.Duration) time.Duration {
	if d < time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(time.Second)
}

// Hurry has what is in flight end within seconds, since the user wants to leave:
// nothing is tried again any more.
func (c *Cluster) Hurry() { c.hurry() }
