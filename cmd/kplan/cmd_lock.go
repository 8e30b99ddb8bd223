package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func lockCommand(s *session) *cli.Command {
	return &cli.Command{
		Name:        "lock",
		Summary:     "Inspect the lock of the state",
		About:       "Every run that may change the state locks it. To remove a lock that a dead run has left: kplan force-unlock LOCK_ID",
		Subcommands: []*cli.Command{lockStatusCommand(s)},
	}
}

func lockStatusCommand(s *session) *cli.Command {
	var opts stateOptions
	var asJSON bool
	return &cli.Command{
		Name:    "status",
		Summary: "Show who holds the lock of the state",
		About: "Shows whether the state is locked, by whom, and since when, without taking the lock.\n\n" +
			"Exit codes: 0 whether it is locked or not; 1 it can't be told.",
		Flags: cli.Group("Options", append(opts.flags(), cli.On("json", &asJSON, "Print JSON."))...),
		Examples: []cli.Example{
			{Line: "lock status", Explanation: "Show who holds the lock:"},
			{Line: "lock status -json | jq -r .id", Explanation: "Print the ID of the lock, for force-unlock:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runLockStatus(ctx, s, opts, asJSON)
		},
	}
}

func runLockStatus(ctx context.Context, s *session, opts stateOptions, asJSON bool) hcl.Diagnostics {
	opts, store, diags := located[state.Inspector](ctx, s, opts, func(where stateOptions) hcl.Diagnostics {
		return failure("Lock not known", "The store %s tells who holds its lock only to a run that tries to take it.", where.place())
	})
	if diags.HasErrors() {
		return diags
	}
	locked, err := store.Locked(ctx)
	if err != nil {
		return failure("Lock not known", "%s.", capital(err))
	}
	if asJSON {
		return printJSON(s, lockOf(locked))
	}
	if locked == nil {
		fmt.Fprintf(s.ui.Out, "The state %s is not locked.\n", opts.place())
		return nil
	}
	fmt.Fprintf(s.ui.Out, "The state %s is locked.\n\n", opts.place())
	for line := range strings.Lines(locked.Info.String()) {
		fmt.Fprintln(s.ui.Out, render.Clean(strings.TrimSuffix(line, "\n")))
	}
	switch {
	case locked.Abandoned:
		fmt.Fprintf(s.ui.Out, "\nIt was last renewed at %s: its holder seems to be dead, and the next run takes it.\n",
			locked.Renewed.Format(time.RFC3339))
	case !locked.Renewed.IsZero():
		fmt.Fprintf(s.ui.Out, "\nIt was last renewed at %s.\n", locked.Renewed.Format(time.RFC3339))
	}
	return nil
}

// lockStatus is a lock in JSON.
type lockStatus struct {
	Locked    bool       `json:"locked"`
	ID        string     `json:"id,omitempty"`
	Operation string     `json:"operation,omitempty"`
	Who       string     `json:"who,omitempty"`
	Version   string     `json:"version,omitempty"`
	Created   *time.Time `json:"created,omitempty"`
	Renewed   *time.Time `json:"renewed,omitempty"`
	Abandoned bool       `json:"abandoned,omitempty"`
}

func lockOf(locked *state.LockedError) lockStatus {
	if locked == nil {
		return lockStatus{}
	}
	i := locked.Info
	return lockStatus{true, i.ID, i.Operation, i.Who, i.Version, known(i.Created), known(locked.Renewed), locked.Abandoned}
}

func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
