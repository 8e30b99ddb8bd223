package remotetest

import (
	"errors"
	"strings"
	"testing"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// Rights tests that one user who has the rights of the documentation can do everything, and that one who may only
// read plans without a lock. needs is what the error names that the reader lacks for more. All three are the same place.
func Rights(t *testing.T, admin, writer, reader remote.Place, needs string) {
	if _, err := remote.Open(reader).Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("a reader, where there is no state: %v", err)
	}
	for range 12 { // also what is no longer kept is deleted
		seedAgain(t, writer)
	}
	want := read(t, writer)
	if got, err := remote.Open(reader).Read(t.Context()); err != nil || !got.Equal(want) {
		t.Errorf("a reader: %v", err)
	}
	if _, err := remote.Open(reader).ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.Is(err, state.ErrNoLock) {
		t.Errorf("a reader's lock: %v, want ErrNoLock", err)
	}
	_, err := remote.Open(reader).Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err == nil || !strings.Contains(err.Error(), needs) {
		t.Errorf("a reader that wants to write: %v", err)
	}
	if err := reader.Put(t.Context(), "1-reader-0", []byte("part")); err == nil || !strings.Contains(err.Error(), needs) {
		t.Errorf("a reader that writes a part: %v", err)
	}
	names, err := admin.List(t.Context())
	if err != nil || len(names) != 11 {
		t.Errorf("%d parts, and should be those of eleven versions: %v", len(names), err)
	}
	for _, name := range names {
		if err := reader.Delete(t.Context(), name); err == nil || !strings.Contains(err.Error(), needs) {
			t.Errorf("a reader that deletes a part: %v", err)
		}
	}
	if !read(t, admin).Equal(want) {
		t.Error("another state is stored than was written")
	}
}

// Load measures reading a state of 10,000 objects.
func Load(b *testing.B, p remote.Place) {
	s, _ := large(b, p)
	for b.Loop() {
		if _, err := s.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	reportSize(b, p)
}

// Save measures writing one.
func Save(b *testing.B, p remote.Place) {
	s, _ := large(b, p)
	lease, err := s.Lock(b.Context(), state.NewLockInfo("test", "test"))
	if err != nil {
		b.Fatal(err)
	}
	st, err := lease.Read(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		st.Objects[0].UID = storetest.Object(100_000 + i).UID
		if err := lease.Write(b.Context(), st); err != nil {
			b.Fatal(err)
		}
	}
	if err := lease.Unlock(); err != nil {
		b.Fatal(err)
	}
	reportSize(b, p)
}

func large(b *testing.B, p remote.Place) (*remote.Store, *state.State) {
	s := remote.Open(p)
	lease, err := s.Lock(b.Context(), state.NewLockInfo("test", "test"))
	if err != nil {
		b.Fatal(err)
	}
	st := state.New()
	st.Put(storetest.Objects(10_000)...)
	if err := errors.Join(lease.Write(b.Context(), st), lease.Unlock()); err != nil {
		b.Fatal(err)
	}
	return s, st
}

// reportSize reports what one version takes at the place.
func reportSize(b *testing.B, p remote.Place) {
	names, err := p.List(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	newest := 0
	for _, name := range names {
		part, err := p.Get(b.Context(), name)
		if err != nil {
			b.Fatal(err)
		}
		if len(names) == 1 || strings.HasSuffix(name, "-0") {
			newest = len(part)
		}
	}
	b.ReportMetric(float64(newest), "stored-bytes")
}
