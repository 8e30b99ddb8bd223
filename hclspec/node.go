package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
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

// An objectNode is a node of objects. A reference to it leads to an instance, and from there into
// the object.
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
	// tails are the steps in the block that may lead into an object which a loop, a
	// local value or a call hands on.
	tails []use
	// fields describe what the references to objects lead to, by their ranges.
	fields map[hcl.Range]*kinds.Field
	// broken are the uses of names that refer to nothing. They are reported once, and their values
	// count as unknown.
	broken []use
	// keys are expressions that a value may depend on without being marked by them.
	keys []hcl.Expression
}

// reference is a use that names a block of the configuration.
type reference struct {
	to Block
	// steps follow the block's name; those of a resource with for_each or count
	// begin with the instance's key, or are empty for all of them.
	steps []useStep
	at    hcl.Range
	guard *guard // the outermost call around it that is one
	// tail are steps that may follow later, where a loop, a local value or a call hands on
	// what the reference leads to.
	tail []useStep
}
