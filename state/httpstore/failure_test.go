package httpstore_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/httpstore"
	. "kplan.dev/kplan/state/httpstore/httpstoretest"
	"kplan.dev/kplan/state/storetest"
)

func pemOf(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }

const loginPage = "<!DOCTYPE html><html><form>password</form>"

// after is a header with a failure.
func after(f *Fault, name, value string) *Fault {
	do := f.Do
	f.Do = func(w http.ResponseWriter, r *http.Request, carryOut func() *httptest.ResponseRecorder) {
		w.Header().Set(name, value)
		do(w, r, carryOut)
	}
	return f
}

// failure is what a server does wrong, and what a user then reads.
type failure struct {
	name  string
	fault *Fault
	does  func(t *testing.T, s *httpstore.Store, server *Server) error
	want  string
}

// docs is the part of the message that the documentation has: not what the server said.
func (f failure) docs() string {
	if _, rest, found := strings.Cut(f.want, "(no way). "); found {
		return rest
	}
	text, _, _ := strings.Cut(f.want, " (")
	return strings.TrimPrefix(text, "answer: ")
}

// TestMessages: for each thing that a server does wrong there is a message, which the documentation has, and none of them has a
// credential in it. What is stored stays whole.
func TestMessages(t *testing.T) {
	text := strings.Join(strings.Fields(document(t)), " ")
	for _, test := range []failure{
		{"garbage", Answer(200, "application/json", "garbage\x00"), reads, "is damaged: line 1, column 1"},
		{"a truncated state", Answer(200, "application/json", `{"format": 2, "lineage"`), reads, "is cut off: it ends in the middle"},
		{"nothing", Answer(200, "application/json", ""), reads, "is empty"},
		{"a wrong content length", HalfAnswer(false), reads, "there was no answer: the connection ended in the middle of it"},
		{"a state of Terraform", Answer(200, "application/json", `{"version":4,"terraform_version":"1.5.0","serial":3,"lineage":"x"}`), reads,
			"was written by Terraform"},
		{"a login page", Answer(200, "text/html; charset=utf-8", loginPage), reads, "answers with a web page"},
		{"a login page without a type", Answer(200, "", loginPage), reads, "answers with a web page"},
		{"no credentials", Answer(401, "text/plain", "unauthorized "+password), readsAsNobody, "It wants credentials"},
		{"wrong credentials", Answer(401, "text/plain", "you said "+password), reads, "or is not valid"},
		{"no right to read", Answer(403, "application/json", `{"message":"no way"}`), reads, "Forbidden (no way). The user or the token may not"},
		{"broken", Answer(500, "text/html", loginPage), reads, "the server answers 500 Internal Server Error"},
		{"overloaded", after(Answer(429, "", ""), "Retry-After", "3600"), reads, "asks to come back in 3600 seconds"},
		{"hanging", Hang(), reads, "the server kept kplan waiting for too long"},
		{"hanging in the middle", HalfAnswer(true), reads, "the server kept kplan waiting for too long"},
		{"cut off", Cut(), reads, "the connection ended in the middle of it"},
		{"redirected in a circle", Redirect(302, path), reads, "it was redirected more than five times"},
		{"an unknown method", Answer(405, "", ""), locks, "Check the address and the method: the settings lock_address and lock_method"},
		{"an unknown address", Answer(404, "", ""), locks, "lock_address and lock_method of the backend block"},
		{"a lock that redirects", Redirect(302, "/login?token="+token), locks, "kplan follows no redirect of a request that changes something"},
		{"a lock with a login page", Answer(200, "text/html", loginPage), locks, "answers with a web page"},
		{"a lock that everybody gets", Answer(200, "", ""), locks, "was granted twice"},
		{"no right to lock", Answer(403, "", ""), locks, "in GitLab the scope api and the role Maintainer"},
		{"a lock without an answer", Hang(), locks, "The server may have given it the lock all the same"},
		{"a lock that is held", Answer(423, "", `{"ID":"of-another","Who":"me@there"}`), locks, "is locked by me@there"},
		{"a lock that is held by nobody knows whom", Answer(409, "", ""), locks, "is locked by another run"},
		{"a conflict with a page", Answer(409, "text/html", loginPage), locks, "is locked by another run"},
		{"a lock for another ID", Answer(200, "", `{"ID":"of-another","Who":"me@there"}`), locks, "is locked by me@there"},
		{"too large", Answer(413, "", ""), writes, "The state is larger than the server, or a proxy before it, accepts"},
		{"no right to write", Answer(403, "", ""), writes, "in Gitea the scope write:package"},
		{"a write that redirects", Redirect(307, "https://elsewhere.test/x?token="+token), writes, "It redirects to https://elsewhere.test/x,"},
		{"a write with a login page", Answer(200, "text/html", loginPage), writes, "answers with a web page"},
		{"a write that is refused", Answer(400, "text/plain", "state lineage is missing"), writes, "400 Bad Request (state lineage is missing)"},
		{"a write at a broken server", Answer(503, "", ""), writes, "503 Service Unavailable. Try again later"},
		{"a write without an answer", Hang(), writes, "answer: the server kept kplan waiting for too long"},
		{"an unlock without an answer", Cut(), unlocks, "Its lock stays until it is removed: kplan force-unlock"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, one, other := start(t)
			before := seed(t, other, 3)
			server.Fail(test.fault)
			err := test.does(t, one, server)
			server.Fail()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			for _, secret := range []string{password, token} {
				if err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("a credential is shown: %v", err)
				}
			}
			if got := read(t, other); !got.Equal(before) {
				t.Error("the stored state has changed")
			}
			if !strings.Contains(text, test.docs()) {
				t.Errorf("docs/backend-http.md does not have %q", test.docs())
			}
		})
	}
}

