package apply

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// observer sees what becomes of the stack's objects. One watch per kind, begun
// when the first object of the kind is waited for, serves all who wait.
type observer struct {
	ctx      context.Context // ends the watches
	cluster  *kube.Cluster
	selector string
	// namespaces are those where the plan has objects, by kind: they are watched
	// one by one where RBAC forbids to watch the whole cluster.
	namespaces map[addrs.GroupKind][]string
	running    sync.WaitGroup

	mu      sync.Mutex
	streams map[addrs.Object]*stream // by kind in a version, those of pods by namespace
}

// view is what is known of one object.
type view struct {
	live  *unstructured.Unstructured // nil: it is not there
	ended *unstructured.Unstructured // a Job that had ended when it went, as it was then
}

func newObserver(ctx context.Context, cluster *kube.Cluster, p *plan.Plan, selector string) *observer {
	o := &observer{
		ctx: ctx, cluster: cluster, selector: selector,
		namespaces: map[addrs.GroupKind][]string{},
		streams:    map[addrs.Object]*stream{},
	}
	for _, c := range p.Changes {
		if c.Object.Namespace != "" {
			kind := c.Object.GroupKind()
			o.namespaces[kind] = append(o.namespaces[kind], c.Object.Namespace)
		}
	}
	return o
}

// wait returns when the watches have ended, after their context has.
func (o *observer) wait() { o.running.Wait() }

// recheckEvery is how often an object is looked at again that has not changed:
// its pods may have, and time passes.
const recheckEvery = 500 * time.Millisecond

// until returns when done says so about the object, which it is asked now, after
// every change and every half second. It returns done's error, that of the watch, ctx's, or
// notStarted when stop is closed.
func (o *observer) until(ctx context.Context, kind *kinds.Kind, object addrs.Object, stop <-chan struct{}, done func(view) (bool, error)) error {
	s := o.stream(kind)
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	for {
		s.trap.Rethrow()
		v, known, changed, err := s.look(object.Identity())
		if err != nil {
			return err
		}
		if known {
			if ok, err := done(v); ok || err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-recheck.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-stop:
			return notStarted{}
		}
	}
}

// stream is the watch of the stack's objects of a kind.
func (o *observer) stream(kind *kinds.Kind) *stream {
	options := kube.WatchOptions{Selector: o.selector, Namespaces: o.namespaces[kind.GroupKind()]}
	return o.begin(kind, kind.Object("", ""), options)
}

// pods is the watch of all pods of a namespace. Those that a controller made
// bear no label of ours.
func (o *observer) pods(namespace string) (*stream, error) {
	kind, err := o.cluster.Lookup("Pod", "v1")
	if err != nil {
		return nil, err
	}
	return o.begin(kind, kind.Object(namespace, ""), kube.WatchOptions{Namespace: namespace}), nil
}

// refusals is the watch of what controllers of a namespace said of pods that
// they may not make. Not all of them write it in their objects' status.
func (o *observer) refusals(namespace string) (*stream, error) {
	kind, err := o.cluster.Lookup("Event", "v1")
	if err != nil {
		return nil, err
	}
	return o.begin(kind, kind.Object(namespace, ""), kube.WatchOptions{Namespace: namespace, Fields: "reason=FailedCreate"}), nil
}

func (o *observer) begin(kind *kinds.Kind, key addrs.Object, options kube.WatchOptions) *stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.streams[key]
	if s == nil {
		s = &stream{objects: map[addrs.Object]*unstructured.Unstructured{}, ended: map[addrs.Object]*unstructured.Unstructured{}, waiters: map[addrs.Object]chan struct{}{}}
		o.streams[key] = s
		o.running.Go(func() {
			var err error
			defer func() { s.end(err) }()
			s.trap.Run(nil, func() {
				err = o.cluster.Watch(o.ctx, kind, options, func(e kube.WatchEvent) { s.see(kind, e) })
			})
		})
	}
	return s
}

// stream is what one watch has told.
type stream struct {
	mu       sync.Mutex
	objects  map[addrs.Object]*unstructured.Unstructured
	ended    map[addrs.Object]*unstructured.Unstructured // Jobs that had ended when they went
	complete bool                                        // an object that was not told of is not there
	failed   error
	waiters  map[addrs.Object]chan struct{} // closed when something is told of the object
	trap     graph.Trap
}

// look returns what is known of an object and a channel that is closed when
// something new is.
func (s *stream) look(identity addrs.Object) (v view, known bool, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiters[identity] == nil {
		s.waiters[identity] = make(chan struct{})
	}
	live := s.objects[identity]
	return view{live, s.ended[identity]}, live != nil || s.complete, s.waiters[identity], s.failed
}

// all is every object that is known now, in no order.
func (s *stream) all() []*unstructured.Unstructured {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.objects))
}

// byName orders objects of one namespace.
func byName(a, b *unstructured.Unstructured) int { return strings.Compare(a.GetName(), b.GetName()) }

// waitComplete returns when all there is has been told of, or never will be.
func (s *stream) waitComplete(ctx context.Context) {
	for {
		_, complete, changed, err := s.look(addrs.Object{}) // which is not there
		if complete || err != nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

func (s *stream) see(kind *kinds.Kind, e kube.WatchEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Complete {
		s.complete = true
		s.wake()
		return
	}
	identity := kind.Object(e.Object.GetNamespace(), e.Object.GetName()).Identity()
	if e.Gone {
		delete(s.objects, identity)
		if hasEnded(e.Object) {
			s.ended[identity] = e.Object
		}
	} else {
		s.objects[identity] = e.Object
	}
	if waiter := s.waiters[identity]; waiter != nil {
		close(waiter)
		delete(s.waiters, identity)
	}
}

// end records why a watch is over, so that nobody waits for it any longer.
func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
	s.wake()
}

func (s *stream) wake() {
	for identity, waiter := range s.waiters {
		close(waiter)
		delete(s.waiters, identity)
	}
}
