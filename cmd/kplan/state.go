package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/kubernetes"
	"kplan.dev/kplan/state/remote"
)

// defaultState is the file that holds the state where nothing else is said.
const defaultState = "kplan.state.json"

// stateOptions are where the state is and how long to wait for its lock.
type stateOptions struct {
	path        string
	lockTimeout cli.Duration
	reads       bool // and writes nothing, no lock file either
	// variables are what the path of a backend block may depend on, for commands that
	// need no other values.
	variables variableOptions
	cluster   clusterOptions // of the stack, where a backend keeps the state unless it names another
	byBackend bool           // the path is that of a backend block
	remote    *remote.Store  // that of a backend block, nil for a file
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

// locate completes where the state is, for a command that needs no more of the
// configuration than that: by -state, else by the backend block,
// if there is a configuration.
func (s *session) locate(ctx context.Context, opts stateOptions) (stateOptions, hcl.Diagnostics) {
	if opts.path != "" {
		return opts, nil
	}
	c, diags := config.Load(ctx, ".")
	s.quoted.config = c
	if c.Settings.Backend == nil {
		if c.Broken { // the block may be in a part that can't be read
			return opts, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Location of the state not known",
				Detail: "A backend block may be in the part of the configuration that can't be read. Repair it, or name the state with -state=FILE."})
		}
		opts.path = defaultState
		return opts, nil
	}
	values, _ := c.ReadVariables(config.Inputs{ // other mistakes don't concern this command
		Env: os.Environ(), Args: opts.variables.args, Open: files.Opener(ctx), Partial: true})
	s.ui.Secrets.Add(secretsIn(values)...)
	return s.locateIn(ctx, definition{c, values}, opts)
}

// locateIn completes where the state is by a configuration.
func (s *session) locateIn(ctx context.Context, d definition, opts stateOptions) (stateOptions, hcl.Diagnostics) {
	if opts.path != "" {
		return opts, nil
	}
	backend, diags := d.config.Backend(d.values)
	if diags.HasErrors() {
		return opts, diags
	}
	if len(backend.Unknown) > 0 {
		return opts, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Location of the state not known", Subject: backend.Range.Ptr(),
			Detail: fmt.Sprintf("The %s of the backend depends on a variable without a value. Give it with -var, -var-file or in the environment "+
				"as KPLAN_VAR_name, or name the state with -state=FILE.", words.And(backend.Unknown))}}
	}
	if backend.Type == "kubernetes" {
		opts.remote, diags = inCluster(ctx, s, d, backend, opts.cluster)
		return opts, diags
	}
	opts.path, opts.byBackend = backend.Path, true
	return opts, nil
}

// inCluster is the store of a kubernetes backend, in the cluster that it names, or else in that of the stack.
func inCluster(
	ctx context.Context, s *session, d definition, b *config.Backend, opts clusterOptions,
) (store *remote.Store, diags hcl.Diagnostics) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, end)() // an interrupt ends connecting; the lock is released after it
	var cluster *kube.Cluster
	if k := b.Kubernetes; k.ConfigPath != "" || k.Context != "" {
		named := &config.Cluster{ConfigPath: k.ConfigPath, Context: k.Context, Range: b.Range}
		cluster, diags = s.connectTo(life, named, clusterOptions{allowExec: opts.allowExec, parallelism: opts.parallelism}, nil)
	} else {
		cluster, diags = s.connect(life, d, opts, nil)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	return remote.Open(kubernetes.At(cluster, b.Kubernetes.Namespace, b.Kubernetes.Name)), nil
}

// store is the store that the options name.
func (o stateOptions) store() state.Historian {
	switch {
	case o.remote != nil && o.reads:
		return o.remote.ForReading()
	case o.remote != nil:
		return o.remote
	case o.reads:
		return state.Open(o.path).ForReading()
	}
	return state.Open(o.path)
}

// place names where the state is, in messages.
func (o stateOptions) place() string {
	if o.remote != nil {
		return o.remote.String()
	}
	return o.path
}

// argument is the option that names the state, followed by a space, or nothing where the configuration names it.
func (o stateOptions) argument() string {
	if o.remote != nil {
		return ""
	}
	return string(option.State) + "=" + cli.ShellWord(o.path) + " "
}

// directory is where a state is kept that can't be stored.
func (o stateOptions) directory() string {
	if o.remote != nil {
		return "."
	}
	return filepath.Dir(o.path)
}

// makeDirectory creates the directory that a backend block names. Who only reads is told
// that it is missing: there is no state, and nothing to lock. Any other path may be a typing
// mistake.
func (o stateOptions) makeDirectory() (missing bool, err error) {
	if !o.byBackend {
		return false, nil
	}
	dir := filepath.Dir(o.path)
	if o.reads {
		_, err := os.Stat(dir)
		return errors.Is(err, fs.ErrNotExist), nil
	}
	return false, os.MkdirAll(dir, 0o700)
}

// quietWait is how long kplan waits for a lock before it reports that.
const quietWait = 400 * time.Millisecond

// acquire locks the state. There is no lease for who only reads what was never
// locked.
func (s *session) acquire(ctx context.Context, opts stateOptions, operation string) (state.Lease, hcl.Diagnostics) {
	if missing, err := opts.makeDirectory(); err != nil {
		return nil, failure("Error acquiring the state lock", "%s.", capital(err))
	} else if missing {
		return nil, nil
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
	return lease, notLocked(err)
}

// lockState locks and reads the state, a new one where there is none.
func (s *session) lockState(ctx context.Context, opts stateOptions, operation string) (state.Lease, *state.State, hcl.Diagnostics) {
	lease, diags := s.acquire(ctx, opts, operation)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	if lease == nil {
		st, diags := readState(ctx, opts.store())
		return nil, st, diags
	}
	st, diags := readState(ctx, lease)
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
		return opts, nil, noState(opts)
	case err != nil:
		return opts, nil, failure("Can't read the state", "%s.", capital(err))
	}
	s.logState(opts.place(), st)
	return opts, st, nil
}

func noState(opts stateOptions) hcl.Diagnostics {
	missing := "file "
	if opts.remote != nil {
		missing = "state in "
	}
	return failure("No state", "Nothing has been applied here yet: there is no %s%s. "+
		"To use another file, add -state=PATH; to use another directory, kplan -chdir=DIR.", missing, opts.place())
}

// readState reads the state from a store or under a lease, a new one where there
// is none.
func readState(ctx context.Context, from interface {
	Read(context.Context) (*state.State, error)
}) (*state.State, hcl.Diagnostics) {
	st, err := from.Read(ctx)
	switch {
	case errors.Is(err, state.ErrNotExist):
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
	return warning("The lock file still names this run", capital(err)+". The lock itself is free: the next run can take it.")
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
func readGivenState(ctx context.Context, path string, stdin io.Reader) (*state.State, error) {
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
	return state.Decode(data)
}
