// Package informers keeps what the API server reports of the objects that an
// apply waits for. There is one watch per kind, started when the first object of
// the kind is waited for and shared by all who wait, as with client-go's shared
// informers; pods and events, which have no label of the stack, are watched per
// namespace.
package informers

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// Options is what a Set watches.
type Options struct {
	// Selector picks the stack's objects.
	Selector string
	// Namespaces are those that hold the stack's objects, by kind: they are watched
	// one by one where RBAC forbids watching the whole cluster.
	Namespaces map[addrs.GroupKind][]string
	// Keep, when set, reports whether the last state of an object is to be kept
	// after it was deleted.
	Keep func(*unstructured.Unstructured) bool
}

// Set is the informers of one run.
type Set struct {
	ctx     context.Context // ends the watches
	cluster *kube.Cluster
	options Options
	running sync.WaitGroup

	mu        sync.Mutex
	informers map[addrs.Object]*Informer // by kind in a version, those of pods and events by namespace, too
}

// New is a set of informers that run until ctx ends.
func New(ctx context.Context, cluster *kube.Cluster, options Options) *Set {
	return &Set{ctx: ctx, cluster: cluster, options: options, informers: map[addrs.Object]*Informer{}}
}

// Wait returns once all watches have ended, after the context of the set has.
func (s *Set) Wait() { s.running.Wait() }

// View is what is known of one object.
type View struct {
	Live    *unstructured.Unstructured // nil: it does not exist
	Deleted *unstructured.Unstructured // its last state before it was deleted, if that was kept
}

// recheckEvery is how often an object is looked at again that has not changed:
// its pods may have, and time passes.
const recheckEvery = 500 * time.Millisecond

// Until returns once done is true of an object, which is called now, after every
// change and every half second. It returns done's error, that of the watch, or
// the cause of ctx's end.
func (s *Set) Until(ctx context.Context, kind *kinds.Kind, object addrs.Object, done func(View) (bool, error)) error {
	informer := s.Start(kind)
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	for {
		informer.trap.Rethrow()
		view, known, changed, err := informer.look(object.Identity())
		if err != nil {
			return err
		}
		if known {
			if ok, err := done(view); ok || err != nil {
				return err
			}
		}
		select {
		case <-changed:
		case <-recheck.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Start starts watching the stack's objects of a kind, if nobody has yet.
func (s *Set) Start(kind *kinds.Kind) *Informer {
	return s.start(kind, kind.Object("", ""), kube.WatchOptions{Selector: s.options.Selector,
		Namespaces: s.options.Namespaces[kind.GroupKind()]})
}

// Pods watches all pods of a namespace.
func (s *Set) Pods(namespace string) (*Informer, error) {
	return s.startIn(namespace, "Pod", "")
}

// FailedCreates watches the events by which controllers of a namespace report
// that they can't create pods. Not all of them write that into a status.
func (s *Set) FailedCreates(namespace string) (*Informer, error) {
	return s.startIn(namespace, "Event", "reason=FailedCreate")
}

func (s *Set) startIn(namespace, kindName, fieldSelector string) (*Informer, error) {
	kind, err := s.cluster.Lookup(kindName, "v1")
	if err != nil {
		return nil, err
	}
	return s.start(kind, kind.Object(namespace, ""), kube.WatchOptions{Namespace: namespace, Fields: fieldSelector}), nil
}

func (s *Set) start(kind *kinds.Kind, key addrs.Object, options kube.WatchOptions) *Informer {
	s.mu.Lock()
	defer s.mu.Unlock()
	informer := s.informers[key]
	if informer == nil {
		informer = newInformer(s.options.Keep)
		s.informers[key] = informer
		s.running.Go(func() {
			var err error
			defer func() { informer.end(err) }()
			informer.trap.Run(nil, func() {
				err = s.cluster.Watch(s.ctx, kind, options, func(e kube.WatchEvent) { informer.observe(kind, e) })
			})
		})
	}
	return informer
}

// Informer is what one watch has reported.
type Informer struct {
	keep func(*unstructured.Unstructured) bool
	trap graph.Trap

	mu      sync.Mutex
	objects map[addrs.Object]*unstructured.Unstructured
	deleted map[addrs.Object]*unstructured.Unstructured // the last state of those that are kept
	synced  bool                                        // what was not reported does not exist
	failed  error
	waiters map[addrs.Object]chan struct{} // closed when the object changes
}

func newInformer(keep func(*unstructured.Unstructured) bool) *Informer {
	return &Informer{
		keep:    keep,
		objects: map[addrs.Object]*unstructured.Unstructured{},
		deleted: map[addrs.Object]*unstructured.Unstructured{},
		waiters: map[addrs.Object]chan struct{}{},
	}
}

// List is every object that is known now, in no order.
func (i *Informer) List() []*unstructured.Unstructured {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Collect(maps.Values(i.objects))
}

// Synced reports whether all that exists has been reported.
func (i *Informer) Synced() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.synced
}

// WaitForSync returns once all that exists has been reported, the watch has
// failed, or ctx has ended.
func (i *Informer) WaitForSync(ctx context.Context) {
	for {
		_, synced, changed, err := i.look(addrs.Object{}) // which no object is
		if synced || err != nil {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// look returns what is known of an object and a channel that is closed when it
// changes.
func (i *Informer) look(identity addrs.Object) (v View, known bool, changed <-chan struct{}, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.waiters[identity] == nil {
		i.waiters[identity] = make(chan struct{})
	}
	live := i.objects[identity]
	return View{live, i.deleted[identity]}, live != nil || i.synced, i.waiters[identity], i.failed
}

func (i *Informer) observe(kind *kinds.Kind, e kube.WatchEvent) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if e.Complete {
		i.synced = true
		i.wakeAll()
		return
	}
	identity := kind.Object(e.Object.GetNamespace(), e.Object.GetName()).Identity()
	if e.Gone {
		delete(i.objects, identity)
		if i.keep != nil && i.keep(e.Object) {
			i.deleted[identity] = e.Object
		}
	} else {
		i.objects[identity] = e.Object
	}
	if waiter := i.waiters[identity]; waiter != nil {
		close(waiter)
		delete(i.waiters, identity)
	}
}

// end records why a watch has ended, so that nobody waits for it any longer.
func (i *Informer) end(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failed = err
	i.wakeAll()
}

func (i *Informer) wakeAll() {
	for identity, waiter := range i.waiters {
		close(waiter)
		delete(i.waiters, identity)
	}
}
