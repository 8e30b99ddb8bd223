package main

import (
	"context"
	"fmt"
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func stateMoveCommand() *command {
	var opts stateOptions
	var dryRun bool
	return &command{
		name: "mv", aliases: []string{"move"}, args: "FROM TO", minArgs: 2, maxArgs: 2,
		summary: "Give an object another address",
		about: "Gives what the state holds at one address another address. Use it when a block was renamed in a way that " +
			"the plan does not see by itself; a plan notices a block that was renamed and still names the same object.",
		flags: group("Options",
			on("dry-run", &dryRun, "Say what would be moved, and move nothing."),
			opts.flag(), opts.lockFlag()),
		examples: []example{
			{"state mv Pod.web Pod.front", "After renaming the block Pod.web to Pod.front:"},
			{"state mv -dry-run Pod.web 'Pod.web[0]'", "After adding count to the block:"},
		},
		words: stateAddresses(&opts),
		run: func(ctx context.Context, s *session, args []string) exitCode {
			return runStateMove(ctx, s, opts, dryRun, args[0], args[1])
		},
	}
}

func runStateMove(ctx context.Context, s *session, opts stateOptions, dryRun bool, from, to string) exitCode {
	if _, ok := s.existing(ctx, opts); !ok { // then no lock shall appear there either
		return exitFailure
	}
	lease, st := s.lockState(ctx, opts, "state mv")
	if lease == nil {
		return exitFailure
	}
	defer s.unlock(lease)
	moves, ok := s.moves(st, from, to)
	if !ok {
		return exitFailure
	}
	for _, m := range moves {
		verb := "Move"
		if dryRun {
			verb = "Would move"
		} else {
			st.Move(m.from, m.to)
		}
		fmt.Fprintf(s.stdout, "%s \"%s\" to \"%s\"\n", verb, render.Clean(m.from.String()), render.Clean(m.to.String()))
	}
	if dryRun {
		return exitOK
	}
	if code := s.save(ctx, lease, st); code != exitOK {
		return code
	}
	fmt.Fprintf(s.stdout, "Successfully moved %d object(s).\n", len(moves))
	return exitOK
}

type move struct{ from, to addrs.Instance }

// moves works out what a pair of addresses stands for: one instance to another,
// or each of a resource to that of the same key. It reports what can't be.
func (s *session) moves(st *state.State, from, to string) (moves []move, ok bool) {
	found := slices.DeleteFunc(s.pick(st, from), func(o state.Object) bool { return o.Deposed })
	target, err := addrs.ParseInstance(to)
	if err != nil {
		s.fail("Invalid address", "%s.", capital(err))
	}
	if len(found) == 0 || err != nil {
		return nil, false
	}
	whole := len(found) > 1 || found[0].Addr.String() != from
	switch {
	case target.Resource.Type != found[0].Addr.Resource.Type:
		s.fail("Not the same kind", "%s can't become %s: an object keeps its kind.", from, target)
		return nil, false
	case whole && !target.Key.IsZero():
		s.fail("Ambiguous move", "%s stands for %d object(s) and %s for one. Name the one that is to move.", from, len(found), target)
		return nil, false
	}
	for _, o := range found {
		m := move{from: o.Addr, to: target}
		if whole {
			m.to = target.Resource.Instance(o.Addr.Key)
		}
		if taken, is := st.Find(m.to); is {
			s.fail("Address is taken", "The state already holds %s at %s.", taken.Object, m.to)
			return nil, false
		}
		moves = append(moves, m)
	}
	return moves, true
}
