package kube

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// retryPolicy is how often, and how long apart, one class of failure is retried.
// Waits double from first to most.
type retryPolicy struct {
	times       int
	first, most time.Duration
}

// The classes. Sums are bounded so that a server that is gone is reported soon,
// and one that restarts (3 to 17 s measured) is waited for.
var (
	noConnection          = retryPolicy{12, 100 * time.Millisecond, 4 * time.Second} // ~30 s
	busy                  = retryPolicy{8, 500 * time.Millisecond, 10 * time.Second} // ~50 s
	silent                = retryPolicy{2, 0, 0}                                     // each attempt takes long enough
	failing               = retryPolicy{4, 200 * time.Millisecond, 2 * time.Second}  // ~3 s
	webhookDown           = retryPolicy{2, 500 * time.Millisecond, 2 * time.Second}
	truncated             = retryPolicy{2, 200 * time.Millisecond, time.Second}
	lostResponse          = retryPolicy{4, 200 * time.Millisecond, 2 * time.Second}
	nsTerminating         = retryPolicy{12, 250 * time.Millisecond, 2 * time.Second} // ~20 s
	serviceAccountPending = retryPolicy{20, 200 * time.Millisecond, time.Second}     // ~18 s
	quotaRace             = retryPolicy{8, 50 * time.Millisecond, 500 * time.Millisecond}
	refused               = retryPolicy{2, 300 * time.Millisecond, time.Second} // ~1 s
)

// longestRetryAfter bounds what a server may ask for, each time.
const longestRetryAfter = 30 // seconds

// attempts counts what one request has been through.
type attempts map[*retryPolicy]int

// next reports whether a failed attempt is worth another, and after what wait.
func (t attempts) next(c *client, r *request, e *Error, ans *answer) (time.Duration, bool) {
	class := classOf(c, r, e, ans)
	if class == nil || t[class] >= class.times {
		return 0, false
	}
	wait := class.first << t[class]
	wait = min(wait, class.most)
	if wait > 0 {
		wait += rand.N(wait/4 + 1)
	}
	if c.nearTimeout(r, wait) {
		return wait, false
	}
	t[class]++
	if asked, ok := retryAfter(ans.header); ok {
		wait = max(asked, wait) // a server that says 1 all the time is busy for longer
	}
	return wait, true
}

// classOf is nil for a failure that asking again won't better, or where asking
// again could do harm.
func classOf(c *client, r *request, e *Error, ans *answer) *retryPolicy {
	if r.quick && !c.answered.Load() {
		return nil
	}
	switch e.Reason {
	case Unreachable:
		return &noConnection
	case Timeout:
		switch {
		case ans.err == nil && !r.effect.changes():
			return &failing
		case ans.err != nil && (!r.effect.changes() || !ans.sent.Load()):
			return &silent
		}
	case Unavailable:
		switch {
		case e.Status == http.StatusTooManyRequests:
			return &busy
		case e.Status == 0 || !r.effect.changes() || e.Status == http.StatusServiceUnavailable:
			return &failing
		}
	case OutcomeUnknown:
		if r.effect == repeatable {
			return &lostResponse
		}
	case NotKubernetes:
		if !r.effect.changes() && ans.succeeded() {
			return &truncated // or garbled on the way
		}
	case WebhookFailed:
		return &webhookDown
	case NamespaceTerminating:
		if r.effect == once {
			return &nsTerminating
		}
	case Denied:
		if awaitsAccount(e.Message) {
			return &serviceAccountPending
		}
	case QuotaExceeded:
		if e.Status == http.StatusConflict {
			return &quotaRace
		}
	case QuotaUncounted:
		return &quotaRace
	case Unauthorized: // what gives credentials is asked again meanwhile; what checks them may have stumbled
		return &refused
	}
	return nil
}

// awaitsAccount recognises that a namespace is so new that its default service
// account, which a controller makes, is not there yet.
func awaitsAccount(message string) bool {
	return strings.Contains(message, `error looking up service account`) &&
		strings.Contains(message, `/default: serviceaccount "default" not found`)
}

// uncounted is how the server says that the quota's controller has not counted yet what a
// quota limits: it does so at once for a kind that it knows, and for a new one when it next
// looks at all quotas, which takes longer than a request is worth repeating (more than 80 s
// on 1.37).
const uncounted = "status unknown for quota"

// retryAfter reads the header in its form of whole seconds, the only one the
// API server uses.
func retryAfter(h http.Header) (time.Duration, bool) {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0, false
	}
	return time.Duration(min(seconds, longestRetryAfter)) * time.Second, true
}
