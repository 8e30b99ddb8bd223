package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func stateMoveCommand(s *session) *cli.Command {
	var opts stateOptions
	var dryRun bool
	return &cli.Command{
		Name: "mv", Aliases: []string{"move"}, Args: "FROM TO", MinArgs: 2, MaxArgs: 2,
		Summary: "Move an object to another address",
		About: "Gives the objects at one address another address. Use it when a block was renamed in a way that " +
			"the plan does not detect; a plan detects a renamed block that still names the same object.",
		Flags: slices.Concat(cli.Group("Options",
			cli.On("dry-run", &dryRun, "Print what would be moved, and move nothing."),
			opts.lockFlag()),
			cli.Group("Options", opts.flags()...)),
		Examples: []cli.Example{
			{Line: "state mv Pod.web Pod.front", Explanation: "After renaming the block Pod.web to Pod.front:"},
			{Line: "state mv -dry-run Pod.web 'Pod.web[0]'", Explanation: "After adding count to the block:"},
		},
		Words: s.stateWords(&opts, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateMove(ctx, s, opts, dryRun, args[0], args[1])
		},
	}
}

func runStateMove(ctx context.Context, s *session, opts stateOptions, dryRun bool, from, to string) hcl.Diagnostics {
	var moves []move
	diags := s.change(ctx, opts, "state mv", func(st *state.State) (bool, hcl.Diagnostics) {
		var diags hcl.Diagnostics
		moves, diags = movesOf(st, from, to)
		for _, m := range moves {
			verb := "Move"
			if dryRun {
				verb = "Would move"
			} else {
				st.Move(m.from, m.to)
			}
			fmt.Fprintf(s.ui.Out, "%s \"%s\" to \"%s\"\n", verb, render.Clean(m.from.String()), render.Clean(m.to.String()))
		}
		return !dryRun, diags
	})
	if !dryRun && !diags.HasErrors() {
		fmt.Fprintf(s.ui.Out, "Successfully moved %d object(s).\n", len(moves))
	}
	return diags
}

type move struct{ from, to addrs.Instance }

// movesOf works out what a pair of addresses stands for: one instance to another,
// or each of a resource to that of the same key.
func movesOf(st *state.State, from, to string) ([]move, hcl.Diagnostics) {
	found, diags := pick(st, from)
	target, err := addrs.ParseInstance(to)
	if err != nil {
		diags = append(diags, failure("Invalid address", "%s.", capital(err))...)
	}
	found = slices.DeleteFunc(found, func(o state.Object) bool { return o.Deposed })
	if len(found) == 0 || err != nil {
		return nil, diags
	}
	whole := len(found) > 1 || found[0].Addr.String() != from
	switch {
	case target.Resource.Type != found[0].Addr.Resource.Type:
		return nil, failure("Not the same kind", "%s can't become %s: an object keeps its kind.", from, target)
	case whole && !target.Key.IsZero():
		return nil, failure("Ambiguous move", "%s stands for %d object(s) and %s for one. Name the one to move.", from, len(found), target)
	}
	var moves []move
	for _, o := range found {
		m := move{from: o.Addr, to: target}
		if whole {
			m.to = target.Resource.Instance(o.Addr.Key)
		}
		if taken, is := st.Find(m.to); is {
			return nil, failure("Address is taken", "The state already has %s at %s.", taken.Object, m.to)
		}
		moves = append(moves, m)
	}
	return moves, nil
}
