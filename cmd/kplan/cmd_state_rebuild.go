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
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan/rebuild"
	"kplan.dev/kplan/state"
)

type rebuildOptions struct {
	planningOptions
	stack           string
	autoApprove     bool
	allowIncomplete bool
}

func stateRebuildCommand(s *session) *cli.Command {
	var opts rebuildOptions
	return &cli.Command{
		Name:    "rebuild",
		Summary: "Recreate a lost state from the cluster",
		About: "Scans the cluster for the objects that kplan created for this configuration, by the label and the " +
			"annotation that each of them has, shows the resulting state, asks for approval, and stores it. Nothing in the cluster is " +
			"changed. An existing state is completed: use this to continue from an old backup.\n\n" +
			"If no state names the stack, -stack does. Without it the command lists the stacks that have objects in the cluster.\n\n" +
			"A state that would be incomplete is refused, for example when this user may not list every kind: objects that are missing " +
			"from it and no longer in the configuration would never be deleted.",
		Flags: slices.Concat(
			cli.Group("Options",
				cli.Text("stack", &opts.stack, "Rebuild the state of the stack `ID`, the value of the label "+addrs.StackLabel+" of its objects."),
				cli.On("auto-approve", &opts.autoApprove, "Skip the approval of the state."),
				cli.On("allow-incomplete", &opts.allowIncomplete, "Store the state even if objects may be missing from it.")),
			cli.Group("Options", opts.variables.flags()...),
			cli.Group("Options", opts.cluster.flags()...),
			cli.Group("Options", opts.state.flag(), opts.state.lockFlag())),
		Examples: []cli.Example{
			{Line: "state rebuild", Explanation: "List the stacks, or complete an existing state:"},
			{Line: "state rebuild -stack=3c9d5f9e-58f5-4a21-8fb7-6ac1e53f1d01", Explanation: "When the state file is lost:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return runStateRebuild(ctx, s, opts)
		},
	}
}

func runStateRebuild(ctx context.Context, s *session, opts rebuildOptions) (code cli.ExitCode, diags hcl.Diagnostics) {
	if id, err := uuid.Parse(opts.stack); opts.stack != "" && (err != nil || id.String() != opts.stack) {
		return exitFailure, usage(&cli.UsageError{Summary: "Invalid stack", Detail: fmt.Sprintf(
			"%q is not the ID of a stack, such as 3c9d5f9e-58f5-4a21-8fb7-6ac1e53f1d01. To list the stacks in the cluster, leave -stack out.",
			opts.stack)})
	}
	d, diags := s.define(ctx, opts.variables)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	opts.state.cluster = opts.cluster
	if opts.state, diags = s.locateIn(ctx, d, opts.state); diags.HasErrors() {
		return exitFailure, diags
	}
	lease, diags := s.acquire(ctx, opts.state, "state rebuild")
	if diags.HasErrors() {
		return exitFailure, diags
	}
	defer func() { diags = append(diags, s.unlock(lease)...) }()
	stored, damaged, diags := readAny(ctx, s.ui, opts.state, lease)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	if stored != nil && opts.stack != "" && opts.stack != stored.Lineage {
		return exitFailure, failure("State of another stack",
			"The state in %s belongs to the stack %s. To rebuild the state of another stack, name another file with -state=PATH.",
			opts.state.place(), stored.Lineage)
	}
	cluster, diags := s.connect(ctx, d, opts.cluster, nil)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	k := &stack{s: s, definition: d, opts: opts.planningOptions, lease: lease, state: stored, cluster: cluster}
	switch {
	case stored == nil && opts.stack == "":
		k.state = state.New()
		return exitFailure, k.listStacks(ctx, damaged)
	case stored == nil:
		k.state = state.NewAfterLoss(opts.stack, time.Now())
	}
	return k.rebuild(ctx, opts, stored)
}

// readAny reads the state, nil if there is none or none that can be read, which is
// then damaged: either is what rebuilding is for. One that is in another place is not lost.
func readAny(ctx context.Context, u *ui.Streams, opts stateOptions, lease state.Lease) (
	stored *state.State, damaged bool, diags hcl.Diagnostics,
) {
	stored, err := lease.Read(ctx)
	switch {
	case err == nil:
		return stored, false, nil
	case errors.Is(err, state.ErrNotExist):
		return nil, false, opts.missed(ctx)
	case errors.As(err, new(*state.MigratedError)):
		return nil, false, failure("Can't read the state", "%s.", capital(err))
	}
	u.Report(warning("The stored state can't be read", capital(err)+". If another is stored in its place, it is kept beside that."))
	return nil, true, nil
}

// listStacks shows which stacks have objects in the cluster, and returns the
// error that one has to be chosen: several stacks may well belong to one
// configuration, with other variables.
func (k *stack) listStacks(ctx context.Context, damaged bool) hcl.Diagnostics {
	scan, diags := rebuild.ScanCluster(ctx, k.input(selection{}), "")
	if diags.HasErrors() {
		return diags
	}
	ids := scan.Stacks()
	if len(ids) == 0 {
		return failure("Nothing to rebuild", "No object in %s has the label %s.%s", k.cluster.Host(), addrs.StackLabel, unseenHint(scan))
	}
	wanted := map[string]int{}
	for _, id := range ids {
		wanted[id] = k.declared(scan.Of(id))
	}
	slices.SortStableFunc(ids, func(a, b string) int { return wanted[b] - wanted[a] }) // the likeliest first
	for _, id := range ids {
		k.showStack(id, scan.Of(id), wanted[id])
	}
	id := "ID"
	if len(ids) == 1 {
		id = ids[0]
	}
	why := "There is no state in " + k.opts.state.place()
	if damaged {
		why = "The state in " + k.opts.state.place() + " can't be read"
	}
	return failure("Stack required", "%s, so the stack is unknown. Name it: kplan state rebuild -stack=%s%s", why, id, unseenHint(scan))
}

// storing is what a rebuilt state needs a yes for.
var storing = ui.Approval{
	Question: ui.Question{
		Title: "Do you want to store this state?",
		Text:  "Nothing in the cluster is changed.\nOnly 'yes' will be accepted to approve.",
	},
	Unchanged:  "The state is unchanged",
	Unattended: "To store it without being asked, add -auto-approve.",
	Cancelled:  "Rebuild cancelled.",
}

// rebuild makes, shows and stores the state.
func (k *stack) rebuild(ctx context.Context, opts rebuildOptions, stored *state.State) (cli.ExitCode, hcl.Diagnostics) {
	in := k.input(selection{})
	scan, diags := rebuild.ScanCluster(ctx, in, k.state.StackID())
	if diags.HasErrors() {
		return exitFailure, diags
	}
	if len(scan.Objects) == 0 {
		return exitFailure, failure("No objects of this stack", "No object in %s has the label %s=%s. The state is unchanged.%s",
			k.cluster.Host(), addrs.StackLabel, k.state.StackID(), unseenHint(scan))
	}
	if opts.autoApprove && k.declared(scan.Objects) == 0 {
		return exitFailure, failure("Not the stack of this configuration",
			"None of the %s of the stack %s belongs to a block of this configuration, so the next plan would delete them all. "+
				"Rebuild the state beside the configuration that created them; "+
				"if this is the one, leave -auto-approve out and review what would be stored.",
			words.Count(len(scan.Objects), "object"), k.state.StackID())
	}
	rebuilt, diags := rebuild.State(ctx, in, scan)
	if rebuilt == nil {
		return exitFailure, diags
	}
	k.showRebuilt(rebuilt)
	if diags := k.s.ui.Errors(incomplete(scan, rebuilt, opts.allowIncomplete)); diags != nil {
		return exitFailure, diags
	}
	if stored != nil && rebuilt.State.Equal(stored) {
		fmt.Fprintf(k.s.ui.Out, "The state in %s is complete.\n", k.opts.state.place())
		return exitOK, nil
	}
	if !opts.autoApprove {
		if approved, diags := k.s.ui.Approved(ctx, storing); !approved {
			return exitFailure, diags
		}
	}
	if err := k.lease.Replace(ctx, rebuilt.State); err != nil {
		return exitFailure, failure("Can't write the state", "%s. The state is unchanged.", capital(err))
	}
	k.opts.state.remember(rebuilt.State.Lineage, k.s.log)
	fmt.Fprintf(k.s.ui.Out, "Stored the state with %s in %s.\n", words.Count(len(rebuilt.State.Objects), "object"), k.opts.state.place())
	return exitOK, nil
}

// mostShown is how many addresses of a stack are shown to recognize it by.
const mostShown = 5

// declared is how many of the objects belong to blocks of the configuration.
func (k *stack) declared(objects []rebuild.Scanned) (n int) {
	blocks := map[addrs.Resource]bool{}
	for addr := range k.config.AllResources() {
		blocks[addr] = true
	}
	for _, o := range objects {
		if blocks[o.Addr.Resource.Declared()] {
			n++
		}
	}
	return n
}

func (k *stack) showStack(id string, objects []rebuild.Scanned, wanted int) {
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
	fmt.Fprintf(k.s.ui.Out, "%s\n  %s, %d of them declared in this configuration\n",
		k.s.ui.Bold(render.Clean(id)), words.Count(len(objects), "object"), wanted)
	if len(namespaces) > 0 {
		fmt.Fprintf(k.s.ui.Out, "  in %s\n", render.Clean(strings.Join(slices.Sorted(maps.Keys(namespaces)), ", ")))
	}
	fmt.Fprint(k.s.ui.Out, strings.Join(shown, ""))
	if more := len(objects) - len(shown); more > 0 {
		fmt.Fprintf(k.s.ui.Out, "    and %d more\n", more)
	}
	fmt.Fprintln(k.s.ui.Out)
}

// showRebuilt lists what would be added to the state, changed in it and removed.
func (k *stack) showRebuilt(r *rebuild.Result) {
	line := func(mark string, o state.Object, note string) {
		if r.Orphans[o.Object.Identity()] {
			note += ", not in the configuration: the next plan deletes it"
		}
		fmt.Fprintf(k.s.ui.Out, "  %s %s (%s)%s\n", mark, render.Clean(o.Addr.String()), render.Clean(o.Object.String()), note)
	}
	for _, o := range r.Added {
		line("+", o, "")
	}
	for _, o := range r.Changed {
		line("~", o, "")
	}
	for _, o := range r.Gone {
		line("-", o, ", no longer in the cluster")
	}
	fmt.Fprintf(k.s.ui.Out, "\nThe state would have %s: %d added, %d changed, %d removed.\n",
		words.Count(len(r.State.Objects), "object"), len(r.Added), len(r.Changed), len(r.Gone))
}

// incomplete reports what the rebuilt state may lack: an error, or, if the user
// has allowed that, a warning.
func incomplete(scan *rebuild.Scan, r *rebuild.Result, allowed bool) hcl.Diagnostics {
	severity, advice := hcl.DiagError, " To store the state nevertheless, add -allow-incomplete."
	if allowed {
		severity, advice = hcl.DiagWarning, ""
	}
	var diags hcl.Diagnostics
	if len(scan.Unlisted) > 0 {
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "The state may be incomplete",
			Detail: "There may be objects of this stack that were not found:\n" + bullets(scan.Unlisted) +
				"\nIf such an object is declared in the configuration, the next plan recognizes it by its label. " +
				"If it no longer is, it would never be deleted. " +
				"A user who may list every kind in the whole cluster can rebuild a complete state." + advice})
	}
	if len(r.Unaddressed) > 0 {
		var names []string
		for _, o := range r.Unaddressed {
			names = append(names, o.Object.String())
		}
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "Objects without an address",
			Detail: "kplan created these objects for this stack, but their annotation " + addrs.AddressAnnotation + " was removed or changed, " +
				"and no block of the configuration declares them:\n" +
				bullets(names) + "\nRestore the address of each with kubectl annotate, or declare it in the configuration." + advice})
	}
	if r.Unclear {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "The configuration can't be planned in full",
			Detail: "The dependencies of some objects, and whether they are protected, are therefore not known. " +
				"Once the state is stored, kplan plan shows what is wrong; fix that and rebuild again."})
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

func unseenHint(scan *rebuild.Scan) string {
	if len(scan.Unlisted) == 0 {
		return ""
	}
	return "\n\nNot everything could be listed:\n" + bullets(scan.Unlisted)
}
