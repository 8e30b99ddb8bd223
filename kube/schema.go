package kube

import (
	"context"
	"net/http"
	"sync"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// schemas is what is known of the kinds of one group version that are not
// built in. They are read together, when the first is asked for.
type schemas struct {
	mu   sync.Mutex
	read bool
	list []*kinds.Kind
}

// describe fills in the fields of a kind that is not built in.
func (c *catalog) describe(ctx context.Context, s *served, k *kinds.Kind) (*kinds.Kind, error) {
	if k.Root != nil {
		return k, nil
	}
	group := s.schemasOf(k.APIVersion())
	group.mu.Lock()
	defer group.mu.Unlock()
	if !group.read {
		list, err := c.openAPI(ctx, k)
		if err != nil {
			return nil, err
		}
		group.read, group.list = true, list
	}
	for _, known := range group.list {
		if known.Name == k.Name && known.GroupKind() == k.GroupKind() && known.Version == k.Version {
			return known, nil
		}
	}
	full, err := c.schemaOfCRD(ctx, k)
	if err != nil {
		return nil, err
	}
	group.list = append(group.list, full)
	return full, nil
}

// openAPI reads the document of the kind's group version. It is empty where the
// server has none, as for a moment after a CustomResourceDefinition was made.
func (c *catalog) openAPI(ctx context.Context, k *kinds.Kind) ([]*kinds.Kind, error) {
	path := "/openapi/v3/api/" + k.Version
	if k.Group != "" {
		path = "/openapi/v3/apis/" + k.Group + "/" + k.Version
	}
	var list []*kinds.Kind
	r := c.client.request("read the schema of", http.MethodGet, k.Object("", ""), path)
	r.limit = listLimit
	r.decode = func(body []byte) (err error) {
		list, err = kinds.FromOpenAPIv3(body)
		return err
	}
	err := c.client.do(ctx, r)
	switch ReasonOf(err) {
	case NotFound, NotServed, Forbidden, NotKubernetes:
		return nil, nil // the definition may have it
	}
	if err != nil {
		return nil, err
	}
	return fitting(list, k), nil
}

// fitting gives the kinds of a document the scope and plural that discovery
// has for k, and leaves out kinds whose document is another's.
func fitting(list []*kinds.Kind, k *kinds.Kind) []*kinds.Kind {
	var out []*kinds.Kind
	for _, full := range list {
		if full.Name == k.Name && full.Group == k.Group && full.Version == k.Version {
			same := *full
			same.Plural, same.Namespaced = k.Plural, k.Namespaced
			full = &same
		}
		out = append(out, full)
	}
	return out
}

// schemaOfCRD describes a kind by its CustomResourceDefinition. A kind that has
// none, or one that may not be read, is of unknown shape.
func (c *catalog) schemaOfCRD(ctx context.Context, k *kinds.Kind) (*kinds.Kind, error) {
	opaque := kinds.Opaque(k.Group, k.Version, k.Name, k.Plural, k.Namespaced)
	definition, err := kinds.Builtin().Lookup("CustomResourceDefinition", "apiextensions.k8s.io/v1")
	if err != nil {
		return nil, err
	}
	name := addrs.GroupKind{Group: k.Group, Kind: k.Plural}.String()
	crd, err := c.client.one(ctx, definition, c.client.about("get", http.MethodGet, definition, "", name))
	switch ReasonOf(err) {
	case NotFound, Forbidden, NotServed:
		return opaque, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := kinds.FromCRD(crd.Object)
	if err != nil {
		return opaque, nil // the server has it nevertheless
	}
	for _, full := range list {
		if full.Name == k.Name && full.Version == k.Version {
			return full, nil
		}
	}
	return opaque, nil
}
