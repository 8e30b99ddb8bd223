package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/kube/trace"
)

// client sends requests until they are answered. client-go's REST client builds,
// sends and reads them; the client decides how long an attempt may take, what a
// failure means and whether to try again, where client-go would retry any request
// on any Retry-After, without bound or notice (docs/decisions/0023).
type client struct {
	rest     *rest.RESTClient
	base     *url.URL
	timeout  timeout
	slots    chan struct{}
	answered atomic.Bool // the server answered once
	notice   func(text string)
	health   health
	trace    trace.Tracer
	canceled context.Context // ended by cancel: see Cluster.Cancel
	cancel   context.CancelFunc
}

func newClient(ctx context.Context, access *auth.Access, opts Options) (*client, error) {
	config := dynamic.ConfigFor(access.Config) // objects of a watch are unstructured
	config.WarningHandlerWithContext = &warnings{warn: opts.Warn}
	base, _, err := rest.DefaultServerUrlFor(config)
	if err != nil {
		return nil, err
	}
	restClient, err := rest.UnversionedRESTClientForConfigAndClient(config, &http.Client{
		Transport: &recorder{access.Transport},
		// The API never redirects; following would send credentials elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
	if err != nil {
		return nil, err
	}
	c := &client{rest: restClient, base: base, timeout: timeout(opts.RequestTimeout), notice: opts.Notice}
	c.trace = trace.Tracer{Log: log.Or(opts.Log), Secrets: opts.Auth.Secrets, Sensitive: opts.Sensitive}
	c.canceled, c.cancel = context.WithCancel(ctx)
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	parallelism := opts.Parallelism
	if parallelism <= 0 {
		parallelism = DefaultParallelism
	}
	c.slots = make(chan struct{}, parallelism)
	return c, nil
}

// host is the server's address: scheme, host, port and path.
func (c *client) host() string {
	host := url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path}
	return host.String()
}

// request is one question to the API server, asked until it is answered.
type request struct {
	op     string       // for errors
	object addrs.Object // for errors
	kind   *kinds.Kind  // of the objects, nil for other things
	isText bool         // the answer is a text and no object
	path   string
	ask    *rest.Request // is sent once for each attempt
	// sent is the object in the body, for masking what the server echoes of it.
	sent   map[string]any
	effect effect
	limit  int64                   // of the answer's size, 0 for that of one object; a text is cut off there
	decode func(body []byte) error // of a success; its error is a garbled answer
	quick  bool                    // give up at the first sign that there is no server
	asked  time.Time               // when it began to wait for an answer that has not come
	// rename, when set, replaces the placeholder that the object was sent under
	// with the object's name in all that the server answers.
	rename *strings.Replacer
}

// request is a question at a path of the server.
func (c *client) request(op, verb string, object addrs.Object, path string) *request {
	return &request{op: op, object: object, path: path, ask: c.rest.Verb(verb).AbsPath(path).MaxRetries(0)}
}

// about is a request about the objects of a kind in a namespace, "" for all, or
// the one of a name.
func (c *client) about(op, verb string, k *kinds.Kind, namespace, name string) *request {
	r := c.request(op, verb, k.Object(namespace, name), resourcePath(k, namespace, name))
	r.kind = k
	return r
}

// effect is what happens when a request is carried out twice, which is what
// repeating it after a lost answer comes to.
type effect byte

const (
	read       effect = iota
	dryRun            // nothing changes, but the server may wait for webhooks
	repeatable        // the same as once: guarded by uid, or the same end again
	once              // something else: create
)

// changes reports whether a request has any effect.
func (e effect) changes() bool { return e > dryRun }

const (
	objectLimit = 32 << 20
	listLimit   = 512 << 20 // 500 objects of the largest size, as JSON
)

// do asks until there is an answer that asking again won't better.
func (c *client) do(ctx context.Context, r *request) error {
	if down := c.health.isDown(r, c.timeout.notice()); down != nil {
		return down
	}
	var lost *Error // an earlier attempt whose outcome is unknown
	began := time.Now()
	for attempts, n := (attempts{}), 1; ; n++ {
		asked := time.Now()
		ans := c.attempt(ctx, r)
		if c.trace.IsOn() && ans.request != nil {
			c.trace.Exchange(r.exchange(ans, asked, n))
		}
		e := c.failureOf(ctx, r, ans)
		if e == nil {
			return nil
		}
		if e.Reason == OutcomeUnknown {
			lost = e
		}
		wait, again := attempts.next(c, r, e, ans)
		if again {
			c.logRetry(r, wait, e)
			c.noticeRetry(began, wait, e)
		}
		if again && c.sleep(ctx, wait) {
			continue
		}
		if ans.status == 0 && (attempts[&noConnection] == noConnection.times || c.nearTimeout(r, wait)) {
			c.health.gaveUp(r.asked, e)
		}
		if lost != nil && lost != e && !revealsOutcome(e.Reason) {
			lost.Err = e
			return lost
		}
		return e
	}
}

// exchange is what is logged of an attempt.
func (r *request) exchange(ans *answer, began time.Time, n int) trace.Exchange {
	x := trace.Exchange{Op: r.op, Request: ans.request, Sent: r.sent, Kind: r.kind, IsText: r.isText, Attempt: n, Began: began,
		Status: ans.status, Header: ans.header, Body: ans.body, Hide: r.masker()}
	if ans.err != nil {
		x.Err = plainError(ans.err)
	}
	return x
}

// logRetry logs why a request is sent again.
func (c *client) logRetry(r *request, wait time.Duration, e *Error) {
	if c.trace.IsOn() {
		c.trace.Log.Debug("request is repeated", "path", r.path, "wait", wait.Round(time.Millisecond), "because", r.masker()(e.Error()))
	}
}

// revealsOutcome reports whether an answer to a repeated request shows what has become
// of the first one. ResourceVersionChanged and AlreadyExists don't: what is in the way may be
// what the first one made.
func revealsOutcome(r Reason) bool { return r == NotFound || r == ReplacedOutside }

func (c *client) sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < d {
		return false // the answer at hand explains more than "deadline exceeded" would
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-c.canceled.Done():
		return false
	case <-t.C:
		return true
	}
}

