package kube_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiwatch "k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	watchtools "k8s.io/client-go/tools/watch"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// The tests of this file have client-go and kplan do the same through a proxy that
// plays a fault, before a real API server. Each shows a promise that client-go's
// part does not keep, for which kplan has its own (docs/decisions/0023 to 0025).
// Where one fails because client-go keeps the promise by now, the part should go.

// fault answers a request, or has the API server answer it.
type fault func(w http.ResponseWriter, r *http.Request, server http.Handler)

// proxy stands before the API server and lets everything through until it is armed.
type proxy struct {
	*httptest.Server
	mu    sync.Mutex
	fault fault
	asked atomic.Int32 // since it was armed
}

// newProxy is a proxy that adds an administrator's credentials.
func newProxy(t *testing.T, change ...func(*rest.Config)) *proxy {
	t.Helper()
	p, srv := &proxy{}, httptest.NewUnstartedServer(nil)
	srv.Config.Handler = p.before(t, change...)
	srv.Start()
	p.Server = srv
	t.Cleanup(srv.Close)
	return p
}

// before is the handler of the proxy.
func (p *proxy) before(t *testing.T, change ...func(*rest.Config)) http.Handler {
	t.Helper()
	config := adminConfig(t)
	for _, f := range change {
		f(config)
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	host, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	server := httputil.NewSingleHostReverseProxy(host)
	server.Transport, server.FlushInterval = transport, -1
	server.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		fault := p.fault
		p.mu.Unlock()
		if fault == nil {
			server.ServeHTTP(w, r)
			return
		}
		p.asked.Add(1)
		fault(w, r, server)
	})
}

// arm has the fault happen to all requests from here on, and counts them from zero.
func (p *proxy) arm(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	p.asked.Store(0)
}

func (p *proxy) clientGo(t *testing.T, change ...func(*rest.Config)) dynamic.Interface {
	t.Helper()
	config := &rest.Config{Host: p.URL, QPS: -1, TLSClientConfig: rest.TLSClientConfig{Insecure: strings.HasPrefix(p.URL, "https")}}
	for _, f := range change {
		f(config)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (p *proxy) ours(t *testing.T, change ...func(*kube.Options)) *kube.Cluster {
	t.Helper()
	opts := kube.Options{Auth: auth.Options{Host: p.URL, Insecure: true}}
	for _, f := range change {
		f(&opts)
	}
	c, err := kube.Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func adminConfig(t *testing.T) *rest.Config {
	t.Helper()
	connect(t) // or skip
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KPLAN_TEST_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

var configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}

func newConfigMap(namespace, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	u.SetNamespace(namespace)
	u.SetName(name)
	return u
}

// onlyFirst is a fault that happens to the first request only.
func onlyFirst(f fault) fault {
	var begun atomic.Bool
	return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if begun.CompareAndSwap(false, true) {
			f(w, r, server)
			return
		}
		server.ServeHTTP(w, r)
	}
}

// always is a fault in which the server has no part.
func always(h http.HandlerFunc) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) { h(w, r) }
}

// TestClientGoRepeatsWrites: a proxy loses the answer to a write that the server has
// carried out, and says 503 with Retry-After. client-go sends the write again, which
// here makes a second object; kplan reports that the outcome is not known.
func TestClientGoRepeatsWrites(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := newProxy(t)
	theirs, ours := p.clientGo(t).Resource(configMaps).Namespace(ns), p.ours(t)
	lost := func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		server.ServeHTTP(httptest.NewRecorder(), r)
		says(503, "no upstream", "Retry-After", "0")(w, r)
	}

	p.arm(onlyFirst(lost))
	obj := newConfigMap(ns, "")
	obj.SetGenerateName("twice-")
	if _, err := theirs.Create(t.Context(), obj, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	made := 0
	list, err := theirs.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, item := range list.Items {
		if strings.HasPrefix(item.GetName(), "twice-") {
			made++
		}
	}
	if made != 2 {
		t.Errorf("client-go made %d objects", made)
	}

	p.arm(onlyFirst(lost))
	_, err = ours.Create(t.Context(), configMap(t), newConfigMap(ns, "once").Object)
	wantReason(t, err, kube.OutcomeUnknown)
	if n := p.asked.Load(); n != 1 {
		t.Errorf("kplan sent the write %d times", n)
	}
}

