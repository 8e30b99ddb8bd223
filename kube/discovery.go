package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	discovery "k8s.io/api/apidiscovery/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// catalog is what the server serves. It is read when first asked for.
type catalog struct {
	client *client
	life   context.Context // for Lookup, which takes none
	mu     sync.Mutex
	served *served
}

// served is one reading of the server's discovery documents.
type served struct {
	at time.Time // when it was asked for
	// set describes the built-in kinds; of the others it only has name, plural
	// and scope, and schemas has the rest.
	set     *kinds.Set
	mu      sync.Mutex
	schemas map[string]*schemas
	// listable are the kinds whose objects can be listed and deleted, each in
	// one version.
	listable []*kinds.Kind
	// stale are the group versions whose server did not answer the API server:
	// what they serve is not known, or what is known is old.
	stale []string
}

// aggregated asks for all groups in one document, which API servers give since
// 1.27 (v2beta1) and 1.30 (v2).
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList," +
	"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"

func (c *catalog) lookup(kind, apiVersion string) (*kinds.Kind, error) {
	s, err := c.read(c.life)
	if err != nil {
		return nil, err
	}
	k, err := s.set.Lookup(kind, apiVersion)
	if err != nil {
		return nil, s.lookupError(kind, apiVersion, err)
	}
	return c.describe(c.life, s, k)
}

func (s *served) lookupError(kind, apiVersion string, err error) error {
	e := &Error{Op: "look up", Reason: NotServed, Err: err, Message: err.Error()}
	if _, ambiguous := err.(*kinds.AmbiguousError); ambiguous {
		return e
	}
	suspects := s.stale
	if apiVersion != "" {
		suspects = nil
		if slices.Contains(s.stale, apiVersion) {
			suspects = []string{apiVersion}
		}
	}
	if len(suspects) > 0 {
		var unknown *kinds.UnknownError
		if errors.As(err, &unknown) {
			silent := *unknown
			silent.Unavailable = suspects
			e.Err = &silent
		}
		e.Reason = Unavailable
		e.Message = fmt.Sprintf("kind %s was not found, but the server of %s does not answer the API server now, so it may be there",
			kind, words.Or(suspects))
		e.Advice = "Look at the APIService objects of these groups: kubectl get apiservices."
	}
	return e
}

// read is what the server serves, asked for once.
func (c *catalog) read(ctx context.Context) (*served, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.served != nil {
		return c.served, nil
	}
	served, err := c.ask(ctx)
	if err == nil {
		c.served = served
	}
	return c.served, err
}

// renew asks what the server serves if the last answer is older than that.
func (c *catalog) renew(ctx context.Context, age time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.served != nil && time.Since(c.served.at) < age {
		return nil
	}
	served, err := c.ask(ctx)
	if err == nil {
		c.served = served
	}
	return err
}

func (c *catalog) ask(ctx context.Context) (*served, error) {
	at := time.Now()
	var core, named *discovery.APIGroupDiscoveryList
	g, ctx := graph.NewGroup(ctx)
	g.Go(func() (err error) { core, err = c.discover(ctx, "/api"); return err })
	g.Go(func() (err error) { named, err = c.discover(ctx, "/apis"); return err })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s := readServed(slices.Concat(core.Items, named.Items))
	s.at = at
	return s, nil
}

func (c *catalog) discover(ctx context.Context, path string) (*discovery.APIGroupDiscoveryList, error) {
	list := &discovery.APIGroupDiscoveryList{}
	r := c.client.request("discover", http.MethodGet, addrs.Object{}, path)
	r.ask.SetHeader("Accept", aggregated)
	r.limit = listLimit
	r.decode = func(body []byte) error {
		*list = discovery.APIGroupDiscoveryList{}
		if err := json.Unmarshal(body, list); err != nil {
			return err
		}
		if list.Kind != "APIGroupDiscoveryList" {
			return fmt.Errorf("it is of kind %q; a Kubernetes API server of 1.27 or later says APIGroupDiscoveryList", list.Kind)
		}
		return nil
	}
	if err := c.client.do(ctx, r); err != nil {
		return nil, err
	}
	return list, nil
}

func readServed(groups []discovery.APIGroupDiscovery) *served {
	s := &served{schemas: map[string]*schemas{}}
	known := map[addrs.Object]*kinds.Kind{}
	for _, k := range kinds.Builtin().Kinds() {
		known[k.Object("", "")] = k
	}
	var all []*kinds.Kind
	listed := map[addrs.GroupKind]bool{}
	for _, g := range groups {
		for _, v := range g.Versions {
			if v.Freshness == discovery.DiscoveryFreshnessStale {
				s.stale = append(s.stale, addrs.JoinAPIVersion(g.Name, v.Version))
			}
			for _, res := range v.Resources {
				if k := servedKind(g.Name, v.Version, res); k != nil {
					if builtin := known[k.Object("", "")]; builtin != nil && builtin.Plural == k.Plural && builtin.Namespaced == k.Namespaced {
						k = builtin
					}
					all = append(all, k)
					if slices.Contains(res.Verbs, "list") && slices.Contains(res.Verbs, "delete") && !listed[k.GroupKind()] {
						listed[k.GroupKind()] = true
						s.listable = append(s.listable, k)
					}
				}
			}
		}
	}
	s.set = new(kinds.Set).With(all...)
	return s
}

// servedKind is nil for what is no kind of kept objects, such as a TokenReview,
// and for what can be reached only through objects of another kind.
func servedKind(group, version string, res discovery.APIResourceDiscovery) *kinds.Kind {
	if res.ResponseKind == nil || res.ResponseKind.Kind == "" || !slices.Contains(res.Verbs, "get") {
		return nil
	}
	if res.ResponseKind.Group != "" && res.ResponseKind.Group != group {
		return nil
	}
	return &kinds.Kind{Group: group, Version: version, Name: res.ResponseKind.Kind, Plural: res.Resource,
		Namespaced: res.Scope == discovery.ScopeNamespace}
}

// schemasOf is where the schemas of a group version are kept.
func (s *served) schemasOf(apiVersion string) *schemas {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.schemas[apiVersion] == nil {
		s.schemas[apiVersion] = &schemas{}
	}
	return s.schemas[apiVersion]
}

// namespaceKind is the description of namespaces, which every server serves.
func namespaceKind() (*kinds.Kind, error) { return kinds.Builtin().Lookup("Namespace", "v1") }
