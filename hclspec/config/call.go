package config

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// AllResources are the resources that a configuration declares, those of the definitions that it calls
// included, by their declared addresses.
func (c *Config) AllResources() iter.Seq2[addrs.Resource, *Resource] {
	return func(yield func(addrs.Resource, *Resource) bool) {
		for _, r := range c.Resources {
			if !yield(r.Addr, r) {
				return
			}
		}
		for module, definition := range c.definitions("") {
			for _, r := range definition.Resources {
				if !yield(r.Addr.Within(module), r) {
					return
				}
			}
		}
	}
}

// definitions are those that a configuration calls, also through others, by their paths without keys. What is
// called several times is there several times.
func (c *Config) definitions(module string) iter.Seq2[string, *Config] {
	return func(yield func(string, *Config) bool) {
		for _, call := range c.Calls {
			path := strings.TrimPrefix(module+".module."+call.Name, ".")
			if call.Definition == nil {
				continue
			}
			if !yield(path, call.Definition) {
				return
			}
			for path, definition := range call.Definition.definitions(path) {
				if !yield(path, definition) {
					return
				}
			}
		}
	}
}

// Resource is the resource of an address, nil where none is declared.
func (c *Config) Resource(addr addrs.Resource) *Resource {
	addr = addr.Declared()
	for declared, r := range c.AllResources() {
		if declared == addr {
			return r
		}
	}
	return nil
}

// Argument is the argument for a variable of the definition, nil where it has its default.
func (c *Call) Argument(variable string) *hcl.Attribute {
	if i := slices.IndexFunc(c.Arguments, func(a *hcl.Attribute) bool { return a.Name == variable }); i >= 0 {
		return c.Arguments[i]
	}
	return nil
}

var callSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "source", Required: true}, {Name: "version"}, {Name: "for_each"}, {Name: "count"}, {Name: "depends_on"},
}, Blocks: []hcl.BlockHeaderSchema{{Type: "lifecycle"}}}

var callLifecycleSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "enabled", Required: true}}}

// call reads a module block; nil when it is wrong.
func (p *parser) call(block *hcl.Block) *Call {
	c := &Call{Name: block.Labels[0], Range: block.DefRange}
	if !p.checkName("a module", c.Name, block.LabelRanges[0]) {
		return nil
	}
	content, rest, diags := block.Body.PartialContent(callSchema)
	p.report(diags)
	c.Repetition = p.repetition("module", content.Attributes)
	c.DependsOn = p.dependsOn(content.Attributes["depends_on"])
	if attr := content.Attributes["version"]; attr != nil {
		c.VersionRange = attr.Expr.Range()
		p.constant(attr, &c.Version)
	}
	for i, b := range content.Blocks {
		if i > 0 {
			p.problem("Duplicate lifecycle block", b.DefRange, "A module block has one lifecycle block at most.")
			continue
		}
		lifecycle, diags := b.Body.Content(callLifecycleSchema)
		p.report(diags)
		enabled(p, &c.Repetition, lifecycle.Attributes["enabled"])
	}
	arguments, diags := rest.JustAttributes()
	p.report(withoutLifecycle(block.Body, diags))
	c.Arguments = source.SortedAttributes(arguments)
	attr := content.Attributes["source"]
	if attr == nil || !p.constant(attr, &c.Source) {
		return nil
	}
	c.SourceRange = attr.Expr.Range()
	return c
}

// withoutLifecycle is what is wrong with the arguments of a module block: that there are other blocks than lifecycle.
func withoutLifecycle(body hcl.Body, diags hcl.Diagnostics) hcl.Diagnostics {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return diags
	}
	p := &parser{}
	for _, b := range native.Blocks {
		if b.Type != "lifecycle" {
			p.problem(fmt.Sprintf("Unexpected %q block", b.Type), b.TypeRange, "A module block holds arguments, one for each variable of the "+
				"definition, and no block but lifecycle. A value with several parts is written with an equals sign: name = { … }.")
		}
	}
	return p.diags
}

// checkDefinition refuses what only the configuration that is planned can say, not one that it calls.
func checkDefinition(p *parser, c *Config) {
	for _, block := range []*hcl.Block{c.Settings.Backend, c.Settings.Cluster, c.Settings.Encryption} {
		if block != nil {
			p.problem("Setting in a module", block.DefRange, "Where the state and the cluster are is a matter of the configuration that calls "+
				"the module. Move the %s block there.", block.Type)
		}
	}
	for _, i := range c.Imports {
		p.problem("Import in a module", i.Range, "Only the configuration that calls the module can import: one definition serves many. "+
			"Write it there with the whole address, as in to = module.NAME.%s.", i.To)
	}
}

// Bind makes a configuration the definition of the call, and compares its variables with the call's
// arguments.
func (c *Call) Bind(definition *Config) hcl.Diagnostics {
	c.Definition = definition
	if definition.Broken {
		return nil
	}
	p := &parser{}
	var names []string
	for _, v := range definition.Variables {
		names = append(names, v.Name)
		if v.Default == cty.NilVal && c.Argument(v.Name) == nil {
			p.problem("Missing required argument", c.Range, "The variable %q of the module has no default. Give it a value: %s = ….", v.Name, v.Name)
		}
	}
	for _, a := range c.Arguments {
		if !slices.Contains(names, a.Name) {
			p.problem("Unsupported argument", a.NameRange, "The module has no variable %q.%s", a.Name, words.Suggest(a.Name, names))
		}
	}
	return p.diags
}

// Input is the value of a variable of a definition from a value that a call gives it. Marks stay.
func (v *Variable) Input(value cty.Value, expr hcl.Expression, b *budget.Budget) (cty.Value, hcl.Diagnostics) {
	at := expr.Range()
	u := unused{of: "var." + v.Name, at: &at, isSecret: v.Sensitive || funcs.IsSensitive(value)}
	u.find(value, v.Type, expr, addrs.Path{})
	source.SortDiagnostics(u.diags)
	if plain, _ := value.Unmark(); plain.IsNull() && !v.Nullable {
		if v.Default != cty.NilVal {
			return v.marked(v.Default), u.diags
		}
		return v.marked(v.unknown()), append(u.diags, source.Problem("Invalid value for variable", at,
			"var.%s of the module is not null: nullable = false rules that out.", v.Name)...)
	}
	if budget.HoldsHugeNumber(value, v.Type) {
		return v.marked(v.unknown()), append(u.diags, source.Problem("Invalid value for variable", at,
			"The value of var.%s of the module has a number with too many digits.", v.Name)...)
	}
	converted, err := v.convert(value, at, b)
	if err == nil {
		return v.marked(converted), u.diags
	}
	why := " The reason: " + conversionError(err) + "."
	if u.isSecret { // the names in it may be as secret
		why = ""
	}
	return v.marked(v.unknown()), append(u.diags, source.Problem("Invalid value for variable", at,
		"The value does not fit var.%s of the module: its type is %s, and the value is %s.%s", v.Name, typeName(v.Type),
		typeArticle(value.Type()), why)...)
}

// DefaultInput is the value of a variable that a call gives no value.
func (v *Variable) DefaultInput() cty.Value {
	if v.Default == cty.NilVal { // reported by Bind
		return v.marked(v.unknown())
	}
	return v.marked(v.Default)
}
