package config

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// Load reads and checks the configuration in one directory: its *.kplan.hcl
// and *.kplan.json files. It reports every problem it finds and returns what
// it understood of the rest, never nil. The evaluation of the configuration ends with ctx.
func Load(ctx context.Context, dir string) (*Config, hcl.Diagnostics) {
	if dir == "" {
		dir = "."
	}
	c := &Config{Dir: dir, Shown: dir, Files: map[string]*hcl.File{}, Budget: budget.New(ctx)}
	return c, c.load(ctx)
}

// LoadDefinition reads the definition in a directory for one of the calls of this configuration.
// Diagnostics name its files below shown, such as "../modules/app".
func (c *Config) LoadDefinition(ctx context.Context, dir, shown string) (*Config, hcl.Diagnostics) {
	definition := &Config{Dir: dir, Shown: shown, Files: c.Files, Budget: c.Budget, isDefinition: true}
	return definition, definition.load(ctx)
}

func (c *Config) load(ctx context.Context) hcl.Diagnostics {
	l := &loader{
		config:    c,
		seen:      map[string]hcl.Range{},
		functions: sync.OnceValue(func() []string { return funcs.Names(funcs.Table(c.Dir, nil)) }),
	}
	l.parser = &parser{files: c.Files, budget: c.Budget}
	names, err := source.ConfigFiles(c.Dir)
	if err != nil {
		return source.NoConfiguration(c.Shown, err)
	}
	if len(names) == 0 {
		return source.NoConfiguration(c.Shown, nil)
	}
	l.overrides(names)
	var sources []source.File
	read := func() { sources = source.ReadFiles(c.Dir, c.Shown, names) }
	if interrupted := c.Budget.Within(func() { c.Budget.Abandonable(read) }); interrupted.HasErrors() {
		c.Broken = true
		return interrupted
	}
	for _, s := range sources {
		if tooMuch := l.config.Budget.Within(func() { l.addFile(s) }); tooMuch.HasErrors() {
			l.parser.report(tooMuch)
			l.broken = true
			break
		}
	}
	if !l.broken {
		checkValidationNames(l.parser, l.config)
		checkRefactoring(l.parser, l.config)
		if c.isDefinition {
			checkDefinition(l.parser, c)
		}
	}
	c.Broken = l.broken
	source.SortDiagnostics(l.parser.diags)
	return source.FirstProblems(l.parser.diags)
}

// overrides warns of files that Terraform would merge into the others.
func (l *loader) overrides(names []string) {
	for _, name := range names {
		stem, _, _ := strings.Cut(name, ".kplan.")
		if stem == "override" || strings.HasSuffix(stem, "_override") {
			diags := source.WithoutRange("No override files", "%s is read as any other file: its blocks add to those of the others, and "+
				"replace none. What differs between runs goes into variables.", name)
			diags[0].Severity = hcl.DiagWarning
			l.parser.report(diags)
		}
	}
}

// loader gathers a Config from the files of a directory.
type loader struct {
	parser *parser
	config *Config
	seen   map[string]hcl.Range // where each name was first declared, as "variable.app"
	// functions returns the names of the functions that can be called, sorted.
	functions func() []string
	broken    bool // a file has a syntax error, so declarations may be missing
}

// declare remembers where a name was declared, and refuses the second time.
func (l *loader) declare(what, key string, at hcl.Range) bool {
	if first, taken := l.seen[key]; taken {
		l.parser.problem("Duplicate "+what, at,
			"%s was already declared at %s. Each %s needs a name of its own: rename one of the two, or remove it.", key, first, what)
		return false
	}
	l.seen[key] = at
	return true
}

// addFile adds the blocks of a file to the configuration.
func (l *loader) addFile(s source.File) {
	l.parser.report(s.Diags)
	l.broken = l.broken || s.Diags.HasErrors()
	if s.Parsed == nil {
		return
	}
	l.config.Files[s.Name] = s.Parsed
	if s.Parsed.Body == nil {
		return
	}
	l.config.Budget.File(s.Name, len(s.Parsed.Bytes))
	s.Parsed.Body = l.config.Budget.Body(s.Parsed)
	before := len(l.parser.diags)
	if native, ok := s.Parsed.Body.(*hclsyntax.Body); ok {
		l.parser.report(source.ReadTypes(native))
	}
	l.topLevel(s.Parsed.Body)
	checkExpressions(l.parser, s.Parsed.Body, l.functions)
	if s.Diags.HasErrors() {
		l.dropAfterSyntaxError(s.Name, before, s.Diags)
	}
}

// missingArgument is the summary of package hcl for an argument that a block lacks.
const missingArgument = "Missing required argument"

// dropAfterSyntaxError forgets the problems found behind the first syntax
// error of a file: there they are mostly about text that was not understood. In JSON
// that is all of it. What a block seems to lack may be behind it, too.
func (l *loader) dropAfterSyntaxError(file string, from int, syntax hcl.Diagnostics) {
	if strings.HasSuffix(file, ".json") {
		l.parser.diags = l.parser.diags[:from]
		return
	}
	first := -1
	for _, d := range syntax {
		if d.Subject != nil && (first < 0 || d.Subject.Start.Byte < first) {
			first = d.Subject.Start.Byte
		}
	}
	kept := slices.DeleteFunc(l.parser.diags[from:], func(d *hcl.Diagnostic) bool {
		return d.Subject == nil || d.Subject.End.Byte >= first || d.Summary == missingArgument
	})
	l.parser.diags = l.parser.diags[:from+len(kept)]
}

// checkExpressions reports problems of expressions that do not depend on their values, anywhere in
// a file, even in a branch that is not evaluated. These are duplicate keys of an object, of which
// HCL uses the last, and calls of unknown functions. HCL would report the calls during evaluation,
// with another suggestion each time.
//
// Expressions in JSON are strings until they are evaluated and are not checked.
func checkExpressions(p *parser, body hcl.Body, functions func() []string) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	names := functions()
	for _, block := range native.Blocks {
		if block.Type == "variable" {
			for name, attr := range block.Body.Attributes {
				p.report(source.DuplicateKeys(attr.Expr))
				if name != "type" { // list(string) looks like a call and is none
					p.report(funcs.UnknownCalls(attr.Expr, names))
				}
			}
			p.report(source.DuplicateKeys(block.Body.Blocks))
			p.report(funcs.UnknownCalls(block.Body.Blocks, names))
		} else {
			p.report(source.DuplicateKeys(block.Body))
			p.report(funcs.UnknownCalls(block.Body, names))
		}
	}
}
