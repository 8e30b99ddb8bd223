package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/ui"
)

func forceUnlockCommand(s *session) *cli.Command {
	var opts stateOptions
	var force bool
	return &cli.Command{
		Name: "force-unlock", Args: "LOCK_ID", MinArgs: 1, MaxArgs: 1,
		Summary: "Release the lock of the state",
		About: "Removes a lock that another run has left. Make sure that that run is dead: two runs that change the same " +
			"objects at once interfere with each other. A run whose lock was removed can no longer write the state.\n\n" +
			"A local state rarely needs this: the operating system releases the lock when a run ends for any reason.",
		Flags: slices.Concat(cli.Group("Options",
			cli.On("force", &force, "Don't ask for confirmation.")),
			cli.Group("Options", opts.flags()...)),
		Examples: []cli.Example{
			{Line: "force-unlock 6b3c1f6e-2c1e-4f0e-8a51-0e6f4d1f2f0a", Explanation: "Use the lock ID that the refused run printed:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return runForceUnlock(ctx, s, opts, force, args[0])
		},
	}
}

func runForceUnlock(ctx context.Context, s *session, opts stateOptions, force bool, id string) (cli.ExitCode, hcl.Diagnostics) {
	if !force {
		approved, err := s.ui.Approve(ctx, ui.Question{
			Title: "Do you really want to force-unlock?",
			Text: "kplan will remove the lock on the state.\n" +
				"This will allow other runs to change the same objects.\n" +
				"Only 'yes' will be accepted to confirm.",
		})
		if err != nil {
			return exitFailure, failure("Confirmation needed", "%s. To unlock without being asked, add -force.", capital(err))
		}
		if !approved {
			fmt.Fprintln(s.ui.Out, "force-unlock cancelled.")
			return exitFailure, nil
		}
	}
	where, diags := s.locate(ctx, opts)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	if err := where.store().ForceUnlock(ctx, id); err != nil {
		return exitFailure, failure("Failed to unlock the state", "%s.", capital(err))
	}
	fmt.Fprintln(s.ui.Out, "kplan state has been successfully unlocked!")
	return exitOK, nil
}
