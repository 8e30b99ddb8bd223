package kube

import (
	"context"
	"slices"
	"strings"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// Lookup finds the description of a kind that the server serves. An empty
// apiVersion asks for the preferred version. The error's reason is NotServed when
// the server has no such kind, with a *kinds.UnknownError or a
// *kinds.AmbiguousError below; it is Unavailable when the kind may well be
// there, but the part of the server that would know does not answer.
func (c *Cluster) Lookup(kind, apiVersion string) (*kinds.Kind, error) {
	return c.catalog.lookup(kind, apiVersion)
}

// LookupAnew is Lookup for a kind that the server may have begun to serve: what it serves is
// asked for again, unless that was within the last second.
func (c *Cluster) LookupAnew(ctx context.Context, kind, apiVersion string) (*kinds.Kind, error) {
	if err := c.catalog.renew(ctx, time.Second); err != nil {
		return nil, err
	}
	return c.catalog.lookup(kind, apiVersion)
}

// ListableKinds are the kinds whose objects can be listed and deleted, each in
// the version that its group prefers. Of those that are not built in only name,
// plural and scope are known.
func (c *Cluster) ListableKinds(ctx context.Context) ([]*kinds.Kind, error) {
	s, err := c.catalog.read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.listable), nil
}

// UnavailableVersions are the group versions whose own server did not answer when the
// API server asked what it serves: of their kinds nothing, or nothing new, is
// known.
func (c *Cluster) UnavailableVersions(ctx context.Context) ([]string, error) {
	s, err := c.catalog.read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.stale), nil
}

// IsUndefined reports whether the cluster has no definition of a kind that it does not
// serve, so that it has no objects of it either: they are deleted with their
// definition. For other kinds this is not known: an API server that
// no longer serves it may keep its objects, or serve them in another group.
func (c *Cluster) IsUndefined(ctx context.Context, kind addrs.GroupKind) (bool, error) {
	if !strings.Contains(kind.Group, ".") || kinds.IsBuiltinGroup(kind.Group) {
		return false, nil
	}
	definition, err := c.Lookup(kinds.CustomResourceDefinition.Kind, "apiextensions.k8s.io/v1")
	if err != nil {
		return false, err
	}
	found, err := c.ListMetadata(ctx, definition, ListOptions{})
	if ReasonOf(err) == Forbidden {
		return false, nil
	}
	for _, crd := range found {
		if _, group, _ := strings.Cut(crd.GetName(), "."); group != kind.Group {
			continue
		}
		if defines, err := c.defines(ctx, definition, crd.GetName(), kind); defines || err != nil {
			return false, err
		}
	}
	return err == nil, err
}

// defines reports whether the definition of that name is there, and of that kind.
func (c *Cluster) defines(ctx context.Context, definition *kinds.Kind, name string, kind addrs.GroupKind) (bool, error) {
	crd, err := c.Get(ctx, definition, "", name)
	switch ReasonOf(err) {
	case NotFound: // since a moment ago
		return false, nil
	case Forbidden:
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return kinds.DefinedBy(crd.Object) == kind, nil
}
