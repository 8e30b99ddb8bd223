package main

import (
	"context"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

func stateCommand() *command {
	return &command{
		name:    "state",
		summary: "Look at and mend what kplan remembers",
		about: "The state is kplan's memory of what it made: which object of the cluster belongs to which address of " +
			"the configuration. These commands change that memory and nothing in the cluster.",
		subcommands: []*command{stateListCommand(), stateShowCommand(), stateMoveCommand(), stateRemoveCommand(),
			statePullCommand(), statePushCommand(), stateRebuildCommand()},
	}
}

// stateAddresses are the addresses that shells offer.
func stateAddresses(opts *stateOptions) func(context.Context, *session) []string {
	return func(ctx context.Context, s *session) []string {
		where, ok := s.locate(*opts)
		if !ok {
			return nil
		}
		st, err := where.store().Read(ctx)
		if err != nil {
			return nil
		}
		var words []string
		for _, o := range st.Objects {
			words = append(words, o.Addr.String())
		}
		return words
	}
}

// pick returns the state's entries at an address: of one instance, or of all of
// a resource, those that wait to be deleted under it included. It reports an
// address that stands for none.
func (s *session) pick(st *state.State, text string) []state.Object {
	want, err := addrs.ParseInstance(text)
	if err != nil {
		s.fail("Invalid address", "%s.", capital(err))
		return nil
	}
	var found []state.Object
	for _, o := range st.Objects {
		if plan.Matches(want, o.Addr) {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		var known []string
		for _, o := range st.Objects {
			known = append(known, o.Addr.String())
		}
		s.fail("Not in the state", "The state holds nothing at %s.%s", want, words.Suggest(want.String(), known))
	}
	return found
}

// pickAll is pick for several addresses; ok is false if one stands for nothing.
func (s *session) pickAll(st *state.State, texts []string) (found []state.Object, ok bool) {
	seen := map[addrs.Object]bool{}
	ok = true
	for _, text := range texts {
		picked := s.pick(st, text)
		ok = ok && picked != nil
		for _, o := range picked {
			if !seen[o.Object.Identity()] {
				seen[o.Object.Identity()] = true
				found = append(found, o)
			}
		}
	}
	return found, ok
}

// save stores a state that a command changed.
func (s *session) save(ctx context.Context, lease state.Lease, st *state.State) exitCode {
	if err := lease.Write(ctx, st); err != nil {
		s.fail("Can't write the state", "%s. The state is as it was.", capital(err))
		return exitFailure
	}
	return exitOK
}