// TestClientGoDoesNotTellWhatWasSent: client-go's error is the same whether the
// connection ended before the request was sent or after it was carried out. kplan
// sends the first again, and reports the second.
func TestClientGoDoesNotTellWhatWasSent(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := &proxy{}
	srv := httptest.NewUnstartedServer(p.before(t))
	early := &refusing{Listener: srv.Listener}
	srv.Listener = early
	srv.Config.SetKeepAlivesEnabled(false)
	srv.StartTLS()
	p.Server = srv
	t.Cleanup(srv.Close)
	theirs, ours := p.clientGo(t).Resource(configMaps).Namespace(ns), p.ours(t)
	late := onlyFirst(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		server.ServeHTTP(httptest.NewRecorder(), r)
		hangUp(w, r)
	})

	early.times.Store(1)
	_, before := theirs.Create(t.Context(), newConfigMap(ns, "before"), metav1.CreateOptions{})
	p.arm(late)
	_, after := theirs.Create(t.Context(), newConfigMap(ns, "after"), metav1.CreateOptions{})
	if before == nil || after == nil || before.Error() != after.Error() || !errors.Is(before, io.EOF) {
		t.Errorf("client-go: before it was sent: %v; after it was carried out: %v", before, after)
	}

	p.arm(nil)
	early.times.Store(1)
	if _, err := ours.Create(t.Context(), configMap(t), newConfigMap(ns, "ours-before").Object); err != nil {
		t.Errorf("kplan: %v", err)
	}
	p.arm(onlyFirst(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		server.ServeHTTP(httptest.NewRecorder(), r)
		hangUp(w, r)
	}))
	_, err := ours.Create(t.Context(), configMap(t), newConfigMap(ns, "ours-after").Object)
	wantReason(t, err, kube.OutcomeUnknown)
}

// refusing ends some connections as soon as they have sent anything: in the TLS
// handshake.
type refusing struct {
	net.Listener
	times atomic.Int32
}

func (l *refusing) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.times.Add(-1) < 0 {
			return conn, err
		}
		_, _ = conn.Read(make([]byte, 1<<16))
		conn.Close()
	}
}

