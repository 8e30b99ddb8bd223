package kube_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// These tests are about HTTP: lost answers, garbage, waiting. The server here
// does not play Kubernetes; it gives the answers that the test sets.

const theNamespace = `{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":"the-uid"}}`

const theConfigMap = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":"7"}}`

// serve connects to a server that answers all but the first request with h.
func serve(t *testing.T, h http.HandlerFunc, change ...func(*kube.Options)) *kube.Cluster {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/kube-system") {
			fmt.Fprint(w, theNamespace)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	opts := kube.Options{Auth: auth.Options{Host: srv.URL}}
	for _, f := range change {
		f(&opts)
	}
	c, err := kube.Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if uid, err := c.Identity(t.Context()); uid != "the-uid" || err != nil {
		t.Fatalf("identity %q, %v", uid, err)
	}
	return c
}

// script answers with one step after the other, the last one again and again.
type script struct {
	steps []http.HandlerFunc
	n     atomic.Int32
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.n.Add(1)) - 1
	s.steps[min(n, len(s.steps)-1)](w, r)
}

func says(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

func status(code int, reason, message string, headers ...string) http.HandlerFunc {
	body, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
		"message": message})
	if err != nil {
		panic(err)
	}
	return says(code, string(body), append(headers, "Content-Type", "application/json")...)
}

func hangUp(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

var (
	fine         = says(200, theConfigMap)
	busy         = status(429, "TooManyRequests", "too many requests", "Retry-After", "0")
	stale        = status(409, "Conflict", "the object has been modified")
	typedError   = status(500, "", "failed to create typed patch object (n/a; /v1, Kind=ConfigMap): .x: field not declared in schema")
	serverGaveUp = status(500, "ServerTimeout", "The POST operation could not be completed at this time, please try again.")
	down         = status(503, "ServiceUnavailable", "the server is currently unable to handle the request")
	notFound     = says(404, `{"kind":"Status","apiVersion":"v1","code":404,"reason":"NotFound","message":"gone","details":{"name":"a","kind":"configmaps"}}`)
)

func builtin(kind string) (*kinds.Kind, error) { return kinds.Builtin().Lookup(kind, "") }

func configMap(t testing.TB) *kinds.Kind {
	k, err := builtin("ConfigMap")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRetries(t *testing.T) {
	obj := map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}}
	type call func(c *kube.Cluster, k *kinds.Kind) error
	get := func(c *kube.Cluster, k *kinds.Kind) error { _, err := c.Get(t.Context(), k, "n", "a"); return err }
	makeIt := func(c *kube.Cluster, k *kinds.Kind) error { _, err := c.Create(t.Context(), k, obj); return err }
	dryMake := func(c *kube.Cluster, k *kinds.Kind) error { _, err := c.DryRunCreate(t.Context(), k, obj); return err }
	apply := func(c *kube.Cluster, k *kinds.Kind) error {
		_, err := c.Apply(t.Context(), k, obj, kube.ApplyOptions{UID: "u", ResourceVersion: "6"})
		return err
	}
	remove := func(c *kube.Cluster, k *kinds.Kind) error {
		return c.Delete(t.Context(), k, "n", "a", kube.DeleteOptions{UID: "u"})
	}
	const none = kube.Reason(255)
	garbage, page := says(200, "<html>"), says(200, `{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"b","namespace":"n"}}`)
	gateway, proxyDown := says(502, "<h1>Bad Gateway</h1>"), says(503, "no upstream")
	for _, test := range []struct {
		name  string
		call  call
		steps []http.HandlerFunc
		want  kube.Reason
		asked int
	}{
		{"get, busy", get, []http.HandlerFunc{busy, busy, fine}, none, 3},
		{"create, busy", makeIt, []http.HandlerFunc{busy, busy, fine}, none, 3},
		{"get, no answer", get, []http.HandlerFunc{hangUp, hangUp, fine}, none, 3},
		{"create, no answer", makeIt, []http.HandlerFunc{hangUp, fine}, kube.OutcomeUnknown, 1},
		{"dry-run create, no answer", dryMake, []http.HandlerFunc{hangUp, fine}, none, 2},
		{"apply, no answer", apply, []http.HandlerFunc{hangUp, fine}, none, 2},
		{"apply, no answer, then stale", apply, []http.HandlerFunc{hangUp, stale}, kube.OutcomeUnknown, 2},
		{"apply, no answer, then down", apply, []http.HandlerFunc{hangUp, down}, kube.OutcomeUnknown, 6},
		{"delete, no answer, then gone", remove, []http.HandlerFunc{hangUp, notFound}, kube.NotFound, 2},
		{"apply, stale", apply, []http.HandlerFunc{stale}, kube.ResourceVersionChanged, 1},
		{"create, exists", makeIt, []http.HandlerFunc{stale}, kube.AlreadyExists, 1},
		{"create, misfit", makeIt, []http.HandlerFunc{typedError}, kube.SchemaRejected, 1},
		{"create, storage", makeIt, []http.HandlerFunc{serverGaveUp, fine}, kube.OutcomeUnknown, 1},
		{"get, storage", get, []http.HandlerFunc{serverGaveUp, fine}, none, 2},
		{"create, server down", makeIt, []http.HandlerFunc{down, fine}, none, 2},
		{"create, proxy down", makeIt, []http.HandlerFunc{proxyDown, fine}, kube.OutcomeUnknown, 1},
		{"create, bad gateway", makeIt, []http.HandlerFunc{gateway, fine}, kube.OutcomeUnknown, 1},
		{"get, bad gateway", get, []http.HandlerFunc{gateway, fine}, none, 2},
		{"get, garbage", get, []http.HandlerFunc{garbage, fine}, none, 2},
		{"get, always garbage", get, []http.HandlerFunc{garbage}, kube.NotKubernetes, 3},
		{"create, garbage", makeIt, []http.HandlerFunc{garbage}, kube.OutcomeUnknown, 1},
		{"get, another object", get, []http.HandlerFunc{page, fine}, none, 2},
		{"dry-run unsupported", dryMake, []http.HandlerFunc{status(400, "BadRequest", `admission webhook "a.example.com" does not support dry run`)}, kube.DryRunUnsupported, 1},
		{"not there", get, []http.HandlerFunc{says(404, "404 page not found")}, kube.NotServed, 1},
		{"token expired", get, []http.HandlerFunc{status(401, "Unauthorized", "Unauthorized")}, kube.Unauthorized, 3},
		{"token checked by what stumbles", makeIt, []http.HandlerFunc{status(401, "Unauthorized", "Unauthorized"), fine}, none, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &script{steps: test.steps}
			err := test.call(serve(t, s.ServeHTTP), configMap(t))
			if test.want == none {
				if err != nil {
					t.Error(err)
				}
			} else {
				wantReason(t, err, test.want)
			}
			if asked := int(s.n.Load()); asked != test.asked {
				t.Errorf("asked %d times, want %d (%v)", asked, test.asked, err)
			}
		})
	}
}

