package kube

import (
	"context"
	"slices"

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
