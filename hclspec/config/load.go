package config

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/source"
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
	names, err := source.ConfigFiles(dir)
	if err != nil {
		return p.config, source.NoConfiguration(dir, err)
	}
	if len(names) == 0 {
		return p.config, source.NoConfiguration(dir, nil)
	}
	for _, s := range source.ReadFiles(dir, names) {
		p.takeOver(s)
	}
	if !p.broken {
		p.validationNames()
		p.checkRefactoring()
	}
	p.config.Broken = p.broken
	source.SortDiagnostics(p.diags)
	return p.config, source.FirstProblems(p.diags)
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
	p.report(source.Problem(summary, subject, format, args...))
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

// takeOver takes over the blocks of a file.
func (p *parser) takeOver(s source.File) {
	p.report(s.Diags)
	p.broken = p.broken || s.Diags.HasErrors()
	if s.Parsed == nil {
		return
	}
	p.config.Files[s.Name] = s.Parsed
	if s.Parsed.Body == nil {
		return
	}
	before := len(p.diags)
	p.topLevel(s.Parsed.Body)
	p.expressions(s.Parsed.Body)
	if s.Diags.HasErrors() {
		p.dropAfterSyntaxError(before, s.Diags)
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
