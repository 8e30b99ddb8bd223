package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// lockedState is a state that the run has locked; its lease is nil for a dry run where nobody has ever locked it.
type lockedState struct {
	opts  stateOptions
	lease state.Lease
	state *state.State
}

// handover is a move of objects from one stack to another.
type handover struct {
	s        *session
	from, to *lockedState
	state.Handover
	cluster *kube.Cluster
}

func runStateMoveTo(ctx context.Context, s *session, opts moveOptions, from, to string) (diags hcl.Diagnostics) {
	h := &handover{s: s}
	if diags = h.find(ctx, opts); diags.HasErrors() {
		return diags
	}
	unlock, diags := h.lock(ctx)
	defer func() { diags = append(diags, unlock()...) }()
	if diags.HasErrors() {
		return diags
	}
	if diags = h.check(ctx, from, to); diags.HasErrors() {
		return diags
	}
	if diags = h.connect(ctx); diags.HasErrors() {
		return diags
	}
	owned, diags := h.look(ctx)
	if diags.HasErrors() {
		return diags
	}
	for _, o := range h.Objects() {
		fmt.Fprintf(s.ui.Out, "%s \"%s\" to \"%s\" (%s)\n", opts.verb(), render.Clean(o.Addr.String()),
			render.Clean(h.Moves[o.Addr].String()), render.Clean(o.Object.String()))
	}
	fmt.Fprintf(s.ui.Out, "\n  from the state in %s\n  to the state in   %s\n\n", h.from.opts.place(), h.to.opts.place())
	if opts.dryRun {
		return nil
	}
	if !opts.autoApprove {
		if approved, diags := s.ui.Approved(ctx, movingStack); !approved {
			return diags
		}
	}
	if diags = h.carryOut(ctx, owned); diags.HasErrors() {
		return diags
	}
	fmt.Fprintf(s.ui.Out, "Successfully moved %d object(s).\n", len(h.Moves))
	return nil
}

// movingStack is what a move to another stack needs a yes for.
var movingStack = ui.Approval{
	Question: ui.Question{
		Title: "Do you want to move these objects to the other stack?",
		Text: "In the cluster their label " + addrs.StackLabel + " and their annotation " + addrs.AddressAnnotation +
			" are changed, and nothing else.\nOnly 'yes' will be accepted to approve.",
	},
	Unchanged:  "Nothing was moved",
	Unattended: "To move them without being asked, add -auto-approve.",
	Cancelled:  "Move cancelled.",
}

// find finds the states of this stack and of the one in the other directory.
func (h *handover) find(ctx context.Context, opts moveOptions) hcl.Diagnostics {
	there := opts.state
	there.dir, there.path = opts.to, ""
	opts.state.reads, there.reads = opts.dryRun, opts.dryRun
	if info, err := os.Stat(opts.to); err != nil || !info.IsDir() {
		return failure("Invalid option", "-to names the directory of the other stack, and %s is none.", opts.to)
	}
	if _, diags := modules.Load(ctx, opts.to); len(diags) > 0 && diags[0].Summary == source.NoFiles {
		return failure("Invalid option", "-to names the directory of the other stack, and %s has no configuration.", opts.to)
	}
	there, diags := h.s.locate(ctx, there)
	if diags.HasErrors() {
		return diags
	}
	other, diags := readState(ctx, there, there.store())
	if diags.HasErrors() {
		return diags
	}
	here, st, diags := h.s.existing(ctx, opts.state) // the last one, so that messages quote from here
	if diags.HasErrors() {
		return diags
	}
	if st.Lineage == other.Lineage {
		return failure("Same stack", "The state in %s is that of this stack, %s. To move an object to another address of it, leave -to out.",
			there.place(), st.Lineage)
	}
	h.from, h.to = &lockedState{opts: here, state: st}, &lockedState{opts: there, state: other}
	return nil
}

// lock locks both states, that of the smaller lineage first: so two moves in opposite directions do not wait for each other.
// One that is new has no lineage yet, and no other move can lead from it. The states are those that are found then.
func (h *handover) lock(ctx context.Context) (unlock func() hcl.Diagnostics, diags hcl.Diagnostics) {
	var leases []state.Lease
	unlock = func() (diags hcl.Diagnostics) {
		for _, lease := range leases {
			diags = append(diags, h.s.unlock(lease)...)
		}
		return diags
	}
	order := []*lockedState{h.from, h.to}
	if h.to.state.Serial > 0 && h.to.state.Lineage < h.from.state.Lineage {
		order = []*lockedState{h.to, h.from}
	}
	for _, l := range order {
		before := l.state.Version()
		lease, st, diags := h.s.lockState(ctx, l.opts, "state mv")
		if diags.HasErrors() {
			return unlock, diags
		}
		if lease != nil {
			leases = append(leases, lease)
		}
		if before.Serial > 0 && st.Lineage != before.Lineage {
			return unlock, failure("State of another stack", "The state in %s was replaced by that of another stack just now. Nothing was moved.",
				l.opts.place())
		}
		l.lease, l.state = lease, st
	}
	return unlock, nil
}

