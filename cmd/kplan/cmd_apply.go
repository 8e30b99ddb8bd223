package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
)

type applyOptions struct {
	planningOptions
	autoApprove bool
	wait        bool
	waitTimeout cli.Timeout
}

func (o *applyOptions) applyFlags() []cli.Flag {
	o.lock = true
	o.waitTimeout = cli.Timeout(apply.DefaultWaitTimeout)
	return []cli.Flag{
		cli.On("auto-approve", &o.autoApprove, "Skip the approval of the plan."),
		cli.Off("wait", &o.wait, "Don't wait until the objects are ready: pods running, controllers with all their replicas."),
		cli.Value("wait-timeout", &o.waitTimeout, "Wait up to `DURATION` for each object to become ready."),
	}
}

func applyCommand(s *session) *cli.Command {
	var opts applyOptions
	return &cli.Command{
		Name: "apply", Args: "[PLAN]", MaxArgs: 1,
		Events:  true,
		TooMany: "To apply the configuration of another directory: kplan -chdir=DIR apply.",
		Summary: "Create or update the objects",
		About: "Creates, updates, replaces and deletes objects according to the plan. Without an argument it plans, shows the " +
			"plan and asks for approval; only 'yes' approves. With a file that kplan plan -out wrote it does exactly what " +
			"that plan shows, without asking, or nothing if the cluster or the configuration has changed since in a way that matters.\n\n" +
			"After an interrupt (Ctrl-C) nothing new is started; what is in progress is completed and recorded. A second " +
			"interrupt exits at once.\n\n" +
			"Exit codes: 0 success; 1 an error, or no approval; 129, 130 or 143 an interrupt.",
		Flags: slices.Concat(opts.planFlags(), opts.runFlags(opts.applyFlags()...)),
		Examples: []cli.Example{
			{Line: "apply", Explanation: "Plan, ask, apply:"},
			{Line: "apply -state=acme.kplan.state.json acme.plan",
				Explanation: "In a pipeline, apply the plan that was approved, with the state that it was planned with:"},
			{Line: "apply -auto-approve -wait-timeout=2m -var-file=tenants/acme.kpvars.hcl",
				Explanation: "Apply without asking, and wait two minutes at most for each object:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			if len(args) == 1 {
				return runApplySaved(ctx, s, opts, args[0])
			}
			return runApply(ctx, s, opts)
		},
	}
}

// runApply plans, asks and applies.
func runApply(ctx context.Context, s *session, opts applyOptions) (code cli.ExitCode, diags hcl.Diagnostics) {
	if err := opts.check(); err != nil {
		return exitFailure, usage(err)
	}
	if opts.view.json && !opts.autoApprove {
		return exitFailure, usage(&cli.UsageError{Summary: "Plan file or auto-approve required",
			Detail: "With -json nothing can be asked. Add -auto-approve, or apply a plan that kplan plan -out has saved."})
	}
	if diags := s.begin(ctx, &opts.planningOptions); diags != nil {
		return exitFailure, diags
	}
	k, diags := s.prepare(ctx, opts.planningOptions, "apply")
	if diags.HasErrors() {
		return exitFailure, diags
	}
	defer func() { diags = append(diags, k.close()...) }()
	p, diags := k.plan(ctx, opts.selection)
	if p == nil {
		return exitFailure, diags
	}
	showPlan(s.ui, p, s.ui.Options())
	if diags := s.ui.Errors(diags); diags != nil {
		return exitFailure, diags
	}
	if !p.IsEmpty() && !opts.autoApprove {
		if approved, diags := s.ui.Approved(ctx, approvalOf(p, len(k.state.Objects))); !approved {
			return exitFailure, diags
		}
	}
	return k.apply(ctx, opts, p), nil
}

// approvalOf is the question whether a plan is to be applied, of a stack that manages so many objects.
func approvalOf(p *plan.Plan, managed int) ui.Approval {
	q := ui.Approval{
		Question: ui.Question{
			Title: "Do you want to perform these actions?",
			Text:  "kplan will perform the actions described above.\nOnly 'yes' will be accepted to approve.",
		},
		Unchanged:  "Nothing was changed",
		Unattended: "To apply without being asked, add -auto-approve, or apply a plan that was saved with kplan plan -out=FILE.",
		Cancelled:  "Apply cancelled.",
	}
	switch p.Mode {
	case plan.RefreshOnly:
		q.Title = "Would you like to update the kplan state to reflect these detected changes?"
		q.Text = "kplan will write these changes to the state without modifying any object in the cluster.\n" +
			"There is no undo. Only 'yes' will be accepted to confirm."
	case plan.Destroy:
		q.Title = "Do you really want to destroy all resources?"
		q.Text = "kplan will destroy all your managed infrastructure, as shown above.\nThere is no undo. Only 'yes' will be accepted to confirm."
		if n := p.Counts().Destroy; len(p.Targets)+len(p.Excludes) > 0 && n < managed {
			q.Title = "Do you really want to destroy these resources?"
			q.Text = fmt.Sprintf("kplan will destroy the %s shown above, of %d that it manages here.\n"+
				"There is no undo. Only 'yes' will be accepted to confirm.", words.Count(n, "object"), managed)
		}
		q.Cancelled = "Destroy cancelled."
	}
	return q
}

