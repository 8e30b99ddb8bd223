package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
)

// Block is the address of a block of the configuration, with what references to
// it begin with: var.app, local.labels, Pod.web. That of an output is output.url,
// although nothing can refer to it.
type Block struct {
	Module string // "" at the root, otherwise the path of calls, as in addrs.Resource
	Type   string // "var", "local", "output", or the kind of a resource
	Name   string
}

// String is the block as references spell it.
func (b Block) String() string {
	if b.Module != "" {
		return b.Module + "." + b.Type + "." + b.Name
	}
	return b.Type + "." + b.Name
}

// IsResource reports whether the block is a resource.
func (b Block) IsResource() bool { return source.IsKindName(b.Type) }

func resourceBlock(r addrs.Resource) Block {
	return Block{Module: r.Module, Type: r.Type, Name: r.Name}
}

// resource is the address of a block that is a resource.
func (b Block) resource() addrs.Resource {
	return addrs.Resource{Module: b.Module, Type: b.Type, Name: b.Name}
}

// A node is what a block is to evaluation. A new type of block is a new node, in
// a file of its own, and a line in blocksOf.
type node interface {
	// findUses collects the names that the block's expressions refer to.
	findUses(f *useFinder)
	// dependsOn lists what the block waits for besides what it refers to.
	dependsOn() []config.Reference
	// evaluate finds what the block gives to those that refer to it, from the
	// results of the blocks that it refers to.
	evaluate(p *program, b *block, deps map[Block]*result) *result
}

// An objectNode is a node that stands for objects. A reference to it leads to an
// instance, and from there into the object.
type objectNode interface {
	node
	// repetition is the argument that the block is repeated by: "for_each",
	// "count", or "" for a single object.
	repetition() string
}

// block is a block with what is known of it before anything is evaluated.
type block struct {
	name Block
	node node
	at   hcl.Range

	// refs are the references to other blocks, in the order of the source.
	refs []reference
	// broken are the uses of names that refer to nothing. They are reported
	// once, and what they stand for counts as unknown.
	broken []use
	// keys are expressions that a value may depend on without its marks saying so.
	keys []hcl.Expression
	// loops reports whether the block has for expressions.
	loops bool
}

// blocksOf lists the blocks of a configuration: variables, locals, resources,
// outputs.
func blocksOf(c *config.Config) []*block {
	var all []*block
	for _, v := range c.Variables {
		all = append(all, &block{name: Block{Type: "var", Name: v.Name}, node: variableNode{}, at: v.Range})
	}
	for _, l := range c.Locals {
		all = append(all, &block{name: Block{Type: "local", Name: l.Name}, node: localNode{l.Expr}, at: l.Range})
	}
	for _, r := range c.Resources {
		all = append(all, &block{name: resourceBlock(r.Addr), node: resourceNode{r}, at: r.Range})
	}
	for _, o := range c.Outputs {
		all = append(all, &block{name: Block{Type: "output", Name: o.Name}, node: outputNode{o}, at: o.Range})
	}
	return all
}
