package main

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
)

func statePullCommand(s *session) *cli.Command {
	var opts stateOptions
	return &cli.Command{
		Name:    "pull",
		Summary: "Print the stored state",
		About:   "Prints the state in the format in which it is stored, and which state push reads.",
		Flags:   cli.Group("Options", opts.flags()...),
		Examples: []cli.Example{
			{Line: "state pull >before.json", Explanation: "Keep a copy:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStatePull(ctx, s, opts)
		},
	}
}

func runStatePull(ctx context.Context, s *session, opts stateOptions) hcl.Diagnostics {
	_, st, diags := s.existing(ctx, opts)
	if diags.HasErrors() {
		return diags
	}
	data, err := st.Encode()
	if err != nil {
		return failure("Can't print the state", "%s.", capital(err))
	}
	_, err = s.ui.Out.Write(render.CleanJSON(data))
	return notWritten(s.ui.Wrote(err))
}