func reads(t *testing.T, s *httpstore.Store, _ *Server) error {
	_, err := s.Read(t.Context())
	return err
}

func readsAsNobody(t *testing.T, _ *httpstore.Store, server *Server) error {
	o := optionsFor(server, path)
	o.Username, o.Password = "", ""
	_, err := open(t, o).Read(t.Context())
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), password, "")) // which the test put there
	}
	return err
}

func locks(t *testing.T, s *httpstore.Store, _ *Server) error {
	_, err := s.Lock(t.Context(), state.NewLockInfo("test", "test"))
	return err
}

func writes(t *testing.T, s *httpstore.Store, server *Server) error {
	return server.Only(Post, func() error {
		lease := lock(t, s)
		st, err := lease.Read(t.Context())
		must(t, err)
		st.Put(storetest.Object(70))
		return lease.Write(t.Context(), st)
	})
}

func unlocks(t *testing.T, s *httpstore.Store, server *Server) error {
	return server.Only(Unlock, func() error { return lock(t, s).Unlock() })
}

// TestUnreachable: no server at all.
func TestUnreachable(t *testing.T) {
	server, one, _ := start(t)
	server.Close()
	_, err := one.Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), token) {
		t.Errorf("%v", err)
	}
}

// TestUnreachableLock: what was never sent leaves no lock that one would have to remove.
func TestUnreachableLock(t *testing.T) {
	server, one, _ := start(t)
	server.Close()
	_, err := one.Lock(t.Context(), state.NewLockInfo("test", "test"))
	if err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "force-unlock") {
		t.Errorf("%v", err)
	}
}

// TestMigrationKilled: a migration to the server and one from it, killed at each request, leave one state that is used, and can
// be repeated.
func TestMigrationKilled(t *testing.T) {
	server, one, other := start(t)
	slow := quick
	slow.Check, slow.Patience, slow.Unlock = time.Hour, 0, 50*time.Millisecond
	file := state.Open(filepath.Join(t.TempDir(), "state.json"))
	want := seed(t, file, 2)
	dying := one.WithTiming(slow)
	for range 2 { // the second time each has a state that was migrated away before
		for _, to := range []bool{true, false} {
			migrate(t, server, want, file, dying, other, to)
		}
	}
}

