package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
)

func stateListCommand(s *session) *cli.Command {
	var opts stateOptions
	var asJSON bool
	return &cli.Command{
		Name: "list", Aliases: []string{"ls"}, Args: "[ADDRESS...]", MaxArgs: -1,
		Summary: "List the addresses of managed objects",
		About:   "Lists the addresses of the objects in the state, or of those that match the given addresses.",
		Flags: cli.Group("Options", append(opts.flags(),
			cli.On("json", &asJSON, "Print JSON: an object for each, with its address, kind and name."))...),
		Examples: []cli.Example{
			{Line: "state list", Explanation: "List all objects:"},
			{Line: "state list Pod.web", Explanation: "List the objects of one resource block:"},
			{Line: "state list -json | jq -r '.[] | select(.kind == \"Pod\") | .address'", Explanation: "List the objects of one kind:"},
		},
		Words: s.stateWords(&opts, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateList(ctx, s, opts, asJSON, args)
		},
	}
}

func runStateList(ctx context.Context, s *session, opts stateOptions, asJSON bool, addresses []string) hcl.Diagnostics {
	_, st, diags := s.existing(ctx, opts)
	if diags.HasErrors() {
		return diags
	}
	objects := st.Objects
	if len(addresses) > 0 {
		if objects, diags = pickAll(st, addresses); diags.HasErrors() {
			return diags
		}
	}
	if asJSON {
		return notWritten(s.ui.Wrote(render.ObjectsJSON(s.ui.Out, objects)))
	}
	for _, o := range objects {
		fmt.Fprintln(s.ui.Out, shown(o))
	}
	return nil
}
