package faulttest

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Proxy is between kplan and an API server, terminates TLS on both sides, and injects
// faults. It serves HTTP/2, as the API server does.
type Proxy struct {
	// Kubeconfig is the file by which kplan connects to the proxy.
	Kubeconfig string
	// Address is where it listens, as a URL.
	Address string

	upstream  *url.URL
	transport http.RoundTripper

	mu     sync.Mutex
	server *http.Server
	ended  chan struct{} // closed when server has
	faults []Fault
	picked []int // by each fault
	rest   Fault // one that happens to whatever comes, the zero Fault if none does
	calls  []Call
	hit    []string // what happened
	struck time.Time
	held   chan struct{} // closed by Release
	victim *os.Process
	before func(Call) // see Before
	as     string     // see As
}

// NewProxy starts a proxy to the cluster of a kubeconfig, with the rights it
// gives, and writes its own kubeconfig to the file own.
func NewProxy(kubeconfig, own string) (*Proxy, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	p := &Proxy{Kubeconfig: own, held: make(chan struct{})}
	if p.upstream, err = url.Parse(config.Host); err != nil {
		return nil, err
	}
	if p.transport, err = rest.TransportFor(config); err != nil {
		return nil, err
	}
	cert, authority, err := selfSigned()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.Address = "https://" + listener.Addr().String()
	if err := writeKubeconfig(own, p.Address, authority); err != nil {
		return nil, err
	}
	p.serve(listener, cert)
	return p, nil
}

type connKey struct{}

func (p *Proxy) serve(listener net.Listener, cert tls.Certificate) {
	server, ended := &http.Server{
		Handler:   p,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:  log.New(io.Discard, "", 0), // kplan's killed connections
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
	}, make(chan struct{})
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server, p.ended = server, ended
	go func() {
		defer close(ended)
		server.ServeTLS(listener, "", "")
	}()
}

// Close ends the proxy and all connections to it.
func (p *Proxy) Close() { <-p.vanish() }

// vanish begins to end the proxy, and returns a channel that is closed when it has.
func (p *Proxy) vanish() (ended chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server.Close()
	return p.ended
}

// Return makes a proxy that vanished accept connections again, at the same address,
// without faults.
func (p *Proxy) Return() error {
	p.Close()
	p.mu.Lock()
	cert := p.server.TLSConfig.Certificates[0]
	p.mu.Unlock()
	listener, err := net.Listen("tcp", strings.TrimPrefix(p.Address, "https://"))
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.rest = Fault{}
	p.mu.Unlock()
	p.serve(listener, cert)
	return nil
}

// Arm replaces the faults and resets the counts, for the next run of kplan.
func (p *Proxy) Arm(faults ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults, p.picked, p.rest, p.calls, p.hit = slices.Clone(faults), make([]int, len(faults)), Fault{}, nil, nil
}

// Attach names the process that faults kill and signal.
func (p *Proxy) Attach(process *os.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.victim = process
}

// Before sets a function that is called with every call just before it is forwarded; nil
// for none.
func (p *Proxy) Before(f func(Call)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = f
}

// As forwards calls by impersonating another user.
func (p *Proxy) As(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.as = user
}

// Release continues the calls that a fault holds; it is called at most once.
func (p *Proxy) Release() { close(p.held) }

// Calls are those since Arm.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

// Hit lists which faults have happened since Arm, and to what.
func (p *Proxy) Hit() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.hit)
}

// register counts a call and finds the fault that happens to it, the zero Fault
// if none does.
func (p *Proxy) register(c *Call) (f Fault, before func(Call)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.N = len(p.calls) + 1
	p.calls = append(p.calls, *c)
	if p.rest.When != "" {
		return p.rest, p.before
	}
	for i, candidate := range p.faults {
		if !candidate.selects(*c) {
			continue
		}
		p.picked[i]++
		if f.When == "" && candidate.hits(p.picked[i]) {
			f = candidate
			if f.Rest {
				p.rest = f
			}
			p.hit = append(p.hit, f.String()+": "+c.Verb+" "+c.Resource+"/"+c.Name)
		}
	}
	return f, p.before
}