func migrate(t *testing.T, server *Server, want *state.State, file *state.Local, dying, other *httpstore.Store, to bool) {
	t.Helper()
	direction := func(remote *httpstore.Store) (state.Migrated, error) {
		a, b := &state.Place{Store: file, Name: file.Path()}, &state.Place{Store: remote, Name: remote.String()}
		if !to {
			a, b = b, a
		}
		return state.Migrate(t.Context(), a, b, state.NewLockInfo("migrate", "test"), 0)
	}
	for n, done := 0, false; !done; n++ {
		server.Fail(Cut().After(n))
		_, err := direction(dying)
		done = err == nil
		server.Fail()
		server.Steal(path, "") // the lock of the dead
		from, there := usable(t, file), usable(t, other)
		if !to {
			from, there = there, from
		}
		switch {
		case from != nil && there == nil && !sameObjects(from, want), from == nil && !sameObjects(there, want), done && from != nil:
			t.Fatalf("killed at request %d, to the server %v: neither place has the state, or both", n, to)
		}
	}
	again, err := direction(other)
	must(t, err)
	if !again.Before {
		t.Error("a migration that was repeated did not find the one before")
	}
}

// usable is the state that runs find, nil where they are told that it was migrated, or that there is none.
func usable(t *testing.T, s state.Store) *state.State {
	t.Helper()
	st, err := s.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) || errors.As(err, new(*state.MigratedError)) {
		return nil
	}
	must(t, err)
	return st
}

func sameObjects(a, b *state.State) bool {
	return a != nil && a.Lineage == b.Lineage && len(a.Objects) == len(b.Objects)
}

// TestRecovery: what goes wrong once is done again, and of what was carried out without an answer that is found out.
func TestRecovery(t *testing.T) {
	for name, fault := range map[string]func() *Fault{
		"cut before":      Cut,
		"cut after":       CutAfter,
		"half an answer":  func() *Fault { return HalfAnswer(false) },
		"hangs in middle": func() *Fault { return HalfAnswer(true) },
		"500":             func() *Fault { return Answer(500, "", "") },
		"502 with a page": func() *Fault { return Answer(502, "text/html", loginPage) },
		"429":             func() *Fault { return after(Answer(429, "", ""), "Retry-After", "0") },
		"slow":            func() *Fault { return Slow(400 * time.Millisecond) },
		"hangs":           Hang,
		"carried out, 500": func() *Fault {
			return &Fault{Do: func(w http.ResponseWriter, _ *http.Request, carryOut func() *httptest.ResponseRecorder) {
				carryOut()
				w.WriteHeader(500)
			}}
		},
	} {
		for _, op := range []Op{Get, Post, Lock, Unlock} {
			t.Run(name+" "+string(op), func(t *testing.T) {
				t.Parallel()
				server, one, other := start(t)
				seed(t, other, 3)
				server.Fail(fault().Of(op).Once())
				lease := lock(t, one)
				s, err := lease.Read(t.Context())
				must(t, err)
				s.Put(storetest.Object(9))
				must(t, lease.Write(t.Context(), s))
				must(t, lease.Unlock())
				if got := read(t, other); !got.Equal(s) || got.Serial != 2 || len(got.Objects) != 4 {
					t.Errorf("serial %d with %d objects is stored", got.Serial, len(got.Objects))
				}
				if id := server.Holder(path); id != "" {
					t.Errorf("the lock %s is left", id)
				}
			})
		}
	}
}

// TestKilledAtEachRequest: whatever the last request of a run was, the next one finds a whole state, old or new.
func TestKilledAtEachRequest(t *testing.T) {
	server, one, other := start(t)
	was := seed(t, other, 3)
	for n, ended := 0, false; !ended; n++ {
		for _, last := range []*Fault{Cut(), CutAfter()} {
			dead := Cut().After(n + 1)
			server.Fail(last.After(n).Once(), dead)
			s, err := run(t, one, was, n)
			ended = err == nil
			server.Fail()
			got := read(t, other)
			if !got.Equal(was) && !got.Equal(s) {
				t.Fatalf("killed at request %d: neither the old nor the new state is stored", n)
			}
			if id := server.Holder(path); id != "" {
				must(t, other.ForceUnlock(t.Context(), id))
			}
			lease := lock(t, other)
			was, err = lease.Read(t.Context())
			must(t, err)
			was.Put(storetest.Object(1000 + int(was.Serial)))
			must(t, lease.Write(t.Context(), was))
			must(t, lease.Unlock())
		}
	}
}

