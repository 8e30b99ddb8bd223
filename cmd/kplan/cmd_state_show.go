package main

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
)

func stateShowCommand(s *session) *cli.Command {
	var opts stateOptions
	return &cli.Command{
		Name: "show", Args: "ADDRESS", MinArgs: 1, MaxArgs: 1,
		Summary: "Show what the state records of an object",
		About: "Shows which object in the cluster an address stands for, its uid, and its dependencies. The state has " +
			"no manifests: those stay in the cluster.",
		Flags:    cli.Group("Options", opts.flags()...),
		Examples: []cli.Example{{Line: "state show 'Pod.web[\"a\"]'", Explanation: "Quotes keep the shell from reading the key:"}},
		Words:    s.stateWords(&opts, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateShow(ctx, s, opts, args[0])
		},
	}
}

func runStateShow(ctx context.Context, s *session, opts stateOptions, address string) hcl.Diagnostics {
	_, st, diags := s.existing(ctx, opts)
	if diags.HasErrors() {
		return diags
	}
	objects, diags := pick(st, address)
	showObjects(s, objects)
	return diags
}
