package httpstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kplan.dev/kplan/state"
)

// client sends requests.
type client struct {
	http               *http.Client
	username, password string
	retryMax           int
	waitMin, waitMax   time.Duration
	userAgent          string
	timing             Timing
	log                *slog.Logger
}

func newClient(o Options, inAddress *url.Userinfo) (*client, error) {
	password, _ := inAddress.Password()
	c := &client{
		username: cmp.Or(inAddress.Username(), o.Username), password: cmp.Or(password, o.Password),
		retryMax: o.RetryMax, waitMin: cmp.Or(o.RetryWaitMin, time.Second), waitMax: cmp.Or(o.RetryWaitMax, 30*time.Second),
		userAgent: o.UserAgent, timing: defaultTiming, log: o.Log,
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	verify, err := tlsConfig(o)
	if err != nil {
		return nil, err
	}
	c.http = &http.Client{CheckRedirect: checkRedirect, Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		TLSClientConfig:     verify,
		ForceAttemptHTTP2:   true,
		IdleConnTimeout:     time.Minute,
	}}
	return c, nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.SkipCertVerification}
	if o.ClientCACertificatePEM != "" {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(o.ClientCACertificatePEM)) {
			return nil, errors.New("client_ca_certificate_pem has no certificate in PEM form; it is the text of a file, not its name: " +
				"file(\"ca.pem\")")
		}
	}
	switch {
	case o.ClientCertificatePEM == "" && o.ClientPrivateKeyPEM == "":
		return c, nil
	case o.ClientPrivateKeyPEM == "":
		return nil, errors.New("client_certificate_pem needs client_private_key_pem beside it")
	case o.ClientCertificatePEM == "":
		return nil, errors.New("client_private_key_pem needs client_certificate_pem beside it")
	}
	pair, err := tls.X509KeyPair([]byte(o.ClientCertificatePEM), []byte(o.ClientPrivateKeyPEM))
	if err != nil { // tls: failed to find any PEM data in certificate input
		return nil, fmt.Errorf("client_certificate_pem and client_private_key_pem don't belong together, or are no PEM texts: %s",
			strings.TrimPrefix(err.Error(), "tls: "))
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

// checkRedirect follows redirects of reads alone: a write or a lock would turn into a read. Credentials are for one server.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	req.Header.Del("Referer") // it has the query
	switch {
	case first.Method != http.MethodGet:
		return http.ErrUseLastResponse
	case len(via) > 5:
		return errors.New("it was redirected more than five times")
	case first.URL.Scheme == "https" && req.URL.Scheme != "https":
		return errors.New("it is redirected from https to http")
	case req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme:
		req.Header.Del("Authorization")
	}
	return nil
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   []byte // of a success or a conflict, else its beginning
}

