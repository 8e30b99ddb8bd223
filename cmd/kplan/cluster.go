package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/state"
)

// clusterOptions choose the cluster and bound the work on it.
type clusterOptions struct {
	kubeconfig, context string
	allowExec           bool
	parallelism         cli.Count
}

func (o *clusterOptions) flags() []cli.Flag {
	return append(o.accessFlags(),
		cli.Value("parallelism", &o.parallelism, "Limit the number of concurrent operations to `N`."))
}

// accessFlags are those about which cluster it is.
func (o *clusterOptions) accessFlags() []cli.Flag {
	o.parallelism = kube.DefaultParallelism
	return []cli.Flag{
		cli.Text("kubeconfig", &o.kubeconfig, "Use the kubeconfig `FILE`, instead of that of the cluster block or KUBECONFIG."),
		cli.Text("context", &o.context, "Use the context `NAME` of the kubeconfig."),
		cli.On("allow-exec-plugins", &o.allowExec,
			"Run the credential plugins that a kubeconfig in the checkout or the cluster block names."),
	}
}

// connect finds the cluster that the flags, the cluster block and kubectl's
// rules name, in this order, and makes sure that it answers. The log has no bodies of requests where
// there is no state to say what is sensitive in them.
func (s *session) connect(ctx context.Context, d definition, opts clusterOptions, st *state.State) (*kube.Cluster, hcl.Diagnostics) {
	wanted, diags := d.config.Cluster(d.values)
	if diags.HasErrors() {
		return nil, diags
	}
	return s.connectTo(ctx, wanted, opts, st)
}

func (s *session) connectTo(
	ctx context.Context, wanted *config.Cluster, opts clusterOptions, st *state.State,
) (*kube.Cluster, hcl.Diagnostics) {
	cluster, err := files.Await(ctx, func() (*kube.Cluster, error) { // a kubeconfig may be a pipe
		o := s.kubeOptions(wanted, opts)
		o.Log, o.Sensitive = s.log, sensitiveIn(st)
		return kube.Connect(ctx, o)
	})
	diags := diag.FromKube(err, nil, "")
	if wanted.Range.Filename != "" {
		for _, d := range diags {
			d.Subject = wanted.Range.Ptr()
		}
	}
	return cluster, diags
}

// kubeOptions lays the flags over the cluster block.
func (s *session) kubeOptions(c *config.Cluster, opts clusterOptions) kube.Options {
	o := fromBlock(c)
	if opts.kubeconfig != "" || opts.context != "" {
		o = forAnyCluster(o)
	}
	o.Auth.Named = o.Auth.ConfigPath != ""
	if opts.kubeconfig != "" {
		o.Auth.ConfigPath, o.Auth.Named = opts.kubeconfig, false
	}
	if opts.context != "" {
		o.Auth.Context = opts.context
	}
	o.Parallelism = int(opts.parallelism)
	o.Auth.UserAgent = "kplan/" + versionText()
	o.Warn = s.warn
	o.Notice = s.notice
	o.Auth.Untrusted = s.untrusted()
	o.Auth.AllowExec = opts.allowExec
	o.Auth.Secrets = &s.ui.Secrets
	o.Auth.InteractiveExec = s.ui.Input && s.ui.Terminal
	return o
}

func fromBlock(c *config.Cluster) kube.Options {
	o := kube.Options{
		Auth: auth.Options{
			ConfigPath:           c.ConfigPath,
			Context:              c.Context,
			Host:                 c.Host,
			Token:                c.Token,
			Username:             c.Username,
			Password:             c.Password,
			ClientCertificate:    c.ClientCertificate,
			ClientKey:            c.ClientKey,
			ClusterCACertificate: c.ClusterCACertificate,
			Insecure:             c.Insecure,
			TLSServerName:        c.TLSServerName,
			ProxyURL:             c.ProxyURL,
			ImpersonateUser:      c.ImpersonateUser,
			ImpersonateGroups:    c.ImpersonateGroups,
		},
		RequestTimeout: c.RequestTimeout,
	}
	if c.Exec != nil {
		o.Auth.Exec = &auth.Exec{APIVersion: c.Exec.APIVersion, Command: c.Exec.Command, Args: c.Exec.Args, Env: c.Exec.Env}
	}
	return o
}

// forAnyCluster keeps of the cluster block what holds for any cluster. Its
// credentials are for another one than the flags name; whom it impersonates is
// a restriction, which stays.
func forAnyCluster(o kube.Options) kube.Options {
	return kube.Options{
		Auth: auth.Options{
			ConfigPath:        o.Auth.ConfigPath,
			Context:           o.Auth.Context,
			ImpersonateUser:   o.Auth.ImpersonateUser,
			ImpersonateGroups: o.Auth.ImpersonateGroups,
		},
		RequestTimeout: o.RequestTimeout,
	}
}

// untrusted are the directories that may come from a pull request: where kplan was
// started, where it works, and the whole checkouts around them.
func (s *session) untrusted() []string {
	dirs := []string{checkout(s.started)}
	if dir, err := os.Getwd(); err == nil {
		dirs = append(dirs, checkout(dir))
	}
	return slices.Compact(dirs)
}

// checkout is the repository that a directory is in, or the directory. Someone who keeps
// their home in a repository does not have their pull requests checked out there.
func checkout(dir string) string {
	home, _ := os.UserHomeDir()
	for at := dir; ; at = filepath.Dir(at) {
		switch _, err := os.Lstat(filepath.Join(at, ".git")); {
		case at == home, at == filepath.Dir(at):
			return dir
		case err == nil:
			return at
		}
	}
}

// notice reports that the API server keeps the user waiting. It may be called
// from several goroutines at once.
func (s *session) notice(text string) {
	s.ui.Notice("Waiting for the API server", text)
}

// warn reports a warning of the API server, and the object of the request. It may
// be called from several goroutines at once.
func (s *session) warn(about addrs.Object, text string) {
	if about.Name != "" {
		text = about.String() + ": " + text
	}
	s.ui.Report(warning("Warning from the API server", text))
}
