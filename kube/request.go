package kube

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"kplan.dev/kplan/addrs"
)

// request is one question to the API server, asked until it is answered.
type request struct {
	op     string       // for errors
	object addrs.Object // for errors
	method string
	path   string
	query  url.Values
	accept string // "" for JSON
	// body is sent as is; sent is the object in it, for masking what the server
	// echoes of it.
	body        []byte
	contentType string
	sent        map[string]any
	effect      effect
	limit       int64                   // of the answer's size, 0 for that of one object
	decode      func(body []byte) error // of a success; its error is a garbled answer
	quick       bool                    // give up at the first sign that there is no server
	asked       time.Time               // when it began to wait for an answer that has not come
	// unname, when set, puts the object's name in the place of the one that it is
	// asked about by, in all that the server says.
	unname *strings.Replacer
}

// effect says what happens when a request is carried out twice, which is what
// repeating it after a lost answer comes to.
type effect byte

const (
	none       effect = iota // nothing changes: reads and dry-runs
	repeatable               // the same as once: guarded by uid, or the same end again
	once                     // something else: create
)

const (
	objectLimit = 32 << 20
	listLimit   = 512 << 20 // 500 objects of the largest size, as JSON
)

// answer is how one attempt went.
type answer struct {
	status int
	header http.Header
	body   []byte
	sent   bool  // some of the request left this machine
	err    error // there is no whole answer
}

// do asks until there is an answer that asking again won't better.
func (c *Cluster) do(ctx context.Context, r *request) error {
	if down := c.pulse.isDown(r, c.noticeTime()); down != nil {
		return down
	}
	var lost *Error // an earlier attempt whose outcome is unknown
	began := time.Now()
	for tries := (tries{}); ; {
		ans := c.attempt(ctx, r)
		e := c.judge(ctx, r, ans)
		if e == nil {
			return nil
		}
		if e.Reason == OutcomeUnknown {
			lost = e
		}
		wait, again := tries.next(c, r, e, ans)
		if again {
			c.tellAgain(began, wait, e)
		}
		if again && c.sleep(ctx, wait) {
			continue
		}
		if ans.status == 0 && (tries[&noConnection] == noConnection.times || c.longSilent(r, wait)) {
			c.pulse.flatline(r.asked, e)
		}
		if lost != nil && lost != e && !settles(e.Reason) {
			lost.Err = e
			return lost
		}
		return e
	}
}

// settles says whether an answer to a repeated request tells what has become
// of the first one. Stale and AlreadyExists don't: what is in the way may be
// what the first one made.
func settles(r Reason) bool { return r == NotFound || r == ReplacedOutside }

func (c *Cluster) sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false // the answer at hand says more than "deadline exceeded" would
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-c.hurried.Done():
		return false
	case <-t.C:
		return true
	}
}

// attempt asks once.
func (c *Cluster) attempt(ctx context.Context, r *request) answer {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return answer{err: ctx.Err()}
	}
	if r.asked.IsZero() {
		r.asked = time.Now()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	head := time.AfterFunc(c.headTime(r), func() { cancel(errSilent) })
	defer head.Stop()
	defer context.AfterFunc(c.hurried, func() { time.AfterFunc(hurryTime, func() { cancel(errSilent) }) })()
	stop := c.listen(ctx)
	defer stop()
	res, sent, err := c.send(ctx, r)
	if err != nil {
		if context.Cause(ctx) == errSilent {
			err = errSilent
		}
		return answer{sent: sent, err: err}
	}
	defer res.Body.Close()
	stop()
	c.pulse.beat()
	r.asked = time.Time{}
	head.Reset(c.timeout) // it has come so far; now for the rest
	limit := r.limit
	if limit == 0 {
		limit = objectLimit
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errTooLong
	}
	if r.unname != nil {
		body = []byte(r.unname.Replace(string(body)))
	}
	return answer{status: res.StatusCode, header: res.Header, body: body, sent: true, err: err}
}

