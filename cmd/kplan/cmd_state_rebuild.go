package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
				text("stack", &opts.stack, "Rebuild the state of the stack `ID`, which its objects have in the label "+plan.StackLabel+"."),
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
	lease, err := state.Acquire(ctx, opts.store(), state.NewLockInfo(operation, versionText()), time.Duration(opts.lockTimeout))
	if err != nil {
		s.reportLock(err)
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
	survey, diags := plan.Look(ctx, k.input(selection{}), "")
	if diags.HasErrors() {
		k.report(diags)
		return exitFailure
	}
	ids := survey.Stacks()
	if len(ids) == 0 {
		k.fail("Nothing to rebuild", "No object in %s bears the label %s.%s", k.cluster.Host(), plan.StackLabel, unseenHint(survey))
		return exitFailure
	}
	wanted := map[string]int{}
	for _, id := range ids {
		wanted[id] = k.declared(survey.Of(id))
	}
	slices.SortStableFunc(ids, func(a, b string) int { return wanted[b] - wanted[a] }) // the likeliest first
	for _, id := range ids {
		k.showStack(id, survey.Of(id), wanted[id])
	}
	k.fail("Which stack?", "There is no state in %s to tell which stack is this one. Name it: kplan state rebuild -stack=%s%s", k.opts.state.path, oneOr(ids, "ID"), unseenHint(survey))
	return exitFailure
}

// oneOr is the only word, or what stands for any.
func oneOr(words []string, otherwise string) string {
	if len(words) == 1 {
		return words[0]
	}
	return otherwise
}

// mostShown is how many addresses of a stack are shown to recognise it by.
const mostShown = 5

// declared is how many of the objects belong to blocks of the configuration.
func (k *stack) declared(objects []plan.Surveyed) (n int) {
	blocks := map[addrs.Resource]bool{}
	for _, r := range k.config.Resources {
		blocks[r.Addr] = true
	}
	for _, o := range objects {
		if blocks[o.Addr.Resource] {
			n++
		}
	}
	return n
}

func (k *stack) showStack(id string, objects []plan.Surveyed, wanted int) {
	namespaces := map[string]bool{}
	var shown []string
	for _, o := range objects {
		if o.Object.Namespace != "" {
			namespaces[o.Object.Namespace] = true
		}
		if len(shown) < mostShown && o.Addr != (addrs.Instance{}) {
			shown = append(shown, fmt.Sprintf("    %s (%s)\n", render.Clean(o.Addr.String()), render.Clean(o.Object.String())))
		}
	}
	fmt.Fprintf(k.stdout, "%s\n  %s, %d of them of blocks in this configuration\n", k.bold(render.Clean(id)), counted(len(objects), "object"), wanted)
	if len(namespaces) > 0 {
		fmt.Fprintf(k.stdout, "  in %s\n", render.Clean(strings.Join(slices.Sorted(maps.Keys(namespaces)), ", ")))
	}
	fmt.Fprint(k.stdout, strings.Join(shown, ""))
	if more := len(objects) - len(shown); more > 0 {
		fmt.Fprintf(k.stdout, "    and %d more\n", more)
	}
	fmt.Fprintln(k.stdout)
}

// rebuild makes, shows and stores the state.
func (k *stack) rebuild(ctx context.Context, opts rebuildOptions, stored *state.State) exitCode {
	in := k.input(selection{})
	survey, diags := plan.Look(ctx, in, k.state.StackID())
	if diags.HasErrors() {
		k.report(diags)
		return exitFailure
	}
	if len(survey.Objects) == 0 {
		k.fail("Nothing of this stack found", "No object in %s bears the label %s=%s. The state is as it was.%s", k.cluster.Host(), plan.StackLabel, k.state.StackID(), unseenHint(survey))
		return exitFailure
	}
	rebuilt, diags := plan.Rebuild(ctx, in, survey)
	if rebuilt == nil {
		k.report(diags)
		return exitFailure
	}
	k.showRebuilt(rebuilt)
	if diags := incomplete(survey, rebuilt, opts.allowIncomplete); len(diags) > 0 {
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
		if code := k.askToStore(ctx); code != exitOK {
			return code
		}
	}
	if err := k.lease.Replace(ctx, rebuilt.State); err != nil {
		k.fail("Can't write the state", "%s. The state is as it was.", capital(err))
		return exitFailure
	}
	fmt.Fprintf(k.stdout, "Stored the state with %s in %s.\n", counted(len(rebuilt.State.Objects), "object"), k.opts.state.path)
	return exitOK
}

