package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/kinds"
)

func graphCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:    "graph",
		Summary: "Print the dependency graph",
		About: "Prints the dependency graph of the configuration's blocks in the DOT language. An edge leads from a block to " +
			"one that it depends on, because it refers to it or because Kubernetes needs it first: the namespace, ConfigMap or " +
			"ServiceAccount that an object names as plain text. No cluster and no values of variables are needed; names that " +
			"depend on a value that is not given give no edge.",
		Examples: []cli.Example{{Line: "graph | dot -Tsvg > graph.svg", Explanation: "Draw the graph with Graphviz:"}},
		Run:      func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) { return exitOK, runGraph(ctx, s) },
	}
}

func runGraph(ctx context.Context, s *session) hcl.Diagnostics {
	c, diags := s.load(ctx)
	if diags.HasErrors() {
		return diags
	}
	if _, graphDiags := hclspec.Dependencies(c); graphDiags.HasErrors() {
		return append(diags, graphDiags...)
	}
	values, _ := c.ReadVariables(config.Inputs{Env: os.Environ(), Open: files.Opener(ctx), Partial: true})
	preview, _ := hclspec.NewPreview(ctx, c, hclspec.Options{Variables: values, Kinds: kinds.OpenSet{Set: kinds.Builtin()}, Partial: true})
	writeDOT(s.ui.Out, preview.Graph())
	return nil
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
