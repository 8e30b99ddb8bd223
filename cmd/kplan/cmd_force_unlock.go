package main

import (
	"context"
	"fmt"
)

type forceUnlockOptions struct {
	state stateOptions
	force bool
}

func forceUnlockCommand() *command {
	var opts forceUnlockOptions
	return &command{
		name: "force-unlock", args: "LOCK_ID", minArgs: 1, maxArgs: 1,
		summary: "Break the state's lock",
		about: "Breaks a lock that a run has left. Make sure that the run is dead: two that change the same objects at " +
			"once get in each other's way. A run whose lock was broken can no longer write the state.\n\n" +
			"A local state rarely needs this: the operating system ends the lock of a run that ended in whatever way.",
		flags: group("Options",
			on("force", &opts.force, "Don't ask."),
			opts.state.flag()),
		examples: []example{{"force-unlock 6b3c1f6e-2c1e-4f0e-8a51-0e6f4d1f2f0a", "With the lock ID that the refused run printed:"}},
		run: func(ctx context.Context, s *session, args []string) exitCode {
			return runForceUnlock(ctx, s, opts, args[0])
		},
	}
}

func runForceUnlock(ctx context.Context, s *session, opts forceUnlockOptions, id string) exitCode {
	if !opts.force {
		approved, err := s.approve(ctx, question{
			title: "Do you really want to force-unlock?",
			text: "kplan will remove the lock on the state.\n" +
				"This will allow other runs to change the same objects.\n" +
				"Only 'yes' will be accepted to confirm.",
		})
		if err != nil {
			s.fail("Confirmation needed", "%s. To unlock without being asked: -force", capital(err))
			return exitFailure
		}
		if !approved {
			fmt.Fprintln(s.stdout, "force-unlock cancelled.")
			return exitFailure
		}
	}
	where, ok := s.locate(opts.state)
	if !ok {
		return exitFailure
	}
	if err := where.store().ForceUnlock(ctx, id); err != nil {
		s.fail("Failed to unlock the state", "%s.", capital(err))
		return exitFailure
	}
	fmt.Fprintln(s.stdout, "kplan state has been successfully unlocked!")
	return exitOK
}
