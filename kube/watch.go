package kube

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kinds"
)

// WatchOptions selects the objects of a kind to watch. The zero value is all.
type WatchOptions struct {
	// Selector picks objects by label, Fields by field.
	Selector, Fields string
	// Namespaces are those to watch one by one when RBAC forbids to watch the
	// whole cluster. When there are none, being forbidden is an error.
	Namespaces []string
	// Namespace and Name, when set, pick the objects of one namespace, or one
	// object.
	Namespace, Name string
}

// WatchEvent reports one object, or that all have been reported.
type WatchEvent struct {
	// Object is as it is now or, when it is gone, as it was last seen.
	Object *unstructured.Unstructured
	Gone   bool
	// Complete means that every object there is has been reported, so that one
	// not reported is not there. Object is nil then. It comes again whenever the
	// objects had to be listed again.
	Complete bool
}

const (
	watchFor     = 5 * time.Minute // then the server is asked for a new stream
	pollEvery    = 2 * time.Second // where RBAC allows to list, but not to watch
	watchBackoff = 200 * time.Millisecond
	watchMost    = 10 * time.Second

	repeatedSilence = 3 // that end before they report anything, in a row
)

// Watch lists the objects and follows their changes until ctx ends, and then
// returns nil. Streams that break, expire or fall behind are resumed; an
// object is reported only when it changed. It returns an error only where going
// on has no use, such as when RBAC allows no list. It calls see from one
// goroutine at a time, and does not return while see runs.
func (c *Cluster) Watch(ctx context.Context, k *kinds.Kind, opts WatchOptions, see func(WatchEvent)) error {
	err := c.watchIn(ctx, k, opts.Namespace, opts, see)
	namespaces := instead(err, k, opts.Namespace, opts.Namespaces)
	if len(namespaces) == 0 {
		return err
	}
	var mu sync.Mutex
	complete := map[string]bool{}
	g, ctx := graph.NewGroup(ctx)
	for _, ns := range namespaces {
		g.Go(func() error {
			return c.watchIn(ctx, k, ns, opts, func(e WatchEvent) {
				mu.Lock()
				defer mu.Unlock()
				if e.Complete {
					if complete[ns] = true; len(complete) < len(namespaces) {
						return
					}
				}
				see(e)
			})
		})
	}
	return g.Wait()
}

// watcher is one watch of one namespace or of all.
type watcher struct {
	client    *client
	k         *kinds.Kind
	namespace string
	query     metav1.ListOptions
	see       func(WatchEvent)
	known     map[addrs.Object]*unstructured.Unstructured
	version   string // up to which resource version known is
	refused   bool   // the credentials were refused, and no stream has begun since
}