// TestClientGoRetriesOnRetryAfterOnly: without Retry-After client-go does not wait
// for a server that restarts or a webhook that is down for a moment, and what it
// reports at the end of the caller's time is not what the server said.
func TestClientGoRetriesOnRetryAfterOnly(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := newProxy(t)
	theirs, ours := p.clientGo(t).Resource(configMaps).Namespace(ns), p.ours(t)
	theirCreate := func(ctx context.Context) error {
		_, err := theirs.Create(ctx, newConfigMap(ns, "a"), metav1.CreateOptions{})
		return err
	}
	ourCreate := func(ctx context.Context) error {
		_, err := ours.Create(ctx, configMap(t), newConfigMap(ns, "b").Object)
		return err
	}
	webhook := status(500, "InternalError", `Internal error occurred: failed calling webhook "a.example.com": failed to call webhook: `+
		`Post "https://a.n.svc:443/": dial tcp 10.0.0.1:443: connect: connection refused`)

	p.arm(onlyFirst(always(webhook)))
	if err := theirCreate(t.Context()); !apierrors.IsInternalError(err) {
		t.Errorf("client-go waits for a webhook: %v", err)
	}
	p.arm(onlyFirst(always(webhook)))
	if err := ourCreate(t.Context()); err != nil {
		t.Errorf("kplan does not wait for a webhook: %v", err)
	}

	p.arm(always(status(429, "TooManyRequests", "too many requests", "Retry-After", "30")))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := theirCreate(ctx); err == nil || apierrors.IsTooManyRequests(err) {
		t.Errorf("client-go reports what the server said: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if e := wantReason(t, ourCreate(ctx), kube.Unavailable); e.Status != 429 {
		t.Errorf("kplan: %v", e)
	}
}

// TestClientGoDoesNotWaitForRestart: client-go fails when nothing listens; kplan waits
// for the server to come back.
func TestClientGoDoesNotWaitForRestart(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := newProxy(t)
	theirs, ours := p.clientGo(t).Resource(configMaps).Namespace(ns), p.ours(t)
	address := p.Listener.Addr().String()
	p.Close()
	if _, err := theirs.Get(t.Context(), "kube-root-ca.crt", metav1.GetOptions{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("client-go: %v", err)
	}
	back := &http.Server{Handler: p.before(t)}
	t.Cleanup(func() { back.Close() })
	time.AfterFunc(500*time.Millisecond, func() {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		_ = back.Serve(l)
	})
	if _, err := ours.Create(t.Context(), configMap(t), newConfigMap(ns, "a").Object); err != nil {
		t.Errorf("kplan: %v", err)
	}
}

// TestClientGoWaitsForSilenceEachTime: each request of client-go waits for a server
// that answers nothing for as long as the first did; kplan waits once.
func TestClientGoWaitsForSilenceEachTime(t *testing.T) {
	t.Parallel()
	const requests, timeout = 4, 400 * time.Millisecond
	p := newProxy(t)
	theirs := p.clientGo(t, func(c *rest.Config) { c.Timeout = timeout }).Resource(configMaps).Namespace("default")
	// Long enough for a busy machine: to connect takes requests that are answered.
	ours := p.ours(t, func(o *kube.Options) { o.RequestTimeout = 5 * time.Second })
	p.arm(always(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	began := time.Now()
	for range requests {
		if _, err := theirs.Get(t.Context(), "a", metav1.GetOptions{}); err == nil {
			t.Error("client-go: no error")
		}
	}
	if took := time.Since(began); took < requests*timeout {
		t.Errorf("client-go waited for %s", took)
	}
	_, err := ours.Get(t.Context(), configMap(t), "default", "a")
	wantReason(t, err, kube.Timeout)
	p.asked.Store(0)
	for range requests - 1 {
		_, err := ours.Get(t.Context(), configMap(t), "default", "a")
		if kube.OutageOf(err) == nil {
			t.Errorf("kplan: %v", err)
		}
	}
	if n := p.asked.Load(); n > 0 {
		t.Errorf("kplan asked %d times more", n)
	}
}

// TestClientGoReadsAnyAnswer: client-go reads an answer of any size into memory.
func TestClientGoReadsAnyAnswer(t *testing.T) {
	t.Parallel()
	const size = 33 << 20
	p := newProxy(t)
	theirs, err := rest.UnversionedRESTClientFor(dynamic.ConfigFor(&rest.Config{Host: p.URL}))
	if err != nil {
		t.Fatal(err)
	}
	ours := p.ours(t)
	p.arm(always(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range size >> 20 {
			_, _ = w.Write(chunk)
		}
	}))
	text, err := theirs.Get().AbsPath("/api/v1/namespaces/default/configmaps/a").DoRaw(t.Context())
	if len(text) != size {
		t.Errorf("client-go read %d bytes, %v", len(text), err)
	}
	_, err = ours.Get(t.Context(), configMap(t), "default", "a")
	wantReason(t, err, kube.TooLarge)
}

// clientGoWatch is one of client-go's watches of the ConfigMaps of a namespace.
type clientGoWatch struct {
	mu    sync.Mutex
	seen  []string
	ended chan struct{} // is closed when the watch ends by itself
}

func (w *clientGoWatch) add(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, line)
}

func (w *clientGoWatch) count(line string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.seen {
		if l == line {
			n++
		}
	}
	return n
}

func (w *clientGoWatch) has(line string) bool { return w.count(line) > 0 }

func (w *clientGoWatch) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// retryWatch is RetryWatcher, which begins at a list.
func retryWatch(t *testing.T, client dynamic.Interface, namespace string) *clientGoWatch {
	t.Helper()
	of := client.Resource(configMaps).Namespace(namespace)
	list, err := of.List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := watchtools.NewRetryWatcherWithContext(t.Context(), list.GetResourceVersion(), &cache.ListWatch{
		WatchFuncWithContext: of.Watch,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &clientGoWatch{ended: make(chan struct{})}
	go func() {
		for event := range watcher.ResultChan() {
			if event.Type == apiwatch.Error {
				w.add("error " + apierrors.FromObject(event.Object).Error())
			} else {
				w.add(event.Object.(*unstructured.Unstructured).GetName())
			}
		}
		close(w.ended)
	}()
	return w
}

// informer is a shared informer.
func informer(t *testing.T, client dynamic.Interface, namespace string) *clientGoWatch {
	t.Helper()
	of := client.Resource(configMaps).Namespace(namespace)
	w := &clientGoWatch{ended: make(chan struct{})}
	shared := cache.NewSharedInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			w.add("list")
			return of.List(ctx, o)
		},
		WatchFuncWithContext: of.Watch,
	}, &unstructured.Unstructured{}, 0)
	if _, err := shared.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) { w.add(obj.(*unstructured.Unstructured).GetName()) },
	}); err != nil {
		t.Fatal(err)
	}
	go func() { shared.RunWithContext(t.Context()); close(w.ended) }()
	return w
}

// absence is for how long something must not come for it to count as never.
const absence = 3 * time.Second

