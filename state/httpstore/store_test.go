package httpstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/internal/encryption"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/httpstore"
	. "kplan.dev/kplan/state/httpstore/httpstoretest"
	"kplan.dev/kplan/state/storetest"
)

const (
	password = "s3cr3t-canary"
	token    = "t0k3n-canary" // in the query
	path     = "/state/web"
)

// quick is a rhythm in which a lock is lost, and patience ends, within seconds.
var quick = httpstore.Timing{Check: 100 * time.Millisecond, Unsure: 300 * time.Millisecond, Stall: time.Second, Attempt: 3 * time.Second,
	Lock: 2 * time.Second, Patience: 300 * time.Millisecond, Unlock: 2 * time.Second}

func optionsFor(s *Server, at string) httpstore.Options {
	return httpstore.Options{
		Address: s.URL + at + "?token=" + token, LockAddress: s.URL + at + "/lock?token=" + token, UnlockAddress: s.URL + at + "/lock",
		LockMethod: "POST", UnlockMethod: "DELETE", Username: "kplan", Password: password,
		RetryMax: 2, RetryWaitMin: 10 * time.Millisecond, RetryWaitMax: 100 * time.Millisecond, UserAgent: "kplan/test",
	}
}

func open(t testing.TB, o httpstore.Options) *httpstore.Store {
	t.Helper()
	s, err := httpstore.Open(o)
	must(t, err)
	return s.WithTiming(quick)
}

// start starts a server, and opens two clients of a state on it.
func start(t *testing.T) (server *Server, one, other *httpstore.Store) {
	t.Helper()
	server = Start()
	t.Cleanup(server.Close)
	return server, open(t, optionsFor(server, path)), open(t, optionsFor(server, path))
}

func lock(t *testing.T, s state.Store) state.Lease {
	t.Helper()
	lease, err := s.Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	t.Cleanup(func() { lease.Unlock() })
	return lease
}

// seed writes a state with n objects.
func seed(t *testing.T, s state.Store, n int) *state.State {
	t.Helper()
	lease := lock(t, s)
	st := state.New()
	st.Put(storetest.Objects(n)...)
	must(t, lease.Write(t.Context(), st))
	must(t, lease.Unlock())
	return st
}

