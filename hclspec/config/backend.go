package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/util/validation"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// Backend is where the state is stored.
type Backend struct {
	Type       string
	Path       string            // of type local: the state file
	Kubernetes KubernetesBackend // of type kubernetes
	// Unknown are the arguments that depend on a variable without a value.
	Unknown []string
	Range   hcl.Range // the block's head; zero when there is none
}

// KubernetesBackend is a state in a cluster.
type KubernetesBackend struct {
	Name, Namespace string
	// ConfigPath and Context name the cluster as in a cluster block. Without them it is the stack's.
	ConfigPath, Context string
}

// backendTypes are the types of backends, by name.
var backendTypes = map[string]struct {
	arguments []hcl.AttributeSchema
	evaluate  func(*Backend, *settingsEval)
}{
	"local": {
		[]hcl.AttributeSchema{{Name: "path"}},
		(*Backend).local,
	},
	"kubernetes": {
		[]hcl.AttributeSchema{{Name: "name", Required: true}, {Name: "namespace", Required: true}, {Name: "config_path"}, {Name: "context"}},
		(*Backend).kubernetes,
	},
}

func (l *loader) backend(block *hcl.Block) {
	name := block.Labels[0]
	of, ok := backendTypes[name]
	if !ok {
		known := slices.Sorted(maps.Keys(backendTypes))
		l.parser.problem("Unsupported backend type", block.LabelRanges[0],
			"This version of kplan can't keep its state in a backend of that type. Available: %s.%s",
			strings.Join(known, ", "), words.Suggest(name, known))
		return
	}
	_, diags := block.Body.Content(&hcl.BodySchema{Attributes: of.arguments})
	l.parser.report(diags)
	l.config.Settings.Backend = block
}

// defaultStatePath is where the state is stored by default.
const defaultStatePath = "kplan.state.json"

// Backend evaluates the backend block. Without one the state is a file beside
// the configuration. A relative path starts at the configuration's directory.
func (c *Config) Backend(v Values) (*Backend, hcl.Diagnostics) {
	backend := &Backend{Type: "local"}
	block := c.Settings.Backend
	if block == nil {
		backend.Path = filepath.Join(c.Dir, defaultStatePath)
		return backend, nil
	}
	backend.Type, backend.Range = block.Labels[0], block.DefRange
	of := backendTypes[backend.Type]
	content, _, diags := block.Body.PartialContent(&hcl.BodySchema{Attributes: of.arguments})
	e := newSettingsEval(c, v, content.Attributes)
	of.evaluate(backend, e)
	backend.Unknown = e.unknown
	return backend, append(diags, e.diags...)
}

// HasRemoteState reports whether a backend block keeps the state where only a server has it.
func (c *Config) HasRemoteState() bool {
	return c.Settings.Backend != nil && c.Settings.Backend.Labels[0] != "local"
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
	before := len(e.diags)
	e.set(name, target)
	attr := e.attrs[name]
	if attr == nil || slices.Contains(e.unknown, name) || len(e.diags) > before {
		return
	}
	if problems := validation.IsDNS1123Label(*target); len(problems) > 0 {
		e.diags = append(e.diags, source.Problem("Invalid value", attr.Expr.Range(), "%s can't be %q: %s.", name, *target, problems[0])...)
	}
}

// file is a path from the configuration's directory, or from the user's home.
func (e *settingsEval) file(path string) string {
	if path == "" || filepath.IsAbs(path) || strings.HasPrefix(path, "~") {
		return path
	}
	return filepath.Join(e.config.Dir, path)
}
