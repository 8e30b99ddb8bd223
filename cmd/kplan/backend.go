package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/backend"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// locate completes where the state is, for a command that needs no more of the
// configuration than that: by -state, else by the backend block, if there is one.
func (s *session) locate(ctx context.Context, opts stateOptions) (stateOptions, hcl.Diagnostics) {
	c, diags := config.Load(ctx, ".")
	s.quoted.config = c
	if opts.path == "" && c.Settings.Backend == nil && c.Broken { // the block may be in a part that can't be read
		return opts, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Location of the state not known",
			Detail: "A backend block may be in the part of the configuration that can't be read. Repair it, or name the state with -state=FILE."})
	}
	return s.locateIn(ctx, definition{c, backendValues(ctx, s, c, opts.variables)}, opts)
}

// backendValues are the values of variables that a backend block may need. Mistakes in others don't concern it.
func backendValues(ctx context.Context, s *session, c *config.Config, opts variableOptions) config.Values {
	values, _ := c.ReadVariables(config.Inputs{Env: os.Environ(), Args: opts.args, Open: files.Opener(ctx), Partial: true})
	s.ui.Secrets.Add(secretsIn(values)...)
	return values
}

// locateIn completes where the state is by a configuration, and makes sure that it is where it was before.
func (s *session) locateIn(ctx context.Context, d definition, opts stateOptions) (stateOptions, hcl.Diagnostics) {
	codec, diags := codecOf(s, d)
	if diags.HasErrors() {
		return opts, diags
	}
	opts.codec = codec
	if opts.path != "" {
		opts.at = backend.File(opts.path, codec)
		return opts, nil
	}
	record, err := d.config.BackendRecord()
	if err != nil {
		return opts, failure("Can't read what kplan init recorded", "%s. To record the backend of the configuration again: "+
			"kplan init -reconfigure", capital(err))
	}
	found := backends{s, d, opts.cluster, codec}
	b, diags := found.wanted(record.GivenFor(d.config))
	if diags.HasErrors() {
		return opts, diags
	}
	if diags := found.changed(ctx, record, b); diags.HasErrors() {
		return opts, diags
	}
	opts.byBackend = d.config.Settings.Backend != nil
	opts.record, opts.isNew = record, record == nil && opts.byBackend
	if opts.isNew {
		opts.record = d.config.RecordBackend(nil)
	}
	if record != nil && record.Previous != nil {
		opts.leftBehind = func(ctx context.Context) hcl.Diagnostics {
			return found.missing(ctx, record.Previous, b)
		}
	}
	opts.at, diags = found.open(ctx, b)
	return opts, diags
}

// backends are those of a definition: the one that it wants, and the one that was used so far.
type backends struct {
	s       *session
	d       definition
	cluster clusterOptions
	codec   state.Codec
}

// wanted evaluates the backend block, all of whose arguments must be known.
func (k backends) wanted(given map[string]string) (*config.Backend, hcl.Diagnostics) {
	b, diags := k.d.config.Backend(k.d.values, given)
	k.s.ui.Secrets.Add(b.Secrets...)
	problem := func(format string, args ...any) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Location of the state not known",
			Subject: b.Range.Ptr(), Detail: fmt.Sprintf(format, args...)})
	}
	if len(b.Unknown) > 0 {
		problem("The %s of the backend depends on a variable without a value. Give it with -var, -var-file or in the environment "+
			"as KPLAN_VAR_name, or name the state with -state=FILE.", words.And(b.Unknown))
	}
	if len(b.Missing) > 0 {
		problem("The backend %s needs %s. Set it in the block, or give it to this directory once: kplan init -backend-config='%s=…'",
			b.Type, words.And(b.Missing), b.Missing[0])
	}
	return b, diags
}

// open opens the place of a backend.
func (k backends) open(ctx context.Context, b *config.Backend) (*backend.Place, hcl.Diagnostics) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, end)() // an interrupt ends connecting; the lock is released after it
	connect := func(ctx context.Context, wanted *config.Cluster) (*kube.Cluster, hcl.Diagnostics) {
		if wanted == nil {
			return k.s.connect(ctx, k.d, k.cluster, nil)
		}
		return k.s.connectTo(ctx, wanted, clusterOptions{allowExec: k.cluster.allowExec, parallelism: k.cluster.parallelism}, nil)
	}
	place, diags := backend.Open(life, b, backend.Options{Codec: k.codec, Connect: connect})
	if place != nil {
		k.s.ui.Secrets.Add(place.Secrets...)
	}
	return place, diags
}

