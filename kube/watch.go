package kube

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kinds"
)

// WatchOptions says which objects of a kind to watch. The zero value is all.
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

// WatchEvent tells of one object, or that all have been told of.
type WatchEvent struct {
	// Object is as it is now or, when it is gone, as it was last seen.
	Object *unstructured.Unstructured
	Gone   bool
	// Complete says that every object there is has been told of, so that one
	// not told of is not there. Object is nil then. It comes again whenever the
	// objects had to be listed anew.
	Complete bool
}

const (
	watchFor     = 5 * time.Minute // then the server is asked for a new stream
	pollEvery    = 2 * time.Second // where RBAC allows to list, but not to watch
	watchBackoff = 200 * time.Millisecond
	watchMost    = 10 * time.Second
	frameLimit   = 64 << 20

	silentStreams = 3 // that break before they tell anything, in a row
)

// Watch lists the objects and follows their changes until ctx ends, and then
// returns nil. Streams that break, expire or fall behind are taken up again; an
// object is told of only when it changed. It returns an error only where going
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
	c         *Cluster
	k         *kinds.Kind
	namespace string
	query     url.Values
	see       func(WatchEvent)
	known     map[addrs.Object]*unstructured.Unstructured
	version   string // up to which resource version known is
	refused   bool   // the credentials were refused, and no stream has begun since
}

func (c *Cluster) watchIn(ctx context.Context, k *kinds.Kind, namespace string, opts WatchOptions, see func(WatchEvent)) error {
	w := &watcher{c: c, k: k, namespace: namespace, see: see, query: url.Values{}, known: map[addrs.Object]*unstructured.Unstructured{}}
	if opts.Selector != "" {
		w.query.Set("labelSelector", opts.Selector)
	}
	if opts.Fields != "" {
		w.query.Set("fieldSelector", opts.Fields)
	}
	if opts.Name != "" {
		w.query.Set("fieldSelector", "metadata.name="+opts.Name)
	}
	for wait := watchBackoff; ctx.Err() == nil; {
		err := w.list(ctx)
		if err == nil {
			wait = watchBackoff
			err = w.follow(ctx)
		}
		switch {
		case ctx.Err() != nil:
		case isExpired(err):
		case isPassing(err):
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

// isPassing says whether a failure is one that a watch waits out.
func isPassing(err error) bool {
	if OutageOf(err) != nil {
		return false
	}
	switch ReasonOf(err) {
	case Unreachable, Unavailable, Timeout, NotKubernetes:
		return true
	}
	return errors.Is(err, errCut)
}

func isExpired(err error) bool {
	e, ok := err.(*Error)
	return ok && e.Status == http.StatusGone
}

// errCut is a stream that broke off.
var errCut = errors.New("the stream broke off")

// list tells of what changed since the last list.
func (w *watcher) list(ctx context.Context) error {
	items, version, err := w.c.pages(ctx, w.k, w.namespace, w.query, whole)
	if err != nil {
		return err
	}
	w.version = version
	there := make(map[addrs.Object]bool, len(items))
	for _, obj := range items {
		there[objectOf(w.k, obj)] = true
		w.tell(obj, false)
	}
	for object, last := range w.known {
		if !there[object] {
			w.tell(last, true)
		}
	}
	w.see(WatchEvent{Complete: true})
	return nil
}

func (w *watcher) tell(obj *unstructured.Unstructured, gone bool) {
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

// follow reads streams until one can't be taken up where the last one ended, or
// several told nothing: behind a proxy that lets no stream through, listing
// again is all there is.
func (w *watcher) follow(ctx context.Context) error {
	silent := 0
	for wait := watchBackoff; ctx.Err() == nil; {
		before := w.version
		err := w.stream(ctx)
		switch {
		case err == nil:
			wait, silent = watchBackoff, 0
			continue // the server ended it in good order
		case ReasonOf(err) == Forbidden, ReasonOf(err) == Denied, statusOf(err) == http.StatusMethodNotAllowed:
			return w.poll(ctx)
		case ReasonOf(err) == Unauthorized && !w.refused:
			w.refused = true // they are renewed now, if they can be
			pause(ctx, wait)
			continue
		case !isPassing(err), errors.Is(err, errSilent): // a list tells sooner than another wait
			return err
		case w.version != before:
			wait, silent = watchBackoff, 0
		default:
			if silent++; silent == silentStreams {
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

// stream reads one stream to its end, which is in good order when it is nil.
func (w *watcher) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := w.request()
	// The server sends the head of its answer at once; the body takes minutes.
	head := time.AfterFunc(w.c.readTime(), func() { cancel(errSilent) })
	res, sent, err := w.c.send(ctx, r)
	if !head.Stop() && context.Cause(ctx) == errSilent {
		if err == nil {
			res.Body.Close()
		}
		return &Error{Op: r.op, Object: r.object, Reason: Timeout, Err: errSilent, Message: "the watch did not begin in time"}
	}
	if err != nil {
		return w.c.noAnswer(ctx, r, answer{sent: sent, err: err})
	}
	defer res.Body.Close()
	w.refused = w.refused && res.StatusCode != http.StatusOK
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, objectLimit))
		return statusError(r, res.StatusCode, body)
	}
	return w.read(r, res.Body)
}

func (w *watcher) request() *request {
	query := maps.Clone(w.query)
	query.Set("watch", "true")
	query.Set("resourceVersion", w.version)
	query.Set("allowWatchBookmarks", "true")
	query.Set("timeoutSeconds", strconv.Itoa(int((watchFor + rand.N(watchFor)).Seconds())))
	return &request{op: "watch", object: w.k.Object(w.namespace, ""), method: http.MethodGet,
		path: resourcePath(w.k, w.namespace, ""), query: query}
}

func (w *watcher) read(r *request, body io.Reader) error {
	frames := &frameReader{from: body}
	dec := json.NewDecoder(frames)
	for {
		frames.left = frameLimit
		var frame struct {
			Type   string          `json:"type"`
			Object json.RawMessage `json:"object"`
		}
		switch err := dec.Decode(&frame); {
		case err == io.EOF:
			return nil
		case err != nil:
			return errCut
		}
		if frame.Type == "ERROR" {
			var st struct{ Code int }
			if err := json.Unmarshal(frame.Object, &st); err != nil || st.Code == 0 {
				return errCut
			}
			return statusError(r, st.Code, frame.Object)
		}
		if err := w.take(frame.Type, frame.Object); err != nil {
			return err
		}
	}
}

func (w *watcher) take(typ string, text []byte) error {
	obj := &unstructured.Unstructured{}
	if err := utiljson.Unmarshal(text, &obj.Object); err != nil || obj.Object == nil {
		return errCut
	}
	w.version = obj.GetResourceVersion()
	switch typ {
	case "ADDED", "MODIFIED":
		w.tell(obj, false)
	case "DELETED":
		w.tell(obj, true)
	}
	return nil
}

// frameReader bounds what is read for one frame.
type frameReader struct {
	from io.Reader
	left int
}

func (f *frameReader) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, errCut
	}
	n, err := f.from.Read(p)
	f.left -= n
	return n, err
}
