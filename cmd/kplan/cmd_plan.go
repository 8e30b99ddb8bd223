package main

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"
)

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
	return group("Plan customization options", append(o.selection.flags(), o.variables.flags()...)...)
}

// check refuses options that contradict one another.
func (o *planningOptions) check() error {
	if err := o.selection.check(); err != nil {
		return err
	}
	return o.view.check()
}

// runFlags are the flags about where and how.
func (o *planningOptions) runFlags(more ...cli.Flag) []cli.Flag {
	flags := append(more, o.cluster.flags()...)
	return group("Other options", append(flags, append([]cli.Flag{o.state.flag(), o.state.lockFlag()}, o.view.flags()...)...)...)
}

type planOptions struct {
	planningOptions
	out              string
	detailedExitCode bool
}

func planCommand() *command {
	var opts planOptions
	opts.state.reads = true
	return &command{
		name:    "plan",
		events:  true,
		tooMany: "To plan the configuration of another folder: kplan -chdir=DIR plan. To apply a saved plan: kplan apply FILE.",
		summary: "Show what would change",
		about: "Compares the configuration with the cluster and shows, for each object, what applying it would change. " +
			"It changes nothing.\n\n" +
			"Each change says whether the API server computed its result, by a dry-run, or kplan predicted it and why. " +
			"With -out the plan is saved, and kplan apply does exactly that or nothing.\n\n" +
			"With -offline no cluster is asked, nor needed: what was applied is known from the state, and every result is " +
			"predicted. Such a plan can be saved to be shown, but not applied.\n\n" +
			"Exit codes: 0 it went well, 1 it did not; with -detailed-exitcode 0 there is nothing to do, 2 there is.",
		flags: slices.Concat(
			opts.planFlags(),
			opts.runFlags(
				text("out", &opts.out, "Save the plan in the file `PATH`, for kplan apply PATH."),
				on("offline", &opts.offline, "Ask no cluster: plan from the configuration and the state alone. "+
					"Not with -kubeconfig, -context, -refresh-only, -replace or -adopt."),
				on("detailed-exitcode", &opts.detailedExitCode, "End with exit code 2 if there is something to do."),
				off("lock", &opts.lock, "Don't lock the state meanwhile. A plan changes no state; the lock keeps it from "+
					"being overtaken by an apply."),
			),
		),
		examples: []example{
			{"plan", "What would change here?"},
			{"plan -var-file=tenants/acme.kpvars.hcl -state=acme.kplan.state.json -out=acme.plan", "One tenant of several, to be applied as shown:"},
			{"plan -detailed-exitcode -input=false -no-color", "In a pipeline: is there anything to do?"},
			{"plan -target-file=changed.txt -json-into=events.json", "Only the objects that a file lists, and the events for a program beside:"},
			{"plan -destroy", "What would kplan destroy delete?"},
			{"plan -offline -lock=false", "For a pull request from a fork, which gets no credentials:"},
		},
		run: func(ctx context.Context, s *session, _ []string) exitCode { return runPlan(ctx, s, opts) },
	}
}

// applyLine is the command that applies the saved plan: with the same state and
// the same cluster, which a plan does not name.
func (s *session) applyLine(o planOptions) string {
	line := "kplan"
	if s.chdir != "" {
		line += " -chdir=" + shellWord(s.chdir)
	}
	line += " apply"
	for _, flag := range []struct{ name, value string }{
		{"state", o.state.path}, {"kubeconfig", o.cluster.kubeconfig}, {"context", o.cluster.context},
	} {
		if flag.value != "" {
			line += " -" + flag.name + "=" + shellWord(flag.value)
		}
	}
	if o.cluster.allowExec {
		line += " -allow-exec-plugins"
	}
	return line + " " + shellQuoted(o.out)
}

// check refuses options that contradict one another.
func (o *planOptions) check() error {
	if err := o.planningOptions.check(); err != nil || !o.offline {
		return err
	}
	refused := func(why string) error {
		return &usageError{summary: "Invalid combination of arguments", detail: why}
	}
	switch {
	case o.cluster.kubeconfig != "" || o.cluster.context != "":
		return refused("-offline asks no cluster, and -kubeconfig and -context name one: give one or the other.")
	case o.selection.refreshOnly:
		return refused("-refresh-only looks at what was changed in the cluster, and -offline asks no cluster.")
	case len(o.selection.replace)+len(o.selection.adopt) > 0:
		return refused("-replace and -adopt are about objects that are in the cluster, and -offline asks no cluster.")
	}
	return nil
}

func runPlan(ctx context.Context, s *session, opts planOptions) exitCode {
	if err := opts.check(); err != nil {
		return s.usage(err)
	}
	if !s.begin(ctx, &opts.planningOptions) {
		return exitFailure
	}
	if opts.out != "" {
		if err := mayHoldPlan(opts.out); err != nil {
			s.fail("Can't save the plan", "%s: %v.", opts.out, reason(err))
			return exitFailure
		}
	}
	k, ok := s.prepare(ctx, opts.planningOptions, "plan")
	if !ok {
		return exitFailure
	}
	defer k.close()
	p, diags := k.plan(ctx, opts.selection)
	if p == nil {
		s.report(diags)
		return exitFailure
	}
	view := s.options()
	view.Unsaved = !s.automation
	if opts.out != "" && !diags.HasErrors() {
		if !k.savePlan(ctx, p, opts.out) {
			return exitFailure
		}
		view.SavedAs = opts.out
		if !s.automation {
			view.ApplyLine = s.applyLine(opts)
		}
	}
	s.showPlan(p, diags, view)
	switch {
	case diags.HasErrors():
		return exitFailure
	case opts.detailedExitCode && !p.IsEmpty():
		return exitChanges
	}
	return exitOK
}
