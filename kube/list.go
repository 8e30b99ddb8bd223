package kube

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// ListOptions selects the objects of a kind to list. The zero value is all.
type ListOptions struct {
	// Selector picks objects by label: "kplan.dev/stack=abc". "" picks all.
	Selector string
	// Namespaces are those to list one by one when RBAC forbids to list the
	// whole cluster. When there are none, being forbidden is an error.
	Namespaces []string
	// Namespace, when set, is the only one that is listed.
	Namespace string
	// FieldSelector picks objects by what fields have: "status.phase=Running". Which fields can be named
	// depends on the kind.
	FieldSelector string
}

const pageSize = 500

// List returns the objects of a kind as they are at one moment, in the order
// of the server: by namespace and name. It lists the whole cluster in one go
// where RBAC allows that.
func (c *Cluster) List(ctx context.Context, k *kinds.Kind, opts ListOptions) ([]*unstructured.Unstructured, error) {
	return c.listAs(ctx, k, opts, whole)
}

// ListMetadata is List, but the objects have nothing except their metadata.
func (c *Cluster) ListMetadata(ctx context.Context, k *kinds.Kind, opts ListOptions) ([]*unstructured.Unstructured, error) {
	return c.listAs(ctx, k, opts, metadataOnly)
}

// listAs lists the whole cluster or, where RBAC forbids that, the namespaces.
func (c *Cluster) listAs(ctx context.Context, k *kinds.Kind, opts ListOptions, as form) ([]*unstructured.Unstructured, error) {
	query := metav1.ListOptions{LabelSelector: opts.Selector, FieldSelector: opts.FieldSelector}
	items, _, err := c.client.pages(ctx, k, opts.Namespace, query, as)
	namespaces := instead(err, k, opts.Namespace, opts.Namespaces)
	if len(namespaces) == 0 {
		return items, err
	}
	parts := make([][]*unstructured.Unstructured, len(namespaces))
	g, ctx := graph.NewGroup(ctx)
	for i, ns := range namespaces {
		g.Go(func() (err error) {
			parts[i], _, err = c.client.pages(ctx, k, ns, query, as)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

// instead are the namespaces to look into one by one where RBAC forbids to look
// into the whole cluster, none where there is no such way out.
func instead(err error, k *kinds.Kind, only string, namespaces []string) []string {
	if ReasonOf(err) != Forbidden || !k.Namespaced || only != "" {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(namespaces)))
}

// pages reads all pages of a list, and the resource version at which it was whole.
func (c *client) pages(ctx context.Context, k *kinds.Kind, namespace string, query metav1.ListOptions, as form) (
	[]*unstructured.Unstructured, string, error) {
	query.Limit = pageSize
	var items []*unstructured.Unstructured
	shared := ownership.NewInterner()
	for restarts := 0; ; {
		page, err := c.page(ctx, k, namespace, query, as)
		if e, ok := err.(*Error); ok && e.Status == http.StatusGone && restarts < 5 {
			// The pages to come are no longer those of the first one's moment.
			restarts++
			items = nil
			query.Continue = ""
			continue
		}
		if err != nil {
			return nil, "", err
		}
		items = append(items, page.objects(k, shared)...)
		if page.Metadata.Continue == "" {
			return items, page.Metadata.ResourceVersion, nil
		}
		query.Continue = page.Metadata.Continue
	}
}

type listPage struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Continue        string `json:"continue"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Items []map[string]any `json:"items"`
}

// form is how much of each object a list has.
type form struct {
	accept string
	kind   func(*kinds.Kind) string // of the list
	// noItems means that an empty list may come without its items.
	noItems bool
}

var (
	whole        = form{kind: func(k *kinds.Kind) string { return k.Name + "List" }}
	metadataOnly = form{
		accept:  "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
		kind:    func(*kinds.Kind) string { return "PartialObjectMetadataList" },
		noItems: true,
	}
)

func (c *client) page(ctx context.Context, k *kinds.Kind, namespace string, query metav1.ListOptions, as form) (*listPage, error) {
	page := &listPage{}
	r := c.about("list", http.MethodGet, k, namespace, "")
	r.limit = listLimit
	r.ask.SpecificallyVersionedParams(&query, metav1.ParameterCodec, metav1.Unversioned)
	if as.accept != "" {
		r.ask.SetHeader("Accept", as.accept)
	}
	r.decode = func(body []byte) error {
		*page = listPage{}
		if err := utiljson.Unmarshal(body, page); err != nil {
			return err
		}
		if want := as.kind(k); page.Kind != want || page.Items == nil && !as.noItems {
			// An answer without items would read as "nothing is there".
			return fmt.Errorf("it is of kind %q and not a %s", page.Kind, want)
		}
		return nil
	}
	if err := c.do(ctx, r); err != nil {
		return nil, err
	}
	return page, nil
}

// objects gives each item the kind and version that lists of built-in kinds
// leave out.
func (p *listPage) objects(k *kinds.Kind, shared *ownership.Interner) []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, 0, len(p.Items))
	for _, fields := range p.Items {
		obj := &unstructured.Unstructured{Object: fields}
		obj.SetAPIVersion(k.APIVersion())
		obj.SetKind(k.Name)
		shared.Intern(obj.Object)
		out = append(out, obj)
	}
	return out
}
