package main

import (
	"context"
	"fmt"
	"strings"

	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func stateShowCommand() *command {
	var opts stateOptions
	return &command{
		name: "show", args: "ADDRESS", minArgs: 1, maxArgs: 1,
		summary: "Show what the state holds of one object",
		about: "Shows which object of the cluster an address stands for, its uid, and what it depends on. The state holds " +
			"no manifest: those stay in the cluster.",
		flags:    group("Options", opts.flag()),
		examples: []example{{"state show 'Pod.web[\"a\"]'", "Quotes keep the shell away from the key:"}},
		words:    stateAddresses(&opts),
		run: func(ctx context.Context, s *session, args []string) exitCode {
			return runStateShow(ctx, s, opts, args[0])
		},
	}
}

func runStateShow(ctx context.Context, s *session, opts stateOptions, address string) exitCode {
	st, ok := s.existing(ctx, opts)
	if !ok {
		return exitFailure
	}
	objects := s.pick(st, address)
	if objects == nil {
		return exitFailure
	}
	for i, o := range objects {
		if i > 0 {
			fmt.Fprintln(s.stdout)
		}
		s.showObject(o)
	}
	return exitOK
}

// showObject prints what the state holds of an object.
func (s *session) showObject(o state.Object) {
	fmt.Fprintf(s.stdout, "# %s:\n", shown(o))
	line := func(name, value string) { fmt.Fprintf(s.stdout, "%-9s = %s\n", name, render.Clean(value)) }
	line("object", o.Object.String())
	line("uid", o.UID)
	if len(o.Needs) > 0 {
		needs := make([]string, len(o.Needs))
		for i, n := range o.Needs {
			needs[i] = n.String()
		}
		line("needs", strings.Join(needs, ", "))
	}
	if o.Protected {
		line("protected", "true (lifecycle.prevent_destroy)")
	}
}