// TestClientGoWatchBehindSilence: through a proxy that keeps streams to itself
// client-go's watches never learn of a change; kplan's does, from lists.
func TestClientGoWatchBehindSilence(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := newProxy(t)
	p.arm(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		if r.URL.Query().Get("watch") != "" {
			<-r.Context().Done()
			return
		}
		server.ServeHTTP(w, r)
	})
	theirs := []*clientGoWatch{retryWatch(t, p.clientGo(t), ns), informer(t, p.clientGo(t), ns)}
	s := &seen{more: make(chan struct{}, 1)}
	ours := p.ours(t, func(o *kube.Options) { o.RequestTimeout = 3 * time.Second })
	go func() {
		_ = ours.Watch(t.Context(), configMap(t), kube.WatchOptions{Namespace: ns, Selector: "v"}, s.see)
	}()
	s.await(t, "complete")
	create(t, admin, "ConfigMap", "metadata: {name: late, namespace: NS, labels: {v: '1'}}", ns)
	s.await(t, "late 1", "complete")
	time.Sleep(absence)
	for i, w := range theirs {
		if w.has("late") || w.hasEnded() {
			t.Errorf("watch %d of client-go has seen %q, ended: %v", i, w.seen, w.hasEnded())
		}
	}
}

// TestClientGoWatchOutlivesServer: when the server is gone client-go's watches go on
// and report nothing to who waits for them; kplan's ends with an error.
func TestClientGoWatchOutlivesServer(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := newProxy(t)
	theirs := []*clientGoWatch{retryWatch(t, p.clientGo(t), ns), informer(t, p.clientGo(t), ns)}
	ours := p.ours(t, func(o *kube.Options) { o.RequestTimeout = 3 * time.Second })
	s := &seen{more: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- ours.Watch(t.Context(), configMap(t), kube.WatchOptions{Namespace: ns, Selector: "v"}, s.see)
	}()
	s.await(t, "complete")
	p.arm(always(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	p.CloseClientConnections()
	select {
	case err := <-ended:
		if kube.OutageOf(err) == nil {
			t.Errorf("kplan: %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("kplan goes on")
	}
	time.Sleep(absence)
	for i, w := range theirs {
		if w.hasEnded() || slices.ContainsFunc(w.seen, func(l string) bool { return strings.HasPrefix(l, "error") }) {
			t.Errorf("watch %d of client-go has ended or has an error: %q", i, w.seen)
		}
	}
}

// TestClientGoWatchWithoutRight: where a list is allowed and a watch is not,
// RetryWatcher ends, and an informer waits ever longer between its lists; kplan lists
// every two seconds.
func TestClientGoWatchWithoutRight(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	create(t, admin, "Role", `
metadata: {name: lister, namespace: NS}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [get, list]}]`, ns)
	create(t, admin, "RoleBinding", `
metadata: {name: lister, namespace: NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: lister}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: lister-of-NS}]`, ns)
	p := newProxy(t, func(c *rest.Config) { c.Impersonate.UserName = "lister-of-" + ns })
	eventually(t, func() error {
		_, err := p.clientGo(t).Resource(configMaps).Namespace(ns).List(t.Context(), metav1.ListOptions{})
		return err
	})
	retried, informed := retryWatch(t, p.clientGo(t), ns), informer(t, p.clientGo(t), ns)
	<-retried.ended
	if len(retried.seen) != 1 || !strings.Contains(retried.seen[0], "cannot watch") {
		t.Errorf("RetryWatcher: %q", retried.seen)
	}
	// Before the fifth list the informer waits for six seconds and more.
	eventually(t, func() error {
		if n := informed.count("list"); n < 4 {
			return fmt.Errorf("the informer has listed %d times", n)
		}
		return nil
	})
	s := &seen{more: make(chan struct{}, 1)}
	go func() {
		_ = p.ours(t).Watch(t.Context(), configMap(t), kube.WatchOptions{Namespace: ns, Selector: "v"}, s.see)
	}()
	s.await(t, "complete")
	create(t, admin, "ConfigMap", "metadata: {name: late, namespace: NS, labels: {v: '1'}}", ns)
	s.await(t, "late 1", "complete")
	if informed.has("late") {
		t.Errorf("the informer is no later than kplan: %q", informed.seen)
	}
}

// TestClientGoWatchExpires: RetryWatcher ends when the version that it goes on from
// has expired; kplan lists again.
func TestClientGoWatchExpires(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	p := newProxy(t)
	expired := func() fault {
		var begun atomic.Bool
		return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			if r.URL.Query().Get("watch") != "" && begun.CompareAndSwap(false, true) {
				says(200, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410,"reason":"Expired",`+
					`"message":"too old resource version"}}`, "Content-Type", "application/json")(w, r)
				return
			}
			server.ServeHTTP(w, r)
		}
	}
	p.arm(expired())
	theirs := retryWatch(t, p.clientGo(t), ns)
	<-theirs.ended
	if len(theirs.seen) != 1 || !strings.Contains(theirs.seen[0], "too old resource version") {
		t.Errorf("RetryWatcher: %q", theirs.seen)
	}
	s := &seen{more: make(chan struct{}, 1)}
	ours := p.ours(t)
	p.arm(expired())
	go func() {
		_ = ours.Watch(t.Context(), configMap(t), kube.WatchOptions{Namespace: ns, Selector: "v"}, s.see)
	}()
	s.await(t, "complete", "complete")
	create(t, admin, "ConfigMap", "metadata: {name: late, namespace: NS, labels: {v: '1'}}", ns)
	s.await(t, "late 1")
}

// TestClientGoDiscoveryRegistersAllKinds: discovery and the typed clients of client-go
// register every built-in kind when the program starts, which kplan has no use for.
func TestClientGoDiscoveryRegistersAllKinds(t *testing.T) {
	t.Parallel()
	const all = "k8s.io/client-go/kubernetes/scheme"
	needs := map[string]bool{
		"k8s.io/client-go/discovery":                true,
		"k8s.io/client-go/kubernetes/typed/core/v1": true,
		"kplan.dev/kplan/cmd/kplan":                 false,
	}
	args := append([]string{"list", "-f", "{{.ImportPath}} {{join .Deps \" \"}}"}, slices.Sorted(maps.Keys(needs))...)
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, deps, _ := strings.Cut(line, " ")
		if got := slices.Contains(strings.Fields(deps), all); got != needs[pkg] {
			t.Errorf("%s needs %s: %v", pkg, all, got)
		}
		delete(needs, pkg)
	}
	if len(needs) > 0 {
		t.Errorf("go list says nothing of %v", needs)
	}
}

// TestClientGoDiscovery: of a group whose server is down, client-go's mapper reports
// that the kind is not there (the discovery client itself reports the group); where
// discovery is not aggregated, it asks for each group version. kplan reports that the
// server is down, and refuses the old server.
func TestClientGoDiscovery(t *testing.T) {
	t.Parallel()
	admin := connect(t)
	ns := namespace(t, admin)
	create(t, admin, "APIService", `
metadata: {name: v1.NS.example.com}
spec: {group: NS.example.com, version: v1, groupPriorityMinimum: 10, versionPriority: 10, insecureSkipTLSVerify: true, service: {name: none, namespace: NS}}`, ns)
	p := newProxy(t)
	theirs, err := discovery.NewDiscoveryClientForConfig(&rest.Config{Host: p.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	ours := p.ours(t)
	eventually(t, func() error {
		ours.Refresh()
		_, err := ours.Lookup("Widget", ns+".example.com/v1")
		if kube.ReasonOf(err) != kube.Unavailable {
			return fmt.Errorf("kplan: %w", err)
		}
		return nil
	})
	if _, _, err = theirs.ServerGroupsAndResources(); !discovery.IsGroupDiscoveryFailedError(err) {
		t.Errorf("the discovery client does not report a group that is down: %v", err)
	}
	groups, err := restmapper.GetAPIGroupResources(theirs)
	if err != nil {
		t.Fatal(err)
	}
	widget := schema.GroupKind{Group: ns + ".example.com", Kind: "Widget"}
	if _, err := restmapper.NewDiscoveryRESTMapper(groups).RESTMapping(widget); !meta.IsNoMatchError(err) {
		t.Errorf("the mapper does not take a kind for deleted whose server is down: %v", err)
	}

	p.arm(func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		r.Header.Set("Accept", "application/json") // as a server that aggregates nothing understands it
		server.ServeHTTP(w, r)
	})
	_, _, _ = theirs.ServerGroupsAndResources()
	if n := p.asked.Load(); n < 20 {
		t.Errorf("client-go asked %d times", n)
	}
	p.arm(p.fault)
	ours.Refresh()
	_, err = ours.Lookup("Pod", "")
	wantReason(t, err, kube.NotKubernetes)
	if n := p.asked.Load(); n > 6 {
		t.Errorf("kplan asked %d times", n)
	}
}