// TestCutAnswers cuts a good answer at every byte.
func TestCutAnswers(t *testing.T) {
	var cut atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := int(cut.Load())
		w.Header().Set("Content-Length", fmt.Sprint(len(theConfigMap)))
		fmt.Fprint(w, theConfigMap[:n])
		w.(http.Flusher).Flush()
		if n < len(theConfigMap) {
			panic(http.ErrAbortHandler)
		}
	})
	obj := map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}}
	for n := range len(theConfigMap) {
		cut.Store(int32(n))
		_, err := c.Create(t.Context(), configMap(t), obj)
		wantReason(t, err, kube.OutcomeUnknown)
	}
	cut.Store(int32(len(theConfigMap)))
	if _, err := c.Create(t.Context(), configMap(t), obj); err != nil {
		t.Error(err)
	}
}

func TestRetryAfterIsRespected(t *testing.T) {
	t.Parallel()
	s := &script{steps: []http.HandlerFunc{status(429, "TooManyRequests", "wait", "Retry-After", "1"), fine}}
	c := serve(t, s.ServeHTTP)
	start := time.Now()
	if _, err := c.Get(t.Context(), configMap(t), "n", "a"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("asked again after %s", took)
	}
	// A caller that can't wait that long gets the answer, not "deadline exceeded".
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	s = &script{steps: []http.HandlerFunc{status(429, "TooManyRequests", "wait", "Retry-After", "30")}}
	c = serve(t, s.ServeHTTP)
	_, err := c.Get(ctx, configMap(t), "n", "a")
	wantReason(t, err, kube.Unavailable)
}

