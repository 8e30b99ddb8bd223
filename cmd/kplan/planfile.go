package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan"
)

// readPlan reads a saved plan.
func (s *session) readPlan(ctx context.Context, path string) (*plan.Plan, bool) {
	file, err := open(ctx, path)
	if err != nil {
		s.failReading(ctx, "the plan", path, err, "")
		return nil, false
	}
	defer file.Close()
	p, err := plan.Read(file, kinds.Builtin().Lookup)
	if err != nil {
		s.failReading(ctx, "the plan", path, err, s.ifState(ctx, path))
		return nil, false
	}
	return p, true
}

// ifState is the hint for whoever takes a state for a plan, "" where it is none.
func (s *session) ifState(ctx context.Context, path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	if _, err := s.readGivenState(ctx, path); err != nil {
		return ""
	}
	return " It is a state, which is shown by: kplan show -state=" + shellWord(path)
}

// mayHoldPlan refuses to write a plan over anything but an older plan: a slip in
// -out shall not cost a configuration or a state. It follows no symbolic link:
// who can place one shall not choose what is overwritten.
func mayHoldPlan(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err := os.Stat(filepath.Dir(path))
		return err
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder; name a file")
	case !info.Mode().IsRegular():
		return errNotRegular
	}
	old, err := os.Open(path)
	if err != nil {
		return err
	}
	defer old.Close()
	if info.Size() > 0 && !plan.IsSaved(old) {
		return errors.New("the file is there and is no saved plan; it is left as it is")
	}
	return nil
}

// savePlan writes a plan where nobody else can read it, as a whole or not at all.
func (k *stack) savePlan(ctx context.Context, p *plan.Plan, path string) bool {
	if k.state.Serial == 0 && !k.found(ctx, p) {
		return false
	}
	data, err := p.Encode(k.state, versionText())
	if err == nil {
		err = mayHoldPlan(path) // still, after all the time that planning took
	}
	if err == nil {
		err = replaceFile(path, data, 0o600)
	}
	if err != nil {
		k.fail("Can't save the plan", "%s: %v.", path, reason(err))
	}
	return err == nil
}