// run is a run that writes once, and returns what it was about to write.
func run(t *testing.T, store *httpstore.Store, was *state.State, n int) (*state.State, error) {
	slow := quick
	slow.Check, slow.Patience, slow.Unlock = time.Hour, 0, 100*time.Millisecond
	lease, err := store.WithTiming(slow).Lock(t.Context(), state.NewLockInfo("killed", "test"))
	if err != nil {
		return was, err
	}
	s, err := lease.Read(t.Context())
	if err != nil {
		return was, errors.Join(err, lease.Unlock())
	}
	s.Put(storetest.Object(50 + n))
	if err := lease.Write(t.Context(), s); err != nil {
		s.Serial++ // as which it may be stored
		return s, errors.Join(err, lease.Unlock())
	}
	return s, lease.Unlock()
}

// TestLostLock: a run whose lock was removed or stolen notices, by itself and when it writes, and can't write.
func TestLostLock(t *testing.T) {
	for name, thief := range map[string]string{"removed": "", "stolen": "thief"} {
		for _, lenient := range []bool{false, true} {
			server, one, other := start(t)
			server.Lenient, server.Fence = lenient, !lenient
			want := seed(t, other, 2)
			lease := lock(t, one)
			s, err := lease.Read(t.Context())
			must(t, err)
			server.Steal(path, thief)
			s.Put(storetest.Object(9))
			lost(t, lease.Write(t.Context(), s))
			lost(t, lease.Replace(t.Context(), s))
			lost(t, lease.Unlock())
			if got := server.Holder(path); got != thief || !read(t, other).Equal(want) {
				t.Errorf("%s: the lock is %q, or the state is another one", name, got)
			}
			server.Steal(path, "")
			lease = lock(t, one)
			server.Steal(path, thief)
			select {
			case <-lease.Lost():
			case <-time.After(10 * time.Second):
				t.Errorf("%s: not noticed", name)
			}
		}
	}
}

// TestStoppedHolder: a process that was stopped asks for its lock before it goes on.
func TestStoppedHolder(t *testing.T) {
	server, one, _ := start(t)
	asleep := quick
	asleep.Check = time.Hour // nothing of it moves on
	lease, err := one.WithTiming(asleep).Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	server.Steal(path, "")
	time.Sleep(2 * quick.Unsure)
	select {
	case <-lease.Lost():
	default:
		t.Error("the holder goes on")
	}
}

// TestOutageIsNoLoss: that the server does not answer says nothing about the lock, which does not end by itself.
func TestOutageIsNoLoss(t *testing.T) {
	server, one, other := start(t)
	lease := lock(t, one)
	server.Fail(Cut())
	time.Sleep(5 * quick.Unsure)
	select {
	case <-lease.Lost():
		t.Error("an outage counts as a loss")
	default:
	}
	server.Fail()
	s := state.New()
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
	if server.Holder(path) != "" || !read(t, other).Equal(s) {
		t.Error("the lock is left, or another state is stored")
	}
}

// TestChangedMeanwhile: what somebody put there past the lock is not overwritten, nor is what a replica shows that is behind.
func TestChangedMeanwhile(t *testing.T) {
	for name, test := range map[string]struct {
		change func(server *Server, first []byte)
		want   string
	}{
		"removed":   {func(s *Server, _ []byte) { s.Store(path, nil) }, "was removed while this run held its lock"},
		"behind":    {func(s *Server, first []byte) { s.Store(path, first) }, "answers with an older state (serial 1) than this run"},
		"edited":    {func(s *Server, _ []byte) { s.Store(path, append(s.Stored(path), '\n')) }, "was edited while this run held its lock"},
		"damaged":   {func(s *Server, _ []byte) { s.Store(path, []byte("{}")) }, "was damaged while this run held its lock"},
		"another's": {func(s *Server, _ []byte) { s.Store(path, encode(state.New())) }, "now belongs to another stack"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, one, other := start(t)
			seed(t, other, 1)
			first := server.Stored(path)
			lease := lock(t, one)
			s, err := lease.Read(t.Context())
			must(t, err)
			s.Put(storetest.Object(5))
			must(t, lease.Write(t.Context(), s))
			test.change(server, first)
			now := server.Stored(path)
			s.Put(storetest.Object(6))
			if err := lease.Write(t.Context(), s); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if string(server.Stored(path)) != string(now) {
				t.Error("it was overwritten")
			}
		})
	}
}

