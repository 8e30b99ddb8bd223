// Package dangling asks the cluster about what a configuration refers to and does not have:
// objects by their names, and pods by their labels.
//
// It asks only about objects that the plan changes, with one list per kind, or per kind and
// namespace where those are few.
package dangling

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/lint"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
)

// Plan is what a plan does, as far as references depend on it.
type Plan struct {
	Configuration *lint.Configuration
	// Changes reports whether the plan creates or changes an object.
	Changes func(*lint.Object) bool
	// Creates reports whether it creates a namespace, in which nothing is yet.
	Creates func(namespace string) bool
	// Deletes are the addresses of the objects that it deletes, by identity.
	Deletes map[addrs.Object]addrs.Instance
}

// Find returns the references of changed objects to what neither the configuration nor
// the cluster has, those of all objects to what the plan deletes, and selectors of changed
// objects that match no pod. What may not be listed is not known, and nothing is said of it.
// A nil cluster is not asked.
func Find(ctx context.Context, cluster *kube.Cluster, p Plan) []lint.Finding {
	f := finder{Plan: p, cluster: cluster, lists: lists{cluster: cluster}}
	for _, o := range p.Configuration.Objects() {
		if len(p.Deletes) > 0 || f.asks(o) {
			f.collect(o)
		}
	}
	f.unmatched = slices.DeleteFunc(p.Configuration.Unmatched(), func(u lint.Unmatched) bool { return u.Elsewhere || !f.asks(u.Of) })
	if len(f.asked)+len(f.unmatched) == 0 {
		return f.found
	}
	served, err := cluster.ListableKinds(ctx)
	if err != nil {
		return f.found
	}
	f.served = served
	f.askReferences(ctx)
	f.askSelectors(ctx)
	return f.found
}

// finder collects what is wrong.
type finder struct {
	Plan
	cluster   *kube.Cluster
	served    []*kinds.Kind
	lists     lists
	asked     []asked
	unmatched []lint.Unmatched
	found     []lint.Finding
}

// asked is a reference that the cluster is asked about.
type asked struct {
	of  *lint.Object
	ref relations.Reference
}

// asks reports whether the cluster is asked about what an object refers to.
func (f *finder) asks(o *lint.Object) bool { return f.cluster != nil && f.Changes(o) }

// collect finds the references of an object to what is deleted, and those to ask about.
func (f *finder) collect(o *lint.Object) {
	for _, ref := range f.Configuration.Dangling(o) {
		if deleted, ok := f.deletes(ref); ok {
			f.found = append(f.found, lint.Deleted(o, ref, deleted.String()))
		} else if f.asks(o) {
			f.asked = append(f.asked, asked{o, ref})
		}
	}
}

func (f *finder) deletes(ref relations.Reference) (addrs.Instance, bool) {
	for _, name := range ref.Names() {
		if addr, ok := f.Deletes[name.Identity()]; ok {
			return addr, true
		}
	}
	return addrs.Instance{}, false
}

// kindOf is a kind that the cluster serves, nil for another.
func (f *finder) kindOf(is addrs.GroupKind) *kinds.Kind {
	i := slices.IndexFunc(f.served, func(k *kinds.Kind) bool { return k.GroupKind() == is })
	if i < 0 {
		return nil
	}
	return f.served[i]
}

// askReferences looks up what the references mean.
func (f *finder) askReferences(ctx context.Context) {
	for _, a := range f.asked {
		f.request(a.ref.To.GroupKind(), a.ref.To.Namespace)
	}
	f.lists.read(ctx)
	for _, a := range f.asked {
		kind := f.kindOf(a.ref.To.GroupKind())
		if kind == nil {
			continue
		}
		objects, known := f.lists.in(kind, a.ref.To.Namespace)
		if !known && !f.isNew(kind, a.ref.To.Namespace) {
			continue
		}
		f.judge(ctx, a, kind, objects)
	}
}

// isNew reports whether objects of the kind are in a namespace that the plan creates.
func (f *finder) isNew(kind *kinds.Kind, namespace string) bool {
	return kind.Namespaced && f.Creates(namespace)
}

// request has the objects of a kind listed in a namespace that is already there.
func (f *finder) request(is addrs.GroupKind, namespace string) {
	if kind := f.kindOf(is); kind != nil && !f.isNew(kind, namespace) {
		f.lists.add(kind, namespace)
	}
}

// judge finds out whether a reference means one of the objects.
func (f *finder) judge(ctx context.Context, a asked, kind *kinds.Kind, objects []*unstructured.Unstructured) {
	var names []string
	for _, o := range objects {
		if o.GetName() == a.ref.To.Name {
			f.found = append(f.found, lint.MissingPort(a.of, a.ref, o.Object)...)
			return
		}
		names = append(names, o.GetName())
	}
	if kind.Name == "StorageClass" && f.lists.isClass(ctx, f.kindOf(kinds.PersistentVolume), a.ref.To.Name) {
		return
	}
	f.found = append(f.found, lint.Missing(a.of, a.ref, names))
}

// askSelectors looks for pods that are selected.
func (f *finder) askSelectors(ctx context.Context) {
	pod := f.kindOf(kinds.Pod)
	for _, u := range f.unmatched {
		f.request(kinds.Pod, u.Of.Object.Namespace)
	}
	f.lists.read(ctx)
	for _, u := range f.unmatched {
		pods, known := f.lists.in(pod, u.Of.Object.Namespace)
		matched := slices.ContainsFunc(pods, func(pod *unstructured.Unstructured) bool {
			return u.Selector.Match.Matches(labels.Set(pod.GetLabels()))
		})
		if (known || f.isNew(pod, u.Of.Object.Namespace)) && !matched && u.IsWorthSaying(len(pods)) {
			f.found = append(f.found, u.Finding())
		}
	}
}
