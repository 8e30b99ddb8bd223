package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

type showOptions struct {
	json     bool
	markdown bool
	stack    string
	link     string
	state    stateOptions
}

func showCommand() *command {
	var opts showOptions
	return &command{
		name: "show", args: "[PLAN]", maxArgs: 1,
		summary: "Show a saved plan, or the state",
		about: "Shows a plan that kplan plan -out saved. Without an argument it shows the state: which objects kplan made, and " +
			"the outputs.\n\n" +
			"With -json a plan is printed in the format of terraform show -json, for the programs that read that. Sensitive values are in " +
			"neither form: a saved plan holds digests of them only.\n\n" +
			"With -markdown a plan is printed as the comment of a pull request: what would be destroyed first, all that comes from " +
			"elsewhere in blocks of code, and no longer than GitHub and GitLab take. Its first line is the same each time, so that the " +
			"comment can be found and replaced.",
		flags: group("Options",
			on("json", &opts.json, "Print JSON."),
			on("markdown", &opts.markdown, "Print a comment for a pull request."),
			text("stack", &opts.stack, "With -markdown: call the stack `NAME`, to tell the comments of several apart."),
			text("link", &opts.link, "With -markdown: where the whole plan can be read, an https `URL`."),
			opts.state.flag()),
		examples: []example{
			{"show acme.plan", "Read again what would be applied:"},
			{"show -json acme.plan | jq .resource_changes", "Check it by a program:"},
			{"show -markdown -stack=tenants/acme acme.plan > comment.md", "For the pull request:"},
			{"show", "What has been made so far?"},
		},
		run: func(ctx context.Context, s *session, args []string) exitCode {
			if err := opts.check(len(args) == 1); err != nil {
				return s.usage(err)
			}
			if len(args) == 1 {
				return runShowPlan(ctx, s, opts, args[0])
			}
			return runShowState(ctx, s, opts)
		},
	}
}

// check refuses options that contradict one another.
func (o *showOptions) check(plan bool) error {
	switch {
	case o.json && o.markdown:
		return &usageError{summary: "Conflicting options", detail: "-json and -markdown are two forms of the same: give one of them."}
	case o.markdown && !plan:
		return &usageError{summary: "Missing argument", detail: "-markdown prints a saved plan: kplan show -markdown FILE"}
	case !o.markdown && o.stack+o.link != "":
		return &usageError{summary: "Invalid combination of arguments", detail: "-stack and -link are for a comment: give -markdown, too."}
	case o.link != "" && !render.IsLink(o.link):
		return &usageError{summary: "Invalid value", detail: "-link takes an address that begins with https:// and holds no spaces, quotes or brackets."}
	}
	return nil
}

func runShowPlan(ctx context.Context, s *session, opts showOptions, path string) exitCode {
	p, ok := s.readPlan(ctx, path)
	if !ok {
		return exitFailure
	}
	if opts.json {
		return s.wrote(render.JSON(s.stdout, p, versionText()))
	}
	if opts.markdown {
		render.Markdown(s.stdout, p, render.MarkdownOptions{Stack: opts.stack, Link: opts.link})
		return exitOK
	}
	render.Plan(s.stdout, p, s.options())
	return exitOK
}

func runShowState(ctx context.Context, s *session, opts showOptions) exitCode {
	st, ok := s.existing(ctx, opts.state)
	if !ok {
		return exitFailure
	}
	if opts.json {
		return s.wrote(render.StateJSON(s.stdout, st, versionText()))
	}
	for i, o := range st.Objects {
		if i > 0 {
			fmt.Fprintln(s.stdout)
		}
		s.showObject(o)
	}
	if len(st.Objects) == 0 {
		fmt.Fprintln(s.stdout, "The state holds no objects.")
	}
	if outputs := storedOutputs(st); len(outputs) > 0 {
		fmt.Fprintf(s.stdout, "\n%s\n\n", s.bold("Outputs:"))
		render.Outputs(s.stdout, outputs, s.options())
	}
	return exitOK
}

// storedOutputs are the outputs in the state, by name. The state has no more
// than a digest of a sensitive one.
func storedOutputs(st *state.State) []render.Output {
	var outputs []render.Output
	for _, name := range slices.Sorted(maps.Keys(st.Outputs)) {
		o := st.Outputs[name]
		outputs = append(outputs, render.Output{Name: name, Value: o.Value, Type: o.Type, Sensitive: o.Sensitive})
	}
	return outputs
}
