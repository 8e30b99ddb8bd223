package config

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/source"
)

// Cluster is which cluster to connect to, and as which user. Empty fields follow the rules of
// kubectl.
type Cluster struct {
	// ConfigPath is a kubeconfig file. A relative path started at the
	// configuration's directory; one that begins with ~ is as it was written.
	ConfigPath           string
	Context              string
	Host                 string
	Token                string
	Username             string
	Password             string
	ClientCertificate    string // PEM, like the two below
	ClientKey            string
	ClusterCACertificate string
	Insecure             bool
	TLSServerName        string
	ProxyURL             string
	ImpersonateUser      string
	ImpersonateGroups    []string
	RequestTimeout       time.Duration
	Exec                 *Exec
	Range                hcl.Range // the block's head; zero when there is none
}

// Exec is a program that prints credentials.
type Exec struct {
	APIVersion string
	Command    string
	Args       []string
	Env        map[string]string
}

// clusterArguments are the arguments of a cluster block, each with what it sets. request_timeout is
// not a plain value and is read separately.
var clusterArguments = []struct {
	name string
	sets func(*Cluster) any
}{
	{"config_path", func(c *Cluster) any { return &c.ConfigPath }},
	{"context", func(c *Cluster) any { return &c.Context }},
	{"host", func(c *Cluster) any { return &c.Host }},
	{"token", func(c *Cluster) any { return &c.Token }},
	{"username", func(c *Cluster) any { return &c.Username }},
	{"password", func(c *Cluster) any { return &c.Password }},
	{"client_certificate", func(c *Cluster) any { return &c.ClientCertificate }},
	{"client_key", func(c *Cluster) any { return &c.ClientKey }},
	{"cluster_ca_certificate", func(c *Cluster) any { return &c.ClusterCACertificate }},
	{"insecure", func(c *Cluster) any { return &c.Insecure }},
	{"tls_server_name", func(c *Cluster) any { return &c.TLSServerName }},
	{"proxy_url", func(c *Cluster) any { return &c.ProxyURL }},
	{"impersonate_user", func(c *Cluster) any { return &c.ImpersonateUser }},
	{"impersonate_groups", func(c *Cluster) any { return &c.ImpersonateGroups }},
}

var clusterSchema = func() *hcl.BodySchema {
	schema := &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "request_timeout"}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "exec"}},
	}
	for _, argument := range clusterArguments {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: argument.name})
	}
	return schema
}()

var execSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "api_version", Required: true}, {Name: "command", Required: true}, {Name: "args"}, {Name: "env"},
}}

// Cluster evaluates the cluster block. Without one the result is empty, never
// nil. Arguments that are not known are left empty.
func (c *Config) Cluster(v Values) (*Cluster, hcl.Diagnostics) {
	cluster := &Cluster{}
	block := c.Settings.Cluster
	if block == nil {
		return cluster, nil
	}
	cluster.Range = block.DefRange
	content, _, diags := block.Body.PartialContent(clusterSchema) // Load reported what else is there
	e := newSettingsEval(c, v, content.Attributes)
	for _, argument := range clusterArguments {
		e.set(argument.name, argument.sets(cluster))
	}
	cluster.RequestTimeout = e.duration("request_timeout")
	if p := cluster.ConfigPath; p != "" && !filepath.IsAbs(p) && !strings.HasPrefix(p, "~") {
		cluster.ConfigPath = filepath.Join(c.Dir, p)
	}
	diags = append(diags, e.diags...)
	for i, b := range content.Blocks {
		if i > 0 {
			diags = append(diags, source.Problem("Duplicate setting", b.DefRange, "A cluster has one exec block at most.")...)
			break
		}
		exec, execDiags := c.exec(v, b)
		cluster.Exec = exec
		diags = append(diags, execDiags...)
	}
	diags = append(diags, clusterConflicts(content.Blocks, e.present)...)
	source.SortDiagnostics(diags)
	return cluster, diags
}

func (c *Config) exec(v Values, block *hcl.Block) (*Exec, hcl.Diagnostics) {
	content, diags := block.Body.Content(execSchema)
	e := newSettingsEval(c, v, content.Attributes)
	exec := &Exec{}
	e.set("api_version", &exec.APIVersion)
	e.set("command", &exec.Command)
	e.set("args", &exec.Args)
	e.set("env", &exec.Env)
	return exec, append(diags, e.diags...)
}

// together collects what is wrong with arguments beside one another. One that is null counts as left out, so that
// variables can choose between them.
type together struct {
	attrs hcl.Attributes
	diags hcl.Diagnostics
}

func (t *together) conflict(a, b, why string) {
	if t.attrs[a] == nil || t.attrs[b] == nil {
		return
	}
	later := t.attrs[a]
	if t.attrs[b].Range.Start.Byte > later.Range.Start.Byte {
		later = t.attrs[b]
	}
	t.diags = append(t.diags, source.Problem("Conflicting arguments", later.NameRange, "%s and %s can't be set together: %s.", a, b, why)...)
}

func (t *together) needs(a, b string) {
	if t.attrs[a] != nil && t.attrs[b] == nil {
		t.diags = append(t.diags, source.Problem("Missing argument", t.attrs[a].NameRange, "%s needs %s beside it.", a, b)...)
	}
}

// clusterConflicts reports arguments that contradict or need one another.
func clusterConflicts(blocks hcl.Blocks, attrs hcl.Attributes) hcl.Diagnostics {
	t := together{attrs: attrs}
	t.conflict("host", "config_path", "host names the cluster here, config_path names it in a kubeconfig file")
	t.conflict("host", "context", "host names the cluster here, context names it in a kubeconfig file")
	t.conflict("token", "username", "each is a way to prove who kplan is")
	t.conflict("insecure", "cluster_ca_certificate", "insecure turns off the check that the other one is for")
	t.needs("username", "password")
	t.needs("password", "username")
	t.needs("client_certificate", "client_key")
	t.needs("client_key", "client_certificate")
	if len(blocks) > 0 {
		for _, name := range []string{"token", "username"} {
			if attr := attrs[name]; attr != nil {
				t.diags = append(t.diags, source.Problem("Conflicting arguments", attr.NameRange,
					"%s and exec can't be set together: each is a way to prove who kplan is.", name)...)
			}
		}
	}
	return t.diags
}
