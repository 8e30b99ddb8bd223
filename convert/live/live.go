// Package live reads what runs in a cluster as objects to convert: what people and the tools that deploy have set
// of it, and not what the server and its controllers have filled in. It changes nothing.
package live

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// Query is what to read.
type Query struct {
	// Namespace is where, and Selector picks objects by label; "" for all.
	Namespace, Selector string
	// Objects are kinds, as "Deployment", or single objects, as "Deployment/web". Without any it is
	// all that is in the namespace, and the Namespace itself.
	Objects []string
	// Only, when not nil, is what to read instead: of all that another tool has recorded.
	Only *Record
}

// Record is what another tool has recorded of the objects that it manages.
type Record struct {
	// References name objects. One that is not in the cluster is left out.
	References []Reference
	// Kinds are those whose objects have Selector, in any namespace; nil for all kinds.
	Kinds    []addrs.GroupKind
	Selector string
	// Left is what is in the record and can't be read.
	Left []Left
}

// Reference names an object. Namespace says nothing where its kind has none.
type Reference struct{ APIVersion, Kind, Namespace, Name string }

func (r Reference) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Found is what a cluster has.
type Found struct {
	Objects []Object // by kind, in the order in which kinds depend on each other, and name
	Left    []Left
}

// Object is an object as somebody wants it.
type Object struct {
	Kind   *kinds.Kind
	ID     addrs.Object
	Fields map[string]any // in JSON form
}

// Left is an object that is left out, or several of a kind, and why.
type Left struct{ What, Why string }

// Read reads the objects that a query asks for. An error is one of kube, or that there is no such kind.
func Read(ctx context.Context, c *kube.Cluster, q Query) (*Found, error) {
	r := &reader{cluster: c, query: q, seen: map[addrs.Object]bool{}}
	ask, err := r.wanted(ctx)
	if err != nil {
		return nil, err
	}
	g, ctx := graph.NewGroup(ctx)
	for _, w := range ask {
		g.Go(func() error { return r.read(ctx, w) })
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(r.found.Objects, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Kind.Rank(), b.Kind.Rank()), a.ID.Compare(b.ID))
	})
	slices.SortFunc(r.found.Left, func(a, b Left) int { return cmp.Or(strings.Compare(a.Why, b.Why), strings.Compare(a.What, b.What)) })
	return &r.found, nil
}

// wanted is a kind of which all objects are read, or the one with a name.
type wanted struct {
	kind                      *kinds.Kind
	namespace, selector, name string
	optional                  bool // it is no error that it can't be read
	recorded                  bool // to be absent is remarkable
}

// NamespaceError is the error of an object that needs a namespace when none was given.
type NamespaceError struct{ Object string }

func (e *NamespaceError) Error() string {
	return fmt.Sprintf("%s is in a namespace, and none was given", e.Object)
}

type reader struct {
	cluster *kube.Cluster
	query   Query

	mu    sync.Mutex
	found Found
	seen  map[addrs.Object]bool // arguments may overlap
}

