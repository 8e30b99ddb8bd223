package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// clusterOptions choose the cluster and bound the work on it.
type clusterOptions struct {
	kubeconfig, context string
	allowExec           bool
	parallelism         count
}

func (o *clusterOptions) flags() []cli.Flag {
	o.parallelism = kube.DefaultParallelism
	return []cli.Flag{
		text("kubeconfig", &o.kubeconfig, "Read the cluster from the kubeconfig `FILE`, instead of what the cluster block or KUBECONFIG says."),
		text("context", &o.context, "Use the context `NAME` of the kubeconfig."),
		on("allow-exec-plugins", &o.allowExec, "Run the programs that a kubeconfig in the working folder or the cluster block names for credentials."),
		value("parallelism", &o.parallelism, "Work on at most `N` objects at once."),
	}
}

// connect finds the cluster that the flags, the cluster block and kubectl's
// rules name, in this order, and makes sure that it answers.
func (s *session) connect(ctx context.Context, d definition, opts clusterOptions) (*kube.Cluster, bool) {
	wanted, diags := d.config.Cluster(d.values)
	if diags.HasErrors() {
		s.report(diags)
		return nil, false
	}
	cluster, err := unlessEnded(ctx, func() (*kube.Cluster, error) { return kube.Connect(ctx, s.kubeOptions(wanted, opts)) }) // a kubeconfig may be a pipe
	if err != nil {
		diags := diag.FromKube(err, nil, "")
		if wanted.Range.Filename != "" {
			for _, d := range diags {
				d.Subject = wanted.Range.Ptr()
			}
		}
		s.report(diags)
		return nil, false
	}
	return cluster, true
}

// kubeOptions lays the flags over the cluster block.
func (s *session) kubeOptions(c *config.Cluster, opts clusterOptions) kube.Options {
	o := fromBlock(c)
	if opts.kubeconfig != "" || opts.context != "" {
		o = forAnyCluster(o)
	}
	if opts.kubeconfig != "" {
		o.Auth.ConfigPath = opts.kubeconfig
	}
	if opts.context != "" {
		o.Auth.Context = opts.context
	}
	o.Parallelism = int(opts.parallelism)
	o.Auth.UserAgent = "kplan/" + versionText()
	o.Warn = s.warn
	o.Notice = s.notice
	o.Auth.WorkDir = s.untrusted()
	o.Auth.AllowExec = opts.allowExec
	o.Auth.InteractiveExec = s.input && s.terminal
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

// untrusted is the folder that may come from a pull request: where kplan was
// started, or, if -chdir led out of there, where it works.
func (s *session) untrusted() string {
	dir, err := os.Getwd()
	if err != nil {
		return s.started
	}
	if rel, err := filepath.Rel(s.started, dir); err == nil && filepath.IsLocal(rel) {
		return s.started
	}
	return dir
}

// notice tells that the API server keeps the user waiting. It may be called from
// several goroutines at once.
func (s *session) notice(text string) {
	s.tell(func(e *render.Events) {
		e.Diagnostic(&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Waiting for the API server", Detail: text}, render.Sources{})
	})
	if s.events != nil {
		return
	}
	s.say(render.Clean(text) + "\n")
}

// warn shows a warning that the API server sent along, and what it was first
// said about. It may be called from several goroutines at once.
func (s *session) warn(about addrs.Object, text string) {
	if about.Name != "" {
		text = about.String() + ": " + text
	}
	s.report(hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  "Warning from the API server",
		Detail:   text,
	}})
}
