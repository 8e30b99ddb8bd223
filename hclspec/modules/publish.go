package modules

import (
	"context"
	"errors"
	"fmt"
	"os"

	"kplan.dev/kplan/hclspec/modules/oci"
	"kplan.dev/kplan/hclspec/modules/tree"
)

// Published is a module in a registry.
type Published struct {
	Digest string
	// Existed reports whether the same files were there under that version already: nothing was sent.
	Existed bool
}

// Publish puts a package into a registry under a version. A version that is there is never replaced: whoever has pinned it
// counts on that.
func Publish(ctx context.Context, to Source, v Version, p *Package, annotations map[string]string, o oci.Options) (Published, error) {
	if to.Kind != OCI || to.Sub != "" {
		return Published{}, errors.New("modules are published in OCI registries: \"oci://registry/repository\"")
	}
	repository, err := oci.At(to.Address, o)
	if err != nil {
		return Published{}, err
	}
	for _, tag := range []string{v.String(), "v" + v.String()} {
		there, err := repository.Resolve(ctx, tag)
		switch {
		case errors.As(err, new(*oci.NoTagError)):
			continue
		case err != nil:
			return Published{}, err
		}
		hash, err := hashOf(ctx, repository, there)
		switch {
		case err != nil:
			return Published{}, fmt.Errorf("version %s is there already, and can't be compared: %w", v, err)
		case hash != p.Hash:
			return Published{}, fmt.Errorf("version %s is there already, with other files: their hash is %s, and that of these is %s. "+
				"A version never changes; give these files another one", v, hash, p.Hash)
		}
		return Published{there, true}, nil
	}
	digest, err := repository.Push(ctx, p.Archive, v.String(), annotations)
	return Published{Digest: digest}, err
}

// hashOf is the hash of the files that a registry has under a digest.
func hashOf(ctx context.Context, from *oci.Repository, digest string) (string, error) {
	dir, err := os.MkdirTemp("", "kplan-module-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	hash, err := write(dir, func(w *tree.Writer) error { return from.Export(ctx, digest, w) })
	return hash.String(), err
}
