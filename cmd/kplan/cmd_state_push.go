package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/advice"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func statePushCommand() *command {
	var opts stateOptions
	var force bool
	return &command{
		name: "push", args: "FILE", minArgs: 1, maxArgs: 1,
		summary: "Put a state in the place of the stored one",
		about: "Stores the state in FILE, or from standard input where FILE is -. It is for the file errored.kplan.state.json " +
			"that an apply leaves when it can't store what it did, and for going back to a backup.\n\n" +
			"A state of another stack, or one that is older than the stored one, is refused.",
		flags: group("Options",
			on("force", &force, "Store it whatever is stored now."),
			opts.flag(), opts.lockFlag()),
		examples: []example{
			{"state push errored.kplan.state.json", "After an apply that could not store its state:"},
			{"state push -force kplan.state.json.backup", "Back to the state before the last run, knowing what that forgets:"},
		},
		run: func(ctx context.Context, s *session, args []string) exitCode {
			return runStatePush(ctx, s, opts, force, args[0])
		},
	}
}

func runStatePush(ctx context.Context, s *session, opts stateOptions, force bool, path string) exitCode {
	given, err := s.readGivenState(ctx, path)
	if err != nil {
		if path == "-" {
			path = "standard input"
		}
		s.failReading(ctx, "the state to push", path, err, "")
		return exitFailure
	}
	opts, ok := s.locate(opts)
	if !ok {
		return exitFailure
	}
	// The stored state may be damaged, which is a reason to push another.
	lease, ok := s.acquire(ctx, opts, "state push")
	if !ok {
		return exitFailure
	}
	defer s.unlock(lease)
	if err := state.Push(ctx, lease, given, force); err != nil {
		d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Can't push the state", Detail: capital(err) + "."}
		if errors.As(err, new(*state.PushError)) {
			advice.Add(d, advice.Force)
		}
		s.report(hcl.Diagnostics{d})
		return exitFailure
	}
	fmt.Fprintf(s.stdout, "Stored the state with %s in %s.\n", render.Count(len(given.Objects), "object"), opts.path)
	return exitOK
}

// readGivenState reads a state from a file, or from standard input for -.
func (s *session) readGivenState(ctx context.Context, path string) (*state.State, error) {
	from := endingWith(ctx, s.stdin)
	if path != "-" {
		file, err := open(ctx, path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, state.MaxSize))
	if err != nil {
		return nil, err
	}
	return state.Decode(data)
}