func read(t *testing.T, s state.Store) *state.State {
	t.Helper()
	st, err := s.Read(t.Context())
	must(t, err)
	return st
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lost(t *testing.T, err error) {
	t.Helper()
	if !errors.As(err, new(*state.LostLockError)) {
		t.Errorf("%v, want a *state.LostLockError", err)
	}
}

// TestStore runs the conformance suite on servers that play GitLab, Gitea, and one that checks nothing but the lock. The real
// Gitea is in forge_test.go.
func TestStore(t *testing.T) {
	for name, set := range map[string]func(*Server){
		"GitLab": func(s *Server) { s.GitLab = true },
		"Gitea":  func(s *Server) { s.Lenient = true },
		"strict": func(s *Server) {},
		"simple": func(s *Server) { s.Lenient, s.Fence = true, false },
	} {
		t.Run(name, func(t *testing.T) {
			server := Start()
			set(server)
			t.Cleanup(server.Close)
			var n atomic.Int32
			var except []storetest.Exception
			if server.GitLab {
				except = append(except, storetest.Exception{Case: "one lease at a time",
					Why: "Of a lock GitLab shows the ID, the user and the time alone: see TestGitLabHolder"})
			}
			storetest.Run(t, func(t *testing.T) (state.Store, state.Store) {
				at := fmt.Sprint("/s", n.Add(1))
				often := quick // but with time for many objects on a busy machine
				often.Stall, often.Attempt, often.Lock = 20*time.Second, time.Minute, 20*time.Second
				return open(t, optionsFor(server, at)).WithTiming(often), open(t, optionsFor(server, at)).WithTiming(often)
			}, except...)
		})
	}
}

// TestLinearizable: the lock alone keeps many runs apart, also where the server compares no serial.
func TestLinearizable(t *testing.T) {
	server, one, other := start(t)
	server.Lenient, server.Fence = true, false
	storetest.Linearizable(t, func(client int) state.Store { return []state.Store{one, other}[client%2] })
}

// TestGitLabHolder: of the holder of a lock nothing is shown that GitLab has from the one who asks.
func TestGitLabHolder(t *testing.T) {
	server, one, other := start(t)
	server.GitLab = true
	held := state.NewLockInfo("apply", "v1.2.3")
	held.Info = "a note"
	lease, err := one.Lock(t.Context(), held)
	must(t, err)
	asks := state.NewLockInfo("plan", "v2")
	asks.Info = "another note"
	var locked *state.LockedError
	if _, err = other.Lock(t.Context(), asks); !errors.As(err, &locked) {
		t.Fatalf("%v, want a *state.LockedError", err)
	}
	want := state.LockInfo{ID: held.ID, Who: "ci-user", Created: held.Created}
	if locked.Info != want || strings.Contains(err.Error(), "plan") {
		t.Errorf("%+v, %v", locked.Info, err)
	}
	must(t, lease.Unlock())
	must(t, lock(t, other).Unlock())
}

// TestEncrypted: encrypted states pass the suite, too, and servers find their lineage and serial.
func TestEncrypted(t *testing.T) {
	const public, secret = "age1rlp4844mcqa3dz57u9xgzpjnz6usse7x0nee3pgvy93jxc4lecxspddwtw",
		"AGE-SECRET-KEY-1M3M5NLP0PQ8S643AQLR9WS4G58GL0UMFZZ5X9GKEK98722DDRQLSZ3U2WU"
	keys, err := encryption.New(encryption.Options{Recipients: []string{public}, Identities: []string{secret}})
	must(t, err)
	codec := state.Codec{Keys: keys}
	server, plain, _ := start(t)
	var n atomic.Int32
	storetest.Run(t, func(t *testing.T) (state.Store, state.Store) {
		o := optionsFor(server, fmt.Sprint("/s", n.Add(1)))
		return open(t, o).With(codec), open(t, o).With(codec)
	})
	s := seed(t, plain.With(codec), 3)
	var head struct {
		Lineage string
		Serial  uint64
	}
	text := server.Stored(path)
	must(t, json.Unmarshal(text, &head))
	if head.Lineage != s.Lineage || head.Serial != s.Serial || strings.Contains(string(text), "ConfigMap") {
		t.Errorf("%.300s", text)
	}
	if _, err := plain.Read(t.Context()); !errors.As(err, new(*state.KeyError)) || !strings.Contains(err.Error(), path) {
		t.Errorf("without a key: %v", err)
	}
}

// TestMuteServer: a server that does not say who holds the lock still keeps runs apart.
func TestMuteServer(t *testing.T) {
	server, one, other := start(t)
	server.Mute = true
	lease := lock(t, one)
	var locked *state.LockedError
	if _, err := other.Lock(t.Context(), state.NewLockInfo("x", "x")); !errors.As(err, &locked) || locked.Info.ID != "" {
		t.Errorf("a lock that is held: %v", err)
	}
	s := state.New()
	must(t, lease.Write(t.Context(), s))
	must(t, lease.Unlock())
	lease = lock(t, one)
	s, err := lease.Read(t.Context())
	must(t, err)
	server.Steal(path, "")
	s.Put(storetest.Object(1))
	lost(t, lease.Write(t.Context(), s))
	lock(t, one)
	must(t, other.ForceUnlock(t.Context(), server.Holder(path)))
	must(t, lock(t, other).Unlock())
}

// TestWire: requests are as Terraform sends them.
func TestWire(t *testing.T) {
	var lines, bodies []string
	server := Start()
	defer server.Close()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pass, _ := r.BasicAuth()
		lines = append(lines, fmt.Sprintf("%s %s %s:%s %s", r.Method, r.URL.RequestURI(), user, pass, r.Header.Get("Content-Type")))
		rec := &recorder{ReadCloser: r.Body}
		r.Body = rec
		server.ServeHTTP(w, r)
		bodies = append(bodies, string(rec.text))
	}))
	defer front.Close()
	o := httpstore.Options{Address: strings.Replace(front.URL, "http://", "http://me:pw@", 1) + "/a", LockAddress: front.URL + "/a",
		UnlockAddress: front.URL + "/a"}
	s, err := httpstore.Open(o)
	must(t, err)
	info := state.NewLockInfo("apply", "v1")
	info.Info = "a note"
	lease, err := s.Lock(t.Context(), info)
	must(t, err)
	st := state.New()
	must(t, lease.Write(t.Context(), st))
	text, err := st.Encode()
	must(t, err)
	must(t, lease.Unlock())
	want := []string{
		"LOCK /a me:pw application/json", "LOCK /a me:pw application/json", // the second one asks who holds it
		"LOCK /a me:pw application/json", "GET /a me:pw ", "POST /a?ID=" + info.ID + " me:pw application/json",
		"UNLOCK /a?ID=" + info.ID + " me:pw application/json",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if bodies[4] != string(text) {
		t.Errorf("the body of a write is not what kplan state pull prints: %.300s", bodies[4])
	}
	for _, part := range []string{`"ID":"` + info.ID, `"Operation":"apply"`, `"Info":"process `, `; a note"`, `"Who":"`, `"Version":"v1"`,
		`"Created":"`, `"Path":"` + front.URL + `/a"`} {
		if !strings.Contains(bodies[0], part) {
			t.Errorf("the lock info has no %s: %s", part, bodies[0])
		}
	}
}

