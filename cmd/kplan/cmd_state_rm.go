package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/state"
)

func stateRemoveCommand(s *session) *cli.Command {
	var opts stateOptions
	var dryRun bool
	return &cli.Command{
		Name: "rm", Aliases: []string{"remove"}, Args: "ADDRESS...", MinArgs: 1, MaxArgs: -1,
		Summary: "Forget objects without deleting them",
		About: "Removes objects from the state. They stay in the cluster as they are. Remove their blocks as well: a plan adopts " +
			"again what the configuration still declares. The label " + addrs.StackLabel + " stays on them, by which " +
			"state rebuild finds them.",
		Flags: cli.Group("Options",
			cli.On("dry-run", &dryRun, "Print what would be forgotten, and forget nothing."),
			opts.flag(), opts.lockFlag()),
		Examples: []cli.Example{
			{Line: "state rm -dry-run Pod.web", Explanation: "Show what would be forgotten:"},
			{Line: "state rm 'Pod.web[\"a\"]' Service.web", Explanation: "Forget two objects:"},
		},
		Words: s.stateWords(&opts, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateRemove(ctx, s, opts, dryRun, args)
		},
	}
}

func runStateRemove(ctx context.Context, s *session, opts stateOptions, dryRun bool, addresses []string) hcl.Diagnostics {
	var objects []state.Object
	diags := s.change(ctx, opts, "state rm", func(st *state.State) (bool, hcl.Diagnostics) {
		var diags hcl.Diagnostics
		if objects, diags = pickAll(st, addresses); diags.HasErrors() {
			return false, diags
		}
		left := st.Table()
		for _, o := range objects {
			verb := "Removed"
			if dryRun {
				verb = "Would remove"
			} else {
				left.Remove(o.Object)
			}
			fmt.Fprintf(s.ui.Out, "%s %s\n", verb, shown(o))
		}
		st.Objects = left.List()
		return !dryRun, nil
	})
	if !dryRun && !diags.HasErrors() {
		fmt.Fprintf(s.ui.Out, "Successfully removed %d resource instance(s).\n", len(objects))
	}
	return diags
}
