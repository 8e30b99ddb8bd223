package kube_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/kube"
)

// seen collects what a watch reports.
type seen struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func (s *seen) see(e kube.WatchEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Complete:
		s.lines = append(s.lines, "complete")
	case e.Gone:
		s.lines = append(s.lines, "gone "+e.Object.GetName())
	default:
		s.lines = append(s.lines, fmt.Sprintf("%s %s", e.Object.GetName(), e.Object.GetLabels()["v"]))
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

// await waits until the last lines are as expected.
func (s *seen) await(t *testing.T, want ...string) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		s.mu.Lock()
		ok := len(s.lines) >= len(want) && slices.Equal(s.lines[len(s.lines)-len(want):], want)
		lines := slices.Clone(s.lines)
		s.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-s.more:
		case <-deadline:
			t.Fatalf("saw %q, want %q at the end", lines, want)
		}
	}
}

func watch(t *testing.T, c *kube.Cluster, opts kube.WatchOptions) (*seen, func() error) {
	t.Helper()
	s := &seen{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Watch(ctx, configMap(t), opts, s.see) }()
	return s, func() error { cancel(); return <-done }
}

func TestWatch(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := configMap(t)
	put := func(name, v string) {
		t.Helper()
		obj := manifest(t, fmt.Sprintf("metadata: {name: %s, namespace: %s, labels: {watched: %s, v: %q}}", name, ns, ns, v))
		if _, err := c.Apply(t.Context(), k, obj, kube.ApplyOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "1")
	create(t, c, "ConfigMap", "metadata: {name: other, namespace: NS}", ns)
	s, stop := watch(t, c, kube.WatchOptions{Selector: "watched=" + ns})
	s.await(t, "a 1", "complete")
	put("b", "1")
	s.await(t, "a 1", "complete", "b 1")
	put("b", "2")
	s.await(t, "b 1", "b 2")
	live, err := c.Get(t.Context(), k, ns, "a")
	if err != nil {
		t.Fatal(err)
	}
	remove(t, c, live)
	s.await(t, "b 2", "gone a")
	if err := stop(); err != nil {
		t.Error(err)
	}

	one, stop := watch(t, c, kube.WatchOptions{Namespace: ns, Name: "b"})
	one.await(t, "b 2", "complete")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestWatchWithLessRights watches with rights in one namespace only, and where
// listing is allowed but watching is not.
func TestWatchWithLessRights(t *testing.T) {
	t.Parallel()
	c := connect(t)
	ns := namespace(t, c)
	for name, verbs := range map[string]string{"watcher": "get, list, watch", "lister": "get, list"} {
		create(t, c, "Role", fmt.Sprintf(`metadata: {name: %s, namespace: NS}
rules: [{apiGroups: [''], resources: [configmaps], verbs: [%s]}]`, name, verbs), ns)
		create(t, c, "RoleBinding", fmt.Sprintf(`
metadata: {name: %s, namespace: NS}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: %[1]s}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %[1]s-of-NS}]`, name), ns)
	}
	for _, user := range []string{"watcher", "lister"} {
		t.Run(user, func(t *testing.T) {
			limited := connect(t, func(o *kube.Options) { o.Auth.ImpersonateUser = user + "-of-" + ns })
			err := limited.Watch(t.Context(), configMap(t), kube.WatchOptions{}, func(kube.WatchEvent) {})
			wantReason(t, err, kube.Forbidden)
			s, stop := watch(t, limited, kube.WatchOptions{Namespaces: []string{ns}, Selector: "v"})
			s.await(t, "complete")
			live := create(t, c, "ConfigMap", "metadata: {name: "+user+", namespace: NS, labels: {v: '1'}}", ns)
			if user == "watcher" {
				s.await(t, "complete", user+" 1")
			} else {
				s.await(t, user+" 1", "complete")
			}
			remove(t, c, live)
			if user == "watcher" {
				s.await(t, "gone "+user)
			} else {
				s.await(t, "gone "+user, "complete")
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWatchResumes breaks streams in every way and checks that no change is
// lost and none is reported twice.
func TestWatchResumes(t *testing.T) {
	t.Parallel()
	object := func(name, version string) string {
		return fmt.Sprintf(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":%q,"namespace":"n","uid":%q,"resourceVersion":%q,"labels":{"v":%[3]q}}}`, name, name, version)
	}
	frame := func(typ, object string) string { return fmt.Sprintf(`{"type":%q,"object":%s}`+"\n", typ, object) }
	list := func(version, items string) http.HandlerFunc {
		return says(200, fmt.Sprintf(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":%q},"items":[%s]}`, version, items))
	}
	lists := &script{steps: []http.HandlerFunc{
		list("1", object("a", "1")),
		hangUp,
		list("7", object("a", "2")+","+object("c", "7")),
		list("9", object("a", "2")+","+object("c", "7")),
	}}
	streams := &script{steps: []http.HandlerFunc{
		says(200, frame("MODIFIED", object("a", "2"))),                // ends in good order
		says(200, frame("ADDED", object("b", "3"))+`{"type":"ADDED"`), // cut within a frame
		hangUp,
		says(200, frame("BOOKMARK", object("", "4"))),
		status(503, "ServiceUnavailable", "not now"),
		says(200, frame("ERROR", `{"kind":"Status","apiVersion":"v1","code":410,"reason":"Expired","message":"too old resource version"}`)),
		says(200, "garbage"),
		status(410, "Expired", "too old"),
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, frame("DELETED", object("c", "10")))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	}}
	var mu sync.Mutex
	var versions []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" {
			lists.ServeHTTP(w, r)
			return
		}
		mu.Lock()
		versions = append(versions, r.URL.Query().Get("resourceVersion"))
		mu.Unlock()
		streams.ServeHTTP(w, r)
	})
	s, stop := watch(t, c, kube.WatchOptions{})
	s.await(t, "a 1", "complete", "a 2", "b 3", "c 7", "gone b", "complete", "complete", "gone c")
	if err := stop(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"1", "2", "3", "3", "4", "4", "7", "7", "9"}; !slices.Equal(versions, want) {
		t.Errorf("streams began at %q, want %q", versions, want)
	}
}

// TestWatchBehindSilence watches through something that takes a request for a
// stream and sends nothing, such as a proxy that waits for the end of an answer:
// what happens is then learnt from lists.
func TestWatchBehindSilence(t *testing.T) {
	t.Parallel()
	list := func(version string) http.HandlerFunc {
		return says(200, fmt.Sprintf(`{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":%q},"items":[
			{"metadata":{"name":"a","namespace":"n","uid":"u","resourceVersion":%[1]q,"labels":{"v":%[1]q}}}]}`, version))
	}
	lists := &script{steps: []http.HandlerFunc{list("1"), list("2"), list("3")}}
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" {
			lists.ServeHTTP(w, r)
			return
		}
		<-r.Context().Done()
	}, func(o *kube.Options) { o.RequestTimeout = 600 * time.Millisecond })
	s, stop := watch(t, c, kube.WatchOptions{})
	s.await(t, "a 1", "complete", "a 2", "complete", "a 3", "complete")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestWatchEndsWithServer watches a server that goes away for good.
func TestWatchEndsWithServer(t *testing.T) {
	t.Parallel()
	var gone atomic.Bool
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() || r.URL.Query().Get("watch") != "" {
			<-r.Context().Done()
			return
		}
		says(200, `{"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}`)(w, r)
	}, func(o *kube.Options) { o.RequestTimeout = 600 * time.Millisecond })
	ended := make(chan error, 1)
	s := &seen{more: make(chan struct{}, 1)}
	go func() { ended <- c.Watch(t.Context(), configMap(t), kube.WatchOptions{}, s.see) }()
	s.await(t, "complete")
	gone.Store(true)
	select {
	case err := <-ended:
		if kube.OutageOf(err) == nil {
			t.Errorf("it ended with %v, which does not say that the server is gone", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it goes on watching a server that is gone")
	}
}
