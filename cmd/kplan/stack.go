package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// stack is what a plan is made from and an apply works on: the definition, the
// state and the cluster, each opened and checked.
type stack struct {
	s *session
	definition
	opts    planningOptions
	lease   state.Lease // nil: the state is not locked
	state   *state.State
	cluster *kube.Cluster
	// detach keeps an interrupt from cancelling requests from here on.
	detach func() bool
}

// prepare opens everything: first what needs no cluster, so that a mistake in a
// file costs no request.
func (s *session) prepare(ctx context.Context, opts planningOptions, operation string) (*stack, hcl.Diagnostics) {
	d, diags := s.define(ctx, opts.variables)
	if diags.HasErrors() {
		return nil, withStateLeft(ctx, diags, opts.state)
	}
	return s.open(ctx, d, opts, operation)
}

// open opens the state and the cluster of a definition.
func (s *session) open(ctx context.Context, d definition, opts planningOptions, operation string) (k *stack, diags hcl.Diagnostics) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	k = &stack{s: s, definition: d, detach: context.AfterFunc(ctx, end)}
	if opts.offline && d.config.HasRemoteState() && opts.state.path == "" {
		opts.state.codec, diags = codecOf(s, d) // for the plan that is saved
		k.opts, k.state = opts, state.New()     // which the plan says
		return k, diags
	}
	opts.state.cluster = opts.cluster
	if opts.state, diags = s.locateIn(ctx, d, opts.state); diags.HasErrors() {
		return nil, diags
	}
	k.opts = opts
	if opts.lock {
		k.lease, k.state, diags = s.lockState(ctx, opts.state, operation)
	} else {
		k.state, diags = readState(ctx, opts.state, opts.state.store())
	}
	if !diags.HasErrors() {
		s.logState(opts.state.place(), k.state)
	}
	if diags.HasErrors() || opts.offline {
		return k, diags
	}
	if k.cluster, diags = s.connect(life, d, opts.cluster, k.state); diags.HasErrors() {
		return nil, append(diags, k.close()...)
	}
	s.quoted.kinds = k.cluster
	return k, nil
}

// withStateLeft adds to the error that there is no configuration what the state still has.
func withStateLeft(ctx context.Context, diags hcl.Diagnostics, opts stateOptions) hcl.Diagnostics {
	if diags[0].Summary != source.NoFiles {
		return diags
	}
	if opts.path == "" {
		opts.path = defaultState
	}
	if st, err := state.Open(opts.path).Read(ctx); err == nil && len(st.Objects) > 0 {
		diags[0].Detail += fmt.Sprintf(" The state in %s has %s, and nothing was done to them. To destroy what has no configuration any more, "+
			"create an empty file main.kplan.hcl, then: kplan destroy", opts.path, words.Count(len(st.Objects), "object"))
	}
	return diags
}

func (k *stack) close() hcl.Diagnostics {
	if k.lease == nil {
		return nil
	}
	return k.s.unlock(k.lease)
}

// plan makes the plan, nil when there is nothing to show. One with errors must
// not be applied.
func (k *stack) plan(ctx context.Context, of selection) (*plan.Plan, hcl.Diagnostics) {
	began := time.Now()
	p, diags := plan.Make(ctx, k.input(of))
	if p != nil {
		k.s.log.Debug("plan made", "mode", string(p.Mode), "changes", fmt.Sprintf("%+v", p.Counts()), "took", time.Since(began))
	}
	return p, diags
}

// input is what a plan is made from.
func (k *stack) input(of selection) plan.Input {
	return plan.Input{
		Config:        k.config,
		Variables:     k.values,
		Cluster:       k.cluster,
		State:         k.state,
		Mode:          of.mode(),
		Targets:       of.targets,
		Excludes:      of.excludes,
		Replace:       of.replace,
		Adopt:         of.adopt,
		AllowDataLoss: of.allowDataLoss,

		ForceConflicts: of.forceConflicts,
		RefuseDrift:    of.drift == refuseDrift,
		AllUnmanaged:   of.allUnmanaged,

		Written:     of.written,
		Parallelism: int(k.opts.cluster.parallelism),
		Secrets:     &k.s.ui.Secrets,
		Log:         k.s.log,
	}
}

// save stores a state durably.
func (k *stack) save(ctx context.Context, st *state.State) error {
	err := k.lease.Write(ctx, st)
	k.s.log.Debug("state written", "serial", st.Serial, "objects", len(st.Objects), "pending", len(st.Pending), "error", err)
	return err
}

// rescue keeps a state that could not be stored in a file of its own: beside the
// stored one, or if that fails, in the working directory or that for temporary
// files.
func (k *stack) rescue(st *state.State) hcl.Diagnostics {
	var path string
	var err error
	for _, directory := range []string{k.opts.state.directory(), ".", os.TempDir()} {
		if path, err = state.WriteErrored(directory, st, k.opts.state.codec); err == nil {
			break
		}
	}
	if err != nil {
		return failure("The state is lost", "%s. The objects that were created have the label %s=%s in the cluster, by which they can be found.",
			capital(err), addrs.StackLabel, st.StackID())
	}
	return warning("The state is in another file",
		"The results are recorded in "+path+", because it could not be stored in "+k.opts.state.place()+". "+
			"Fix the cause, then store the state before kplan runs again: kplan state push "+k.opts.state.argument()+path)
}

// createState writes the state of a stack that has none yet. A saved plan names
// the state it is for and has digests keyed with its key, so that state must
// exist when the plan is applied.
func (k *stack) createState(ctx context.Context, p *plan.Plan) (diags hcl.Diagnostics) {
	lease := k.lease
	if lease == nil {
		opts := k.opts.state
		opts.reads = false
		if lease, _, diags = k.s.lockState(ctx, opts, "plan"); diags.HasErrors() {
			if opts.at.File == "" {
				diags[0].Detail += " The saved plan of a new stack needs its state. To create that once, as a user who may write it: kplan init"
			}
			return diags
		}
		defer func() { diags = append(diags, k.s.unlock(lease)...) }()
	}
	if err := lease.Write(ctx, k.state); err != nil {
		return failure("Can't save the plan", "The plan of a new stack needs its state. %s.", capital(err))
	}
	p.Serial = k.state.Serial
	return nil
}