// attempt asks once.
func (c *client) attempt(ctx context.Context, r *request) *answer {
	ans := &answer{of: r}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		ans.err = ctx.Err()
		return ans
	}
	if r.asked.IsZero() {
		r.asked = time.Now()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	head := time.AfterFunc(c.headTimeout(r), func() { cancel(errNoResponse) })
	defer head.Stop()
	defer context.AfterFunc(c.canceled, func() { time.AfterFunc(cancelTimeout, func() { cancel(errNoResponse) }) })()
	stop := c.reportNoResponse(ctx)
	defer stop()
	ans.arrived = func() {
		stop()
		c.health.answered()
		r.asked = time.Time{}
		head.Reset(time.Duration(c.timeout)) // it has come so far; now for the rest
	}
	body, err := r.ask.Stream(ans.in(ctx))
	switch {
	case ans.status == 0:
		ans.err = err
		if context.Cause(ctx) == errNoResponse {
			ans.err = errNoResponse
		}
	case err == nil:
		defer body.Close()
		limit := r.limit
		if limit == 0 {
			limit = objectLimit
		}
		ans.body, ans.err = readAtMost(body, limit)
		if r.isText && ans.err == errTooLong {
			ans.body, ans.err = ans.body[:limit], nil
		}
	}
	if r.rename != nil {
		ans.body = []byte(r.rename.Replace(string(ans.body)))
	}
	return ans
}

// headTimeout is how long an attempt may wait for the head of its answer.
func (c *client) headTimeout(r *request) time.Duration {
	limit := time.Duration(c.timeout)
	switch {
	case r.quick && !c.answered.Load():
		limit = c.timeout.first()
	case r.effect == read:
		limit = c.timeout.read()
	}
	if c.canceled.Err() != nil {
		limit = min(limit, cancelTimeout)
	}
	return min(limit, time.Until(r.asked.Add(time.Duration(c.timeout))))
}