func (c *Cluster) watchIn(ctx context.Context, k *kinds.Kind, namespace string, opts WatchOptions, see func(WatchEvent)) error {
	w := &watcher{client: c.client, k: k, namespace: namespace, see: see, known: map[addrs.Object]*unstructured.Unstructured{},
		query: metav1.ListOptions{LabelSelector: opts.Selector, FieldSelector: opts.Fields}}
	if opts.Name != "" {
		w.query.FieldSelector = "metadata.name=" + opts.Name
	}
	for wait := watchBackoff; ctx.Err() == nil; {
		err := w.list(ctx)
		if err == nil {
			wait = watchBackoff
			err = w.follow(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case isExpired(err), isTransient(err):
			pause(ctx, wait)
			wait = min(wait*2, watchMost)
		default:
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d + rand.N(d/4+1))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// isTransient reports whether a failure is one that a watch waits out.
func isTransient(err error) bool {
	if OutageOf(err) != nil {
		return false
	}
	switch ReasonOf(err) {
	case Unreachable, Unavailable, Timeout, NotKubernetes:
		return true
	}
	return errors.Is(err, errStreamClosed)
}

func isExpired(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Status == http.StatusGone
}

// errStreamClosed is a stream that broke off.
var errStreamClosed = errors.New("the stream broke off")

// list reports what changed since the last list.
func (w *watcher) list(ctx context.Context) error {
	items, version, err := w.client.pages(ctx, w.k, w.namespace, w.query, whole)
	if err != nil {
		return err
	}
	w.version = version
	there := make(map[addrs.Object]bool, len(items))
	for _, obj := range items {
		there[objectOf(w.k, obj)] = true
		w.report(obj, false)
	}
	for object, last := range w.known {
		if !there[object] {
			w.report(last, true)
		}
	}
	w.see(WatchEvent{Complete: true})
	return nil
}

func (w *watcher) report(obj *unstructured.Unstructured, gone bool) {
	object := objectOf(w.k, obj)
	if gone {
		delete(w.known, object)
		w.see(WatchEvent{Object: obj, Gone: true})
		return
	}
	last := w.known[object]
	if last != nil && last.GetResourceVersion() == obj.GetResourceVersion() {
		return
	}
	w.known[object] = obj
	if last != nil && last.GetUID() != obj.GetUID() {
		w.see(WatchEvent{Object: last, Gone: true})
	}
	w.see(WatchEvent{Object: obj})
}

// follow reads streams until one can't be resumed where the last one ended, or
// several reported nothing: behind a proxy that lets no stream through, listing
// again is all there is.
func (w *watcher) follow(ctx context.Context) error {
	silent := 0
	for wait := watchBackoff; ctx.Err() == nil; {
		before := w.version
		err := w.stream(ctx)
		switch {
		case ReasonOf(err) == Forbidden, ReasonOf(err) == Denied, statusOf(err) == http.StatusMethodNotAllowed:
			return w.poll(ctx)
		case ReasonOf(err) == Unauthorized && !w.refused:
			w.refused = true // they are renewed now, if they can be
			pause(ctx, wait)
			continue
		case !isTransient(err), errors.Is(err, errNoResponse): // a list shows it sooner than another wait
			return err
		case w.version != before:
			wait, silent = watchBackoff, 0
		default:
			if silent++; silent == repeatedSilence {
				return err
			}
		}
		pause(ctx, wait)
		wait = min(wait*2, watchMost)
	}
	return nil
}

func statusOf(err error) int {
	if e, ok := err.(*Error); ok {
		return e.Status
	}
	return 0
}

func (w *watcher) poll(ctx context.Context) error {
	for ctx.Err() == nil {
		pause(ctx, pollEvery)
		if err := w.list(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stream reads one stream to its end. That is errCut whether the server ended it in
// good order or not, since client-go reports both alike.
func (w *watcher) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := w.request()
	ans := &answer{of: r}
	// The server sends the head of its answer at once; the body takes minutes.
	head := time.AfterFunc(w.client.timeout.read(), func() { cancel(errNoResponse) })
	events, err := r.ask.Watch(ans.in(ctx))
	if events != nil {
		defer events.Stop()
	}
	if !head.Stop() && context.Cause(ctx) == errNoResponse {
		return &Error{Op: r.op, Object: r.object, Reason: Timeout, Err: errNoResponse, Message: "the watch did not begin in time"}
	}
	w.refused = w.refused && !ans.succeeded()
	switch {
	case err == nil: // a connection that was cut before the answer gives no events and no error
	case ans.succeeded():
		return undecodable(r, ans, err)
	default:
		if ans.status == 0 {
			ans.err = err
		}
		return w.client.failureOf(ctx, r, ans)
	}
	w.client.trace.Log.Debug("watch", "path", r.path, "status", ans.status)
	for event := range events.ResultChan() {
		if err := w.take(r, event); err != nil {
			w.logEnd(ctx, r, err)
			return err
		}
	}
	w.logEnd(ctx, r, errStreamClosed)
	return errStreamClosed
}

// logEnd logs why a stream ended, if nobody wanted it to.
func (w *watcher) logEnd(ctx context.Context, r *request, err error) {
	if ctx.Err() == nil {
		w.client.trace.Log.Debug("watch ended", "path", r.path, "because", err)
	}
}

func (w *watcher) request() *request {
	query := w.query
	seconds := int64((watchFor + rand.N(watchFor)).Seconds())
	query.Watch, query.AllowWatchBookmarks, query.ResourceVersion, query.TimeoutSeconds = true, true, w.version, &seconds
	r := w.client.about("watch", http.MethodGet, w.k, w.namespace, "")
	r.ask.SpecificallyVersionedParams(&query, metav1.ParameterCodec, metav1.Unversioned)
	return r
}

func (w *watcher) take(r *request, event watch.Event) error {
	if event.Type == watch.Error {
		st, ok := event.Object.(*metav1.Status)
		if !ok || st.Code == 0 {
			return errStreamClosed
		}
		return refusal(r, int(st.Code), st)
	}
	obj, ok := event.Object.(*unstructured.Unstructured)
	if !ok {
		return errStreamClosed
	}
	w.version = obj.GetResourceVersion()
	switch event.Type {
	case watch.Added, watch.Modified:
		w.report(obj, false)
	case watch.Deleted:
		w.report(obj, true)
	}
	return nil
}
