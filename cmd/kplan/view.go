package main

import (
	"context"

	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/internal/render"
)

// viewOptions say how much is shown.
type viewOptions struct {
	compactWarnings, concise, json bool
	consolidateWarnings            bool
	jsonInto                       string
}

func (o *viewOptions) flags() []cli.Flag {
	return []cli.Flag{
		on("json", &o.json, "Tell what happens in JSON, one object per line. Nothing is asked."),
		text("json-into", &o.jsonInto, "Write the same into `FILE`, which only its owner can read, while everything is shown and asked as without it. Not with -json."),
		on("compact-warnings", &o.compactWarnings, "Show warnings by their first lines alone, unless there is an error."),
		off("consolidate-warnings", &o.consolidateWarnings, "Show every warning by itself, not one for all that say the same."),
		on("concise", &o.concise, "Leave out the notes on what is not shown."),
	}
}

// check refuses options that contradict one another.
func (o *viewOptions) check() error {
	if o.json && o.jsonInto != "" {
		return &usageError{summary: "Invalid combination of arguments", detail: "-json tells everything in JSON on standard output, and -json-into in a file, beside what is shown for people: give one of them."}
	}
	return nil
}

// begin has the session do as the options say, and reads the files that they
// name. What went wrong has been reported.
func (s *session) begin(ctx context.Context, opts *planningOptions) (ok bool) {
	if !s.look(ctx, *opts) {
		return false
	}
	diags := opts.selection.read(ctx, s)
	s.report(diags)
	return !diags.HasErrors()
}

// look has the session ask and show as the options say.
func (s *session) look(ctx context.Context, opts planningOptions) (ok bool) {
	s.view = opts.view
	s.input = s.input && opts.variables.input
	if opts.view.json {
		s.speakJSON()
	}
	return opts.view.jsonInto == "" || s.startRecord(ctx, opts.view.jsonInto)
}

func (s *session) options() render.Options {
	return render.Options{
		Color:           s.colour && !s.noColor,
		Width:           s.width,
		Concise:         s.view.concise,
		EachWarning:     !s.view.consolidateWarnings,
		CompactWarnings: s.view.compactWarnings,
	}
}
