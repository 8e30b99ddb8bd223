package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"kplan.dev/kplan/state"
)

func placeOf(path string) *state.Place { return &state.Place{Store: state.Open(path), Name: path} }

func migrateFiles(t *testing.T, from, to string) (state.Migrated, error) {
	t.Helper()
	return state.Migrate(t.Context(), placeOf(from), placeOf(to), state.NewLockInfo("migrate", "test"), 0)
}

// TestMigrateToItself: one place with two names is no run that has the lock, and is left as it is.
func TestMigrateToItself(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "state.json"), filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	writeNew(t, path)
	if _, err := migrateFiles(t, path, filepath.Join(link, "state.json")); !errors.Is(err, state.ErrSamePlace) {
		t.Errorf("%v", err)
	}
	if _, err := state.Open(path).Read(t.Context()); err != nil {
		t.Errorf("%v", err)
	}
}

// TestMigratedCopyIsOlder: a copy of the same stack that was put in the place of the migrated one is not taken for that.
func TestMigratedCopyIsOlder(t *testing.T) {
	dir := t.TempDir()
	from, to, old := filepath.Join(dir, "from.json"), filepath.Join(dir, "to.json"), filepath.Join(dir, "old")
	writeNew(t, from)
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(old, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	writeNew(t, from)
	writeNew(t, from)
	if _, err := migrateFiles(t, from, to); err != nil {
		t.Fatal(err)
	}
	if done, err := migrateFiles(t, from, to); err != nil || !done.Before {
		t.Errorf("again: %+v, %v", done, err)
	}
	if err := os.Rename(old, to); err != nil {
		t.Fatal(err)
	}
	if done, err := migrateFiles(t, from, to); err == nil {
		t.Errorf("with an older copy: %+v", done)
	}
}

// writeNew writes another version of the state in a file.
func writeNew(t *testing.T, path string) {
	t.Helper()
	lease, err := state.Acquire(t.Context(), state.Open(path), state.NewLockInfo("apply", "test"), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := lease.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	if err == nil {
		s.Cluster += "x"
		err = lease.Write(t.Context(), s)
	}
	if err = errors.Join(err, lease.Unlock()); err != nil {
		t.Fatal(err)
	}
}
