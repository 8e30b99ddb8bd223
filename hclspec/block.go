package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
)

// Block names a block of the configuration by what references to it begin
// with: var.app, local.labels, Pod.web. An output is named output.url, although
// nothing can refer to it.
type Block struct {
	Type string // "var", "local", "output", or the kind of a resource
	Name string
}

// String is the block as references spell it.
func (b Block) String() string { return b.Type + "." + b.Name }

// IsResource says whether the block is a resource.
func (b Block) IsResource() bool { return source.IsKindName(b.Type) }

func resourceBlock(r addrs.Resource) Block { return Block{r.Type, r.Name} }

// block is a block with what is known of it before anything is evaluated.
// Exactly one of variable, local, output and resource is set.
type block struct {
	name     Block
	variable *config.Variable
	local    *config.Local
	output   *config.Output
	resource *config.Resource
	at       hcl.Range

	// refs are the references to other blocks, in the order of the source.
	refs []reference
	// broken are the uses of names that refer to nothing. They are reported
	// once, and what they stand for counts as unknown.
	broken []use
	// keys are expressions that a value may depend on without its marks saying so.
	keys []hcl.Expression
	// loops says whether the block has for expressions.
	loops bool
}

// blocksOf lists the blocks of a configuration: variables, locals, resources,
// outputs.
func blocksOf(c *config.Config) []*block {
	var all []*block
	for _, v := range c.Variables {
		all = append(all, &block{name: Block{"var", v.Name}, variable: v, at: v.Range})
	}
	for _, l := range c.Locals {
		all = append(all, &block{name: Block{"local", l.Name}, local: l, at: l.Range})
	}
	for _, r := range c.Resources {
		all = append(all, &block{name: resourceBlock(r.Addr), resource: r, at: r.Range})
	}
	for _, o := range c.Outputs {
		all = append(all, &block{name: Block{"output", o.Name}, output: o, at: o.Range})
	}
	return all
}

// findUses lists the names that the block's expressions use.
func (b *block) findUses() *useFinder {
	f := &useFinder{}
	switch {
	case b.local != nil:
		f.expr(b.local.Expr)
	case b.output != nil:
		f.expr(b.output.Expr)
		for _, check := range b.output.Preconditions {
			f.expr(check.Condition)
			f.expr(check.ErrorMessage)
		}
	case b.resource != nil:
		f.expr(b.resource.ForEach)
		f.expr(b.resource.Count)
		f.repetition = len(f.uses)
		f.manifest(b.resource.Body)
	}
	return f
}

// dependsOn are the references that the block's depends_on lists.
func (b *block) dependsOn() []config.Reference {
	switch {
	case b.resource != nil:
		return b.resource.DependsOn
	case b.output != nil:
		return b.output.DependsOn
	}
	return nil
}
