package main

import (
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
)

func destroyCommand(s *session) *cli.Command {
	var opts applyOptions
	flags := slices.Concat(
		cli.Group("Plan customization options", append(opts.selection.limitFlags(), opts.variables.flags()...)...),
		opts.runFlags(opts.applyFlags()...))
	opts.selection.destroy = true
	return &cli.Command{
		Name:    "destroy",
		Events:  true,
		Summary: "Delete all managed objects",
		About: "Deletes every object in the state, dependents first, after showing them and asking for approval. Unmanaged " +
			"objects stay, except those in a namespace that is deleted: the plan counts them.\n\n" +
			"It is short for kplan apply -destroy. To see the plan first: kplan plan -destroy.",
		Flags: flags,
		Examples: []cli.Example{
			{Line: "destroy", Explanation: "Plan, ask, delete:"},
			{Line: "destroy -auto-approve -state=acme.kplan.state.json -var-file=tenants/acme.kpvars.hcl",
				Explanation: "Delete one tenant of several without asking:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) { return runApply(ctx, s, opts) },
	}
}
