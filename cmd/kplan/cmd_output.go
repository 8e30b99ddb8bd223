package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/state"
)

type outputOptions struct {
	json, raw bool
	state     stateOptions
}

func outputCommand(s *session) *cli.Command {
	var opts outputOptions
	return &cli.Command{
		Name: "output", Args: "[NAME]", MaxArgs: 1,
		Summary: "Show output values",
		About: "Shows the values that the outputs, or one of them, had in the last apply. kplan stores no sensitive values: " +
			"their outputs are shown as (sensitive value).",
		Flags: slices.Concat(cli.Group("Options",
			cli.On("json", &opts.json, "Print JSON."),
			cli.On("raw", &opts.raw, "Print the string, number or boolean itself, for a script.")),
			cli.Group("Options", opts.state.flags()...)),
		Examples: []cli.Example{
			{Line: "output", Explanation: "Show all outputs:"},
			{Line: "output -raw node_port", Explanation: "Print one output for a shell variable:"},
			{Line: "output -json", Explanation: "Print all outputs for a program:"},
		},
		Words: s.stateWords(&opts.state, outputNames),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			if len(args) == 1 {
				return exitOK, runOutputOne(ctx, s, opts, args[0])
			}
			return exitOK, runOutputAll(ctx, s, opts)
		},
	}
}

func outputNames(st *state.State) []string { return slices.Sorted(maps.Keys(st.Outputs)) }

// readOutputs reads the outputs in the state.
func readOutputs(ctx context.Context, s *session, opts stateOptions) ([]render.Output, *state.State, hcl.Diagnostics) {
	opts, diags := s.locate(ctx, opts)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	st, diags := readState(ctx, opts, opts.store())
	if diags.HasErrors() {
		return nil, nil, diags
	}
	return storedOutputs(st), st, nil
}

func runOutputAll(ctx context.Context, s *session, opts outputOptions) hcl.Diagnostics {
	if opts.raw {
		return usage(&cli.UsageError{Summary: "Missing argument", Detail: "-raw prints one output: kplan output -raw NAME"})
	}
	outputs, _, diags := readOutputs(ctx, s, opts.state)
	switch {
	case diags.HasErrors():
		return diags
	case opts.json:
		return notWritten(s.ui.Wrote(render.OutputsJSON(s.ui.Out, outputs)))
	case len(outputs) == 0:
		fmt.Fprintln(s.ui.Err, "The state has no outputs: none are declared, or nothing has been applied yet.")
	default:
		render.Outputs(s.ui.Out, outputs, s.ui.Options())
	}
	return nil
}

func runOutputOne(ctx context.Context, s *session, opts outputOptions, name string) hcl.Diagnostics {
	if opts.raw && opts.json {
		return usage(&cli.UsageError{Summary: "Conflicting options", Detail: "-raw and -json are two formats: give one of them."})
	}
	outputs, st, diags := readOutputs(ctx, s, opts.state)
	if diags.HasErrors() {
		return diags
	}
	i := slices.IndexFunc(outputs, func(o render.Output) bool { return o.Name == name })
	if i < 0 {
		return failure("No such output",
			"The state has no output %q.%s An output that is new in the configuration is available after the next apply.",
			name, words.Suggest(name, outputNames(st)))
	}
	switch {
	case opts.json && outputs[i].Sensitive: // a program would take the mask for the value
		return failure("Output has no value", "%s.", capital(render.NotStored(outputs[i])))
	case opts.json:
		return notWritten(s.ui.Wrote(render.OutputJSON(s.ui.Out, outputs[i])))
	case opts.raw:
		text, err := render.OutputRaw(outputs[i])
		if err != nil {
			return failure("No raw form", "%s.", capital(err))
		}
		fmt.Fprint(s.ui.Out, text)
	default:
		render.OutputValue(s.ui.Out, outputs[i], s.ui.Options())
	}
	return nil
}

// storedOutputs are the outputs in the state, by name. Of a sensitive one the
// state has only a digest.
func storedOutputs(st *state.State) []render.Output {
	var outputs []render.Output
	for _, name := range outputNames(st) {
		o := st.Outputs[name]
		outputs = append(outputs, render.Output{Name: name, Value: o.Value, Type: o.Type, Sensitive: o.Sensitive})
	}
	return outputs
}
