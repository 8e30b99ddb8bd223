// Package backend opens the store that a backend block describes.
package backend

import (
	"cmp"
	"context"
	"log/slog"
	"os"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/httpstore"
	"kplan.dev/kplan/state/kubernetes"
	"kplan.dev/kplan/state/postgres"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/s3"
)

func shared(s *remote.Store, codec state.Codec) *state.Place {
	s = s.With(codec)
	return &state.Place{Store: s, Reading: s.ForReading(), Name: s.String()}
}

// Connect reaches a cluster, that of the stack for nil.
type Connect func(ctx context.Context, wanted *config.Cluster) (*kube.Cluster, hcl.Diagnostics)

// Options are what all backends are opened with.
type Options struct {
	Codec   state.Codec // how states are stored
	Connect Connect
	Log     *slog.Logger // of requests
}

// types open the backends of each type.
var types = map[string]func(ctx context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics){
	"local":      openLocal,
	"kubernetes": openKubernetes,
	"s3":         openS3,
	"postgres":   openPostgres,
	"http":       openHTTP,
}

// Open opens the place that a backend block names. Nothing need be there.
func Open(ctx context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics) {
	return types[b.Type](ctx, b, o)
}

func openLocal(_ context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics) {
	return state.InFile(b.Path, o.Codec), nil
}

// openKubernetes opens the store in the cluster that the block names, or else in that of the stack.
func openKubernetes(ctx context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics) {
	k := b.Kubernetes
	var wanted *config.Cluster
	if k.ConfigPath != "" || k.Context != "" {
		wanted = &config.Cluster{ConfigPath: k.ConfigPath, Context: k.Context, Range: b.Range}
	}
	cluster, diags := o.Connect(ctx, wanted)
	if diags.HasErrors() {
		return nil, diags
	}
	return shared(remote.Open(kubernetes.At(cluster, k.Namespace, k.Name)), o.Codec), nil
}

func openS3(_ context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics) {
	s := b.S3
	place, err := s3.At(s3.Settings{
		Bucket: s.Bucket, Key: s.Key, Region: s.Region, Endpoint: s.Endpoint, PathStyle: s.PathStyle,
		Profile: s.Profile, AccessKey: s.AccessKey, SecretKey: s.SecretKey, Token: s.Token,
	})
	if err != nil {
		return nil, unusable(b, err)
	}
	return shared(remote.Open(remote.Logged(place, o.Log)), o.Codec), nil
}

func openPostgres(_ context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics) {
	p := b.Postgres
	place, err := postgres.At(postgres.Settings{ConnString: p.ConnString, Schema: p.SchemaName, Name: p.Name})
	if err != nil {
		return nil, unusable(b, err)
	}
	return shared(remote.Open(remote.Logged(place, o.Log)), o.Codec), nil
}

// openHTTP opens the store at an address. Credentials that the block does not have are those of the environment, where a
// pipeline may have them for Terraform.
func openHTTP(_ context.Context, b *config.Backend, o Options) (*state.Place, hcl.Diagnostics) {
	h := b.HTTP
	username := cmp.Or(h.Username, os.Getenv("KPLAN_HTTP_USERNAME"), os.Getenv("TF_HTTP_USERNAME"))
	password := cmp.Or(h.Password, os.Getenv("KPLAN_HTTP_PASSWORD"), os.Getenv("TF_HTTP_PASSWORD"))
	s, err := httpstore.Open(httpstore.Options{
		Address: h.Address, LockAddress: h.LockAddress, UnlockAddress: h.UnlockAddress,
		UpdateMethod: h.UpdateMethod, LockMethod: h.LockMethod, UnlockMethod: h.UnlockMethod,
		Username: username, Password: password, SkipCertVerification: h.SkipCertVerification,
		ClientCACertificatePEM: h.ClientCACertificatePEM, ClientCertificatePEM: h.ClientCertificatePEM,
		ClientPrivateKeyPEM: h.ClientPrivateKeyPEM,
		RetryMax:            h.RetryMax, RetryWaitMin: h.RetryWaitMin, RetryWaitMax: h.RetryWaitMax,
		UserAgent: "kplan", Log: o.Log,
	})
	if err != nil {
		return nil, unusable(b, err)
	}
	s = s.With(o.Codec)
	return &state.Place{Store: s, Reading: s.ForReading(), Name: s.String(), Secrets: []string{password}}, nil
}

func unusable(b *config.Backend, err error) hcl.Diagnostics {
	return source.Problem("Invalid backend", b.Range, "The settings of the backend can't be used: %s.", err)
}
