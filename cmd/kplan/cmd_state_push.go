package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/state"
)

func statePushCommand(s *session) *cli.Command {
	var opts stateOptions
	var force bool
	return &cli.Command{
		Name: "push", Args: "FILE", MinArgs: 1, MaxArgs: 1,
		Summary: "Overwrite the stored state",
		About: "Stores the state in FILE, or from standard input if FILE is -. Use it for the file errored.kplan.state.json " +
			"that an apply leaves when it can't store the state, and to restore a backup.\n\n" +
			"A state of another stack, or one that is older than the stored one, is refused.",
		Flags: slices.Concat(cli.Group("Options",
			cli.On("force", &force, "Store the state whatever is stored now."),
			opts.lockFlag()),
			cli.Group("Options", opts.flags()...)),
		Examples: []cli.Example{
			{Line: "state push errored.kplan.state.json", Explanation: "After an apply that could not store its state:"},
			{Line: "state push -force kplan.state.json.backup", Explanation: "Restore the state before the last run, and forget what that run did:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStatePush(ctx, s, opts, force, args[0])
		},
	}
}

func runStatePush(ctx context.Context, s *session, opts stateOptions, force bool, path string) (diags hcl.Diagnostics) {
	if opts, diags = s.locate(ctx, opts); diags.HasErrors() {
		return diags
	}
	given, err := readGivenState(ctx, path, s.ui.In, opts.codec)
	if err != nil {
		if path == "-" {
			path = "standard input"
		}
		return notRead(ctx, "the state to push", path, err, "")
	}
	// The stored state may be damaged, which is a reason to push another.
	lease, diags := s.acquire(ctx, opts, "state push")
	if diags.HasErrors() {
		return diags
	}
	defer func() { diags = append(diags, s.unlock(lease)...) }()
	if err := state.Push(ctx, lease, given, force); err != nil {
		force := ""
		if errors.As(err, new(*state.PushError)) {
			force = " To store it nevertheless, add " + string(option.Force) + "."
		}
		return failure("Can't push the state", "%s.%s", capital(err), force)
	}
	opts.remember(given.Lineage, s.log)
	fmt.Fprintf(s.ui.Out, "Stored the state with %s in %s.\n", words.Count(len(given.Objects), "object"), opts.place())
	return nil
}
