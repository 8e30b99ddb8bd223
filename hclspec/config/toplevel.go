package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// blockTypes are the blocks that a file may hold.
var blockTypes = []struct {
	name   string
	labels []string
	read   func(*loader, *hcl.Block)
}{
	{"kplan", nil, (*loader).settings},
	{"variable", []string{"name"}, func(l *loader, block *hcl.Block) {
		if v := l.parser.variable(block); v != nil && l.declare("variable", "var."+v.Name, v.Range) {
			l.config.Variables = append(l.config.Variables, v)
		}
	}},
	{"locals", nil, func(l *loader, block *hcl.Block) {
		for _, local := range l.parser.locals(block) {
			if l.declare("local value", "local."+local.Name, local.nameRange) {
				l.config.Locals = append(l.config.Locals, local)
			}
		}
	}},
	{"output", []string{"name"}, func(l *loader, block *hcl.Block) {
		if o := l.parser.output(block); o != nil && l.declare("output", "output."+o.Name, o.Range) && o.Expr != nil {
			l.config.Outputs = append(l.config.Outputs, o)
		}
	}},
	{"data", []string{"kind", "name"}, func(l *loader, block *hcl.Block) {
		if d := readData(l.parser, block); d != nil {
			l.data(d)
		}
	}},
	{"check", []string{"name"}, func(l *loader, block *hcl.Block) {
		if c := l.parser.checkBlock(block); c != nil && l.declare("check", "check."+c.Name, c.Range) {
			l.config.Checks = append(l.config.Checks, c)
			for _, d := range c.Data {
				l.data(d)
			}
		}
	}},
	{"resource", []string{"kind", "name"}, func(l *loader, block *hcl.Block) {
		if r := l.parser.resource(block); r != nil && l.declare("resource", r.Addr.String(), r.Range) {
			l.config.Resources = append(l.config.Resources, r)
		}
	}},
	{"manifests", []string{"name"}, func(l *loader, block *hcl.Block) {
		if r := readManifests(l.parser, block); r != nil && l.declare("manifests block", r.Addr.String(), r.Range) {
			l.config.Resources = append(l.config.Resources, r)
		}
	}},
	{"module", []string{"name"}, func(l *loader, block *hcl.Block) {
		if c := l.parser.call(block); c != nil && l.declare("module", "module."+c.Name, c.Range) {
			l.config.Calls = append(l.config.Calls, c)
		}
	}},
	{"import", nil, func(l *loader, block *hcl.Block) {
		if i := l.parser.imports(block); i != nil {
			l.config.Imports = append(l.config.Imports, i)
		}
	}},
	{"moved", nil, func(l *loader, block *hcl.Block) {
		if m := l.parser.moved(block); m != nil {
			l.config.Moved = append(l.config.Moved, m)
		}
	}},
	{"removed", nil, func(l *loader, block *hcl.Block) {
		if r := l.parser.removed(block); r != nil {
			l.config.Removed = append(l.config.Removed, r)
		}
	}},
}

// data adds a data block, which may be in a check.
func (l *loader) data(d *Data) {
	if l.declare("data block", "data."+d.Kind+"."+d.Name, d.Range) {
		l.config.Data = append(l.config.Data, d)
	}
}

// topLevel adds the blocks of one file to the configuration.
func (l *loader) topLevel(body hcl.Body) {
	schema := &hcl.BodySchema{}
	for _, b := range blockTypes {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: b.name, LabelNames: b.labels})
	}
	content, rest, diags := body.PartialContent(schema)
	l.parser.report(diags)
	l.unexpected(rest)
	for _, block := range content.Blocks {
		for _, b := range blockTypes {
			if b.name == block.Type {
				b.read(l, block)
			}
		}
	}
}

// unexpected reports what does not belong at a file's top level.
func (l *loader) unexpected(rest hcl.Body) {
	if native, ok := rest.(*hclsyntax.Body); ok {
		for _, block := range native.Blocks {
			l.unexpectedBlock(block.Type, block.TypeRange)
		}
		for _, attr := range native.Attributes {
			l.unexpectedArgument(attr.Name, attr.NameRange)
		}
		return
	}
	// The remaining properties of a body in JSON are available only in diagnostics.
	_, diags := rest.Content(&hcl.BodySchema{})
	for _, d := range diags {
		if d.Subject != nil {
			l.unexpectedBlock(l.jsonString(*d.Subject), *d.Subject)
		}
	}
}

// jsonString is the string in that range of the source.
func (l *loader) jsonString(at hcl.Range) string {
	var text string
	if src := l.config.Files[at.Filename].Bytes; at.CanSliceBytes(src) {
		_ = json.Unmarshal(at.SliceBytes(src), &text) // it was parsed before
	}
	return text
}

func (l *loader) unexpectedBlock(name string, at hcl.Range) {
	known := blockNames()
	lower := strings.ToLower(name)
	switch detail, unsupported := unsupportedBlocks[lower]; {
	case slices.Contains(known, name):
	case slices.Contains(known, lower):
		l.parser.problem("Unsupported block type", at, "A file holds no blocks of type %q.%s", name, words.DidYouMean(lower))
	case unsupported:
		l.parser.problem("Unsupported block type", at, "%s", detail)
	case source.IsKindName(name):
		l.parser.problem("Unsupported block type", at,
			"A file holds no blocks of type %q. An object is declared by a resource block: resource %q \"name\" { … }.", name, name)
	default:
		l.parser.problem("Unsupported block type", at, "A file holds no blocks of type %q.%s", name, words.Suggest(name, known))
	}
}

func (l *loader) unexpectedArgument(name string, at hcl.Range) {
	hint := " Values that the configuration uses go into a locals block; values of variables go into default.kpvars.hcl."
	if slices.Contains(blockNames(), name) {
		hint = fmt.Sprintf(" %s is a block: it is written without an equals sign.", name)
	}
	l.parser.problem("Unsupported argument", at, "An argument belongs in a block.%s", hint)
}

func blockNames() []string {
	var names []string
	for _, b := range blockTypes {
		names = append(names, b.name)
	}
	return names
}
