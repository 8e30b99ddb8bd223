package hclspec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"kplan.dev/kplan/graph"
)

// Load reads and checks the configuration in one directory: its *.kplan.hcl
// and *.kplan.json files. It reports every problem it finds and returns what
// it understood of the rest, never nil.
func Load(dir string) (*Config, hcl.Diagnostics) {
	if dir == "" {
		dir = "."
	}
	p := &parser{
		config: &Config{Dir: dir, Files: map[string]*hcl.File{}},
		seen:   map[string]hcl.Range{},
	}
	names, err := configFiles(dir)
	if err != nil {
		return p.config, noConfiguration(dir, err)
	}
	if len(names) == 0 {
		return p.config, noConfiguration(dir, nil)
	}
	for _, s := range readSources(dir, names) {
		p.takeOver(s)
	}
	if !p.broken {
		p.validationNames()
		p.checkRefactoring()
	}
	p.config.Broken = p.broken
	sortDiagnostics(p.diags)
	return p.config, firstProblems(p.diags)
}

// parser gathers a Config and what is wrong with it.
type parser struct {
	config *Config
	seen   map[string]hcl.Range // where each name was first declared, as "variable.app"
	diags  hcl.Diagnostics
	// functions are the names of the functions that can be called, sorted; nil
	// until they are needed.
	functions []string
	broken    bool // a file has a syntax error, so declarations may be missing
}

func (p *parser) report(diags hcl.Diagnostics) { p.diags = append(p.diags, diags...) }

func (p *parser) problem(summary string, subject hcl.Range, format string, args ...any) {
	p.report(problem(summary, subject, format, args...))
}

// declare remembers where a name was declared, and refuses the second time.
func (p *parser) declare(what, key string, at hcl.Range) bool {
	if first, taken := p.seen[key]; taken {
		p.problem("Duplicate "+what, at, "%s was already declared at %s. Each %s needs a name of its own: rename one of the two, or remove it.", key, first, what)
		return false
	}
	p.seen[key] = at
	return true
}

// source is a file of the configuration.
type source struct {
	filename string
	file     *hcl.File // nil when it is not fit to be parsed at all
	diags    hcl.Diagnostics
}

// readSources reads and parses files side by side, which is most of what loading
// takes.
func readSources(dir string, names []string) []source {
	sources := make([]source, len(names))
	workers := runtime.GOMAXPROCS(0)
	group, _ := graph.NewGroup(context.Background())
	for first := range workers {
		group.Go(func() error {
			for n := first; n < len(names); n += workers {
				sources[n] = readSource(dir, names[n])
			}
			return nil
		})
	}
	group.Wait() // for panics, too; there are no errors
	return sources
}

func readSource(dir, name string) source {
	s := source{filename: filepath.Join(dir, name)}
	src, err := directory(dir).read(name)
	if err != nil {
		s.diags = withoutRange("Can't read file", "%s can't be read: %v.", s.filename, err)
		return s
	}
	s.file, s.diags = parseSource(src, s.filename)
	return s
}

// takeOver takes over the blocks of a file.
func (p *parser) takeOver(s source) {
	p.report(s.diags)
	p.broken = p.broken || s.diags.HasErrors()
	if s.file == nil {
		return
	}
	p.config.Files[s.filename] = s.file
	if s.file.Body == nil {
		return
	}
	before := len(p.diags)
	p.topLevel(s.file.Body)
	p.expressions(s.file.Body)
	if s.diags.HasErrors() {
		p.dropAfterSyntaxError(before, s.diags)
	}
}

// dropAfterSyntaxError forgets the problems found behind the first syntax
// error of a file: there they are mostly about text that was not understood.
func (p *parser) dropAfterSyntaxError(from int, syntax hcl.Diagnostics) {
	first := -1
	for _, d := range syntax {
		if d.Subject != nil && (first < 0 || d.Subject.Start.Byte < first) {
			first = d.Subject.Start.Byte
		}
	}
	kept := slices.DeleteFunc(p.diags[from:], func(d *hcl.Diagnostic) bool {
		return d.Subject == nil || d.Subject.End.Byte >= first
	})
	p.diags = p.diags[:from+len(kept)]
}

// parseSource parses one file of the language in the syntax that its name
// tells. The file is nil when the source is not fit to be parsed at all.
func parseSource(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	if strings.HasSuffix(filename, ".json") {
		return parseJSON(src, filename)
	}
	return parseNative(src, filename)
}

func parseJSON(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	if diags := checkJSONSource(src, filename); diags.HasErrors() {
		return nil, diags
	}
	return json.Parse(src, filename)
}

func parseNative(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	if diags := checkSource(src, filename); diags.HasErrors() {
		return nil, diags
	}
	return hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
}

// configFiles lists the names of a directory's configuration files, sorted.
func configFiles(dir string) ([]string, error) {
	return filesWithSuffix(dir, ".kplan.hcl", ".kplan.json")
}

func filesWithSuffix(dir string, suffixes ...string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || isIgnored(name) {
			continue
		}
		if slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// isIgnored says whether a name is that of a hidden file or of one that an
// editor keeps beside the real one.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") ||
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#")
}

// noConfiguration is the error for a directory without configuration files. It
// matters that this is an error: an empty configuration would plan to delete
// everything.
func noConfiguration(dir string, err error) hcl.Diagnostics {
	where := "The directory " + dir
	if dir == "." {
		where = "The current directory"
	}
	detail := where + " has no files named *.kplan.hcl or *.kplan.json; folders below it are not read."
	switch {
	case errors.Is(err, fs.ErrNotExist):
		detail = where + " does not exist."
	case err != nil:
		detail = fmt.Sprintf("%s can't be read: %v.", where, directoryError(err))
	default:
		detail += hintForOthers(dir)
	}
	return withoutRange("No configuration files", "%s", detail)
}

// hintForOthers says what to do with the files that stand where kplan's own
// were looked for.
func hintForOthers(dir string) string {
	if names, _ := filesWithSuffix(dir, ".hcl"); len(names) > 0 {
		return fmt.Sprintf(" There is %s: kplan reads it once it is named like main.kplan.hcl.", names[0])
	}
	if names, _ := filesWithSuffix(dir, ".tf", ".tf.json"); len(names) > 0 {
		return fmt.Sprintf(" There is %s: kplan does not read Terraform's files; its own language is much like theirs.", names[0])
	}
	if names, _ := filesWithSuffix(dir, ".yaml", ".yml"); len(names) > 0 {
		return fmt.Sprintf(" There is %s: a manifest goes into a resource block, for example with manifest = yamldecode(file(%q)).", names[0], names[0])
	}
	return ""
}
