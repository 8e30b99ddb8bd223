package remotetest

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// migrationKilled: a migration to the place and one from it, killed at each call, leave a state that is used, and are
// then repeated.
func migrationKilled(t *testing.T, one, other remote.Place) {
	file := state.Open(filepath.Join(t.TempDir(), "state.json"))
	lease, err := file.Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	want := state.New()
	want.Put(storetest.Object(1), storetest.Object(2))
	must(t, lease.Write(t.Context(), want))
	must(t, lease.Unlock())
	for range 2 { // the second time each of them has a state that was migrated away before
		migrate(t, want, file, one, other, true)
		migrate(t, want, file, one, other, false)
	}
	noLeftovers(t, other)
}

// migrate migrates want, killed at each call of the place in turn, and at last not at all.
func migrate(t *testing.T, want *state.State, file *state.Local, one, other remote.Place, toPlace bool) {
	t.Helper()
	for kill, done := 1, false; !done; kill++ {
		f := &faulty{Place: one}
		f.set(func(call int, _ string) error {
			if call >= kill {
				return errKilled
			}
			return nil
		}, nil)
		never := quick
		never.Renew = time.Hour // or the calls would not be the same ones
		_, err := direction(t, file, remote.Open(f).WithTiming(never), toPlace)
		done = err == nil
		from, to := usable(t, file, other, toPlace)
		switch {
		case from != nil && to == nil && !isSame(from, want), from == nil && !isSame(to, want), done && from != nil:
			t.Fatalf("killed at call %d, to the place %v: neither place has the state, or both", kill, toPlace)
		}
		must(t, lockAfterKill(t, store(other)).Unlock())
	}
	again, err := direction(t, file, store(other), toPlace)
	must(t, err)
	if !again.Before {
		t.Error("a migration that was repeated did not find the one before")
	}
}

func direction(t *testing.T, file *state.Local, place *remote.Store, toPlace bool) (state.Migrated, error) {
	a, b := &state.Place{Store: file, Name: file.Path()}, &state.Place{Store: place, Name: place.String()}
	if !toPlace {
		a, b = b, a
	}
	return state.Migrate(t.Context(), a, b, state.NewLockInfo("migrate", "test"), 0)
}

// usable are the states that runs find at the old place and at the new one, nil where they are told that it was migrated,
// or that there is none.
func usable(t *testing.T, file *state.Local, other remote.Place, toPlace bool) (from, to *state.State) {
	t.Helper()
	read := func(s state.Store) *state.State {
		st, err := s.Read(t.Context())
		if errors.Is(err, state.ErrNotExist) || errors.As(err, new(*state.MigratedError)) {
			return nil
		}
		must(t, err)
		return st
	}
	if toPlace {
		return read(file), read(store(other))
	}
	return read(store(other)), read(file)
}

// isSame compares states apart from their serials.
func isSame(a, b *state.State) bool {
	if a == nil {
		return false
	}
	same := *a
	same.Serial = b.Serial
	return same.Equal(b)
}
