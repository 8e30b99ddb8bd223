package kube

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kinds"
)

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

// SilentVersions are the group versions whose own server did not answer when the
// API server asked what it serves: of their kinds nothing, or nothing new, is
// known.
func (c *Cluster) SilentVersions(ctx context.Context) ([]string, error) {
	s, err := c.catalog.read(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(s.stale), nil
}

// ListMetadata is List, but the objects have nothing except their metadata.
func (c *Cluster) ListMetadata(ctx context.Context, k *kinds.Kind, opts ListOptions) ([]*unstructured.Unstructured, error) {
	return c.listAs(ctx, k, opts, metadataOnly)
}
