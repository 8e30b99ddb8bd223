package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
)

func graphCommand() *command {
	return &command{
		name:    "graph",
		summary: "Print what depends on what",
		about: "Prints the graph of the configuration's blocks in the language DOT. An arrow leads from a block to one " +
			"that it depends on. It needs no cluster and no values of variables.",
		examples: []example{{"graph | dot -Tsvg > graph.svg", "Draw it with Graphviz:"}},
		run:      func(_ context.Context, s *session, _ []string) exitCode { return runGraph(s) },
	}
}

func runGraph(s *session) exitCode {
	config, diags := s.load()
	if diags.HasErrors() {
		s.report(diags)
		return exitFailure
	}
	g, graphDiags := hclspec.Dependencies(config)
	if graphDiags.HasErrors() {
		s.report(append(diags, graphDiags...))
		return exitFailure
	}
	writeDOT(s.stdout, g)
	return exitOK
}

// writeDOT writes nodes and edges sorted, so that two graphs can be compared
// line by line.
func writeDOT(w io.Writer, g *graph.Graph[hclspec.Block]) {
	var nodes, edges []string
	for _, node := range g.Nodes() {
		name := dotName(node)
		if node.IsResource() {
			nodes = append(nodes, fmt.Sprintf("\t\t%s [label = %q, shape = \"box\"]\n", name, node))
		} else {
			nodes = append(nodes, fmt.Sprintf("\t\t%s [label = %q, shape = \"plain\"]\n", name, node))
		}
		for _, dep := range g.Dependencies(node) {
			edges = append(edges, fmt.Sprintf("\t\t%s -> %s\n", name, dotName(dep)))
		}
	}
	slices.Sort(nodes)
	slices.Sort(edges)
	fmt.Fprint(w, "digraph {\n\tcompound = \"true\"\n\tnewrank = \"true\"\n\tsubgraph \"root\" {\n")
	for _, line := range append(nodes, edges...) {
		fmt.Fprint(w, line)
	}
	fmt.Fprint(w, "\t}\n}\n")
}

// dotName is a node's name as Terraform's graphs spell it, for the tools that
// read those.
func dotName(b hclspec.Block) string {
	if b.IsResource() {
		return fmt.Sprintf("%q", "[root] "+b.String()+" (expand)")
	}
	return fmt.Sprintf("%q", "[root] "+b.String())
}