func TestInterruption(t *testing.T) {
	release := make(chan struct{})
	var once sync.Once
	arrived := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(arrived) })
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	t.Cleanup(func() { close(release) })
	obj := map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}}

	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := c.Create(ctx, configMap(t), obj)
	wantReason(t, err, kube.OutcomeUnknown)

	_, err = c.Create(ctx, configMap(t), obj)
	if !errors.Is(wantReason(t, err, kube.Other), context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Get(ctx, configMap(t), "n", "a")
	wantReason(t, err, kube.Timeout)
}

func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		func(o *kube.Options) { o.RequestTimeout = time.Second })
	_, err := c.Get(t.Context(), configMap(t), "n", "a")
	wantReason(t, err, kube.Timeout)
}

func TestServerComesBack(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	srv := &http.Server{Handler: says(200, theNamespace)}
	go srv.Serve(l)
	c, err := kube.Connect(t.Context(), kube.Options{Auth: auth.Options{Host: "http://" + address}})
	if err != nil {
		t.Fatal(err)
	}
	srv.Close()
	time.Sleep(100 * time.Millisecond) // until the client sees that its connection is closed
	back := &http.Server{Handler: fine}
	t.Cleanup(func() { back.Close() })
	go func() {
		time.Sleep(700 * time.Millisecond)
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		back.Serve(l)
	}()
	if _, err := c.Create(t.Context(), configMap(t), map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}}); err != nil {
		t.Error(err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { followed.Store(true) }))
	t.Cleanup(other.Close)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	_, err := c.Get(t.Context(), configMap(t), "n", "a")
	wantReason(t, err, kube.NotKubernetes)
	if followed.Load() {
		t.Error("the redirect was followed")
	}
}

func TestWarningsComeOnce(t *testing.T) {
	var got []string
	var mu sync.Mutex
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Warning", `299 - "v1 ComponentStatus is deprecated"`)
		w.Header().Add("Warning", `299 - "other \"quoted\""`)
		w.Header().Add("Warning", `nonsense`)
		fine(w, r)
	}, func(o *kube.Options) {
		o.Warn = func(about addrs.Object, text string) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, about.Name+": "+text)
		}
	})
	for range 3 {
		if _, err := c.Get(t.Context(), configMap(t), "n", "a"); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"a: v1 ComponentStatus is deprecated", `a: other "quoted"`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestParallelismIsBounded(t *testing.T) {
	var now, most atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		fine(w, r)
	}, func(o *kube.Options) { o.Parallelism = 3 })
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), configMap(t), "n", "a"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 3 {
		t.Errorf("%d at once, want 3", most.Load())
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	item := func(name string) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": name, "namespace": "n"}}
	}
	page := func(next string, names ...string) string {
		items := []any{}
		for _, n := range names {
			items = append(items, item(n))
		}
		text, _ := json.Marshal(map[string]any{"kind": "ConfigMapList", "apiVersion": "v1",
			"metadata": map[string]any{"continue": next, "resourceVersion": "9"}, "items": items})
		return string(text)
	}
	var expired atomic.Bool
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); {
		case q.Get("limit") == "":
			t.Error("no limit")
		case q.Get("continue") == "":
			fmt.Fprint(w, page("one", "a", "b"))
		case expired.CompareAndSwap(false, true):
			status(410, "Expired", "The provided continue parameter is too old")(w, r)
		default:
			fmt.Fprint(w, page("", "c"))
		}
	})
	found, err := c.List(t.Context(), configMap(t), kube.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, o := range found {
		names = append(names, o.GetAPIVersion()+" "+o.GetKind()+" "+o.GetName())
	}
	if want := []string{"v1 ConfigMap a", "v1 ConfigMap b", "v1 ConfigMap c"}; !slices.Equal(names, want) {
		t.Errorf("got %q", names)
	}

	// An answer that is no list must not read as "there is nothing".
	for _, body := range []string{`{}`, `{"kind":"ConfigMapList","apiVersion":"v1","items":null}`, `{"kind":"SecretList","apiVersion":"v1","items":[]}`} {
		c := serve(t, says(200, body))
		found, err := c.List(t.Context(), configMap(t), kube.ListOptions{})
		wantReason(t, err, kube.NotKubernetes)
		if found != nil {
			t.Error(found)
		}
	}
}