// changed is the error that the state was elsewhere so far. Who went on would find none, or another one.
func (k backends) changed(ctx context.Context, record *config.BackendRecord, now *config.Backend) hcl.Diagnostics {
	before, diags := k.before(ctx, record)
	if diags.HasErrors() || before == nil || before.Same(now) {
		return diags
	}
	changed := fmt.Sprintf("So far the state was in %s, and the configuration says that it is in %s now.", describe(before), describe(now))
	if k.d.config.Settings.Backend == nil {
		changed = fmt.Sprintf("So far the state was in %s, and the configuration has no backend block now, so it would be in %s. "+
			"If the block is missing by mistake, put it back.", describe(before), describe(now))
	}
	if before.Type == now.Type && k.d.config.Settings.Backend != nil {
		changed = "So far the state was in another place."
		for _, name := range before.Changed(now) {
			changed += fmt.Sprintf(" The argument %s of the backend was %s, and is %s now.", name,
				argumentText(before.Arguments[name]), argumentText(now.Arguments[name]))
		}
	}
	if record == nil {
		changed = fmt.Sprintf("The state of this directory is in %s, and the configuration says that it is in %s.",
			describe(before), describe(now))
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Backend changed", Subject: rangeOf(now.Range),
		Detail: changed + " To move the state there: kplan init -migrate-state. To leave it, and use what is there: kplan init -reconfigure"}}
}

// describe is what a message calls a backend that was not opened.
func describe(b *config.Backend) string {
	if b.Path != "" {
		return "the file " + b.Path
	}
	return "a backend of type " + b.Type
}

func argumentText(value string) string {
	if value == "" {
		return "not set"
	}
	return fmt.Sprintf("%q", value)
}

// usedBefore is the nearest of the places before that has, or had, a state for these values of variables, nil if none has.
// It is an error that one of them can't be asked.
func (k backends) usedBefore(ctx context.Context, record *config.BackendRecord, now *config.Backend) (*backend.Place, hcl.Diagnostics) {
	for ; record != nil; record = record.Previous {
		b, diags := k.d.config.Recorded(record, k.d.values)
		if diags.HasErrors() || len(b.Unknown) > 0 || b.Same(now) {
			continue
		}
		k.s.ui.Secrets.Add(b.Secrets...)
		place, diags := k.open(ctx, b)
		if diags.HasErrors() {
			return nil, append(diags, failure(notAsked, "There is no state where the configuration says, and it may be there. %s", toBegin)...)
		}
		_, err := place.Reading.Read(ctx)
		switch {
		case isStored(err):
			return place, nil
		case !errors.Is(err, state.ErrNotExist):
			return nil, failure(notAsked, "There is no state where the configuration says, and it may be in %s: %v. %s", place.Name, err, toBegin)
		}
	}
	return nil, nil
}

const (
	notAsked = "Can't reach a backend that was used before"
	// toBegin says how to go on without a state that is elsewhere.
	toBegin = "To leave it, and begin with an empty one: kplan init -reconfigure"
)

// isStored reports whether there is a state, readable or not, by the error of reading it.
func isStored(err error) bool {
	return err == nil || errors.As(err, new(*state.DecodeError)) || errors.As(err, new(*state.MigratedError)) ||
		errors.As(err, new(*state.KeyError))
}

// missing is the error that the state of these variables is not where the configuration says, but where it was before.
func (k backends) missing(ctx context.Context, before *config.BackendRecord, now *config.Backend) hcl.Diagnostics {
	place, diags := k.usedBefore(ctx, before, now)
	return append(diags, leftBehind(place)...)
}

func leftBehind(at *backend.Place) hcl.Diagnostics {
	if at == nil {
		return nil
	}
	return failure("Backend changed", "There is no state where the configuration says, and the one for these values of variables is "+
		"still in %s. To move it, with the same variables: kplan init -migrate-state. %s", at.Name, toBegin)
}

func rangeOf(at hcl.Range) *hcl.Range {
	if at.Filename == "" {
		return nil
	}
	return at.Ptr()
}

// before is the backend that this directory had so far: the recorded one, or a state in the file that is used where no block
// says otherwise. It is nil where there is neither, or where it can't be told.
func (k backends) before(ctx context.Context, record *config.BackendRecord) (*config.Backend, hcl.Diagnostics) {
	if record != nil {
		before, diags := k.d.config.Recorded(record, k.d.values)
		if diags.HasErrors() { // what it depended on is gone
			return nil, failure("Backend changed", "The backend that was used so far depends on something that the configuration does not have "+
				"any more: %s. To use the backend that it describes now: kplan init -reconfigure", strings.TrimSuffix(diags[0].Detail, "."))
		}
		k.s.ui.Secrets.Add(before.Secrets...)
		return before, nil
	}
	path := filepath.Join(k.d.config.Dir, defaultState)
	if k.d.config.Settings.Backend == nil {
		return nil, nil // it is in use
	}
	_, err := state.Open(path).With(k.codec).Read(ctx)
	if errors.Is(err, state.ErrNotExist) || errors.As(err, new(*state.MigratedError)) {
		return nil, nil
	}
	return &config.Backend{Type: "local", Path: path}, nil
}
