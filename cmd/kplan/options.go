package main

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
)

// viewOptions are how much is shown.
type viewOptions struct {
	compactWarnings, concise, json bool
	consolidateWarnings            bool
	jsonInto                       string
}

func (o *viewOptions) flags() []cli.Flag {
	return []cli.Flag{
		cli.On("json", &o.json, "Print events in JSON, one object per line. Nothing is asked."),
		cli.Text("json-into", &o.jsonInto,
			"Write the events to `FILE`, readable by its owner only, and print the text as well. Not with -json."),
		cli.On("compact-warnings", &o.compactWarnings, "Show only the summary of each warning, unless there is an error."),
		cli.Off("consolidate-warnings", &o.consolidateWarnings, "Show each warning on its own, even if several say the same."),
		cli.On("concise", &o.concise, "Leave out the notes on what is not shown."),
	}
}

// check refuses options that contradict one another.
func (o *viewOptions) check() error {
	if o.json && o.jsonInto != "" {
		return invalidCombination("-json prints events on standard output, and -json-into writes them to a file, beside the text: " +
			"give one of them.")
	}
	return nil
}

// begin has the streams show what the options ask for, and reads the files of
// addresses that they name.
func (s *session) begin(ctx context.Context, opts *planningOptions) hcl.Diagnostics {
	view := opts.view
	s.ui.View.Concise, s.ui.View.CompactWarnings, s.ui.View.EachWarning = view.concise, view.compactWarnings, !view.consolidateWarnings
	s.ui.Input = s.ui.Input && opts.variables.input
	if view.json {
		s.ui.UseJSON()
	}
	if view.jsonInto != "" {
		if err := s.ui.Record(ctx, view.jsonInto); err != nil && ctx.Err() != nil {
			return interruptedAt(view.jsonInto)
		} else if err != nil {
			return failure("Can't write the events", "%s: %v.", view.jsonInto, files.Reason(err))
		}
	}
	return s.ui.Errors(opts.selection.read(ctx, s.quoted.lists))
}

// planningOptions are what plan, apply and destroy share: everything that a
// plan is made from.
type planningOptions struct {
	selection selection
	variables variableOptions
	cluster   clusterOptions
	state     stateOptions
	lock      bool
	offline   bool // without a cluster, which only plan can do
	view      viewOptions
}

// planFlags are the flags about what is planned.
func (o *planningOptions) planFlags() []cli.Flag {
	return cli.Group("Plan customization options", append(o.selection.flags(), o.variables.flags()...)...)
}

// runFlags are the flags about where and how.
func (o *planningOptions) runFlags(more ...cli.Flag) []cli.Flag {
	flags := append(more, o.cluster.flags()...)
	return cli.Group("Other options", append(flags, append([]cli.Flag{o.state.flag(), o.state.lockFlag()}, o.view.flags()...)...)...)
}

// check refuses options that contradict one another.
func (o *planningOptions) check() error {
	if err := o.selection.check(); err != nil {
		return err
	}
	return o.view.check()
}
