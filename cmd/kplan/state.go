package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

// defaultState is the file that holds the state where nothing else is said.
const defaultState = "kplan.state.json"

// stateOptions are where the state is and how long to wait for its lock.
type stateOptions struct {
	path        string // as -state names it, "" for what the configuration says
	dir         string // of the configuration, "" for the working directory
	lockTimeout cli.Duration
	reads       bool // and writes nothing, no lock file either
	// variables are what the arguments of a backend block may depend on, for commands that
	// need no other values.
	variables variableOptions
	cluster   clusterOptions // of the stack, where a backend keeps the state unless it names another
	// Once it is located:
	at        *state.Place
	codec     state.Codec
	where     *whereabouts // by the configuration, nil for a file that -state names
	byBackend bool         // a backend block names the place
}

// flags are those of a command that needs nothing but the state.
func (o *stateOptions) flags() []cli.Flag {
	return slices.Concat([]cli.Flag{o.flag()}, o.variables.valueFlags(), o.cluster.accessFlags())
}

func (o *stateOptions) flag() cli.Flag {
	return cli.Text("state", &o.path, "Use the state in the file `PATH`. Default: that of the backend block, or else "+defaultState+".")
}

func (o *stateOptions) lockFlag() cli.Flag {
	return cli.Value("lock-timeout", &o.lockTimeout, "Wait up to `DURATION`, such as 30s, for another run to release the lock of the state.")
}

// store is the store of a state that was located.
func (o stateOptions) store() state.Store {
	if o.reads {
		return o.at.Reading
	}
	return o.at.Store
}

// place names where the state is, in messages.
func (o stateOptions) place() string { return o.at.Name }

// argument is the option that names the state, followed by a space, or nothing where only the configuration can name it.
func (o stateOptions) argument() string {
	if o.at.File == "" {
		return ""
	}
	return string(option.State) + "=" + cli.ShellWord(o.at.File) + " "
}

// directory is where a state is kept that can't be stored.
func (o stateOptions) directory() string {
	if o.at.File == "" {
		return cmp.Or(o.dir, ".")
	}
	return filepath.Dir(o.at.File)
}

// quietWait is how long kplan waits for a lock before it reports that.
const quietWait = 400 * time.Millisecond

// acquire locks the state. There is no lease for who only reads what was never
// locked.
func (s *session) acquire(ctx context.Context, opts stateOptions, operation string) (state.Lease, hcl.Diagnostics) {
	if opts.byBackend && opts.reads && !opts.at.HasDirectory() {
		return nil, nil // there is no state, and nothing to lock
	} else if opts.byBackend && !opts.reads { // any other path may be a typing mistake
		if err := opts.at.MakeDirectory(); err != nil {
			return nil, failure("Error acquiring the state lock", "%s.", capital(err))
		}
	}
	waiting := time.AfterFunc(quietWait, func() {
		const text = "Acquiring state lock. This may take a few moments..."
		s.ui.Emit(func(e *render.Events) { e.LockAwaited(text) })
		s.ui.Print(text + "\n")
	})
	defer waiting.Stop()
	began, info := time.Now(), state.NewLockInfo(operation, versionText())
	lease, err := state.Acquire(ctx, opts.store(), info, time.Duration(opts.lockTimeout))
	s.log.Debug("state locked", "path", opts.place(), "id", info.ID, "took", time.Since(began), "error", err)
	if errors.Is(err, state.ErrNoLock) {
		return nil, nil
	}
	if err == nil && !opts.reads {
		opts.remember("", s.log)
	}
	return lease, notLocked(err)
}

// remember stores what the directory remembers of its backend, for the first time only in a run that writes: that the state of
// a stack, "" for none yet, is there.
func (o stateOptions) remember(lineage string, to *slog.Logger) {
	if o.where == nil {
		return
	}
	if _, isNew := o.where.toRemember(); isNew && o.reads || !isNew && (lineage == "" || lineage == o.where.stackAt(o.at)) {
		return
	}
	o.where.remember(o.at, lineage, to)
}

// sameStack makes sure that a state is of the stack that this directory has used at its place so far.
func (o stateOptions) sameStack(st *state.State, to *slog.Logger) hcl.Diagnostics {
	if o.where == nil || st.Serial == 0 {
		return nil
	}
	known := o.where.stackAt(o.at)
	switch {
	case known == "" && st.IsUnused(): // it may be replaced
		return nil
	case known != "" && known != st.Lineage:
		return failure("State of another stack", "The state in %s belongs to the stack %s, and this directory has used that of the "+
			"stack %s there. Each stack needs a place of its own: another one may have been given the same. If the state was replaced on purpose: "+
			"kplan init -reconfigure", o.place(), st.Lineage, known)
	}
	o.remember(st.Lineage, to)
	return nil
}

// lockState locks and reads the state, a new one where there is none.
func (s *session) lockState(ctx context.Context, opts stateOptions, operation string) (state.Lease, *state.State, hcl.Diagnostics) {
	lease, diags := s.acquire(ctx, opts, operation)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	if lease == nil {
		st, diags := readState(ctx, opts, opts.store())
		if !diags.HasErrors() {
			diags = opts.sameStack(st, s.log)
		}
		return nil, st, diags
	}
	st, diags := readState(ctx, opts, lease)
	if !diags.HasErrors() {
		diags = opts.sameStack(st, s.log)
	}
	if diags.HasErrors() {
		return nil, nil, append(diags, s.unlock(lease)...)
	}
	return lease, st, nil
}

