package hclspec

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

// Cluster says which cluster to talk to, and as whom. What is left empty is
// decided by the rules of kubectl.
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

var clusterSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "config_path"}, {Name: "context"}, {Name: "host"}, {Name: "token"}, {Name: "username"},
		{Name: "password"}, {Name: "client_certificate"}, {Name: "client_key"}, {Name: "cluster_ca_certificate"},
		{Name: "insecure"}, {Name: "tls_server_name"}, {Name: "proxy_url"}, {Name: "impersonate_user"},
		{Name: "impersonate_groups"}, {Name: "request_timeout"},
	},
	Blocks: []hcl.BlockHeaderSchema{{Type: "exec"}},
}

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
	content, diags := block.Body.Content(clusterSchema)
	e := newSettingsEval(c, v, content.Attributes)
	e.set("config_path", &cluster.ConfigPath)
	if p := cluster.ConfigPath; p != "" && !filepath.IsAbs(p) && !strings.HasPrefix(p, "~") {
		cluster.ConfigPath = filepath.Join(c.Dir, p)
	}
	e.set("context", &cluster.Context)
	e.set("host", &cluster.Host)
	e.set("token", &cluster.Token)
	e.set("username", &cluster.Username)
	e.set("password", &cluster.Password)
	e.set("client_certificate", &cluster.ClientCertificate)
	e.set("client_key", &cluster.ClientKey)
	e.set("cluster_ca_certificate", &cluster.ClusterCACertificate)
	e.set("insecure", &cluster.Insecure)
	e.set("tls_server_name", &cluster.TLSServerName)
	e.set("proxy_url", &cluster.ProxyURL)
	e.set("impersonate_user", &cluster.ImpersonateUser)
	e.set("impersonate_groups", &cluster.ImpersonateGroups)
	cluster.RequestTimeout = e.duration("request_timeout")
	diags = append(diags, e.diags...)
	for i, b := range content.Blocks {
		if i > 0 {
			diags = append(diags, problem("Duplicate setting", b.DefRange, "A cluster has one exec block at most.")...)
			break
		}
		exec, execDiags := c.exec(v, b)
		cluster.Exec = exec
		diags = append(diags, execDiags...)
	}
	diags = append(diags, clusterConflicts(content.Blocks, e.present)...)
	sortDiagnostics(diags)
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

// clusterConflicts reports arguments that contradict or need one another. One
// that is null counts as left out, so that variables can choose between them.
func clusterConflicts(blocks hcl.Blocks, attrs hcl.Attributes) hcl.Diagnostics {
	var diags hcl.Diagnostics
	conflict := func(a, b, why string) {
		if attrs[a] != nil && attrs[b] != nil {
			later := attrs[a]
			if attrs[b].Range.Start.Byte > later.Range.Start.Byte {
				later = attrs[b]
			}
			diags = append(diags, problem("Conflicting arguments", later.NameRange, "%s and %s can't be set together: %s.", a, b, why)...)
		}
	}
	needs := func(a, b string) {
		if attrs[a] != nil && attrs[b] == nil {
			diags = append(diags, problem("Missing argument", attrs[a].NameRange, "%s needs %s beside it.", a, b)...)
		}
	}
	conflict("host", "config_path", "host names the cluster here, config_path names it in a kubeconfig file")
	conflict("host", "context", "host names the cluster here, context names it in a kubeconfig file")
	conflict("token", "username", "each is a way to prove who kplan is")
	conflict("insecure", "cluster_ca_certificate", "insecure says not to check the certificate that the other one is for")
	needs("username", "password")
	needs("password", "username")
	needs("client_certificate", "client_key")
	needs("client_key", "client_certificate")
	if len(blocks) > 0 {
		for _, name := range []string{"token", "username"} {
			if attr := attrs[name]; attr != nil {
				diags = append(diags, problem("Conflicting arguments", attr.NameRange, "%s and exec can't be set together: each is a way to prove who kplan is.", name)...)
			}
		}
	}
	return diags
}

// Backend says where the state is kept.
type Backend struct {
	Type  string
	Path  string    // of type local: the state file
	Range hcl.Range // the block's head; zero when there is none
}

// defaultStatePath is where the state is kept when nothing else is said.
const defaultStatePath = "kplan.state.json"

// Backend evaluates the backend block. Without one the state is a file beside
// the configuration. A relative path starts at the configuration's directory.
func (c *Config) Backend(v Values) (*Backend, hcl.Diagnostics) {
	backend := &Backend{Type: "local", Path: defaultStatePath}
	var diags hcl.Diagnostics
	if block := c.Settings.Backend; block != nil {
		backend.Type, backend.Range = block.Labels[0], block.DefRange
		content, contentDiags := block.Body.Content(backendSchemas[backend.Type])
		e := newSettingsEval(c, v, content.Attributes)
		e.set("path", &backend.Path)
		diags = append(contentDiags, e.diags...)
		if attr := content.Attributes["path"]; attr != nil && backend.Path == "" && !diags.HasErrors() {
			diags = append(diags, problem("Unsuitable value", attr.Expr.Range(), "path must name a file.")...)
		}
	}
	if !filepath.IsAbs(backend.Path) {
		backend.Path = filepath.Join(c.Dir, backend.Path)
	}
	return backend, diags
}

