package modules

import (
	"context"
	"errors"

	"kplan.dev/kplan/hclspec/modules/git"
	"kplan.dev/kplan/hclspec/modules/tree"
)

// remote is where the files of a source are.
type remote interface {
	// tags are all tags, in any order.
	tags(ctx context.Context) ([]string, error)
	// find is the revision that a name stands for now, or the default for the name "". isFixed reports whether the name
	// should never stand for another one.
	find(ctx context.Context, name string) (revision string, isFixed bool, err error)
	// export writes the files of a revision.
	export(ctx context.Context, revision string, to *tree.Writer) error
}

// noNameError is the error of find for a name that is not there.
type noNameError struct{ error }

type gitRemote struct{ *git.Repository }

func (r gitRemote) tags(ctx context.Context) ([]string, error) {
	refs, err := r.Refs(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]string, 0, len(refs.Tags))
	for tag := range refs.Tags {
		all = append(all, tag)
	}
	return all, nil
}

func (r gitRemote) find(ctx context.Context, name string) (string, bool, error) {
	if git.IsCommit(name) {
		return name, true, nil
	}
	refs, err := r.Refs(ctx)
	switch {
	case err != nil:
		return "", false, err
	case name != "":
		commit, isFixed, err := refs.Find(name)
		if errors.As(err, new(*git.NoRefError)) {
			err = noNameError{err}
		}
		return commit, isFixed, err
	case refs.Head == "":
		return "", false, errors.New("it is no git repository, or an empty one")
	}
	return refs.Head, false, nil
}

func (r gitRemote) export(ctx context.Context, revision string, to *tree.Writer) error {
	return r.Export(ctx, revision, to)
}
