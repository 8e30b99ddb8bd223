package hclspec

import (
	"fmt"
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
	for _, b := range n.inOrder {
		diags = append(diags, n.resolve(b)...)
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
		for _, ref := range b.node.dependsOn() {
			if to := resourceBlock(ref.Resource); g.Has(to) {
				g.Connect(b.name, to)
			}
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
	for _, ref := range b.node.dependsOn() {
		if resourceBlock(ref.Resource) == to {
			return ref.Range
		}
	}
	return b.at
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

func namesOf(c *config.Config) *names {
	n := &names{inOrder: blocksOf(c)}
	n.byBlock = make(map[Block]*block, len(n.inOrder))
	for _, b := range n.inOrder {
		n.byBlock[b.name] = b
	}
	return n
}