func encode(s *state.State) []byte {
	s.Serial = 7
	text, err := s.Encode()
	if err != nil {
		panic(err)
	}
	return text
}

// TestLateWrite: a write without an answer, which is carried out when the run has given up on it, is no other's.
func TestLateWrite(t *testing.T) {
	server, one, other := start(t)
	var late []func() *httptest.ResponseRecorder
	lease := lock(t, one)
	s := state.New()
	s.Put(storetest.Object(1))
	server.Fail((&Fault{Do: func(_ http.ResponseWriter, r *http.Request, carryOut func() *httptest.ResponseRecorder) {
		Drain(r)
		late = append(late, carryOut)
		panic(http.ErrAbortHandler)
	}}).Of(Post))
	if err := lease.Write(t.Context(), s); err == nil {
		t.Fatal("a write succeeded that was not carried out")
	}
	server.Fail()
	for _, carryOut := range late {
		carryOut()
	}
	s.Put(storetest.Object(2))
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
	if got := read(t, other); !got.Equal(s) || len(got.Objects) != 2 || got.Serial != 2 {
		t.Errorf("%d objects, serial %d", len(got.Objects), got.Serial)
	}
}

// TestReplaceGarbage: what can't be read can be replaced, and the serial goes on from what it says.
func TestReplaceGarbage(t *testing.T) {
	server, one, other := start(t)
	for _, text := range []string{"garbage", `{"serial": 41, "lineage": "x"}`, "[]", `{"serial": "x"}`} {
		server.Store(path, nil)
		server.Store(path, []byte(text))
		lease := lock(t, one)
		s := state.New()
		must(t, lease.Replace(t.Context(), s))
		must(t, lease.Unlock())
		if got := read(t, other); !got.Equal(s) {
			t.Errorf("%s: another state is stored", text)
		}
		if strings.Contains(text, "41") && s.Serial != 42 {
			t.Errorf("the serial went from 41 to %d", s.Serial)
		}
	}
}

// TestRedirectedRead: a read goes where it is sent, but the credentials don't.
func TestRedirectedRead(t *testing.T) {
	server, one, other := start(t)
	want := seed(t, other, 2)
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization")+r.Header.Get("Referer"))
		w.Write(server.Stored(path))
	}))
	defer elsewhere.Close()
	server.Fail(Redirect(307, elsewhere.URL+"/object").Of(Get))
	if got := read(t, one); !got.Equal(want) {
		t.Error("another state was read")
	}
	if len(seen) != 1 || seen[0] != "" {
		t.Errorf("the other server got %q", seen)
	}
	server.Fail(Redirect(307, path+"/moved").Of(Get).Once())
	if _, err := one.Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("on the same server: %v", err)
	}
	secure := httptest.NewTLSServer(http.RedirectHandler(server.URL, http.StatusFound))
	defer secure.Close()
	o := optionsFor(server, path)
	o.Address, o.SkipCertVerification = secure.URL, true
	if _, err := open(t, o).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "from https to http") {
		t.Errorf("a downgrade: %v", err)
	}
}

// TestReader: who may only read plans without a lock.
func TestReader(t *testing.T) {
	for _, status := range []int{401, 403} {
		server, one, other := start(t)
		seed(t, other, 1)
		server.Fail(Answer(status, "", "").Of(Lock))
		if _, err := one.ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.Is(err, state.ErrNoLock) {
			t.Errorf("%d: %v, want ErrNoLock", status, err)
		}
		server.Fail(Answer(status, "", "")) // nor read
		if _, err := one.ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); err == nil || errors.Is(err, state.ErrNoLock) {
			t.Errorf("%d to all requests: %v", status, err)
		}
	}
}

