package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
)

type showOptions struct {
	json     bool
	markdown bool
	stack    string
	link     string
	state    stateOptions
}

func showCommand(s *session) *cli.Command {
	var opts showOptions
	return &cli.Command{
		Name: "show", Args: "[PLAN]", MaxArgs: 1,
		Summary: "Show a saved plan, or the state",
		About: "Shows a plan that kplan plan -out saved. Without an argument it shows the state: the managed objects and " +
			"the outputs.\n\n" +
			"With -json a plan is printed in the format of terraform show -json, for programs that read that. No form has " +
			"sensitive values: a saved plan has only digests of them.\n\n" +
			"With -markdown a plan is printed as the comment of a pull request: deletions first, text from " +
			"elsewhere in blocks of code, and within the size limits of GitHub and GitLab. Its first line is always the same, so that " +
			"the comment can be found and replaced.",
		Flags: slices.Concat(cli.Group("Options",
			cli.On("json", &opts.json, "Print JSON."),
			cli.On("markdown", &opts.markdown, "Print a comment for a pull request."),
			cli.Text("stack", &opts.stack, "With -markdown, show the stack's `NAME`, to distinguish the comments of several stacks."),
			cli.Text("link", &opts.link, "With -markdown, link to the whole plan at the https `URL`.")),
			cli.Group("Options", opts.state.flags()...)),
		Examples: []cli.Example{
			{Line: "show acme.plan", Explanation: "Review a saved plan again:"},
			{Line: "show -json acme.plan | jq .resource_changes", Explanation: "Check a saved plan by a program:"},
			{Line: "show -markdown -stack=tenants/acme acme.plan > comment.md", Explanation: "Write the comment of a pull request:"},
			{Line: "show", Explanation: "Show the managed objects:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			if err := opts.check(len(args) == 1); err != nil {
				return exitFailure, usage(err)
			}
			if len(args) == 1 {
				return exitOK, runShowPlan(ctx, s, opts, args[0])
			}
			return exitOK, runShowState(ctx, s, opts)
		},
	}
}

// check refuses options that contradict one another.
func (o *showOptions) check(plan bool) error {
	switch {
	case o.json && o.markdown:
		return &cli.UsageError{Summary: "Conflicting options", Detail: "-json and -markdown are two formats: give one of them."}
	case o.markdown && !plan:
		return &cli.UsageError{Summary: "Missing argument", Detail: "-markdown prints a saved plan: kplan show -markdown FILE"}
	case !o.markdown && o.stack+o.link != "":
		return invalidCombination("-stack and -link are for a comment: add -markdown.")
	case o.link != "" && !render.IsLink(o.link):
		return &cli.UsageError{Summary: "Invalid value",
			Detail: "-link must be a URL that begins with https:// and has no spaces, quotes or brackets."}
	}
	return nil
}

func runShowPlan(ctx context.Context, s *session, opts showOptions, path string) hcl.Diagnostics {
	p, diags := s.readPlan(ctx, path, opts.state.variables)
	switch {
	case diags.HasErrors():
		return diags
	case opts.json:
		return notWritten(s.ui.Wrote(render.JSON(s.ui.Out, p, versionText())))
	case opts.markdown:
		render.Markdown(s.ui.Out, p, render.MarkdownOptions{Stack: opts.stack, Link: opts.link})
	default:
		render.Plan(s.ui.Out, p, s.ui.Options())
		render.PlanDiagnostics(s.ui.Out, p, s.ui.Options())
	}
	return nil
}

func runShowState(ctx context.Context, s *session, opts showOptions) hcl.Diagnostics {
	_, st, diags := s.existing(ctx, opts.state)
	if diags.HasErrors() {
		return diags
	}
	if opts.json {
		return notWritten(s.ui.Wrote(render.StateJSON(s.ui.Out, st, versionText())))
	}
	showObjects(s, st.Objects)
	if len(st.Objects) == 0 {
		fmt.Fprintln(s.ui.Out, "The state has no objects.")
	}
	if outputs := storedOutputs(st); len(outputs) > 0 {
		showOutputs(s.ui, outputs)
	}
	return nil
}
