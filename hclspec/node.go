package hclspec

import (
	"strings"

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
	Type   string // "var", "local", "output", "module", "manifests", or the kind of a resource
	Name   string
	Key    addrs.Key // of an object of a manifests block, each of which is a block of its own
}

// String is the block as references spell it.
func (b Block) String() string {
	if b.Module != "" {
		return b.Module + "." + b.local()
	}
	return b.local()
}

// local is the block as references in its own module spell it.
func (b Block) local() string {
	if b.Type == objectsType {
		return addrs.Manifests + "." + b.Name + "." + objectsType
	}
	return b.Type + "." + b.Name + b.Key.String()
}

// isData reports whether the block reads what the cluster has.
func (b Block) isData() bool { return strings.HasPrefix(b.Type, "data.") }

// IsResource reports whether the block is a resource, a manifests block or an object of one.
func (b Block) IsResource() bool { return source.IsKindName(b.Type) || b.Type == addrs.Manifests }

// hasObjects reports whether the instances of the block are objects: those of a manifests block are of blocks of their own.
func (b Block) hasObjects() bool {
	return source.IsKindName(b.Type) || b.Type == addrs.Manifests && !b.Key.IsZero()
}

func resourceBlock(r addrs.Resource) Block {
	return Block{Module: r.Module, Type: r.Type, Name: r.Name}
}

// objectsType is the type of the block that is the list of a manifests block.
const objectsType = "objects"

func objectsBlock(manifests Block) Block {
	return Block{Module: manifests.Module, Type: objectsType, Name: manifests.Name}
}

// objectBlock is the block that an object is of.
func objectBlock(i addrs.Instance) Block {
	b := resourceBlock(i.Resource)
	if i.Resource.IsManifests() {
		b.Key = i.Key
	}
	return b
}

// instance is the address of the one instance of a block, or of all that there may be.
func (b Block) instance() addrs.Instance { return b.resource().Instance(b.Key) }

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

// A repeatedNode is a node that may be there several times.
type repeatedNode interface {
	node
	// repetition is the argument that the block is repeated by: "for_each",
	// "count", or "" for once.
	repetition() string
}

// An objectNode is a node of objects. A reference to it leads to an instance, and from there into
// the object.
type objectNode interface {
	repeatedNode
	isOfObjects()
}

// A handingNode is a node that hands the value of an expression on, with what the expression
// refers to.
type handingNode interface {
	node
	handsOn() hcl.Expression // nil for none
}

// A readNode is a node of what is read from the cluster.
type readNode interface {
	repeatedNode
	// check is the name of the check that the block is in: only that refers to it. "" for none.
	check() string
	// isList reports whether it reads several objects, which are in items.
	isList() bool
}

// block is a block with what is known of it before anything is evaluated.
type block struct {
	name Block
	node node
	at   hcl.Range
	// of is the module that the block is in, and scope the one whose names its expressions use; nil for a
	// declared block.
	of, scope *module
	// call is, of a declared block in a module, the name of the call that the module is of.
	call string
	// isOpaque means, of a module block, that its definition could not be read: what it gives is not known.
	isOpaque bool
	// isArgument means that the expressions are those of the module's caller.
	isArgument bool

	// refs are the references to other blocks, in the order of the source.
	refs []reference
	// awaits are blocks whose objects are ready before.
	awaits []await
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

// await is what a block waits for besides what it refers to.
type await struct {
	to Block
	at hcl.Range
}

// declared is the name of the block without the keys of the modules that it is in.
func (b *block) declared() Block {
	if b.of == nil {
		return b.name
	}
	return Block{Module: b.of.declared, Type: b.name.Type, Name: b.name.Name}
}

// reference is a use that names a block of the configuration.
type reference struct {
	to Block
	// steps follow the block's name; those of a resource with for_each or count
	// begin with the instance's key, or are empty for all of them.
	steps []useStep
	at    hcl.Range
	guard *guard // the outermost call around it that is one
	// call is, of a reference to a module or to an output of one, the module, and key that of an instance,
	// nil for all.
	call Block
	key  *addrs.Key
	// tail are steps that may follow later, where a loop, a local value or a call hands on
	// what the reference leads to.
	tail []useStep
}

// writtenKey is the key that a step in brackets spells out, nil where it may be any.
func writtenKey(s useStep) *addrs.Key {
	var key addrs.Key
	switch s.kind {
	case nameKeyStep:
		key = addrs.StringKey(s.name)
	case indexKeyStep:
		key = addrs.IntKey(s.index)
	default:
		return nil
	}
	return &key
}