// answer is how one attempt went.
type answer struct {
	of      *request
	arrived func()      // is called when the head of the answer is there
	sent    atomic.Bool // some of the request left this machine
	request *http.Request
	status  int
	header  http.Header
	body    []byte
	err     error // there is no whole answer
}

type answerKey struct{}

// in is a context in which the recorder fills in the answer.
func (a *answer) in(ctx context.Context) context.Context {
	ctx = context.WithValue(ctx, answerKey{}, a)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { a.sent.Store(true) }})
}

func answerIn(ctx context.Context) *answer {
	ans, _ := ctx.Value(answerKey{}).(*answer)
	return ans
}

// recorder is the transport below client-go's REST client. It keeps what the REST
// client does not pass on: whether the request was sent, and the status, headers
// and unchanged body of a refusal.
type recorder struct{ next http.RoundTripper }

// RoundTrip sends one request and returns as soon as the answer's head is there.
func (t *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	ans := answerIn(req.Context())
	if ans != nil {
		ans.request = req
	}
	res, err := t.next.RoundTrip(req)
	if err != nil || ans == nil {
		return res, err
	}
	ans.sent.Store(true)
	ans.status, ans.header = res.StatusCode, res.Header
	if ans.arrived != nil {
		ans.arrived()
	}
	if !ans.succeeded() {
		ans.body, ans.err = readAtMost(res.Body, objectLimit)
		res.Body.Close()
		res.Body = http.NoBody
	}
	return res, nil
}

func (a *answer) succeeded() bool { return a.status >= 200 && a.status <= 299 }

var errTooLong = errors.New("the answer is too long")

func readAtMost(from io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = errTooLong
	}
	return text, err
}

// failureOf is nil when the attempt succeeded.
func (c *client) failureOf(ctx context.Context, r *request, ans *answer) *Error {
	if ans.err != nil {
		return c.noAnswer(ctx, r, ans)
	}
	c.answered.Store(true)
	if !ans.succeeded() {
		e := statusError(r, ans.status, ans.body)
		if r.effect.changes() && outcomeUnclear(e) {
			e.Reason = OutcomeUnknown
			e.Advice = "The request may or may not have been carried out."
		}
		return e
	}
	if r.decode == nil {
		return nil
	}
	if err := r.decode(ans.body); err != nil {
		return undecodable(r, ans, err)
	}
	return nil
}

// outcomeUnclear reports whether an error answer leaves open if the request was carried
// out: the server gave up on its own storage, or the answer is of a proxy.
func outcomeUnclear(e *Error) bool {
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

func undecodable(r *request, ans *answer, err error) *Error {
	e := &Error{Op: r.op, Object: r.object, Status: ans.status, Err: err, Reason: NotKubernetes,
		Message: "the server's answer can't be read: " + r.masker()(err.Error()),
		Advice:  "Check the server address, and proxies between kplan and the server."}
	if r.effect.changes() {
		e.Reason = OutcomeUnknown
		e.Advice = "The request may or may not have been carried out."
	}
	return e
}

// noAnswer is the error of an attempt that got no whole answer.
func (c *client) noAnswer(ctx context.Context, r *request, ans *answer) *Error {
	e := &Error{Op: r.op, Object: r.object, Status: ans.status, Err: ans.err}
	switch {
	case ans.sent.Load() && r.effect.changes():
		e.Reason = OutcomeUnknown
		e.Message = "the connection was lost before the server answered: " + plainError(ans.err)
		if ans.err == errNoResponse {
			e.Message = c.silence(r)
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

// silence reports for how long a request was not answered.
func (c *client) silence(r *request) string {
	return fmt.Sprintf("%s did not answer within %s", c.host(), rounded(time.Since(r.asked)))
}
