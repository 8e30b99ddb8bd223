package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

type rebuildOptions struct {
	planningOptions
	stack           string
	autoApprove     bool
	allowIncomplete bool
}

func stateRebuildCommand() *command {
	var opts rebuildOptions
	return &command{
		name:    "rebuild",
		summary: "Make a lost state anew from the cluster",
		about: "Looks through the cluster for the objects that kplan made for this configuration, by the label and the " +
			"annotation that each of them bears, shows the state they come to, asks, and stores it. Nothing in the cluster is " +
			"changed. A state that is there is completed: for going on from an old backup.\n\n" +
			"Where there is no state that names the stack, -stack does. Without it the command lists the stacks that the cluster " +
			"has objects of.\n\n" +
			"A state that would not be complete is refused, as when this user may not list every kind: what it lacks and the " +
			"configuration no longer has would never be deleted.",
		flags: slices.Concat(
			group("Options",
				text("stack", &opts.stack, "Rebuild the state of the stack `ID`, which its objects have in the label "+addrs.StackLabel+"."),
				on("auto-approve", &opts.autoApprove, "Don't ask before storing the state."),
				on("allow-incomplete", &opts.allowIncomplete, "Store the state also where objects may be missing from it.")),
			group("Options", opts.variables.flags()...),
			group("Options", opts.cluster.flags()...),
			group("Options", opts.state.flag(), opts.state.lockFlag())),
		examples: []example{
			{"state rebuild", "Which stacks are there? With a state: what does it lack?"},
			{"state rebuild -stack=3c9d5f9e-58f5-4a21-8fb7-6ac1e53f1d01", "The state file is gone:"},
		},
		run: func(ctx context.Context, s *session, _ []string) exitCode { return runStateRebuild(ctx, s, opts) },
	}
}

func runStateRebuild(ctx context.Context, s *session, opts rebuildOptions) exitCode {
	if id, err := uuid.Parse(opts.stack); opts.stack != "" && (err != nil || id.String() != opts.stack) {
		return s.usage(&usageError{summary: "Invalid stack", detail: fmt.Sprintf("%q is not the id of a stack, such as 3c9d5f9e-58f5-4a21-8fb7-6ac1e53f1d01. Without -stack those in the cluster are listed.", opts.stack)})
	}
	d, ok := s.define(ctx, opts.variables)
	if !ok {
		return exitFailure
	}
	if opts.state, ok = s.locateBy(opts.state, d); !ok {
		return exitFailure
	}
	lease, stored, ok := s.lockAnyState(ctx, opts.state, "state rebuild")
	if !ok {
		return exitFailure
	}
	defer s.unlock(lease)
	if stored != nil && opts.stack != "" && opts.stack != stored.Lineage {
		s.fail("State of another stack", "The state in %s is that of the stack %s. To rebuild another's, name another file with -state=PATH.", opts.state.path, stored.Lineage)
		return exitFailure
	}
	cluster, ok := s.connect(ctx, d, opts.cluster)
	if !ok {
		return exitFailure
	}
	k := &stack{session: s, definition: d, opts: opts.planningOptions, lease: lease, state: stored, cluster: cluster}
	switch {
	case stored == nil && opts.stack == "":
		k.state = state.New()
		return k.listStacks(ctx)
	case stored == nil:
		k.state = state.Lost(opts.stack, time.Now())
	}
	return k.rebuild(ctx, opts, stored)
}

// lockAnyState takes the lock and reads the state, nil where there is none or
// none that can be read: either is what rebuilding is for.
func (s *session) lockAnyState(ctx context.Context, opts stateOptions, operation string) (state.Lease, *state.State, bool) {
	lease, ok := s.acquire(ctx, opts, operation)
	if !ok {
		return nil, nil, false
	}
	stored, err := lease.Read(ctx)
	if err != nil && !errors.Is(err, state.ErrNotExist) {
		s.report(hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "The stored state can't be read",
			Detail: capital(err) + ". If another is stored in its place, it is kept beside that."}})
	}
	if err != nil {
		return lease, nil, true
	}
	return lease, stored, true
}

// listStacks shows which stacks the cluster has objects of. It does not choose:
// several stacks may well be made by one configuration, with other variables.
func (k *stack) listStacks(ctx context.Context) exitCode {
	scan, diags := plan.Look(ctx, k.input(selection{}), "")
	if diags.HasErrors() {
		k.report(diags)
		return exitFailure
	}
	ids := scan.Stacks()
	if len(ids) == 0 {
		k.fail("Nothing to rebuild", "No object in %s bears the label %s.%s", k.cluster.Host(), addrs.StackLabel, unseenHint(scan))
		return exitFailure
	}
	wanted := map[string]int{}
	for _, id := range ids {
		wanted[id] = k.declared(scan.Of(id))
	}
	slices.SortStableFunc(ids, func(a, b string) int { return wanted[b] - wanted[a] }) // the likeliest first
	for _, id := range ids {
		k.showStack(id, scan.Of(id), wanted[id])
	}
	k.fail("Which stack?", "There is no state in %s to tell which stack is this one. Name it: kplan state rebuild -stack=%s%s", k.opts.state.path, oneOr(ids, "ID"), unseenHint(scan))
	return exitFailure
}

// storing is what a rebuilt state needs a yes for.
var storing = approval{
	question: question{
		title: "Do you want to store this state?",
		text:  "Nothing in the cluster is changed.\nOnly 'yes' will be accepted to approve.",
	},
	unchanged: "The state is as it was",
	notDryRun: "To store it without being asked: -auto-approve.",
	cancelled: "Rebuild cancelled.",
}

// rebuild makes, shows and stores the state.
func (k *stack) rebuild(ctx context.Context, opts rebuildOptions, stored *state.State) exitCode {
	in := k.input(selection{})
	scan, diags := plan.Look(ctx, in, k.state.StackID())
	if diags.HasErrors() {
		k.report(diags)
		return exitFailure
	}
	if len(scan.Objects) == 0 {
		k.fail("Nothing of this stack found", "No object in %s bears the label %s=%s. The state is as it was.%s", k.cluster.Host(), addrs.StackLabel, k.state.StackID(), unseenHint(scan))
		return exitFailure
	}
	if opts.autoApprove && k.declared(scan.Objects) == 0 {
		k.fail("Not the stack of this configuration", "None of the %s of the stack %s belongs to a block of this configuration, so the next plan would delete them all. Rebuild the state beside the configuration that made them; if this is it, leave -auto-approve away and look at what would be stored.",
			render.Count(len(scan.Objects), "object"), k.state.StackID())
		return exitFailure
	}
	rebuilt, diags := plan.Rebuild(ctx, in, scan)
	if rebuilt == nil {
		k.report(diags)
		return exitFailure
	}
	k.showRebuilt(rebuilt)
	if diags := incomplete(scan, rebuilt, opts.allowIncomplete); len(diags) > 0 {
		k.report(diags)
		if diags.HasErrors() {
			return exitFailure
		}
	}
	if stored != nil && rebuilt.State.Equal(stored) {
		fmt.Fprintf(k.stdout, "The state in %s lacks nothing.\n", k.opts.state.path)
		return exitOK
	}
	if !opts.autoApprove {
		if code := k.wantYes(ctx, storing); code != exitOK {
			return code
		}
	}
	if err := k.lease.Replace(ctx, rebuilt.State); err != nil {
		k.fail("Can't write the state", "%s. The state is as it was.", capital(err))
		return exitFailure
	}
	fmt.Fprintf(k.stdout, "Stored the state with %s in %s.\n", render.Count(len(rebuilt.State.Objects), "object"), k.opts.state.path)
	return exitOK
}
