package httpstore_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/internal/encryption"
	"kplan.dev/kplan/internal/forgetest"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/httpstore"
	"kplan.dev/kplan/state/storetest"
)

// onGitea are the options for a state on a real Gitea, which no other test uses.
func onGitea(f forgetest.Forge, token string) httpstore.Options {
	address := fmt.Sprintf("%s/api/packages/%s/terraform/state/s%d-%d", f.Address, f.User, time.Now().UnixNano(), states.Add(1))
	return httpstore.Options{
		Address: address, LockAddress: address + "/lock", UnlockAddress: address + "/lock", LockMethod: http.MethodPost,
		UnlockMethod: http.MethodDelete, Username: f.User, Password: token, RetryMax: 2, UserAgent: "kplan/test",
	}
}

var states atomic.Int32

func openTwo(t testing.TB, o httpstore.Options) (one, other *httpstore.Store) {
	t.Helper()
	one, err := httpstore.Open(o)
	must(t, err)
	other, err = httpstore.Open(o)
	must(t, err)
	return one, other
}

// TestGitea runs the whole conformance suite on the registry of a real Gitea. One case is none for it: the protocol has no
// question who holds the lock, so a store of it is no state.Inspector.
func TestGitea(t *testing.T) {
	f := forgetest.Open(t)
	storetest.Run(t, func(t *testing.T) (state.Store, state.Store) { return openTwo(t, onGitea(f, f.Token)) })
}

// TestGiteaLinearizable: of many runs on one state each sees what the ones before have written.
func TestGiteaLinearizable(t *testing.T) {
	f := forgetest.Open(t)
	one, other := openTwo(t, onGitea(f, f.Token))
	storetest.Linearizable(t, func(client int) state.Store { return []state.Store{one, other}[client%2] })
}

// TestGiteaEncrypted: Gitea takes an encrypted state, whose lineage and serial it reads.
func TestGiteaEncrypted(t *testing.T) {
	f := forgetest.Open(t)
	keys, err := encryption.New(encryption.Options{Passphrases: []string{"correct horse battery staple"}})
	must(t, err)
	one, other := openTwo(t, onGitea(f, f.Token))
	codec := state.Codec{Keys: keys}
	want := seed(t, one.With(codec), 2)
	if got := read(t, other.With(codec)); !got.Equal(want) {
		t.Error("another state was read")
	}
}

// TestGiteaKeepsTheText: what is stored is what kplan state pull prints.
func TestGiteaKeepsTheText(t *testing.T) {
	f := forgetest.Open(t)
	o := onGitea(f, f.Token)
	one, _ := openTwo(t, o)
	s := seed(t, one, 3)
	want, err := s.Encode()
	must(t, err)
	for _, address := range []string{o.Address, o.Address + "/versions/1"} {
		if got := get(t, address, f.User, f.Token); got != string(want) {
			t.Errorf("%s: another text is stored: %.100s", address, got)
		}
	}
}

func get(t *testing.T, address, user, password string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	must(t, err)
	req.SetBasicAuth(user, password)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(text)
}

// TestGiteaRights: a token needs the scopes that docs/backend-http.md names.
func TestGiteaRights(t *testing.T) {
	f := forgetest.Open(t)
	o := onGitea(f, f.NewToken(t, "write:package"))
	writer, _ := openTwo(t, o)
	want := seed(t, writer, 2)
	o.Password = f.NewToken(t, "read:package")
	reader, _ := openTwo(t, o)
	if got := read(t, reader); !got.Equal(want) {
		t.Error("a reader sees another state")
	}
	if _, err := reader.ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.Is(err, state.ErrNoLock) {
		t.Errorf("a reader's lock: %v, want ErrNoLock", err)
	}
	_, err := reader.Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err == nil || !strings.Contains(err.Error(), "in Gitea the scope write:package") {
		t.Errorf("a reader that wants to write: %v", err)
	}
	o.Password = f.NewToken(t, "read:issue")
	nobody, _ := openTwo(t, o)
	if _, err := nobody.Read(t.Context()); err == nil || strings.Contains(err.Error(), o.Password) {
		t.Errorf("a token for something else: %v", err)
	}
}

// TestGiteaFence: Gitea takes a write under any ID while nobody holds the lock. A serial that it has fences such a write off.
func TestGiteaFence(t *testing.T) {
	f := forgetest.Open(t)
	o := onGitea(f, f.Token)
	one, other := openTwo(t, o)
	seed(t, one, 1)
	lease := lock(t, one)
	old, err := lease.Read(t.Context())
	must(t, err)
	held := heldLock(t, other)
	must(t, other.ForceUnlock(t.Context(), held.ID))
	next := lock(t, other)
	s, err := next.Read(t.Context())
	must(t, err)
	s.Put(storetest.Object(5))
	must(t, next.Write(t.Context(), s))
	must(t, next.Unlock())
	late := *old
	late.Serial++
	text, err := late.Encode()
	must(t, err)
	if status := post(t, o.Address+"?ID="+held.ID, f, text); status != http.StatusConflict {
		t.Errorf("a write of a serial that is there: %d", status)
	}
	old.Put(storetest.Object(6))
	lost(t, lease.Write(t.Context(), old))
	if got := read(t, one); !got.Equal(s) {
		t.Error("another state is stored")
	}
}

func heldLock(t *testing.T, s state.Store) state.LockInfo {
	t.Helper()
	var locked *state.LockedError
	if _, err := s.Lock(t.Context(), state.NewLockInfo("x", "x")); !errors.As(err, &locked) {
		t.Fatalf("%v, want a *state.LockedError", err)
	}
	return locked.Info
}

func post(t *testing.T, address string, f forgetest.Forge, text []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(string(text)))
	must(t, err)
	req.SetBasicAuth(f.User, f.Token)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	return resp.StatusCode
}

// BenchmarkLoad reads a state of 10,000 objects, and BenchmarkSave writes one.
func BenchmarkLoad(b *testing.B) {
	s, st := large(b)
	text, err := st.Encode()
	must(b, err)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := s.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSave(b *testing.B) {
	s, st := large(b)
	text, err := st.Encode()
	must(b, err)
	b.SetBytes(int64(len(text)))
	lease, err := s.Lock(b.Context(), state.NewLockInfo("test", "test"))
	must(b, err)
	st, err = lease.Read(b.Context())
	must(b, err)
	for i := 0; b.Loop(); i++ {
		st.Objects[0].UID = fmt.Sprintf("00000000-0000-4000-8000-%012d", 100_000+i)
		if err := lease.Write(b.Context(), st); err != nil {
			b.Fatal(err)
		}
	}
	must(b, lease.Unlock())
}

func large(b *testing.B) (*httpstore.Store, *state.State) {
	f := forgetest.Open(b)
	s, _ := openTwo(b, onGitea(f, f.Token))
	lease, err := s.Lock(b.Context(), state.NewLockInfo("test", "test"))
	must(b, err)
	st := state.New()
	st.Put(storetest.Objects(10_000)...)
	must(b, errors.Join(lease.Write(b.Context(), st), lease.Unlock()))
	return s, st
}