// showRebuilt lists what the state would gain, lose and hold otherwise.
func (k *stack) showRebuilt(r *plan.Rebuilt) {
	line := func(mark string, o state.Object, note string) {
		if r.Orphans[o.Object.Identity()] {
			note += ", not in the configuration: the next plan deletes it"
		}
		fmt.Fprintf(k.stdout, "  %s %s (%s)%s\n", mark, render.Clean(o.Addr.String()), render.Clean(o.Object.String()), note)
	}
	for _, o := range r.Added {
		line("+", o, "")
	}
	for _, o := range r.Changed {
		line("~", o, "")
	}
	for _, o := range r.Gone {
		line("-", o, ", not there any more")
	}
	fmt.Fprintf(k.stdout, "\nThe state would have %s: %d added, %d changed, %d removed.\n",
		counted(len(r.State.Objects), "object"), len(r.Added), len(r.Changed), len(r.Gone))
}

// incomplete says what the rebuilt state may lack: an error, or, where the user
// has allowed that, a warning.
func incomplete(survey *plan.Survey, r *plan.Rebuilt, allowed bool) hcl.Diagnostics {
	severity, advice := hcl.DiagError, " To store it nevertheless: -allow-incomplete."
	if allowed {
		severity, advice = hcl.DiagWarning, ""
	}
	var diags hcl.Diagnostics
	if len(survey.Unseen) > 0 {
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "The state may be incomplete",
			Detail: "There may be objects of this stack that were not seen:\n" + bullets(survey.Unseen) +
				"\nSuch an object that the configuration has is recognised by its label when it is planned. One that the configuration no longer has would never be deleted. " +
				"A user who may list every kind in the whole cluster rebuilds a complete state." + advice})
	}
	if len(r.Unaddressed) > 0 {
		var names []string
		for _, o := range r.Unaddressed {
			names = append(names, o.Object.String())
		}
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "Objects without an address",
			Detail: "kplan made these objects for this stack, but their annotation " + plan.AddressAnnotation + " was removed or changed, and no block of the configuration names them:\n" +
				bullets(names) + "\nGive each its address back with kubectl annotate, or name it in the configuration." + advice})
	}
	if r.Unclear {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "The configuration can't be planned in full",
			Detail: "So it is not known of all objects what they depend on, and whether they are protected. kplan plan says what is wrong, once the state is there; rebuild again after mending that."})
	}
	return diags
}

func bullets[T any](items []T) string {
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, "  - %v\n", item)
	}
	return b.String()
}

func unseenHint(survey *plan.Survey) string {
	if len(survey.Unseen) == 0 {
		return ""
	}
	return "\n\nNot everything was seen:\n" + bullets(survey.Unseen)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (k *stack) askToStore(ctx context.Context) exitCode {
	approved, err := k.approve(ctx, question{
		title: "Do you want to store this state?",
		text:  "Nothing in the cluster is changed.\nOnly 'yes' will be accepted to approve.",
	})
	switch {
	case ctx.Err() != nil:
		return exitFailure
	case err != nil:
		k.fail("Approval needed", "The state is as it was: %v. To store it without being asked: -auto-approve.", err)
		return exitFailure
	case !approved:
		fmt.Fprintln(k.stdout, "\nRebuild cancelled.")
		return exitFailure
	}
	fmt.Fprintln(k.stdout)
	return exitOK
}