// isPage reports whether an answer is a page for people: that of a login, or of a proxy. Its type tells nothing: small servers
// call everything text/html.
func (a answer) isPage() bool { return bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<")) }

// isTemporary reports whether the same request may get a better answer.
func (a answer) isTemporary() bool {
	switch a.status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// isUnsure reports whether a write with this answer may have been carried out, or was refused because of another one. The zero
// answer is none.
func (a answer) isUnsure() bool {
	switch a.status {
	case 0, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusLocked:
		return true
	}
	return a.isTemporary() || a.status < 300
}

// noAnswerError is the error of a request that may have been carried out if it was sent.
type noAnswerError struct {
	cause error
	sent  bool
}

func (e *noAnswerError) Error() string {
	if errors.Is(e.cause, context.Canceled) {
		return "it was interrupted before there was an answer"
	}
	return "there was no answer: " + e.cause.Error()
}

func (e *noAnswerError) Unwrap() error { return e.cause }

var (
	errStalled = errors.New("the server kept kplan waiting for too long")
	errTooLate = errors.New("the request took too long")
)

const (
	maxLockInfo = 64 << 10
	maxMessage  = 4 << 10 // of an error
)

// send sends one request, and reads the answer. An error is a *noAnswerError. The log has the address without its query, in which
// there may be a token.
func (c *client) send(ctx context.Context, to endpoint, body []byte, limit time.Duration) (answer, error) {
	begun := time.Now()
	a, err := c.exchange(ctx, to, body, limit)
	c.log.DebugContext(ctx, "state request", "op", to.method, "place", nameOf(to.url), "sent", len(body), "status", a.status,
		"received", len(a.body), "took", time.Since(begun).Round(time.Microsecond), "error", err)
	return a, err
}

func (c *client) exchange(ctx context.Context, to endpoint, body []byte, limit time.Duration) (answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stalled := time.AfterFunc(c.timing.Stall, func() { cancel(errStalled) })
	defer stalled.Stop()
	late := time.AfterFunc(limit, func() { cancel(errTooLate) })
	defer late.Stop()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	progress := func(r io.Reader) io.Reader { return &ticking{r, stalled, c.timing.Stall} }
	req, err := c.request(ctx, to, body, progress)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, &noAnswerError{causeOf(ctx, err), sent.Load()}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = readBody(progress(resp.Body), resp); err != nil {
		return answer{}, &noAnswerError{causeOf(ctx, err), true}
	}
	return a, nil
}

func (c *client) request(ctx context.Context, to endpoint, body []byte, progress func(io.Reader) io.Reader) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		content = progress(bytes.NewReader(body))
	}
	req, err := http.NewRequestWithContext(ctx, to.method, to.url.String(), content)
	if err != nil { // Open has checked both
		return nil, err
	}
	req.Header.Set("User-Agent", c.userAgent)
	req.Header.Set("Cache-Control", "no-cache")
	if c.username != "" || c.password != "" {
		req.SetBasicAuth(c.username, c.password)
	}
	if body != nil {
		req.ContentLength = int64(len(body))
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// causeOf is why a request failed, without its address, which may have a token in it.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("the connection ended in the middle of it")
	}
	return err
}

// readBody reads as much of an answer as can be of use.
func readBody(r io.Reader, resp *http.Response) ([]byte, error) {
	limit := int64(maxMessage)
	switch resp.StatusCode {
	case http.StatusConflict, http.StatusLocked:
		limit = maxLockInfo
	case http.StatusOK, http.StatusCreated:
		body, err := io.ReadAll(io.LimitReader(r, state.MaxSize+1))
		if len(body) > state.MaxSize {
			return nil, errors.New("the answer is larger than a state can be")
		}
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil && len(body) == 0 && resp.ContentLength > 0 {
		return nil, err
	}
	return body, nil
}

// ticking puts off the end of waiting with each byte.
type ticking struct {
	io.Reader
	timer *time.Timer
	every time.Duration
}

func (t *ticking) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.timer.Reset(t.every)
	return n, err
}

// retry does something until there is an answer that is not temporary. It gives up after the tries that are set, but not
// before patience has passed.
func (c *client) retry(ctx context.Context, patience time.Duration, do func() (answer, error)) (answer, error) {
	begun := time.Now()
	for tries := 0; ; tries++ {
		a, err := do()
		if err == nil && !a.isTemporary() || !c.pause(ctx, tries, begun.Add(patience), a) {
			return a, err
		}
	}
}

// pause waits before a request is tried again, and reports whether it shall be.
func (c *client) pause(ctx context.Context, tries int, until time.Time, a answer) bool {
	wait := min(c.waitMin<<min(tries, 16), c.waitMax)
	if asked, err := strconv.Atoi(a.header.Get("Retry-After")); err == nil {
		wait = max(wait, time.Duration(min(asked, 1<<20))*time.Second)
	}
	if tries >= c.retryMax && time.Now().Add(wait).After(until) || wait > max(c.waitMax, time.Until(until)) {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}
