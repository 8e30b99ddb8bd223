package main

import (
	"context"
	"slices"
)

func destroyCommand() *command {
	var opts applyOptions
	flags := slices.Concat(
		group("Plan customization options", append(opts.selection.limitFlags(), opts.variables.flags()...)...),
		opts.runFlags(opts.applyFlags()...))
	opts.selection.destroy = true
	return &command{
		name:    "destroy",
		events:  true,
		summary: "Delete everything that was made",
		about: "Deletes every object that the state holds, dependents first, after showing them and asking. Objects that kplan " +
			"did not make stay, except those inside of a namespace that is deleted: the plan counts them.\n\n" +
			"It is another name for kplan apply -destroy. To look first: kplan plan -destroy.",
		flags: flags,
		examples: []example{
			{"destroy", "Plan, ask, delete:"},
			{"destroy -auto-approve -state=acme.kplan.state.json -var-file=tenants/acme.kpvars.hcl", "One tenant of several, without asking:"},
		},
		run: func(ctx context.Context, s *session, _ []string) exitCode { return runApply(ctx, s, opts) },
	}
}
