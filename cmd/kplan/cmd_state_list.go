package main

import (
	"context"
	"fmt"

	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func stateListCommand() *command {
	var opts stateOptions
	return &command{
		name: "list", aliases: []string{"ls"}, args: "[ADDRESS...]", maxArgs: -1,
		summary: "List the addresses of all objects",
		about:   "Lists the addresses of the objects in the state, or of those that the given addresses stand for.",
		flags:   group("Options", opts.flag()),
		examples: []example{
			{"state list", "All of them:"},
			{"state list Pod.web", "Those of one resource block:"},
		},
		words: stateAddresses(&opts),
		run: func(ctx context.Context, s *session, args []string) exitCode {
			return runStateList(ctx, s, opts, args)
		},
	}
}

func runStateList(ctx context.Context, s *session, opts stateOptions, addresses []string) exitCode {
	st, ok := s.existing(ctx, opts)
	if !ok {
		return exitFailure
	}
	objects := st.Objects
	if len(addresses) > 0 {
		if objects, ok = s.pickAll(st, addresses); !ok {
			return exitFailure
		}
	}
	for _, o := range objects {
		fmt.Fprintln(s.stdout, shown(o))
	}
	return exitOK
}

// shown is an entry's address as lists show it.
func shown(o state.Object) string {
	if o.Deposed {
		return fmt.Sprintf("%s (deposed, %s)", render.Clean(o.Addr.String()), render.Clean(o.Object.String()))
	}
	return render.Clean(o.Addr.String())
}
