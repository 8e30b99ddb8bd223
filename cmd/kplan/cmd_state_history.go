package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

func stateHistoryCommand(s *session) *cli.Command {
	var opts stateOptions
	var asJSON bool
	return &cli.Command{
		Name:    "history",
		Summary: "List the stored versions of the state",
		About: "Lists the versions of the state that its store keeps, the current one first: of a file that and its backup, of a shared state " +
			"those that the last ten runs have found. state pull -serial prints one.",
		Flags: cli.Group("Options", append(opts.flags(),
			cli.On("json", &asJSON, "Print JSON: an object for each version."))...),
		Examples: []cli.Example{
			{Line: "state history", Explanation: "List the versions:"},
			{Line: "state history -json | jq '.[].serial'", Explanation: "List their serials:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateHistory(ctx, s, opts, asJSON)
		},
	}
}

func runStateHistory(ctx context.Context, s *session, opts stateOptions, asJSON bool) hcl.Diagnostics {
	opts, keeps, diags := located[state.Historian](ctx, s, opts, noHistory)
	if diags.HasErrors() {
		return diags
	}
	versions, err := keeps.History(ctx)
	switch {
	case errors.Is(err, state.ErrNotExist):
		return noState(ctx, opts)
	case err != nil:
		return failure("Can't read the state", "%s.", capital(err))
	}
	if asJSON {
		return printJSON(s, historyOf(versions))
	}
	for _, v := range versions {
		line := fmt.Sprintf("%-8d %s", v.Serial, v.Written.Format(time.RFC3339))
		if v.By != "" {
			line += "  " + render.Clean(v.By)
		}
		if v.Current {
			line += "  (current)"
		}
		fmt.Fprintln(s.ui.Out, line)
	}
	return nil
}

// noHistory is the error of a store that keeps the current version only.
func noHistory(opts stateOptions) hcl.Diagnostics {
	return failure("No earlier versions", "The store %s keeps no versions that kplan can list. Its server may have some of its own.",
		opts.place())
}

// historyEntry is a version in JSON.
type historyEntry struct {
	Serial  uint64    `json:"serial"`
	Lineage string    `json:"lineage"`
	Written time.Time `json:"written"`
	By      string    `json:"by,omitempty"`
	Current bool      `json:"current"`
}

func historyOf(versions []state.Stored) []historyEntry {
	entries := []historyEntry{}
	for _, v := range versions {
		entries = append(entries, historyEntry{v.Serial, v.Lineage, v.Written, v.By, v.Current})
	}
	return entries
}
