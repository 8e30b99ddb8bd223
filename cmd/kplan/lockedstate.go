package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/state"
)

// defaultState is the file that holds the state where nothing else is said.
const defaultState = "kplan.state.json"

// stateOptions say where the state is and how long to wait for its lock.
type stateOptions struct {
	path        string
	lockTimeout period
	reads       bool // and writes nothing, no lock file either
}

func (o *stateOptions) flag() cli.Flag {
	return text("state", &o.path, "Use the state in the file `PATH`. Default: where the backend block says, else "+defaultState+".")
}

func (o *stateOptions) lockFlag() cli.Flag {
	return value("lock-timeout", &o.lockTimeout, "Wait up to `DURATION`, such as 30s, for another run to give the state's lock back.")
}

// locate completes where the state is, for a command that needs no more of the
// configuration than that: where -state says, else where the backend block
// does, if there is a configuration.
func (s *session) locate(opts stateOptions) (stateOptions, bool) {
	if opts.path != "" {
		return opts, true
	}
	c, _ := config.Load(".") // its mistakes are none of this command's business
	if c.Settings.Backend == nil {
		opts.path = defaultState
		return opts, true
	}
	values, _ := c.ReadVariables(config.Inputs{Env: os.Environ(), Partial: true})
	return s.locateBy(opts, definition{c, values})
}

// locateBy is locate where the configuration is at hand.
func (s *session) locateBy(opts stateOptions, d definition) (stateOptions, bool) {
	if opts.path != "" {
		return opts, true
	}
	backend, diags := d.config.Backend(d.values)
	if diags.HasErrors() {
		s.loaded = d.config
		s.report(diags)
		return opts, false
	}
	opts.path = backend.Path
	return opts, true
}

// store is where the options say that the state is.
func (o stateOptions) store() *state.Local {
	if o.reads {
		return state.Open(o.path).ForReading()
	}
	return state.Open(o.path)
}

// lockPatience is how long kplan waits for a lock before it says so.
const lockPatience = 400 * time.Millisecond

// acquire takes the lock of the state that the options name. There is no lease
// for who only reads what nobody has ever locked. What went wrong has been
// reported.
func (s *session) acquire(ctx context.Context, opts stateOptions, operation string) (state.Lease, bool) {
	waitTimeout := time.AfterFunc(lockPatience, func() {
		s.lockAwaited("Acquiring state lock. This may take a few moments...")
	})
	defer waitTimeout.Stop()
	lease, err := state.Acquire(ctx, opts.store(), state.NewLockInfo(operation, versionText()), time.Duration(opts.lockTimeout))
	if errors.Is(err, state.ErrNoLock) {
		return nil, true
	}
	if err != nil {
		s.reportLock(err)
	}
	return lease, err == nil
}

// lockState takes the state's lock and reads the state, a new one where there
// is none. The state is nil if that failed, which has then been reported.
func (s *session) lockState(ctx context.Context, opts stateOptions, operation string) (state.Lease, *state.State) {
	opts, ok := s.locate(opts)
	if !ok {
		return nil, nil
	}
	lease, ok := s.acquire(ctx, opts, operation)
	if !ok {
		return nil, nil
	}
	if lease == nil {
		st, _ := s.readState(ctx, opts)
		return nil, st
	}
	st, err := readOrNew(ctx, lease)
	if err != nil {
		s.fail("Can't read the state", "%s.", capital(err))
		s.unlock(lease)
		return nil, nil
	}
	return lease, st
}

// existing reads the state without its lock. That there is none is an error:
// whoever asks about it expects one.
func (s *session) existing(ctx context.Context, opts stateOptions) (*state.State, bool) {
	opts, ok := s.locate(opts)
	if !ok {
		return nil, false
	}
	st, err := opts.store().Read(ctx)
	switch {
	case errors.Is(err, state.ErrNotExist):
		s.fail("There is no state", "Nothing has been applied here yet: there is no file %s. Another file is named with -state=PATH, another folder with kplan -chdir=DIR.", opts.path)
	case err != nil:
		s.fail("Can't read the state", "%s.", capital(err))
	}
	return st, err == nil
}

// readState reads the state without its lock, a new one where there is none.
func (s *session) readState(ctx context.Context, opts stateOptions) (*state.State, bool) {
	opts, ok := s.locate(opts)
	if !ok {
		return nil, false
	}
	st, err := readOrNew(ctx, opts.store())
	if err != nil {
		s.fail("Can't read the state", "%s.", capital(err))
		return nil, false
	}
	return st, true
}

func readOrNew(ctx context.Context, from interface {
	Read(context.Context) (*state.State, error)
}) (*state.State, error) {
	st, err := from.Read(ctx)
	if errors.Is(err, state.ErrNotExist) {
		return state.New(), nil
	}
	return st, err
}

// unlock gives the lock back. A lock that was lost is reported where it
// matters, by the write that was refused.
func (s *session) unlock(lease state.Lease) {
	err := lease.Unlock()
	var lost *state.LostLockError
	if err != nil && !errors.As(err, &lost) {
		s.report(hcl.Diagnostics{{
			Severity: hcl.DiagWarning,
			Summary:  "The lock file still names this run",
			Detail:   capital(err) + ". The lock itself is free: the next run can take it.",
		}})
	}
}

func (s *session) reportLock(err error) {
	var locked *state.LockedError
	if !errors.As(err, &locked) {
		s.fail("Error acquiring the state lock", "%s.", capital(err))
		return
	}
	if errors.Is(err, context.Canceled) {
		s.fail("Interrupted", "%s. It was waited for until the interrupt, and nothing was done.", capital(locked))
		return
	}
	detail := capital(err) + ".\n\n"
	if locked.Info.ID != "" {
		detail += locked.Info.String() + "\n"
	}
	detail += "kplan locks the state so that two runs don't change the same objects at once. Wait until that run has ended, " +
		"or have this one wait with -lock-timeout=5m."
	if locked.Info.ID != "" {
		detail += " If you are sure that the run is dead: kplan force-unlock " + locked.Info.ID
	}
	s.fail("Error acquiring the state lock", "%s", detail)
}