// refuseUnappliable refuses a saved plan that was made to be read.
func refuseUnappliable(saved *plan.Plan, path string) hcl.Diagnostics {
	switch {
	case saved.Incomplete:
		return failure("Cannot apply incomplete plan",
			"%s was saved although errors came up while it was made, so that it can be read: kplan show %[1]s shows them. "+
				"Resolve them, and make a new plan.", path)
	case saved.Offline():
		return failure("Plan was made offline",
			"%s is a prediction from the configuration and the state, to be read. To make a plan that can be applied, plan without -offline.", path)
	}
	return nil
}

// runApplySaved applies a saved plan, if a plan made now does the same.
func runApplySaved(ctx context.Context, s *session, opts applyOptions, path string) (code cli.ExitCode, diags hcl.Diagnostics) {
	if opts.selection.isGiven() {
		return exitFailure, usage(&cli.UsageError{Summary: "Invalid mode option",
			Detail: "A saved plan has a mode and targets of its own: -destroy, -target and the like are options of kplan plan."})
	}
	if err := opts.check(); err != nil {
		return exitFailure, usage(err)
	}
	if diags := s.begin(ctx, &opts.planningOptions); diags != nil {
		return exitFailure, diags
	}
	saved, diags := s.readPlan(ctx, path, opts.variables)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	if diags := refuseUnappliable(saved, path); diags != nil {
		return exitFailure, diags
	}
	opts.variables.from = saved
	k, diags := s.prepare(ctx, opts.planningOptions, "apply")
	if diags.HasErrors() {
		return exitFailure, diags
	}
	defer func() { diags = append(diags, k.close()...) }()
	if diags := saved.Belongs(k.state); diags.HasErrors() {
		if opts.state.path == "" && saved.Lineage != k.state.Lineage {
			diags[0].Detail += " If the plan was made with -state=PATH, apply it with the same."
		}
		return exitFailure, diags
	}
	if diags := saved.CheckInputs(k.config, k.values, k.state); diags.HasErrors() {
		return exitFailure, diags
	}
	fresh, diags := k.plan(ctx, selected(saved))
	if fresh != nil { // it is not shown, so they are
		for _, w := range fresh.Warnings {
			diags = append(diags, w.HCL())
		}
	}
	if fresh != nil && !diags.HasErrors() {
		diags = append(diags, saved.Verify(fresh, k.state)...)
	}
	if diags := s.ui.Errors(diags); diags != nil {
		return exitFailure, diags
	}
	return k.apply(ctx, opts, fresh), nil
}

// apply applies a plan and shows what it has done: the problems first, then the
// summary.
func (k *stack) apply(ctx context.Context, opts applyOptions, p *plan.Plan) cli.ExitCode {
	k.detach()
	defer context.AfterFunc(ctx, k.cluster.Cancel)()
	working, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-k.lease.Lost(): // another run may be at work now
			k.s.log.Debug("state lock lost")
			stop()
		case <-working.Done():
		}
	}()
	stopLive := k.s.ui.Live()
	defer stopLive()
	summary, diags := apply.Run(context.WithoutCancel(ctx), apply.Input{
		Plan:        p,
		Config:      k.config,
		Cluster:     k.cluster,
		State:       k.state,
		Save:        k.save,
		Wait:        apply.WaitOptions{Enabled: opts.wait, Timeout: time.Duration(opts.waitTimeout)},
		Parallelism: int(opts.cluster.parallelism),
		Progress: func(e apply.Event) {
			logStep(k.s.log, e)
			showStep(k.s.ui, e)
		},
		Stop:    working,
		Lost:    k.lease.Lost,
		Secrets: &k.s.ui.Secrets,
	})
	stopLive()
	k.s.ui.Report(diags)
	if summary.Unsaved != nil {
		k.s.ui.Report(k.rescue(summary.State))
	}
	showSummary(k.s.ui, p, summary, diags)
	k.s.ui.Rethrow()
	if diags.HasErrors() {
		return exitFailure
	}
	return exitOK
}