// TestInterrupt: an interrupt ends waiting, and leaves no lock.
func TestInterrupt(t *testing.T) {
	server, one, _ := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	server.Fail((&Fault{Do: func(_ http.ResponseWriter, r *http.Request, carryOut func() *httptest.ResponseRecorder) {
		carryOut()
		cancel()
		<-r.Context().Done()
	}}).Of(Lock).Once())
	_, err := one.Lock(ctx, state.NewLockInfo("test", "test"))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "it was interrupted") {
		t.Errorf("%v", err)
	}
	if id := server.Holder(path); id != "" {
		t.Errorf("the lock %s is left", id)
	}
}

// TestHostileHolder: whatever a server says of the holder of a lock is bounded, and only shown.
func TestHostileHolder(t *testing.T) {
	server, one, other := start(t)
	for _, who := range []string{"\x1b[2J", strings.Repeat("x", 10_000), "a\nb\x00c", "\u202e", `"}],"ID":null`} {
		info := state.NewLockInfo("test", "test")
		info.Who, info.Info = who, who
		lease, err := one.Lock(t.Context(), info)
		must(t, err)
		var locked *state.LockedError
		_, err = other.Lock(t.Context(), state.NewLockInfo("x", "x"))
		if !errors.As(err, &locked) || locked.Info.Who != who || locked.Info.Info != who {
			t.Errorf("%.20q: %v", who, err)
		}
		must(t, lease.Unlock())
	}
	for _, body := range []string{`{"ID":5,"Who":[]}`, `{"ID":"` + strings.Repeat("x", 1<<20), "[]", "null", `{"Created":"yesterday"}`} {
		server.Fail(Answer(423, "application/json", body).Of(Lock))
		var locked *state.LockedError
		if _, err := other.Lock(t.Context(), state.NewLockInfo("x", "x")); !errors.As(err, &locked) || locked.Info.ID != "" {
			t.Errorf("%.30s: %v", body, err)
		}
	}
}

// TestUnlockWhileAsking: a question without an answer does not hold up the end of a run, and leaves no lock.
func TestUnlockWhileAsking(t *testing.T) {
	server, one, _ := start(t)
	patient := quick
	patient.Stall, patient.Lock, patient.Attempt = time.Minute, time.Minute, time.Minute
	lease, err := one.WithTiming(patient).Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	server.Fail(Hang().Of(Lock))
	for len(server.Log()) == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	begun := time.Now()
	must(t, lease.Unlock())
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("unlocking took %v", took)
	}
	if id := server.Holder(path); id != "" {
		t.Errorf("the lock %s is left", id)
	}
}

// TestOneQuestion: of many that ask at once whether the lock is held, one asks the server.
func TestOneQuestion(t *testing.T) {
	server, one, _ := start(t)
	asleep := quick
	asleep.Check = time.Hour
	lease, err := one.WithTiming(asleep).Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	time.Sleep(2 * quick.Unsure)
	server.Fail(Slow(100 * time.Millisecond).Of(Lock))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { lease.Lost() })
	}
	all.Wait()
	if got := server.Log(); len(got) != 1 {
		t.Errorf("%d requests: %q", len(got), got)
	}
	must(t, lease.Unlock())
}

// TestManyRuns: of runs that compete for the lock each adds its object, and none is lost.
func TestManyRuns(t *testing.T) {
	server, one, other := start(t)
	server.Lenient, server.Fence = true, false
	seed(t, one, 0)
	const runs, rounds = 4, 5
	errs := make(chan error, runs)
	for r := range runs {
		go func() { errs <- addObjects([]state.Store{one, other}[r%2], r*rounds, rounds) }()
	}
	for range runs {
		must(t, <-errs)
	}
	if got := read(t, one); len(got.Objects) != runs*rounds || got.Serial != runs*rounds+1 {
		t.Errorf("%d objects, serial %d", len(got.Objects), got.Serial)
	}
}

func addObjects(s state.Store, first, n int) error {
	for i := range n {
		lease, err := state.Acquire(context.Background(), s, state.NewLockInfo("run", "test"), time.Minute)
		if err != nil {
			return err
		}
		st, err := lease.Read(context.Background())
		if err == nil {
			st.Put(storetest.Object(first + i))
			err = lease.Write(context.Background(), st)
		}
		if err := errors.Join(err, lease.Unlock()); err != nil {
			return err
		}
	}
	return nil
}

func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		os.Unsetenv(name)
	}
	os.Exit(m.Run())
}
