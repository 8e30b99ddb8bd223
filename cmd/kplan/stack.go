package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// stack is what a plan is made from and an apply works on: the definition, the
// state and the cluster, each opened and found to be in order.
type stack struct {
	*session
	definition
	opts    planningOptions
	lease   state.Lease // nil: the state is not locked
	state   *state.State
	cluster *kube.Cluster
	// carryOn keeps an interrupt from cutting requests off from here on.
	carryOn func() bool
}

// prepare opens everything: first what needs no cluster, so that a mistake in a
// file costs no request. What went wrong has been reported.
func (s *session) prepare(ctx context.Context, opts planningOptions, operation string) (*stack, bool) {
	d, ok := s.define(ctx, opts.variables)
	if !ok {
		return nil, false
	}
	if opts.state, ok = s.locateBy(opts.state, d); !ok {
		return nil, false
	}
	k := &stack{session: s, definition: d, opts: opts}
	if opts.lock {
		k.lease, k.state = s.lockState(ctx, opts.state, operation)
	} else {
		k.state, _ = s.readState(ctx, opts.state)
	}
	if k.state == nil {
		return nil, false
	}
	if opts.offline {
		return k, true
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	k.carryOn = context.AfterFunc(ctx, end)
	if k.cluster, ok = s.connect(life, d, opts.cluster); !ok {
		k.close()
		return nil, false
	}
	s.kinds = k.cluster
	return k, true
}

func (k *stack) close() {
	if k.lease != nil {
		k.unlock(k.lease)
	}
}

// plan makes the plan, nil when there is nothing to show. One with errors must
// not be applied.
func (k *stack) plan(ctx context.Context, of selection) (*plan.Plan, hcl.Diagnostics) {
	return plan.Make(ctx, k.input(of))
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
		Written:       of.written,
		Parallelism:   int(k.opts.cluster.parallelism),
	}
}

// save stores a state durably.
func (k *stack) save(ctx context.Context, st *state.State) error { return k.lease.Write(ctx, st) }

// rescue keeps a state that could not be stored in a file of its own: beside the
// stored one, and where that is what fails, in the working folder or that for
// temporary files.
func (k *stack) rescue(st *state.State) {
	var path string
	var err error
	for _, directory := range []string{filepath.Dir(k.opts.state.path), ".", os.TempDir()} {
		if path, err = state.WriteErrored(directory, st); err == nil {
			break
		}
	}
	if err != nil {
		k.fail("The state is lost", "%s. What was made bears the label %s=%s in the cluster, by which it can be found.", capital(err), addrs.StackLabel, st.StackID())
		return
	}
	k.report(hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  "The state is in another file",
		Detail: "What was done is recorded in " + path + ", since it could not be stored in " + k.opts.state.path + ". " +
			"Once the reason is mended, put it back before kplan runs again: kplan state push -state=" + k.opts.state.path + " " + path,
	}})
}

// found writes the state of a stack that has none yet. A saved plan names the
// state it is for and holds digests keyed with its key, so that state must be
// there when the plan is applied.
func (k *stack) found(ctx context.Context, p *plan.Plan) bool {
	lease := k.lease
	if lease == nil {
		opts := k.opts.state
		opts.reads = false
		if lease, _ = k.lockState(ctx, opts, "plan"); lease == nil {
			return false
		}
		defer k.unlock(lease)
	}
	if err := lease.Write(ctx, k.state); err != nil {
		k.fail("Can't save the plan", "The plan of a new stack needs its state. %s.", capital(err))
		return false
	}
	p.Serial = k.state.Serial
	return true
}
