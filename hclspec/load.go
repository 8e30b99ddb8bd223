package hclspec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"
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
	for _, name := range names {
		p.file(name)
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

// file parses one file and takes its blocks over.
func (p *parser) file(name string) {
	filename := filepath.Join(p.config.Dir, name)
	src, err := folder(p.config.Dir).read(name)
	if err != nil {
		p.broken = true
		p.report(placeless("Can't read file", "%s can't be read: %v.", filename, err))
		return
	}
	file, diags := parseSource(src, filename)
	p.report(diags)
	p.broken = p.broken || diags.HasErrors()
	if file == nil {
		return
	}
	p.config.Files[filename] = file
	if file.Body == nil {
		return
	}
	before := len(p.diags)
	p.topLevel(file.Body)
	p.expressions(file.Body)
	if diags.HasErrors() {
		p.dropAfterSyntaxError(before, diags)
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
		detail = fmt.Sprintf("%s can't be read: %v.", where, folderError(err))
	default:
		detail += hintForOthers(dir)
	}
	return placeless("No configuration files", "%s", detail)
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
