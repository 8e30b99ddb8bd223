package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
)

func moduleCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "module",
		Summary:     "Publish modules, and list those in use",
		About:       "Modules are definitions that configurations call. kplan init fetches those that are not in a directory beside.",
		Subcommands: []*cli.Command{moduleListCommand(s), modulePushCommand(s)},
	}
}

type moduleListOptions struct{ json, offline bool }

func moduleListCommand(s *session) *cli.Command {
	var opts moduleListOptions
	return &cli.Command{
		Name:    "list",
		Summary: "List the modules in use, and newer versions",
		About: "Lists the modules that the configuration calls, also those that modules call, with the version that the lock file has for " +
			"each, and which newer ones there are.\n\nExit codes: 0 whether there are newer versions or not; 1 the configuration has errors.",
		Flags: cli.Group("Options",
			cli.On("json", &opts.json, "Print JSON: an object for each call, with its address, source and versions."),
			cli.On("offline", &opts.offline, "Ask no server for newer versions."),
		),
		Examples: []cli.Example{
			{Line: "module list", Explanation: "List all modules:"},
			{Line: "module list -json | jq -r '.[] | select(.newest) | .address'", Explanation: "List those that have a newer version:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runModuleList(ctx, s, opts)
		},
	}
}

// listedModule is a call of a module.
type listedModule struct {
	Address    string `json:"address"`
	Source     string `json:"source"`
	Constraint string `json:"constraint,omitempty"`
	Version    string `json:"version,omitempty"`
	Revision   string `json:"revision,omitempty"`
	Hash       string `json:"hash,omitempty"`
	Allowed    string `json:"allowed,omitempty"` // the newest that the constraint allows, if it is newer
	Newest     string `json:"newest,omitempty"`  // the newest of all, if it is newer
}

func runModuleList(ctx context.Context, s *session, opts moduleListOptions) hcl.Diagnostics {
	r, diags := modules.Open(".", modules.Options{Offline: opts.offline})
	if diags.HasErrors() {
		return diags
	}
	c, diags := loadBy(s, func() (*config.Config, hcl.Diagnostics) { return modules.LoadWith(ctx, ".", r) })
	if diags = s.ui.Errors(diags); diags.HasErrors() {
		return diags
	}
	l := &moduleList{r: r, offline: opts.offline, all: []listedModule{}}
	l.add(ctx, c, "")
	if opts.json {
		return append(l.diags, printJSON(s, l.all)...)
	}
	l.print(s)
	return l.diags
}

// moduleList gathers the calls of a configuration, and of what it calls.
type moduleList struct {
	r       *modules.Resolver
	offline bool
	all     []listedModule
	diags   hcl.Diagnostics
}

func (l *moduleList) add(ctx context.Context, c *config.Config, above string) {
	for _, call := range c.Calls {
		address := above + "module." + call.Name
		read, _ := modules.ReadCall(call)
		one := listedModule{Address: address, Source: read.Source.String(), Constraint: read.Version.String()}
		if read.Source.IsRemote() {
			l.complete(ctx, read, &one)
		}
		l.all = append(l.all, one)
		if call.Definition != nil {
			l.add(ctx, call.Definition, address+".")
		}
	}
}

// complete adds what the lock file has for a call, and what the server has.
func (l *moduleList) complete(ctx context.Context, call modules.Call, one *listedModule) {
	resolved, diags := l.r.Resolve(ctx, call)
	if diags.HasErrors() { // reported when it was loaded
		return
	}
	one.Version, one.Revision, one.Hash = resolved.Version, resolved.Revision, resolved.Hash
	if l.offline || one.Version == "" {
		return
	}
	newer, err := l.r.Newer(ctx, call, one.Version)
	if err != nil {
		l.diags = append(l.diags, warning("Newer versions not known", fmt.Sprintf("%s: %v.", call.Source, err))...)
		return
	}
	one.Allowed, one.Newest = newer.Allowed, newer.Newest
}

func (l *moduleList) print(s *session) {
	if len(l.all) == 0 {
		fmt.Fprintln(s.ui.Out, "The configuration calls no modules.")
		return
	}
	for _, one := range l.all {
		depth := strings.Count(one.Address, ".module.")
		name := one.Address[strings.LastIndex(one.Address, "module."):]
		line := strings.Repeat("  ", depth) + name + "  " + one.Source
		switch {
		case one.Version != "":
			line += "  " + one.Version
		case one.Revision != "":
			line += "  " + one.Revision[:12]
		}
		fmt.Fprintln(s.ui.Out, render.Clean(line+one.newer()))
	}
}

// newer says which newer versions there are.
func (m *listedModule) newer() string {
	switch {
	case m.Newest == "" && m.Allowed == "":
		return ""
	case m.Newest == m.Allowed || m.Newest == "":
		return "  (newer: " + m.Allowed + ")"
	case m.Allowed == "":
		return "  (newer: " + m.Newest + ", which the constraint does not allow)"
	}
	return "  (newer: " + m.Allowed + ", and " + m.Newest + ", which the constraint does not allow)"
}
