package main

import (
	"context"
	"fmt"
)

func stateRemoveCommand() *command {
	var opts stateOptions
	var dryRun bool
	return &command{
		name: "rm", aliases: []string{"remove"}, args: "ADDRESS...", minArgs: 1, maxArgs: -1,
		summary: "Forget objects without deleting them",
		about: "Makes kplan forget objects. They stay in the cluster as they are; a later plan no longer updates or " +
			"deletes them.",
		flags: group("Options",
			on("dry-run", &dryRun, "Say what would be forgotten, and forget nothing."),
			opts.flag(), opts.lockFlag()),
		examples: []example{
			{"state rm -dry-run Pod.web", "See what would go:"},
			{"state rm 'Pod.web[\"a\"]' Service.web", "Forget two objects:"},
		},
		words: stateAddresses(&opts),
		run: func(ctx context.Context, s *session, args []string) exitCode {
			return runStateRemove(ctx, s, opts, dryRun, args)
		},
	}
}

func runStateRemove(ctx context.Context, s *session, opts stateOptions, dryRun bool, addresses []string) exitCode {
	if _, ok := s.existing(ctx, opts); !ok { // then no lock shall appear there either
		return exitFailure
	}
	lease, st := s.lockState(ctx, opts, "state rm")
	if lease == nil {
		return exitFailure
	}
	defer s.unlock(lease)
	objects, ok := s.pickAll(st, addresses)
	if !ok {
		return exitFailure
	}
	left := st.Table()
	for _, o := range objects {
		verb := "Removed"
		if dryRun {
			verb = "Would remove"
		} else {
			left.Remove(o.Object)
		}
		fmt.Fprintf(s.stdout, "%s %s\n", verb, shown(o))
	}
	if dryRun {
		return exitOK
	}
	st.Objects = left.List()
	if code := s.save(ctx, lease, st); code != exitOK {
		return code
	}
	fmt.Fprintf(s.stdout, "Successfully removed %d resource instance(s).\n", len(objects))
	return exitOK
}
