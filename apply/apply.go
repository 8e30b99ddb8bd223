// Package apply carries out a plan. It decides nothing: it walks the same
// configuration as the plan did, makes sure that what it is about to send is what
// was approved, sends it, and records the result.
//
// Before the first change the journal writes into the state every object that is
// about to be created, replaced or deleted. Results are written in groups while the
// walk goes on, so a run that is killed leaves nothing that the next one can't
// find. A writer creates, updates and replaces objects in dependency order, then a
// deleter deletes the others, dependents first, and a waiter waits until all is
// ready. A shutdown, which an interrupt or an outage begins, lets nothing new start
// and ends every wait.
package apply

import (
	"context"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// Input is what an apply works with.
type Input struct {
	// Plan is the approved plan, as plan.Make returned it.
	Plan    *plan.Plan
	Config  *config.Config
	Cluster *kube.Cluster
	// State is the state the plan was made from; Run leaves it as it is.
	State *state.State
	// Save stores a state durably, in place of the last one that was saved. It
	// is never called twice at once.
	Save func(context.Context, *state.State) error
	Wait WaitOptions
	// Parallelism bounds the objects in progress at once; 0 means no bound.
	Parallelism int
	// Progress, when set, is called with each event. It is never called twice at once.
	Progress func(Event)
	// Stop, when it has ended, lets nothing new start: what is in flight finishes
	// and is recorded. It may be nil.
	Stop context.Context
	// Lost, when set, is asked before each change for a channel that is closed if
	// the state is no longer this run's to change. Then nothing new starts either.
	Lost func() <-chan struct{}
	// Secrets learns the secret values that are known only after others were applied. It
	// hides all that it knows in the logs of containers. It may be nil.
	Secrets *redact.Secrets
}

// WaitOptions is whether and how long to wait until objects are ready.
type WaitOptions struct {
	Enabled bool
	Timeout time.Duration // for one object; 0 means DefaultWaitTimeout
}

// DefaultWaitTimeout is how long an object may take to become ready.
const DefaultWaitTimeout = 10 * time.Minute

// Summary is the result of an apply.
type Summary struct {
	Added, Changed, Destroyed, Forgotten, Adopted int
	Moved                                         int // recorded at a new address
	Failed                                        []addrs.Instance
	Unknown                                       []addrs.Instance // the answer was lost: maybe done, maybe not
	Skipped                                       []addrs.Instance // because of a failure or an interruption
	NotReady                                      []addrs.Instance // done, but not ready in time, or at all
	Outputs                                       []hclspec.OutputValue
	// State is what is true now. Unsaved is why it could not be stored.
	State   *state.State
	Unsaved error
}
