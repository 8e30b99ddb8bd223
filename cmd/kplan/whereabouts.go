package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/state"
)

// whereabouts are where the state of these values of variables is, and where it was, by what the directory remembers.
type whereabouts struct {
	backends
	record *config.BackendRecord // as it was read, nil where there is none
	now    *config.Backend       // what the configuration says
}

// before is the backend that this directory had so far: the recorded one, or a state in the file that is used where no block
// says otherwise. It is nil where there is neither, or where it can't be told.
func (w *whereabouts) before(ctx context.Context) (*config.Backend, hcl.Diagnostics) {
	if w.record != nil {
		before, diags := w.d.config.Recorded(w.record, w.d.values)
		if diags.HasErrors() { // what it depended on is gone
			return nil, failure("Backend changed", "The backend that was used so far depends on something that the configuration does not have "+
				"any more: %s. To use the backend that it describes now: kplan init -reconfigure", strings.TrimSuffix(diags[0].Detail, "."))
		}
		w.s.ui.Secrets.Add(before.Secrets...)
		return before, nil
	}
	if w.d.config.Settings.Backend == nil {
		return nil, nil // the file is in use
	}
	path := filepath.Join(w.d.config.Dir, defaultState)
	_, err := state.Open(path).With(w.codec).Read(ctx)
	if errors.Is(err, state.ErrNotExist) || errors.As(err, new(*state.MigratedError)) {
		return nil, nil
	}
	return &config.Backend{Type: "local", Path: path}, nil
}

// changed is the error that the state was elsewhere so far. Who went on would find none, or another one.
func (w *whereabouts) changed(ctx context.Context) hcl.Diagnostics {
	before, diags := w.before(ctx)
	if diags.HasErrors() || before == nil || before.Same(w.now) {
		return diags
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Backend changed", Subject: rangeOf(w.now.Range),
		Detail: w.change(before) + " To move the state there: kplan init -migrate-state. To leave it, and use what is there: " +
			"kplan init -reconfigure"}}
}

// change says what has changed.
func (w *whereabouts) change(before *config.Backend) string {
	hasBlock := w.d.config.Settings.Backend != nil
	switch {
	case w.record == nil:
		return fmt.Sprintf("The state of this directory is in %s, and the configuration says that it is in %s.",
			describe(before), describe(w.now))
	case before.Type == w.now.Type && hasBlock:
		changed := "So far the state was in another place."
		for _, name := range before.Changed(w.now) {
			changed += fmt.Sprintf(" The argument %s of the backend was %s, and is %s now.", name,
				argumentText(before.Arguments[name]), argumentText(w.now.Arguments[name]))
		}
		return changed
	case !hasBlock:
		return fmt.Sprintf("So far the state was in %s, and the configuration has no backend block now, so it would be in %s. "+
			"If the block is missing by mistake, put it back.", describe(before), describe(w.now))
	}
	return fmt.Sprintf("So far the state was in %s, and the configuration says that it is in %s now.", describe(before), describe(w.now))
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

func rangeOf(at hcl.Range) *hcl.Range {
	if at.Filename == "" {
		return nil
	}
	return at.Ptr()
}

// left is the nearest of the earlier places that has, or had, a state for these values of variables, nil if none has. It is an
// error that one of them can't be asked.
func (w *whereabouts) left(ctx context.Context) (*state.Place, hcl.Diagnostics) {
	if w.record == nil {
		return nil, nil
	}
	for earlier := w.record.Previous; earlier != nil; earlier = earlier.Previous {
		place, diags := w.leftAt(ctx, earlier)
		if place != nil || diags.HasErrors() {
			return place, diags
		}
	}
	return nil, nil
}

// leftAt is the place of an earlier record, nil where it has no state for these values of variables.
func (w *whereabouts) leftAt(ctx context.Context, earlier *config.BackendRecord) (*state.Place, hcl.Diagnostics) {
	b, diags := w.d.config.Recorded(earlier, w.d.values)
	if diags.HasErrors() || len(b.Unknown) > 0 || b.Same(w.now) {
		return nil, nil
	}
	w.s.ui.Secrets.Add(b.Secrets...)
	place, diags := w.open(ctx, b)
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
func (w *whereabouts) missing(ctx context.Context) hcl.Diagnostics {
	place, diags := w.left(ctx)
	return append(diags, leftBehind(place)...)
}

func leftBehind(at *state.Place) hcl.Diagnostics {
	if at == nil {
		return nil
	}
	return failure("Backend changed", "There is no state where the configuration says, and the one for these values of variables is "+
		"still in %s. To move it, with the same variables: kplan init -migrate-state. %s", at.Name, toBegin)
}

// toRemember is the record that a run keeps: of what the directory has, or for the first time of its backend block. It is nil
// where there is neither.
func (w *whereabouts) toRemember() (record *config.BackendRecord, isNew bool) {
	if w.record == nil && w.d.config.Settings.Backend != nil {
		return w.d.config.RecordBackend(nil), true
	}
	return w.record, false
}

// remember stores that the state of a stack, "" for none yet, is at a place. A checkout may be read-only.
func (w *whereabouts) remember(at *state.Place, lineage string, to *slog.Logger) {
	record, _ := w.toRemember()
	if record == nil {
		return
	}
	if lineage != "" {
		record.Use(at.Name, lineage)
	}
	err := record.Store()
	w.record = record
	to.Debug("backend recorded", "type", record.Type, "error", err)
}

// stackAt is the stack whose state the directory has used at a place so far, "" for none.
func (w *whereabouts) stackAt(at *state.Place) string {
	if w.record == nil {
		return ""
	}
	return w.record.Lineages[at.Name]
}