// change locks the state of the options, has do change it, and writes it. That
// there is no state is an error, so that no lock appears there either.
func (s *session) change(
	ctx context.Context, opts stateOptions, operation string, do func(*state.State) (changed bool, diags hcl.Diagnostics),
) (diags hcl.Diagnostics) {
	opts, _, diags = s.existing(ctx, opts)
	if diags.HasErrors() {
		return diags
	}
	lease, st, diags := s.lockState(ctx, opts, operation)
	if diags.HasErrors() {
		return diags
	}
	defer func() { diags = append(diags, s.unlock(lease)...) }()
	changed, diags := do(st)
	if !changed || diags.HasErrors() {
		return diags
	}
	if err := lease.Write(ctx, st); err != nil {
		return failure("Can't write the state", "%s. The state is unchanged.", capital(err))
	}
	return nil
}

// existing finds and reads the state without its lock. That there is none is an
// error: whoever asks about it expects one.
func (s *session) existing(ctx context.Context, opts stateOptions) (stateOptions, *state.State, hcl.Diagnostics) {
	opts, diags := s.locate(ctx, opts)
	if diags.HasErrors() {
		return opts, nil, diags
	}
	st, err := opts.store().Read(ctx)
	switch {
	case errors.Is(err, state.ErrNotExist):
		return opts, nil, noState(ctx, opts)
	case err != nil:
		return opts, nil, failure("Can't read the state", "%s.", capital(err))
	}
	s.logState(opts.place(), st)
	return opts, st, nil
}

// located finds the state, in a store that can do what not all can. cant is the error of one that can't.
func located[T state.Store](
	ctx context.Context, s *session, opts stateOptions, cant func(stateOptions) hcl.Diagnostics,
) (where stateOptions, store T, diags hcl.Diagnostics) {
	if where, diags = s.locate(ctx, opts); diags.HasErrors() {
		return where, store, diags
	}
	store, can := where.store().(T)
	if !can {
		return where, store, cant(where)
	}
	return where, store, nil
}

func noState(ctx context.Context, opts stateOptions) hcl.Diagnostics {
	if diags := opts.missed(ctx); diags.HasErrors() {
		return diags
	}
	missing := "file "
	if opts.at.File == "" {
		missing = "state in "
	}
	return failure("No state", "Nothing has been applied here yet: there is no %s%s. "+
		"To use another file, add -state=PATH; to use another directory, kplan -chdir=DIR.", missing, opts.place())
}

// missed is the error that a state which is not here was left behind elsewhere.
func (o stateOptions) missed(ctx context.Context) hcl.Diagnostics {
	if o.where == nil {
		return nil
	}
	return o.where.missing(ctx)
}

// readState reads the state from a store or under a lease, a new one where there
// is none.
func readState(ctx context.Context, opts stateOptions, from interface {
	Read(context.Context) (*state.State, error)
}) (*state.State, hcl.Diagnostics) {
	st, err := from.Read(ctx)
	switch {
	case errors.Is(err, state.ErrNotExist):
		if diags := opts.missed(ctx); diags.HasErrors() {
			return nil, diags
		}
		return state.New(), nil
	case err != nil:
		return nil, failure("Can't read the state", "%s.", capital(err))
	}
	return st, nil
}

// unlock releases the lock. That a lock was lost is reported where it matters, by
// the write that was refused.
func (s *session) unlock(lease state.Lease) hcl.Diagnostics {
	err := lease.Unlock()
	s.log.Debug("state unlocked", "error", err)
	var lost *state.LostLockError
	if err == nil || errors.As(err, &lost) {
		return nil
	}
	return warning("Error releasing the state lock", capital(err)+".")
}

func notLocked(err error) hcl.Diagnostics {
	const summary = "Error acquiring the state lock"
	var locked *state.LockedError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &locked):
		return failure(summary, "%s.", capital(err))
	case errors.Is(err, context.Canceled):
		return failure(diag.Interrupted, "%s. kplan waited for it until the interrupt, and nothing was done.", capital(locked))
	}
	detail := capital(err) + ".\n\n"
	if locked.Info.ID != "" {
		detail += locked.Info.String() + "\n"
	}
	detail += "kplan locks the state so that two runs don't change the same objects at once. Wait until that run has ended, " +
		"or wait for the lock with -lock-timeout=5m."
	if !locked.Renewed.IsZero() {
		detail += fmt.Sprintf(" That run renewed its lock at %s; a minute after the last renewal the lock ends by itself.",
			locked.Renewed.Format(time.RFC3339))
	}
	if locked.Info.ID != "" {
		detail += " If you are sure that the run is dead: kplan force-unlock " + locked.Info.ID
	}
	return failure(summary, "%s", detail)
}

// readGivenState reads a state from a file, or from standard input for -.
func readGivenState(ctx context.Context, path string, stdin io.Reader, codec state.Codec) (*state.State, error) {
	from := files.Reader(ctx, stdin)
	if path != "-" {
		file, err := files.Open(ctx, path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, state.MaxSize+1))
	if err != nil {
		return nil, err
	}
	return codec.Decode(data)
}
