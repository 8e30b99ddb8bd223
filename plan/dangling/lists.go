package dangling

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// manyNamespaces is how many namespaces are listed one by one; for more of them it is
// cheaper to list the whole cluster once.
const manyNamespaces = 10

// lists are lists of objects of the cluster.
type lists struct {
	cluster *kube.Cluster
	wanted  map[addrs.GroupKind]*wanted
	classes map[string]bool // of the volumes, nil until they are listed
}

// wanted are the objects of a kind that are to be listed, or have been.
type wanted struct {
	kind       *kinds.Kind
	namespaces map[string][]*unstructured.Unstructured // with a key for each that is wanted
	read       map[string]bool                         // those that were listed without an error
	done       bool
}

// add has the objects of a kind listed in a namespace.
func (l *lists) add(kind *kinds.Kind, namespace string) {
	if !kind.Namespaced {
		namespace = ""
	}
	is := kind.GroupKind()
	if l.wanted == nil {
		l.wanted = map[addrs.GroupKind]*wanted{}
	}
	if l.wanted[is] == nil {
		l.wanted[is] = &wanted{kind: kind, namespaces: map[string][]*unstructured.Unstructured{}, read: map[string]bool{}}
	}
	if _, known := l.wanted[is].namespaces[namespace]; !known {
		l.wanted[is].namespaces[namespace] = nil
		l.wanted[is].done = false
	}
}

// in are the objects of a kind in a namespace; known is false where they could not be listed.
func (l *lists) in(kind *kinds.Kind, namespace string) (objects []*unstructured.Unstructured, known bool) {
	w := l.wanted[kind.GroupKind()]
	if !kind.Namespaced {
		namespace = ""
	}
	if w == nil {
		return nil, false
	}
	return w.namespaces[namespace], w.read[namespace]
}

// read makes the lists that were added.
func (l *lists) read(ctx context.Context) {
	g, ctx := graph.NewGroup(ctx)
	for _, w := range l.wanted {
		if !w.done {
			w.done = true
			g.Go(func() error { w.list(ctx, l.cluster); return nil })
		}
	}
	_ = g.Wait() // what can't be listed is not known
}

// list lists the objects: Services as a whole, since references name their ports, of
// others the metadata.
func (w *wanted) list(ctx context.Context, cluster *kube.Cluster) {
	list := cluster.ListMetadata
	if w.kind.GroupKind() == kinds.Service {
		list = cluster.List
	}
	if len(w.namespaces) > manyNamespaces {
		objects, err := list(ctx, w.kind, kube.ListOptions{})
		for namespace := range w.namespaces {
			w.read[namespace] = err == nil
		}
		for _, o := range objects {
			if _, wants := w.namespaces[o.GetNamespace()]; wants {
				w.namespaces[o.GetNamespace()] = append(w.namespaces[o.GetNamespace()], o)
			}
		}
		return
	}
	for namespace := range w.namespaces {
		if w.read[namespace] {
			continue
		}
		objects, err := list(ctx, w.kind, kube.ListOptions{Namespace: namespace})
		w.namespaces[namespace], w.read[namespace] = objects, err == nil
	}
}

// isClass reports whether volumes of the cluster are of a storage class, or could not be
// listed: a claim finds those without an object for the class.
func (l *lists) isClass(ctx context.Context, volume *kinds.Kind, class string) bool {
	if l.classes == nil {
		l.classes = map[string]bool{}
		volumes, err := l.cluster.List(ctx, volume, kube.ListOptions{})
		if err != nil {
			l.classes[class] = true
		}
		for _, v := range volumes {
			name, _, _ := unstructured.NestedString(v.Object, "spec", "storageClassName")
			l.classes[name] = true
		}
	}
	return l.classes[class]
}
