package main

import (
	"context"
	"fmt"
	"slices"

	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
)

type outputOptions struct {
	json, raw bool
	state     stateOptions
}

func outputCommand() *command {
	var opts outputOptions
	return &command{
		name: "output", args: "[NAME]", maxArgs: 1,
		summary: "Show output values",
		about: "Shows the values that the outputs, or one of them, had in the last apply. kplan stores no sensitive values: " +
			"their outputs show as <sensitive>.",
		flags: group("Options",
			on("json", &opts.json, "Print JSON."),
			on("raw", &opts.raw, "Print the text, number or boolean alone, for a script."),
			opts.state.flag()),
		examples: []example{
			{"output", "All of them:"},
			{"output -raw node_port", "One, for a shell variable:"},
			{"output -json", "For a program to read:"},
		},
		words: func(ctx context.Context, s *session) []string { return outputNames(ctx, s, opts.state) },
		run: func(ctx context.Context, s *session, args []string) exitCode {
			if len(args) == 1 {
				return runOutputOne(ctx, s, opts, args[0])
			}
			return runOutputAll(ctx, s, opts)
		},
	}
}

func outputNames(ctx context.Context, s *session, opts stateOptions) []string {
	opts, ok := s.locate(opts)
	if !ok {
		return nil
	}
	st, err := opts.store().Read(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, o := range storedOutputs(st) {
		names = append(names, o.Name)
	}
	return names
}

func runOutputAll(ctx context.Context, s *session, opts outputOptions) exitCode {
	if opts.raw {
		return s.usage(&usageError{summary: "Missing argument", detail: "-raw prints one output: kplan output -raw NAME"})
	}
	st, ok := s.readState(ctx, opts.state)
	if !ok {
		return exitFailure
	}
	outputs := storedOutputs(st)
	switch {
	case opts.json:
		return s.wrote(render.OutputsJSON(s.stdout, outputs))
	case len(outputs) == 0:
		fmt.Fprintln(s.stderr, "The state holds no outputs: none are declared, or nothing has been applied yet.")
	default:
		render.Outputs(s.stdout, outputs, s.options())
	}
	return exitOK
}

func runOutputOne(ctx context.Context, s *session, opts outputOptions, name string) exitCode {
	if opts.raw && opts.json {
		return s.usage(&usageError{summary: "Conflicting options", detail: "-raw and -json are two forms of the same: give one of them."})
	}
	st, ok := s.readState(ctx, opts.state)
	if !ok {
		return exitFailure
	}
	outputs := storedOutputs(st)
	i := slices.IndexFunc(outputs, func(o render.Output) bool { return o.Name == name })
	if i < 0 {
		var names []string
		for _, o := range outputs {
			names = append(names, o.Name)
		}
		s.fail("No such output", "The state holds no output %q.%s An output that is new in the configuration is there after the next apply.", name, words.Suggest(name, names))
		return exitFailure
	}
	switch {
	case opts.json:
		return s.wrote(render.OutputJSON(s.stdout, outputs[i]))
	case opts.raw:
		text, err := render.OutputRaw(outputs[i])
		if err != nil {
			s.fail("No raw form", "%s.", capital(err))
			return exitFailure
		}
		fmt.Fprint(s.stdout, text)
	default:
		render.OutputValue(s.stdout, outputs[i], s.options())
	}
	return exitOK
}