type recorder struct {
	ReadCloser interface {
		Read([]byte) (int, error)
		Close() error
	}
	text []byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.text = append(r.text, p[:n]...)
	return n, err
}

func (r *recorder) Close() error { return r.ReadCloser.Close() }

// TestOptions: what is wrong with the settings is said before anything is sent.
func TestOptions(t *testing.T) {
	good := httpstore.Options{Address: "https://h/a", LockAddress: "https://h/l", UnlockAddress: "https://h/u"}
	for want, change := range map[string]func(*httpstore.Options){
		"address must begin with https:// or http://":         func(o *httpstore.Options) { o.Address = "ftp://me:" + password + "@h" },
		"lock_address is not a valid URL":                     func(o *httpstore.Options) { o.LockAddress = "http://:" + password + "@h:x" },
		"unlock_address has no host in it":                    func(o *httpstore.Options) { o.UnlockAddress = "https:///x" },
		"no method of HTTP":                                   func(o *httpstore.Options) { o.LockMethod = "PO ST" },
		"client_ca_certificate_pem has no certificate":        func(o *httpstore.Options) { o.ClientCACertificatePEM = "ca.pem" },
		"client_certificate_pem needs client_private_key_pem": func(o *httpstore.Options) { o.ClientCertificatePEM = "x" },
		"client_private_key_pem needs client_certificate_pem": func(o *httpstore.Options) { o.ClientPrivateKeyPEM = password },
		"don't belong together, or are no PEM texts: failed to": func(o *httpstore.Options) {
			o.ClientCertificatePEM, o.ClientPrivateKeyPEM = "x", password
		},
	} {
		o := good
		change(&o)
		_, err := httpstore.Open(o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	o := good
	o.Address = "https://me:" + password + "@h:1/a?token=" + token
	if s, err := httpstore.Open(o); err != nil || s.String() != "https://h:1/a" {
		t.Errorf("%v, %v", s, err)
	}
}

// TestTLS: the server's certificate is verified, by the CA that is set.
func TestTLS(t *testing.T) {
	plain := Start()
	defer plain.Close()
	server := httptest.NewTLSServer(plain)
	defer server.Close()
	o := httpstore.Options{Address: server.URL + "/a", LockAddress: server.URL + "/a", UnlockAddress: server.URL + "/a"}
	if _, err := open(t, o).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	o.ClientCACertificatePEM = string(pemOf(server.Certificate().Raw))
	if _, err := open(t, o).Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("a known authority: %v", err)
	}
	o.ClientCACertificatePEM, o.SkipCertVerification = "", true
	if _, err := open(t, o).Read(t.Context()); !errors.Is(err, state.ErrNotExist) {
		t.Errorf("without verification: %v", err)
	}
}

// document is docs/backend-http.md, whose table has each message.
func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/backend-http.md")
	must(t, err)
	return string(text)
}
