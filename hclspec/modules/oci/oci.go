// Package oci reads and publishes modules in OCI registries. A module is an artifact: a manifest of the type ArtifactType with
// one layer, which is a tar archive packed with gzip.
//
// A registry is not trusted: what it sends is held against the digest that was asked for, every answer is bounded, and so is
// the time for all of them. Credentials are those of docker login, which oras login, podman and cloud tools write as well;
// a credential helper that Docker's configuration names is a program, and the user's own.
package oci

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"

	"kplan.dev/kplan/hclspec/modules/tree"
)

// The types of a module.
const (
	ArtifactType = "application/vnd.kplan.module.v1"
	LayerType    = "application/vnd.kplan.module.v1.tar+gzip"
)

// Options say how registries are asked. Their zero value is good.
type Options struct {
	Timeout   time.Duration // for all of one listing or module, two minutes if zero
	UserAgent string        // kplan if empty
}

// Repository is one in a registry.
type Repository struct {
	name   string
	remote *remote.Repository
	limit  time.Duration
}

const (
	maxManifest = 1 << 20
	maxTags     = 50_000
	maxPages    = 1_000
)

// At is the repository of a name such as registry.example/team/app.
func At(name string, options Options) (*Repository, error) {
	repository, err := remote.NewRepository(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not the name of a repository", name)
	}
	store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{})
	if err != nil {
		return nil, errors.New("the credentials for registries, in config.json of Docker, can't be read")
	}
	client := &auth.Client{
		Client:     &http.Client{Transport: patient(), CheckRedirect: checkRedirect},
		Credential: credentials.Credential(store),
		Cache:      auth.NewCache(),
	}
	client.SetUserAgent(cmp.Or(options.UserAgent, "kplan"))
	if isLoopback(repository.Reference.Registry) { // as for tests and at the desk
		repository.PlainHTTP = true
		client.BlockedRealmPrefixes = []netip.Prefix{}
	}
	repository.Client = client
	repository.MaxMetadataBytes = maxManifest
	repository.HandleWarning = func(remote.Warning) {}
	return &Repository{name, repository, cmp.Or(options.Timeout, 2*time.Minute)}, nil
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// patient tries again what may be better the next time, within bounds.
func patient() http.RoundTripper {
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   4,
		IdleConnTimeout:       10 * time.Second,
	}
	policy := &retry.GenericPolicy{
		Retryable: retry.DefaultPredicate, Backoff: retry.DefaultBackoff, MinWait: 200 * time.Millisecond, MaxWait: 5 * time.Second, MaxRetry: 3,
	}
	return &retry.Transport{Base: base, Policy: func() retry.Policy { return policy }}
}

// checkRedirect lets registries send a client to where their blobs are.
func checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > 5:
		return errRedirects
	case via[0].URL.Scheme == "https" && req.URL.Scheme != "https":
		return errDowngrade
	}
	return nil
}

// Tags are all tags.
func (r *Repository) Tags(ctx context.Context) (all []string, err error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	pages := 0
	err = r.remote.Tags(ctx, "", func(tags []string) error {
		all = append(all, tags...)
		if pages++; pages > maxPages || len(all) > maxTags {
			return errManyTags
		}
		return nil
	})
	return all, explain(ctx, err)
}

func (r *Repository) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, r.limit, fmt.Errorf("the registry did not send all of it within %s", r.limit))
}

// Resolve is the digest that a tag stands for now. It is a *NoTagError if there is no such tag.
func (r *Repository) Resolve(ctx context.Context, tag string) (string, error) {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	found, err := r.remote.Resolve(ctx, tag)
	if err != nil {
		return "", explain(ctx, err)
	}
	return found.Digest.String(), nil
}

// Export writes the files of the module with a digest.
func (r *Repository) Export(ctx context.Context, revision string, to *tree.Writer) error {
	ctx, cancel := r.bounded(ctx)
	defer cancel()
	manifest, err := r.manifest(ctx, revision)
	if err != nil {
		return err
	}
	layer, err := layerOf(manifest)
	if err != nil {
		return err
	}
	from, err := r.remote.Blobs().Fetch(ctx, layer)
	if err != nil {
		return explain(ctx, err)
	}
	defer from.Close()
	verified := content.NewVerifyReader(from, layer)
	err = tree.ReadArchive(ctx, verified, to)
	if err == nil || !errors.As(err, new(*tree.Refusal)) {
		if _, cut := io.Copy(io.Discard, io.LimitReader(verified, tree.MaxSize)); cut == nil && verified.Verify() != nil {
			return errOtherLayer
		}
	}
	return explain(ctx, err)
}

// manifest fetches a manifest, which has the digest that was asked for.
func (r *Repository) manifest(ctx context.Context, revision string) (*ocispec.Manifest, error) {
	if err := digest.Digest(revision).Validate(); err != nil {
		return nil, fmt.Errorf("%q is no digest", revision)
	}
	about, err := r.remote.Resolve(ctx, revision)
	if err != nil {
		return nil, explain(ctx, err)
	}
	if about.Digest.String() != revision {
		return nil, errOtherManifest
	}
	if about.Size > maxManifest {
		return nil, errHugeManifest
	}
	text, err := content.FetchAll(ctx, r.remote.Manifests(), about)
	if err != nil {
		return nil, explain(ctx, err)
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, errGarbage
	}
	return &manifest, nil
}

// layerOf is the archive of a module.
func layerOf(manifest *ocispec.Manifest) (ocispec.Descriptor, error) {
	kind := cmp.Or(manifest.ArtifactType, manifest.Config.MediaType, manifest.MediaType)
	switch {
	case kind != ArtifactType:
		return ocispec.Descriptor{}, fmt.Errorf("it is no module of kplan, but %s. Modules are published with kplan module push", article(kind))
	case len(manifest.Layers) != 1:
		return ocispec.Descriptor{}, fmt.Errorf("it has %d layers, and a module has one", len(manifest.Layers))
	}
	layer := manifest.Layers[0]
	switch {
	case layer.MediaType != LayerType:
		return layer, fmt.Errorf("its layer is %s, and that of a module is of the type %s", article(layer.MediaType), LayerType)
	case layer.Digest.Validate() != nil:
		return layer, errGarbage
	case layer.Size < 0 || layer.Size > tree.MaxSize:
		return layer, fmt.Errorf("its archive has more than %d MiB", tree.MaxSize>>20)
	}
	return layer, nil
}
