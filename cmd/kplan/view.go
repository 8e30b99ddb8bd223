package main

import (
	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/internal/render"
)

// viewOptions say how much is shown.
type viewOptions struct {
	compactWarnings, concise, json bool
}

func (o *viewOptions) flags() []cli.Flag {
	return []cli.Flag{
		on("json", &o.json, "Tell what happens in JSON, one object per line. Nothing is asked."),
		on("compact-warnings", &o.compactWarnings, "Show warnings by their first lines alone, unless there is an error."),
		on("concise", &o.concise, "Leave out the notes on what is not shown."),
	}
}

// look has the session ask and show as the options say.
func (s *session) look(opts planningOptions) {
	s.view = opts.view
	s.input = s.input && opts.variables.input
	if opts.view.json {
		s.speakJSON()
	}
}

func (s *session) options() render.Options {
	return render.Options{
		Color:           s.colour && !s.noColor,
		Width:           s.width,
		Concise:         s.view.concise,
		CompactWarnings: s.view.compactWarnings,
	}
}
