// Package data reads what the data blocks of a configuration ask the cluster for.
package data

import (
	"context"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kube"
)

// Reader reads what data blocks ask for, the same only once in a run.
type Reader struct {
	Cluster *kube.Cluster
	Secrets *redact.Secrets // learns those in what is read

	mu   sync.Mutex
	read map[key]func() ([]map[string]any, error)
}

// key is what is asked for, whichever block asks.
type key struct {
	kind                         addrs.GroupKind
	version, namespace, name     string
	list                         bool
	labelSelector, fieldSelector string
}

// Objects are those that a query asks for.
func (r *Reader) Objects(ctx context.Context, q hclspec.Query) ([]map[string]any, hcl.Diagnostics) {
	if q.Fresh {
		objects, err := r.ask(ctx, q)
		return objects, problems(err, q)
	}
	asked := key{q.Kind.GroupKind(), q.Kind.Version, q.Namespace, q.Name, q.List, q.LabelSelector, q.FieldSelector}
	r.mu.Lock()
	once, known := r.read[asked]
	if !known {
		once = sync.OnceValues(func() ([]map[string]any, error) { return r.ask(ctx, q) })
		if r.read == nil {
			r.read = map[key]func() ([]map[string]any, error){}
		}
		r.read[asked] = once
	}
	r.mu.Unlock()
	objects, err := once()
	return objects, problems(err, q)
}

func problems(err error, q hclspec.Query) hcl.Diagnostics {
	return diag.FromKube(err, func(addrs.Path) hcl.Range { return q.Range }, q.Address)
}

func (r *Reader) ask(ctx context.Context, q hclspec.Query) ([]map[string]any, error) {
	var found []*unstructured.Unstructured
	if q.List {
		options := kube.ListOptions{Namespace: q.Namespace, Selector: q.LabelSelector, FieldSelector: q.FieldSelector}
		all, err := r.Cluster.List(ctx, q.Kind, options)
		if err != nil {
			return nil, err
		}
		found = all
	} else {
		one, err := r.Cluster.Get(ctx, q.Kind, q.Namespace, q.Name)
		switch {
		case err == nil:
			found = append(found, one)
		case kube.ReasonOf(err) != kube.NotFound:
			return nil, err
		}
	}
	var objects []map[string]any
	for _, o := range found {
		r.Secrets.Add(redact.TextsAt(o.Object, redact.Paths(q.Kind, o.Object))...)
		unstructured.RemoveNestedField(o.Object, "metadata", "managedFields")
		objects = append(objects, o.Object)
	}
	return objects, nil
}