// wanted are the kinds and objects that the query means.
func (r *reader) wanted(ctx context.Context) ([]wanted, error) {
	if r.query.Only != nil {
		return r.recorded(ctx, r.query.Only)
	}
	var all []wanted
	add := func(w wanted) {
		if w.selector = r.query.Selector; w.kind.Namespaced {
			w.namespace = r.query.Namespace
		}
		all = append(all, w)
	}
	for _, text := range r.query.Objects {
		kind, name, _ := strings.Cut(text, "/")
		k, err := r.cluster.LookupAnew(ctx, kind, "")
		if err != nil {
			return nil, err
		}
		if k.Namespaced && name != "" && r.query.Namespace == "" {
			return nil, &NamespaceError{text}
		}
		add(wanted{kind: k, name: name})
	}
	if len(all) > 0 {
		return all, nil
	}
	served, err := r.cluster.ListableKinds(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range served {
		if k.Namespaced && !kinds.IsTransient(k.Name) && !isMachinery(k) {
			add(wanted{kind: k, optional: true})
		}
	}
	if r.query.Selector == "" {
		namespaces, err := r.cluster.Lookup(kinds.Namespace.Kind, "v1")
		if err != nil {
			return nil, err
		}
		add(wanted{kind: namespaces, name: r.query.Namespace, optional: true})
	}
	return all, nil
}

// recorded are the objects that another tool has recorded, and those of its kinds.
func (r *reader) recorded(ctx context.Context, record *Record) ([]wanted, error) {
	r.found.Left = slices.Clone(record.Left)
	var all []wanted
	for _, ref := range record.References {
		k, err := r.cluster.LookupAnew(ctx, ref.Kind, ref.APIVersion)
		var unknown *kinds.UnknownError
		switch {
		case errors.As(err, &unknown):
			r.leave(ref.String(), strings.TrimSuffix("the cluster does not serve its kind in "+ref.APIVersion, " in "))
			continue
		case err != nil:
			return nil, err
		}
		w := wanted{kind: k, name: ref.Name, optional: true, recorded: true}
		if k.Namespaced {
			w.namespace = cmp.Or(ref.Namespace, "default")
		}
		all = append(all, w)
	}
	if record.Selector == "" {
		return all, nil
	}
	served, err := r.cluster.ListableKinds(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range served {
		if kinds.IsTransient(k.Name) || record.Kinds != nil && !slices.Contains(record.Kinds, k.GroupKind()) {
			continue
		}
		all = append(all, wanted{kind: k, selector: record.Selector, optional: true})
	}
	return all, nil
}

// isMachinery reports whether objects of a kind are how the cluster works and not what somebody wants.
func isMachinery(k *kinds.Kind) bool {
	return k.Group == "coordination.k8s.io" || k.Name == "ControllerRevision" || strings.HasSuffix(k.Group, "metrics.k8s.io")
}

func (r *reader) read(ctx context.Context, w wanted) error {
	objects, err := r.objects(ctx, w)
	switch reason := kube.ReasonOf(err); {
	case err == nil:
	case w.recorded && (reason == kube.NotFound || reason == kube.NotServed):
		r.leave(w.kind.Name+" "+w.kind.Object(w.namespace, w.name).QualifiedName(), "it is not in the cluster")
		return nil
	case w.optional && (reason == kube.NotServed || reason == kube.NotFound):
		return nil
	case w.optional && reason == kube.Forbidden:
		r.leave(w.kind.GroupKind().String(), "this user may not read them")
		return nil
	default:
		return err
	}
	if len(objects) == 0 {
		return nil
	}
	kind, err := r.cluster.Lookup(w.kind.Name, w.kind.APIVersion()) // of a listed kind only the name is known
	if err != nil {
		return err
	}
	for _, o := range objects {
		r.add(kind, o)
	}
	return nil
}

func (r *reader) objects(ctx context.Context, w wanted) ([]*unstructured.Unstructured, error) {
	if w.name == "" {
		return r.cluster.List(ctx, w.kind, kube.ListOptions{Namespace: w.namespace, Selector: w.selector})
	}
	o, err := r.cluster.Get(ctx, w.kind, w.namespace, w.name)
	if err != nil {
		return nil, err
	}
	return []*unstructured.Unstructured{o}, nil
}

func (r *reader) add(kind *kinds.Kind, o *unstructured.Unstructured) {
	id := kind.Object(o.GetNamespace(), o.GetName())
	if r.again(id) {
		return
	}
	if why := ofOthers(id, o); why != "" {
		r.leave(kind.Name+" "+id.QualifiedName(), why)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.Objects = append(r.found.Objects, Object{Kind: kind, ID: id, Fields: wantedFields(o.Object)})
}

// again reports whether an object was read already.
func (r *reader) again(id addrs.Object) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	again := r.seen[id.Identity()]
	r.seen[id.Identity()] = true
	return again
}

func (r *reader) leave(what, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.found.Left = append(r.found.Left, Left{what, why})
}

// ofOthers is why an object is not for a configuration, "" for one that is.
func ofOthers(id addrs.Object, o *unstructured.Unstructured) string {
	secretType, _, _ := unstructured.NestedString(o.Object, "type")
	switch owners := o.GetOwnerReferences(); {
	case len(owners) > 0:
		return "another object of the cluster made it"
	case o.GetDeletionTimestamp() != nil:
		return "it is being deleted"
	case kinds.IsKeptByCluster(id, o.Object):
		return "the cluster itself keeps it"
	case ownership.Of(o.Object).OwnEntry() != nil && o.GetLabels()[addrs.StackLabel] != "":
		return "a stack of kplan manages it"
	case id.Kind == "Secret" && id.Group == "" && strings.HasPrefix(secretType, "helm.sh/release"):
		return "Helm keeps its records in it"
	case id.Kind == "Secret" && id.Group == "" && secretType == "kubernetes.io/service-account-token":
		return "the cluster fills it in"
	}
	return ""
}

// wantedFields is an object without what only programs of Kubernetes itself have set.
func wantedFields(object map[string]any) map[string]any {
	record := ownership.Of(object)
	var fields any = object
	for _, f := range slices.Backward(record.Beside(record.Deliberate())) {
		if f.Manager != ownership.BeforeFirstApply && ownership.IsControlPlane(f.Manager) {
			fields = f.Path.ReplaceIn(fields, nil)
		}
	}
	return fields.(map[string]any)
}
