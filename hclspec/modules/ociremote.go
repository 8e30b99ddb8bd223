package modules

import (
	"context"
	"errors"

	"kplan.dev/kplan/hclspec/modules/oci"
	"kplan.dev/kplan/hclspec/modules/tree"
)

type ociRemote struct {
	repository *oci.Repository
	known      []string // the tags
}

func (r *ociRemote) tags(ctx context.Context) (_ []string, err error) {
	if r.known == nil {
		r.known, err = r.repository.Tags(ctx)
	}
	return r.known, err
}

func (r *ociRemote) find(ctx context.Context, name string) (string, bool, error) {
	found, err := r.repository.Resolve(ctx, name)
	if errors.As(err, new(*oci.NoTagError)) {
		err = noNameError{err}
	}
	return found, true, err
}

func (r *ociRemote) export(ctx context.Context, revision string, to *tree.Writer) error {
	return r.repository.Export(ctx, revision, to)
}
