package hclspec

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
)

// Dependencies is the graph of the configuration's blocks, each depending on
// the blocks it refers to. It reports references that lead nowhere and blocks
// that depend on themselves.
func Dependencies(c *config.Config) (*graph.Graph[Block], hcl.Diagnostics) {
	names := namesOf(c)
	diags := names.resolveAll()
	g := names.graph()
	return g, append(diags, names.checkCycles(g)...)
}

func (n *names) resolveAll() hcl.Diagnostics {
	var diags hcl.Diagnostics
	var inModules reporter
	for _, b := range n.inOrder {
		problems := n.resolve(b)
		if in := n.scopeOf(b); in != "" {
			problems = inModules.located(problems, n.chain(in, in))
		}
		diags = append(diags, problems...)
	}
	return diags
}

func (n *names) graph() *graph.Graph[Block] {
	g := &graph.Graph[Block]{}
	for _, b := range n.inOrder {
		g.Add(b.name)
	}
	for _, b := range n.inOrder {
		for _, ref := range b.refs {
			g.Connect(b.name, ref.to)
		}
		for _, awaited := range b.awaits {
			g.Connect(b.name, awaited.to)
		}
	}
	return g
}

// checkCycles reports one cycle of every set of blocks that depend on one another.
func (n *names) checkCycles(g *graph.Graph[Block]) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, cycle := range g.Cycles() {
		if len(cycle) == 1 {
			diags = append(diags, source.Problem("Reference to itself", n.edge(cycle[0], cycle[0]),
				"%s depends on itself. Its own values are known only after it is evaluated.", cycle[0])...)
			continue
		}
		var way []string
		for i, from := range cycle {
			at := n.edge(from, cycle[(i+1)%len(cycle)])
			way = append(way, fmt.Sprintf("%s (%s:%d)", from, at.Filename, at.Start.Line))
		}
		way = append(way, cycle[0].String())
		diags = append(diags, source.Problem("Dependency cycle", n.edge(cycle[0], cycle[1]),
			"These depend on one another, so none can be first: %s. Remove one of the references.", strings.Join(way, " -> "))...)
	}
	return diags
}

// edge is the range of the first reference from one block to another.
func (n *names) edge(from, to Block) hcl.Range {
	b := n.byBlock[from]
	for _, ref := range b.refs {
		if ref.to == to {
			return ref.at
		}
	}
	for _, awaited := range b.awaits {
		if awaited.to == to {
			return awaited.at
		}
	}
	return b.at
}

// blocksOf lists the blocks of a configuration, or of the definition that a call is of: variables, locals,
// resources, outputs, modules, each with all that is in it.
func blocksOf(c *config.Config, module string, call *config.Call) []*block {
	var all []*block
	add := func(typ, name string, node node, at hcl.Range) {
		b := &block{name: Block{Module: module, Type: typ, Name: name}, node: node, at: at}
		if call != nil {
			b.call = call.Name
			_, b.isArgument = node.(argumentNode)
		}
		all = append(all, b)
	}
	for _, v := range c.Variables {
		if call == nil {
			add("var", v.Name, variableNode{}, v.Range)
			continue
		}
		add("var", v.Name, argumentNode{v, call}, v.Range)
		if len(v.Validations) > 0 {
			add("validation", v.Name, validationNode{v, call}, v.Range)
		}
	}
	for _, l := range c.Locals {
		add("local", l.Name, localNode{l.Expr}, l.Range)
	}
	for _, d := range c.Data {
		add("data."+d.Kind, d.Name, dataNode{d}, d.Range)
	}
	for _, r := range c.Resources {
		if r.Objects == nil {
			add(r.Addr.Type, r.Addr.Name, resourceNode{r}, r.Range)
			continue
		}
		add(objectsType, r.Addr.Name, objectsNode{r}, r.Objects.Range())
		add(r.Addr.Type, r.Addr.Name, manifestsNode{r}, r.Range)
	}
	for _, o := range c.Outputs {
		add("output", o.Name, outputNode{o}, o.Range)
	}
	for _, check := range c.Checks {
		add("check", check.Name, checkNode{check}, check.Range)
	}
	for n, i := range c.Imports {
		if i.ForEach != nil {
			add("import", strconv.Itoa(n), importNode{i}, i.Range)
		}
	}
	for _, called := range c.Calls {
		add("module", called.Name, callNode{called}, called.Range)
		if all[len(all)-1].isOpaque = called.Definition == nil; called.Definition != nil {
			all = append(all, blocksOf(called.Definition, Block{Module: module, Type: "module", Name: called.Name}.String(), called)...)
		}
	}
	return all
}

func namesOf(c *config.Config) *names { return newNames(blocksOf(c, "", nil), c.Files) }

func newNames(inOrder []*block, files map[string]*hcl.File) *names {
	n := &names{inOrder: inOrder, outputs: map[string][]Block{}, files: files}
	n.byBlock = make(map[Block]*block, len(n.inOrder))
	for _, b := range n.inOrder {
		n.byBlock[b.name] = b
		if b.name.Type == "output" {
			n.outputs[b.name.Module] = append(n.outputs[b.name.Module], b.name)
		}
	}
	return n
}