// ServeHTTP is one exchange.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	call := classify(r, body)
	fault, before := p.register(&call)
	if fault.When == Before && !p.strike(w, r, call, fault) {
		return
	}
	if before != nil && fault.Do != Hold {
		before(call)
	}
	if fault.Do == Twice {
		if res, err := p.forward(r, body); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	}
	res, err := p.forward(r, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer res.Body.Close()
	p.reply(w, r, res, call, fault)
}

// repliedAfter is how long after a response kplan is assumed to have read it.
const repliedAfter = 2 * time.Millisecond

// reply forwards the server's response, or what a fault makes of it.
func (p *Proxy) reply(w http.ResponseWriter, r *http.Request, res *http.Response, call Call, f Fault) {
	var answer io.Reader = res.Body
	if call.Verb != "watch" && f.When != "" {
		whole, _ := io.ReadAll(res.Body) // then the server has done all of it
		answer = bytes.NewReader(whole)
	}
	switch {
	case f.Do == Truncate:
		truncate(w, res, answer)
	case f.When == After && !p.strike(w, r, call, f):
		return
	case f.When == Replied:
		time.AfterFunc(repliedAfter, func() { p.strike(w, r, call, f) })
	}
	passOn(w, res, answer)
}

// strike injects a fault and reports whether the exchange goes on.
func (p *Proxy) strike(w http.ResponseWriter, r *http.Request, call Call, f Fault) (goesOn bool) {
	switch f.Do {
	case Delay:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
		}
		return true
	case Hold:
		<-p.held
		return true
	case Interrupt:
		p.signal(os.Interrupt)
		return true
	case Terminate:
		p.signal(syscall.SIGTERM)
		return true
	case Kill:
		p.signal(os.Kill)
		if f.When == Replied {
			return true
		}
	case Hang:
		if conn, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			conn.Close()
		}
	case Vanish:
		p.vanish()
	case Answer:
		contentType, body := f.body(call)
		w.Header().Set("Content-Type", contentType)
		if f.RetryAfter != "" {
			w.Header().Set("Retry-After", f.RetryAfter)
		}
		w.WriteHeader(f.Status)
		w.Write(body)
		return false
	case Garbage:
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte("{\"kind\": \"Conf\x00\x1b[31m <html>"))
		return false
	}
	panic(http.ErrAbortHandler)
}

// Struck is when a fault last sent a signal.
func (p *Proxy) Struck() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.struck
}

func (p *Proxy) signal(s os.Signal) {
	p.mu.Lock()
	victim := p.victim
	p.struck = time.Now()
	p.mu.Unlock()
	if victim != nil {
		victim.Signal(s)
	}
}

func (p *Proxy) forward(r *http.Request, body []byte) (*http.Response, error) {
	target := *p.upstream
	target.Path, target.RawPath, target.RawQuery = r.URL.Path, r.URL.RawPath, r.URL.RawQuery
	ctx := r.Context()
	if r.Method != http.MethodGet {
		// What kplan has sent takes its course, though kplan may be gone.
		ctx = context.WithoutCancel(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header.Clone()
	req.Header.Del("Authorization")
	if req.Header.Get("Accept-Encoding") == "" {
		req.Header.Set("Accept-Encoding", "identity") // our transport would ask for gzip of its own
	}
	p.mu.Lock()
	if p.as != "" {
		req.Header.Set("Impersonate-User", p.as)
	}
	p.mu.Unlock()
	return p.transport.RoundTrip(req)
}

// passOn copies a response as it arrives, which for a watch takes minutes.
func passOn(w http.ResponseWriter, res *http.Response, body io.Reader) {
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	flusher := w.(http.Flusher)
	flusher.Flush()
	buffer := make([]byte, 32<<10)
	for {
		n, err := body.Read(buffer)
		if n > 0 {
			w.Write(buffer[:n])
			flusher.Flush()
		}
		if err != nil {
			return
		}
	}
}

// truncate sends the first half of a response whose headers announce all of it. Of a
// watch, which announces nothing, it sends half of what comes first.
func truncate(w http.ResponseWriter, res *http.Response, answer io.Reader) {
	part := make([]byte, 64<<10)
	n, _ := answer.Read(part)
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	if res.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	w.WriteHeader(res.StatusCode)
	w.Write(part[:n/2])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}