// check works out what is moved, and whether both states allow it.
func (h *handover) check(ctx context.Context, from, to string) hcl.Diagnostics {
	for _, l := range []*lockedState{h.from, h.to} {
		if diags := l.unsaved(ctx); diags.HasErrors() {
			return diags
		}
	}
	moves, diags := movesOf(h.from.state, from, to)
	if diags.HasErrors() {
		if found, _ := pick(h.to.state, to); len(found) > 0 {
			diags[0].Detail += fmt.Sprintf(" The state in %s has %s (%s): it may have been moved before.", h.to.opts.place(), to, found[0].Object)
		}
		return diags
	}
	h.Handover = state.Handover{From: h.from.state, To: h.to.state, Moves: map[addrs.Instance]addrs.Instance{}}
	for _, m := range moves {
		h.Moves[m.from] = m.to
	}
	if err := h.Check(); err != nil {
		return failure("Can't move the objects", "%s. Nothing was moved.", err)
	}
	if is, of := h.To.Cluster, h.From.Cluster; is != "" && of != "" && is != of {
		return failure("Another cluster", "The objects of the stack in %s are in another cluster than those of this stack.", h.to.opts.place())
	}
	return nil
}

// unsaved is the error that a run could not store what it did: who goes on with the state loses that.
func (l *lockedState) unsaved(ctx context.Context) hcl.Diagnostics {
	entries, err := os.ReadDir(l.opts.directory())
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		path := filepath.Join(l.opts.directory(), entry.Name())
		if !strings.HasSuffix(entry.Name(), state.ErroredFile) {
			continue
		}
		st, err := state.Open(path).With(l.opts.codec).Read(ctx)
		if err == nil && st.Lineage == l.state.Lineage && st.Serial > l.state.Serial {
			return failure("The state is in another file", "%s has what a run did and could not store in %s. Store it before anything is moved: "+
				"kplan state push %s%s", path, l.opts.place(), l.opts.argument(), cli.ShellWord(path))
		}
	}
	return nil
}

// connect connects to the cluster, and makes sure that the other stack has the same one.
func (h *handover) connect(ctx context.Context) (diags hcl.Diagnostics) {
	if h.cluster, diags = h.s.clusterOf(ctx, h.from.opts, h.from.state); diags.HasErrors() {
		return diags
	}
	expected := *h.to.state
	if expected.Cluster == "" {
		expected.Cluster = h.from.state.Cluster
	}
	_, diags = h.s.clusterOf(ctx, h.to.opts, &expected)
	return diags
}

// look makes sure that all objects are in the cluster and this stack's, and returns which of their fields kplan owns.
func (h *handover) look(ctx context.Context) (map[addrs.Object][]addrs.Path, hcl.Diagnostics) {
	var mu sync.Mutex
	owned := map[addrs.Object][]addrs.Path{}
	err := h.each(ctx, func(ctx context.Context, o state.Object, r apply.Reassignment) error {
		_, live, err := r.Find(ctx, h.cluster)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		owned[o.Object] = ownership.Of(live.Object).OwnPaths()
		return nil
	})
	if errors.Is(err, apply.ErrNotReassignable) {
		return nil, failure("Can't move the objects", "%s. Nothing was moved. The next plan shows what becomes of it.", capital(err))
	}
	return owned, diag.FromKube(err, nil, "")
}

// each does something for all objects, several at the same time.
func (h *handover) each(ctx context.Context, do func(context.Context, state.Object, apply.Reassignment) error) error {
	group, ctx := graph.NewGroup(ctx)
	for _, o := range h.Objects() {
		group.Go(func() error {
			return do(ctx, o, apply.Reassignment{From: h.From.StackID(), To: h.To.StackID(), Object: o.Object, UID: o.UID, Addr: h.Moves[o.Addr]})
		})
	}
	return group.Wait()
}

// carryOut records the objects in the other state, marks them in the cluster, and removes them from this state. Whatever ends it,
// each of them is in a state.
func (h *handover) carryOut(ctx context.Context, owned map[addrs.Object][]addrs.Path) hcl.Diagnostics {
	h.Enter(func(o state.Object) []addrs.Path { return owned[o.Object] })
	if err := h.to.lease.Write(ctx, h.To); err != nil {
		return failure("Can't write the state", "%s. Nothing was moved.", capital(err))
	}
	err := h.each(ctx, func(ctx context.Context, _ state.Object, r apply.Reassignment) error {
		if err := h.held(); err != nil {
			return err
		}
		return r.Reassign(ctx, h.cluster)
	})
	if err == nil {
		h.Leave()
		err = h.from.lease.Write(ctx, h.From)
	}
	if err == nil {
		return nil
	}
	diags := diag.FromKube(err, nil, "")
	return append(diags, failure("Move not completed",
		"%s %s in both states, and nothing is lost: repeat the command. Apply neither stack until then.",
		words.Count(len(h.Moves), "object"), words.Plural(len(h.Moves), "is", "are"))...)
}

// held is the error that a lock was lost, whose holder starts nothing new.
func (h *handover) held() error {
	for _, l := range []*lockedState{h.from, h.to} {
		select {
		case <-l.lease.Lost():
			return fmt.Errorf("the lock on the state in %s was lost", l.opts.place())
		default:
		}
	}
	return nil
}
