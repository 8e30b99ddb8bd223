package main

import (
	"context"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/plan"
)

type applyOptions struct {
	planningOptions
	autoApprove bool
	wait        bool
	waitTimeout timeout
}

func (o *applyOptions) applyFlags() []cli.Flag {
	o.lock = true
	o.waitTimeout = timeout(apply.DefaultWaitTimeout)
	return []cli.Flag{
		on("auto-approve", &o.autoApprove, "Don't ask before changing anything."),
		off("wait", &o.wait, "Don't wait until what was made is ready: pods running, controllers with all their replicas."),
		value("wait-timeout", &o.waitTimeout, "Wait up to `DURATION` for each object to become ready."),
	}
}

func applyCommand() *command {
	var opts applyOptions
	return &command{
		name: "apply", args: "[PLAN]", maxArgs: 1,
		events:  true,
		tooMany: "To apply the configuration of another folder: kplan -chdir=DIR apply.",
		summary: "Make the changes",
		about: "Makes the plan come true. Without an argument it plans, shows the plan and asks; nothing but yes is taken for " +
			"an answer. With a file that kplan plan -out wrote it does exactly what that plan says, without asking, or " +
			"nothing if the cluster or the configuration has changed since in a way that matters.\n\n" +
			"An interrupt (Ctrl-C) lets what is under way finish and starts nothing new; what was done is recorded. A second " +
			"one ends kplan at once.\n\n" +
			"Exit codes: 0 it went well, 1 it did not or was not approved, 129, 130 or 143 it was interrupted.",
		flags: slices.Concat(opts.planFlags(), opts.runFlags(opts.applyFlags()...)),
		examples: []example{
			{"apply", "Plan, ask, apply:"},
			{"apply -state=acme.kplan.state.json acme.plan", "In a pipeline, what was approved, with the state it was planned with:"},
			{"apply -auto-approve -wait-timeout=2m -var-file=tenants/acme.kpvars.hcl", "Without asking, and not waiting long:"},
		},
		run: func(ctx context.Context, s *session, args []string) exitCode {
			if len(args) == 1 {
				return runApplySaved(ctx, s, opts, args[0])
			}
			return runApply(ctx, s, opts)
		},
	}
}

// runApply plans, asks and applies.
func runApply(ctx context.Context, s *session, opts applyOptions) exitCode {
	if err := opts.check(); err != nil {
		return s.usage(err)
	}
	if opts.view.json && !opts.autoApprove {
		return s.usage(&usageError{summary: "Plan file or auto-approve required", detail: "With -json nobody can be asked: give -auto-approve, or a plan that kplan plan -out saved."})
	}
	if !s.begin(ctx, &opts.planningOptions) {
		return exitFailure
	}
	k, ok := s.prepare(ctx, opts.planningOptions, "apply")
	if !ok {
		return exitFailure
	}
	defer k.close()
	p, diags := k.plan(ctx, opts.selection)
	if p == nil {
		s.report(diags)
		return exitFailure
	}
	s.showPlan(p, diags, s.options())
	if diags.HasErrors() {
		return exitFailure
	}
	if !p.IsEmpty() && !opts.autoApprove {
		if code := s.askToApply(ctx, p); code != exitOK {
			return code
		}
	}
	return k.apply(ctx, opts, p)
}

// askToApply wants a yes.
func (s *session) askToApply(ctx context.Context, p *plan.Plan) exitCode {
	q := approval{
		question: question{
			title: "Do you want to perform these actions?",
			text:  "kplan will perform the actions described above.\nOnly 'yes' will be accepted to approve.",
		},
		unchanged: "Nothing was changed",
		notDryRun: "To apply without being asked: -auto-approve, or a plan that was saved with kplan plan -out=FILE.",
		cancelled: "Apply cancelled.",
	}
	switch p.Mode {
	case plan.RefreshOnly:
		q.title = "Would you like to update the kplan state to reflect these detected changes?"
		q.text = "kplan will write these changes to the state without modifying any object in the cluster.\nThere is no undo. Only 'yes' will be accepted to confirm."
	case plan.Destroy:
		q.title = "Do you really want to destroy all resources?"
		q.text = "kplan will destroy all your managed infrastructure, as shown above.\nThere is no undo. Only 'yes' will be accepted to confirm."
		q.cancelled = "Destroy cancelled."
	}
	return s.wantYes(ctx, q)
}

// runApplySaved applies what a saved plan says, if a plan made now says the same.
func runApplySaved(ctx context.Context, s *session, opts applyOptions, path string) exitCode {
	if opts.selection.isGiven() {
		return s.usage(&usageError{summary: "Invalid mode option", detail: "A saved plan says itself what it is for: -destroy, -target and their like belong to kplan plan."})
	}
	if err := opts.check(); err != nil {
		return s.usage(err)
	}
	if !s.begin(ctx, &opts.planningOptions) {
		return exitFailure
	}
	saved, ok := s.readPlan(ctx, path)
	if !ok {
		return exitFailure
	}
	if saved.Offline() {
		s.fail("Plan was made offline", "%s holds a prediction from the configuration and the state, to be read. Make the plan to apply with a cluster, that is without -offline.", path)
		return exitFailure
	}
	opts.variables.from = saved
	k, ok := s.prepare(ctx, opts.planningOptions, "apply")
	if !ok {
		return exitFailure
	}
	defer k.close()
	if diags := saved.Belongs(k.state); diags.HasErrors() {
		if opts.state.path == "" && saved.Lineage != k.state.Lineage {
			diags[0].Detail += " If it was made with -state=PATH, it is applied with the same."
		}
		s.report(diags)
		return exitFailure
	}
	if diags := saved.Fits(k.config, k.values, k.state); diags.HasErrors() {
		s.report(diags)
		return exitFailure
	}
	fresh, diags := k.plan(ctx, selected(saved))
	if fresh != nil && !diags.HasErrors() {
		diags = append(diags, saved.Verify(fresh, k.state)...)
	}
	s.report(diags)
	if diags.HasErrors() {
		return exitFailure
	}
	return k.apply(ctx, opts, fresh)
}

// apply makes a plan come true and says what it came to.
func (k *stack) apply(ctx context.Context, opts applyOptions, p *plan.Plan) exitCode {
	k.carryOn()
	defer context.AfterFunc(ctx, k.cluster.Hurry)()
	working, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-k.lease.Lost(): // somebody else may be at work now
			stop()
		case <-working.Done():
		}
	}()
	stopLive := k.showLive()
	defer stopLive()
	summary, diags := apply.Run(context.WithoutCancel(ctx), apply.Input{
		Plan:        p,
		Config:      k.config,
		Cluster:     k.cluster,
		State:       k.state,
		Save:        k.save,
		Wait:        apply.WaitOptions{Enabled: opts.wait, Timeout: time.Duration(opts.waitTimeout)},
		Parallelism: int(opts.cluster.parallelism),
		Progress:    k.progress,
		Stop:        working,
		Lost:        k.lease.Lost,
	})
	stopLive()
	k.report(diags)
	if summary.Unsaved != nil {
		k.rescue(summary.State)
	}
	k.showSummary(p, summary, !diags.HasErrors())
	if k.region != nil {
		k.region.Rethrow()
	}
	if diags.HasErrors() {
		return exitFailure
	}
	return exitOK
}