// headTime is how long an attempt may wait for the head of its answer.
func (c *Cluster) headTime(r *request) time.Duration {
	limit := c.timeout
	switch {
	case r.quick && !c.answered.Load():
		limit = c.greetTime()
	case r.effect == none && r.method == http.MethodGet:
		limit = c.readTime()
	}
	if c.hurried.Err() != nil {
		limit = min(limit, hurryTime)
	}
	return min(limit, time.Until(r.asked.Add(c.timeout)))
}

var errTooLong = errors.New("the answer is too long")

// send sends one request and returns as soon as the answer's head is there.
func (c *Cluster) send(ctx context.Context, r *request) (res *http.Response, sent bool, err error) {
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { wrote.Store(true) },
	})
	target := c.base.JoinPath(r.path)
	target.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(ctx, r.method, target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Accept", "application/json")
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	res, err = c.http.Do(req)
	if err != nil {
		return nil, wrote.Load(), err
	}
	c.warnings.report(r.object, r.unnamed(res.Header["Warning"]))
	return res, true, nil
}

// unnamed is what the server says in words that the user knows.
func (r *request) unnamed(texts []string) []string {
	if r.unname == nil {
		return texts
	}
	known := make([]string, len(texts))
	for i, text := range texts {
		known[i] = r.unname.Replace(text)
	}
	return known
}

// judge is nil when the attempt succeeded.
func (c *Cluster) judge(ctx context.Context, r *request, ans answer) *Error {
	if ans.err != nil {
		return c.noAnswer(ctx, r, ans)
	}
	c.answered.Store(true)
	if ans.status < 200 || ans.status > 299 {
		e := statusError(r, ans.status, ans.body)
		if r.effect != none && unsettled(e) {
			e.Reason = OutcomeUnknown
			e.Advice = "The request may or may not have been carried out."
		}
		return e
	}
	if r.decode == nil {
		return nil
	}
	if err := r.decode(ans.body); err != nil {
		return garbled(r, ans, err)
	}
	return nil
}

// unsettled says whether an error answer leaves open if the request was carried
// out: the server gave up on its own storage, or the answer is of a proxy.
func unsettled(e *Error) bool {
	switch e.Status {
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	case http.StatusServiceUnavailable:
		// A Status is of the API server itself, which then did nothing; proxies
		// say 503 after they lost the connection as well.
		return e.Reason == Unavailable && !e.fromServer
	case http.StatusInternalServerError:
		return e.Reason == Unavailable
	}
	return false
}

func garbled(r *request, ans answer, err error) *Error {
	e := &Error{Op: r.op, Object: r.object, Status: ans.status, Err: err, Reason: NotKubernetes,
		Message: "the server's answer can't be read: " + r.masker()(err.Error()),
		Advice:  "Check the server address, and what stands between kplan and the server."}
	if r.effect != none {
		e.Reason = OutcomeUnknown
		e.Advice = "The request may or may not have been carried out."
	}
	return e
}

// noAnswer is the error of an attempt that got no whole answer.
func (c *Cluster) noAnswer(ctx context.Context, r *request, ans answer) *Error {
	e := &Error{Op: r.op, Object: r.object, Status: ans.status, Err: ans.err}
	switch {
	case ans.sent && r.effect != none:
		e.Reason = OutcomeUnknown
		e.Message = "the connection was lost before the server answered: " + c.plainError(ans.err)
		if ans.err == errSilent {
			e.Message = c.silentWords(r)
		}
		e.Advice = "The request may or may not have been carried out."
	case ctx.Err() != nil:
		e.Reason, e.Err, e.Message = Other, ctx.Err(), "interrupted"
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			e.Reason, e.Message = Timeout, "there was no answer in time"
		}
	case errors.Is(ans.err, errTooLong):
		e.Reason, e.Message = TooLarge, "the server's answer is longer than kplan reads"
	default:
		c.describeConnection(e, r, ans)
	}
	return e
}
