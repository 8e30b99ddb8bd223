package config

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/util/validation"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// Backend is where the state is stored.
type Backend struct {
	Type       string
	Path       string            // of type local: the state file
	Kubernetes KubernetesBackend // of type kubernetes
	S3         S3Backend         // of type s3
	Postgres   PostgresBackend   // of type postgres
	HTTP       HTTPBackend       // of type http
	// Unknown are the arguments that depend on a variable without a value, and Missing those that are required and
	// neither in the block nor given to kplan init.
	Unknown, Missing []string
	// Arguments are the values of all arguments, as text, and Secrets those that must not be shown.
	Arguments map[string]string
	Secrets   []string
	Range     hcl.Range // the block's head; zero when there is none
}

// KubernetesBackend is a state in a cluster.
type KubernetesBackend struct {
	Name, Namespace string
	// ConfigPath and Context name the cluster as in a cluster block. Without them it is the stack's.
	ConfigPath, Context string
}

// backendType is what a backend of a type has.
type backendType struct {
	required, optional []string
	secret             []string // those of them that are never shown
	place              []string // those that name the place, nil for all that are not secret
	evaluate           func(*Backend, *settingsEval)
	// hints say of arguments that Terraform's backend has what to do instead.
	hints map[string]string
}

// backendHints say what the types of Terraform's backends are called here.
var backendHints = map[string]string{
	"pg": ` What Terraform calls pg is called postgres, with the same arguments and the name of the state.`,
}

// backendTypes are the types of backends, by name.
var backendTypes = map[string]backendType{
	localBackend: {
		optional: []string{"path"},
		evaluate: (*Backend).local,
	},
	"kubernetes": {
		required: []string{"name", "namespace"},
		optional: []string{"config_path", "context"},
		evaluate: (*Backend).kubernetes,
	},
	"s3":       s3Backend,
	"postgres": postgresBackend,
	"http":     httpBackend,
}

// arguments are those that a block of the type may have. What is required may come from elsewhere.
func (t backendType) arguments() []string { return slices.Concat(t.required, t.optional) }

func (t backendType) schema() *hcl.BodySchema {
	schema := &hcl.BodySchema{}
	for _, name := range t.arguments() {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	return schema
}

func (l *loader) backend(block *hcl.Block) {
	name := block.Labels[0]
	of, ok := backendTypes[name]
	if !ok {
		known := slices.Sorted(maps.Keys(backendTypes))
		l.parser.problem("Unsupported backend type", block.LabelRanges[0],
			"This version of kplan can't keep its state in a backend of that type. Available: %s.%s",
			strings.Join(known, ", "), cmp.Or(backendHints[name], words.Suggest(name, known)))
		return
	}
	schema := of.schema()
	for name := range of.hints {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: name})
	}
	content, diags := block.Body.Content(schema)
	l.parser.report(diags)
	for name, attr := range content.Attributes {
		if hint := of.hints[name]; hint != "" {
			l.parser.problem("Unsupported argument", attr.NameRange, "A backend of type %s has no argument %s. %s", block.Labels[0], name, hint)
		}
	}
	l.config.Settings.Backend = block
}

// defaultStatePath is where the state is stored by default.
const defaultStatePath = "kplan.state.json"

// Backend evaluates the backend block, completed by the arguments that kplan init was given. Without a block the state is a
// file beside the configuration. A relative path starts at the configuration's directory.
func (c *Config) Backend(v Values, given map[string]string) (*Backend, hcl.Diagnostics) {
	block := c.Settings.Backend
	if block == nil {
		return c.backend(v, &Backend{Type: localBackend}, nil)
	}
	backend := &Backend{Type: block.Labels[0], Range: block.DefRange}
	content, _, diags := block.Body.PartialContent(backendTypes[backend.Type].schema())
	attrs := maps.Clone(content.Attributes)
	give(attrs, given, block.DefRange)
	backend, more := c.backend(v, backend, attrs)
	return backend, append(diags, more...)
}

// give adds arguments that are not written anywhere; problems are reported at a range.
func give(attrs hcl.Attributes, given map[string]string, at hcl.Range) {
	for name, text := range given {
		attrs[name] = &hcl.Attribute{Name: name, Expr: hcl.StaticExpr(cty.StringVal(text), at), Range: at, NameRange: at}
	}
}

func (c *Config) backend(v Values, backend *Backend, attrs hcl.Attributes) (*Backend, hcl.Diagnostics) {
	of := backendTypes[backend.Type]
	e := newSettingsEval(c, v, attrs)
	of.evaluate(backend, e)
	backend.Unknown, backend.Arguments = e.unknown, e.texts
	for _, name := range of.required {
		if e.present[name] == nil {
			backend.Missing = append(backend.Missing, name)
		}
	}
	for _, name := range of.secret {
		if text := e.texts[name]; text != "" {
			backend.Secrets = append(backend.Secrets, text)
		}
	}
	return backend, e.diags
}

// localBackend is the type of those that keep the state in a file.
const localBackend = "local"

// HasRemoteState reports whether a backend block keeps the state where only a server has it.
func (c *Config) HasRemoteState() bool {
	return c.Settings.Backend != nil && c.Settings.Backend.Labels[0] != localBackend
}

func (b *Backend) local(e *settingsEval) {
	b.Path = defaultStatePath
	e.set("path", &b.Path)
	if attr := e.attrs["path"]; attr != nil && b.Path == "" {
		e.diags = append(e.diags, source.Problem("Invalid value", attr.Expr.Range(), "path must name a file.")...)
	}
	b.Path = e.file(b.Path)
}

func (b *Backend) kubernetes(e *settingsEval) {
	k := &b.Kubernetes
	e.label("name", &k.Name)
	e.label("namespace", &k.Namespace)
	e.set("config_path", &k.ConfigPath)
	e.set("context", &k.Context)
	k.ConfigPath = e.file(k.ConfigPath)
}

// label is set for a name of the kind that namespaces have.
func (e *settingsEval) label(name string, target *string) {
	if !e.known(name, target) {
		return
	}
	if problems := validation.IsDNS1123Label(*target); len(problems) > 0 {
		e.invalid(name, "%s can't be %q: %s.", name, *target, problems[0])
	}
}

// file is a path from the configuration's directory, or from the user's home.
func (e *settingsEval) file(path string) string {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "~") {
		return path
	}
	return filepath.Join(e.config.Dir, path)
}
