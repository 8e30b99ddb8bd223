package main

import (
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/plan"
)

type planOptions struct {
	planningOptions
	out, generated   string
	detailedExitCode bool
}

func planCommand(s *session) *cli.Command {
	var opts planOptions
	opts.state.reads = true
	return &cli.Command{
		Name:    "plan",
		Events:  true,
		TooMany: "To plan the configuration of another directory: kplan -chdir=DIR plan. To apply a saved plan: kplan apply FILE.",
		Summary: "Show the changes required by the configuration",
		About: "Compares the configuration with the cluster and shows, for each object, what kplan apply would change. " +
			"It changes nothing.\n\n" +
			"For each change, the plan reports whether the API server computed the result, by a dry-run, or kplan predicted it, and why. " +
			"With -out the plan is saved; kplan apply then does exactly that, or nothing.\n\n" +
			"With -offline no cluster is needed: what was applied is known from the state, and every result is " +
			"predicted. Such a plan can be saved and shown, but not applied.\n\n" +
			"Exit codes: 0 success; 1 an error. With -detailed-exitcode: 0 no changes; 2 there are changes.",
		Flags: slices.Concat(
			opts.planFlags(),
			opts.runFlags(
				cli.Text("out", &opts.out, "Save the plan to the file `PATH`, for kplan apply PATH."),
				cli.Text("generate-config-out", &opts.generated, "Write a resource block for each import block that has an id and no resource, "+
					"to a new file `FILE.kplan.hcl` in the directory of the configuration, and plan with it."),
				cli.On("offline", &opts.offline, "Plan from the configuration and the state alone, without a cluster. "+
					"Not with -kubeconfig, -context, -refresh-only, -replace or -adopt."),
				cli.On("detailed-exitcode", &opts.detailedExitCode, "Exit with 2 if there are changes."),
				cli.Off("lock", &opts.lock, "Don't lock the state while planning. A plan changes no state; the lock keeps an "+
					"apply from running at the same time."),
			),
		),
		Examples: []cli.Example{
			{Line: "plan", Explanation: "Show what would change:"},
			{Line: "plan -var-file=tenants/acme.kpvars.hcl -state=acme.kplan.state.json -out=acme.plan",
				Explanation: "Save the plan of one tenant of several, to be applied as shown:"},
			{Line: "plan -detailed-exitcode -input=false -no-color", Explanation: "In a pipeline, find out whether there are changes:"},
			{Line: "plan -target-file=changed.txt -json-into=events.json",
				Explanation: "Plan only the objects that a file lists, and write the events for a program, too:"},
			{Line: "plan -generate-config-out=imported.kplan.hcl",
				Explanation: "Write the configuration of objects that import blocks name, and show that the plan adopts them:"},
			{Line: "plan -refresh-only", Explanation: "Show what others have changed, and what they have set beside the configuration:"},
			{Line: "plan -drift=refuse", Explanation: "Stop if somebody has changed what kplan applied, instead of putting it back:"},
			{Line: "plan -destroy", Explanation: "Show what kplan destroy would delete:"},
			{Line: "plan -offline -lock=false", Explanation: "For a pull request from a fork, which gets no credentials:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) { return runPlan(ctx, s, opts) },
	}
}

// applyLine is the command that applies the saved plan: with the same state and
// the same cluster, which a plan does not name.
func (s *session) applyLine(o planOptions) string {
	line := "kplan"
	if s.chdir != "" {
		line += " -chdir=" + cli.ShellWord(s.chdir)
	}
	line += " apply"
	for _, flag := range []struct{ name, value string }{
		{"state", o.state.path}, {"kubeconfig", o.cluster.kubeconfig}, {"context", o.cluster.context},
	} {
		if flag.value != "" {
			line += " -" + flag.name + "=" + cli.ShellWord(flag.value)
		}
	}
	if o.cluster.allowExec {
		line += " -allow-exec-plugins"
	}
	return line + " " + cli.ShellQuoted(o.out)
}

// check refuses options that contradict one another.
func (o *planOptions) check() error {
	if err := o.planningOptions.check(); err != nil || !o.offline {
		return err
	}
	switch {
	case o.generated != "":
		return invalidCombination("-generate-config-out reads the cluster, and -offline plans without one.")
	case o.cluster.kubeconfig != "" || o.cluster.context != "":
		return invalidCombination("-offline plans without a cluster, and -kubeconfig and -context choose one: give one or the other.")
	case o.selection.refreshOnly:
		return invalidCombination("-refresh-only detects changes in the cluster, and -offline plans without a cluster.")
	case len(o.selection.replace)+len(o.selection.adopt) > 0:
		return invalidCombination("-replace and -adopt need the cluster, and -offline plans without one.")
	}
	return nil
}

func runPlan(ctx context.Context, s *session, opts planOptions) (code cli.ExitCode, diags hcl.Diagnostics) {
	if err := opts.check(); err != nil {
		return exitFailure, usage(err)
	}
	opts.variables.withoutSecrets = opts.offline
	if diags := s.begin(ctx, &opts.planningOptions); diags != nil {
		return exitFailure, diags
	}
	if opts.out != "" {
		if err := mayHoldPlan(opts.out); err != nil {
			return exitFailure, failure("Can't save the plan", "%s: %v.", opts.out, files.Reason(err))
		}
	}
	if diags := generateConfig(ctx, s, opts); diags.HasErrors() {
		return exitFailure, diags
	}
	k, diags := s.prepare(ctx, opts.planningOptions, "plan")
	if diags.HasErrors() {
		return exitFailure, diags
	}
	defer func() { diags = append(diags, k.close()...) }()
	p, diags := k.plan(ctx, opts.selection)
	if p == nil {
		return exitFailure, diags
	}
	view := s.ui.Options()
	view.Unsaved = !s.automation
	if opts.out != "" && ctx.Err() == nil {
		p.Diagnostics = plan.NewDiagnostics(s.ui.Discreet(diags))
		if problems := k.savePlan(ctx, p, opts.out); problems != nil {
			return exitFailure, append(diags, problems...)
		}
		view.SavedAs = opts.out
		if !s.automation {
			view.ApplyLine = s.applyLine(opts)
		}
	}
	showPlan(s.ui, p, view)
	if opts.detailedExitCode && !p.IsEmpty() && !diags.HasErrors() {
		code = exitChanges
	}
	return code, diags
}
