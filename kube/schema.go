package kube

import (
	"context"

	"kplan.dev/kplan/kinds"
)

// schemaOf describes a kind that is not built in.
func (c *Cluster) schemaOf(ctx context.Context, k *kinds.Kind) (*kinds.Kind, error) {
	full := *k
	full.Root = &kinds.Field{Type: kinds.Any}
	return &full, nil
}
