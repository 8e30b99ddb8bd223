package main

import (
	"context"

	"kplan.dev/kplan/internal/render"
)

func statePullCommand() *command {
	var opts stateOptions
	return &command{
		name:    "pull",
		summary: "Print the stored state",
		about:   "Prints the state in the format in which it is stored, which state push takes.",
		flags:   group("Options", opts.flag()),
		examples: []example{
			{"state pull >before.json", "Keep a copy:"},
		},
		run: func(ctx context.Context, s *session, _ []string) exitCode { return runStatePull(ctx, s, opts) },
	}
}

func runStatePull(ctx context.Context, s *session, opts stateOptions) exitCode {
	st, ok := s.existing(ctx, opts)
	if !ok {
		return exitFailure
	}
	data, err := st.Encode()
	if err != nil {
		s.fail("Can't print the state", "%s.", capital(err))
		return exitFailure
	}
	_, err = s.stdout.Write(render.CleanJSON(data))
	return s.wrote(err)
}