// settingsEval evaluates arguments of the kplan block, which is read before
// any object is known: they can refer to variables, to local values made of
// variables, and to functions.
type settingsEval struct {
	config  *Config
	values  Values
	attrs   hcl.Attributes
	present hcl.Attributes       // those that have a value other than null
	locals  map[string]cty.Value // those evaluated; NilVal while one is under way
	diags   hcl.Diagnostics
}

func newSettingsEval(c *Config, v Values, attrs hcl.Attributes) *settingsEval {
	return &settingsEval{config: c, values: v, attrs: attrs, present: hcl.Attributes{}, locals: map[string]cty.Value{}}
}

// set evaluates the argument of that name, if there is one, and stores it in
// target, a pointer to a Go value.
func (e *settingsEval) set(name string, target any) {
	attr := e.attrs[name]
	if attr == nil {
		return
	}
	value, ok := e.value(attr.Expr, nil)
	if !ok {
		return
	}
	want, err := gocty.ImpliedType(target)
	if err != nil {
		panic("hclspec: an argument decoded into a Go type that cty has no type for: " + err.Error())
	}
	value, _ = value.UnmarkDeep() // the cluster needs the real token
	converted, err := convert.Convert(value, want)
	switch {
	case err != nil:
		e.diags = append(e.diags, problem("Unsuitable value", attr.Expr.Range(), "%s must be %s.", name, typeArticle(want))...)
	case converted.IsNull():
	case !converted.IsWhollyKnown():
		e.present[name] = attr
	default:
		e.present[name] = attr
		if err := gocty.FromCtyValue(converted, target); err != nil {
			e.diags = append(e.diags, problem("Unsuitable value", attr.Expr.Range(), "%s must be %s without null in it.", name, typeArticle(want))...)
		}
	}
}

// duration is set for a length of time.
func (e *settingsEval) duration(name string) time.Duration {
	var text string
	e.set(name, &text)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		e.diags = append(e.diags, problem("Invalid duration", e.attrs[name].Expr.Range(), "%s is a length of time such as \"30s\" or \"5m\".", name)...)
	}
	return max(d, 0)
}

// value evaluates an expression; path are the local values on the way to it.
func (e *settingsEval) value(expr hcl.Expression, path []string) (cty.Value, bool) {
	locals := map[string]cty.Value{}
	for _, ref := range expr.Variables() {
		if name, ok := rootAttr(ref, "local"); ok {
			value, ok := e.local(name, ref, path)
			if !ok {
				return cty.NilVal, false
			}
			locals[name] = value
		} else if !e.allowed(ref, path) {
			return cty.NilVal, false
		}
	}
	value, diags := expr.Value(&hcl.EvalContext{
		Variables: map[string]cty.Value{"var": e.values.object(), "local": cty.ObjectVal(locals), "path": paths},
		Functions: functions(e.config.Dir),
	})
	e.diags = append(e.diags, diags...)
	return value, !diags.HasErrors()
}

// allowed says whether an expression of the kplan block can refer to ref.
func (e *settingsEval) allowed(ref hcl.Traversal, path []string) bool {
	name, isVar := rootAttr(ref, "var")
	_, declared := e.values.values[name]
	switch {
	case isVar && declared, ref.RootName() == "path":
		return true
	case isVar:
		e.diags = append(e.diags, problem("Reference to undeclared variable", ref.SourceRange(), "There is no variable %q.%s", name, didYouMean(name, e.values.Names()))...)
	default:
		through := ""
		if len(path) > 0 {
			through = fmt.Sprintf(" The kplan block needs it through local.%s.", strings.Join(path, ", local."))
		}
		e.diags = append(e.diags, problem("Invalid reference in kplan block", ref.SourceRange(), "The kplan block is read before any object is known, so it can refer to variables, and to local values made of variables, but not to %s.%s", describeReference(ref), through)...)
	}
	return false
}

func (e *settingsEval) local(name string, ref hcl.Traversal, path []string) (cty.Value, bool) {
	if value, done := e.locals[name]; done {
		if value == cty.NilVal {
			e.diags = append(e.diags, problem("Cycle of local values", ref.SourceRange(), "local.%s refers to itself through %s.", name, strings.Join(path, ", "))...)
		}
		return value, value != cty.NilVal
	}
	for _, l := range e.config.Locals {
		if l.Name != name {
			continue
		}
		e.locals[name] = cty.NilVal
		value, ok := e.value(l.Expr, append(path, name))
		if ok {
			e.locals[name] = value
		}
		return value, ok
	}
	var names []string
	for _, l := range e.config.Locals {
		names = append(names, l.Name)
	}
	e.diags = append(e.diags, problem("Reference to undeclared local value", ref.SourceRange(), "There is no local value %q.%s", name, didYouMean(name, names))...)
	return cty.NilVal, false
}
