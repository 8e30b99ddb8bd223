package oci

import (
	"bytes"
	"context"
	"fmt"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
)

// Push publishes the archive of a module under a tag. It returns the digest.
func (r *Repository) Push(ctx context.Context, archive []byte, tag string, annotations map[string]string) (string, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	layer := ocispec.Descriptor{MediaType: LayerType, Digest: digest.FromBytes(archive), Size: int64(len(archive))}
	there, err := r.remote.Blobs().Exists(ctx, layer)
	if err == nil && !there {
		err = r.remote.Blobs().Push(ctx, layer, bytes.NewReader(archive))
	}
	if err != nil {
		return "", explain(ctx, err)
	}
	manifest, err := oras.PackManifest(ctx, r.remote, oras.PackManifestVersion1_1, ArtifactType,
		oras.PackManifestOptions{Layers: []ocispec.Descriptor{layer}, ManifestAnnotations: annotations})
	if err == nil {
		err = r.remote.Tag(ctx, manifest, tag)
	}
	if err != nil {
		return "", explain(ctx, err)
	}
	now, err := r.Resolve(ctx, tag)
	if err == nil && now != manifest.Digest.String() {
		err = fmt.Errorf("somebody else published under the tag %s at the same time: it is %s now, and this was %s", tag, now, manifest.Digest)
	}
	return now, err
}
