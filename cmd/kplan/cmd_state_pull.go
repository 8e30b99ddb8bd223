package main

import (
	"context"
	"errors"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func statePullCommand(s *session) *cli.Command {
	var opts stateOptions
	var serial cli.Count
	return &cli.Command{
		Name:    "pull",
		Summary: "Print the stored state",
		About:   "Prints the state in the format in which it is stored, and which state push reads.",
		Flags: cli.Group("Options", append(opts.flags(),
			cli.Value("serial", &serial, "Print the version with the serial `N`, one of those that state history lists."))...),
		Examples: []cli.Example{
			{Line: "state pull >before.json", Explanation: "Keep a copy:"},
			{Line: "state pull -serial=41 >old.json",
				Explanation: "Get an earlier version, to go back to it with kplan state push -force old.json:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStatePull(ctx, s, opts, uint64(serial))
		},
	}
}

func runStatePull(ctx context.Context, s *session, opts stateOptions, serial uint64) hcl.Diagnostics {
	st, diags := pulled(ctx, s, opts, serial)
	if diags.HasErrors() {
		return diags
	}
	data, err := st.Encode()
	if err != nil {
		return failure("Can't print the state", "%s.", capital(err))
	}
	_, err = s.ui.Out.Write(render.CleanJSON(data))
	return notWritten(s.ui.Wrote(err))
}

// pulled is the current state, or the version with a serial.
func pulled(ctx context.Context, s *session, opts stateOptions, serial uint64) (*state.State, hcl.Diagnostics) {
	if serial == 0 {
		_, st, diags := s.existing(ctx, opts)
		return st, diags
	}
	opts, keeps, diags := located[state.Historian](ctx, s, opts, noHistory)
	if diags.HasErrors() {
		return nil, diags
	}
	st, err := keeps.ReadSerial(ctx, serial)
	switch {
	case errors.Is(err, state.ErrNotExist):
		return nil, failure("No such version", "There is no version with the serial %d in %s. To list those that there are: kplan state history",
			serial, opts.place())
	case err != nil:
		return nil, failure("Can't read the state", "%s.", capital(err))
	}
	return st, nil
}
