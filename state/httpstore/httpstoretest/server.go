// Package httpstoretest has a server of the protocol of Terraform's http backend, on which things go wrong.
package httpstoretest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Server keeps states in memory, each at a path of its own. Its lock is at the path with /lock after it.
type Server struct {
	*httptest.Server
	// Lenient accepts a write with any ID while nobody holds the lock, as Gitea does; GitLab refuses it.
	Lenient bool
	// Fence refuses a write whose serial is there already, as GitLab and Gitea do.
	Fence bool
	// Mute answers a conflict without a body.
	Mute bool
	// GitLab answers as GitLab does: of the holder of a lock it tells the ID, the user and the time alone, and the rest is what
	// the request said; the status of a write without the lock is 500, and that of a serial that is there 422.
	GitLab bool

	mu     sync.Mutex
	paths  map[string]*kept
	faults []*Fault
	log    []string
}

// kept is what is at a path.
type kept struct {
	versions [][]byte
	lock     []byte // nil: free
}

// Op is a kind of request.
type Op string

const (
	Get    Op = "get"
	Post   Op = "post"
	Lock   Op = "lock"
	Unlock Op = "unlock"
	Any    Op = ""
)

// Fault is what goes wrong with requests of a kind.
type Fault struct {
	Op   Op
	Skip int // so many requests go well before
	Most int // so many go wrong, 0 for all
	// Do answers instead of the server. carryOut does what was asked for, and returns the answer to it.
	Do func(w http.ResponseWriter, r *http.Request, carryOut func() *httptest.ResponseRecorder)
}

// Start starts a server without faults.
func Start() *Server {
	s := &Server{paths: map[string]*kept{}, Fence: true}
	s.Server = httptest.NewServer(s)
	return s
}

// Fail makes requests go wrong from now on, and earlier faults end.
func (s *Server) Fail(faults ...*Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.log = faults, nil
}

// Log lists the requests since the last call of Fail: "post /s?ID=x".
func (s *Server) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.log...)
}

// Stored returns what is stored at a path, nil for nothing.
func (s *Server) Stored(path string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at(path).current()
}

// Store puts something at a path, past all locks. Nil removes what is there.
func (s *Server) Store(path string, text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.at(path); text == nil {
		k.versions = nil
	} else {
		k.versions = append(k.versions, text)
	}
}

// Holder returns the ID of the lock at a path, "" for none.
func (s *Server) Holder(path string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return idOf(s.at(path).lock)
}

// Steal gives the lock at a path to another ID, or to nobody.
func (s *Server) Steal(path, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at(path).lock = nil; id != "" {
		s.at(path).lock = []byte(fmt.Sprintf(`{"ID":%q,"Who":"thief@night"}`, id))
	}
}

func (s *Server) at(path string) *kept {
	k := s.paths[path]
	if k == nil {
		k = &kept{}
		s.paths[path] = k
	}
	return k
}

func (k *kept) current() []byte {
	if len(k.versions) == 0 {
		return nil
	}
	return k.versions[len(k.versions)-1]
}

func idOf(lock []byte) string {
	var info struct{ ID string }
	_ = json.Unmarshal(lock, &info)
	return info.ID
}

func opOf(r *http.Request) Op {
	switch locks := strings.HasSuffix(r.URL.Path, "/lock"); {
	case r.Method == "UNLOCK", locks && r.Method == http.MethodDelete:
		return Unlock
	case r.Method == "LOCK", locks:
		return Lock
	case r.Method == http.MethodGet:
		return Get
	}
	return Post
}

// ServeHTTP answers a request, or has a fault answer it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := s.faultFor(r)
	if fault == nil {
		s.handle(w, r)
		return
	}
	fault.Do(w, r, func() *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.handle(rec, r)
		return rec
	})
}

func (s *Server) faultFor(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	op := opOf(r)
	s.log = append(s.log, fmt.Sprintf("%s %s", op, r.URL.RequestURI()))
	for _, f := range s.faults {
		switch {
		case f.Op != op && f.Op != Any:
		case f.Skip > 0:
			f.Skip--
		case f.Most > 1:
			f.Most--
			return f
		case f.Most == 1:
			f.Most = -1
			return f
		case f.Most == 0:
			return f
		}
	}
	return nil
}

// handle does what is asked for.
func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the request was cut off
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.at(strings.TrimSuffix(r.URL.Path, "/lock"))
	switch opOf(r) {
	case Get:
		if k.current() == nil {
			if w.WriteHeader(http.StatusNotFound); s.GitLab {
				io.WriteString(w, `{"message":"404 Not found"}`)
			}
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(k.current())
	case Lock:
		if k.lock != nil {
			s.conflict(w, k, body)
			return
		}
		k.lock = body
	case Unlock:
		if k.lock != nil && idOf(k.lock) != idOf(body) {
			s.conflict(w, k, nil)
			return
		}
		if s.GitLab && k.lock == nil {
			w.WriteHeader(http.StatusConflict)
			return
		}
		k.lock = nil
	case Post:
		s.post(w, r.URL.Query(), k, body)
	}
}

func (s *Server) post(w http.ResponseWriter, query url.Values, k *kept, body []byte) {
	if id := idOf(k.lock); id != query.Get("ID") && (k.lock != nil || !s.Lenient) {
		if s.GitLab {
			http.Error(w, `{"message":"500 Internal Server Error"}`, http.StatusInternalServerError)
		} else {
			s.conflict(w, k, nil)
		}
		return
	}
	for _, v := range k.versions {
		if s.Fence && serialOf(v) == serialOf(body) {
			status := http.StatusConflict
			if s.GitLab {
				status = http.StatusUnprocessableEntity
			}
			http.Error(w, "there is a version with this serial", status)
			return
		}
	}
	k.versions = append(k.versions, body)
	w.WriteHeader(http.StatusCreated)
}

func serialOf(text []byte) uint64 {
	var s struct{ Serial uint64 }
	_ = json.Unmarshal(text, &s)
	return s.Serial
}

// conflict answers that somebody else holds the lock. Asked is what was asked for.
func (s *Server) conflict(w http.ResponseWriter, k *kept, asked []byte) {
	switch {
	case s.GitLab:
		w.WriteHeader(http.StatusConflict)
		w.Write(gitLabLock(k.lock, asked))
	case s.Mute:
		w.WriteHeader(http.StatusLocked)
	default:
		w.WriteHeader(http.StatusLocked)
		w.Write(k.lock)
	}
}

func gitLabLock(held, asked []byte) []byte {
	if asked == nil {
		return nil
	}
	var holder, said map[string]any
	_ = json.Unmarshal(held, &holder)
	_ = json.Unmarshal(asked, &said)
	said["ID"], said["Who"], said["Created"] = holder["ID"], "ci-user", holder["Created"]
	text, err := json.Marshal(said)
	if err != nil {
		panic(err) // it was JSON
	}
	return text
}

// Answer is a fault that answers with a status and a body, and carries nothing out.
func Answer(status int, contentType, body string) *Fault {
	return &Fault{Do: func(w http.ResponseWriter, _ *http.Request, _ func() *httptest.ResponseRecorder) {
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}}
}

// Cut is a fault that ends the connection without an answer.
func Cut() *Fault {
	return &Fault{Do: func(http.ResponseWriter, *http.Request, func() *httptest.ResponseRecorder) {
		panic(http.ErrAbortHandler)
	}}
}

// CutAfter is a fault that carries out what was asked for, and ends the connection.
func CutAfter() *Fault {
	return &Fault{Do: func(_ http.ResponseWriter, _ *http.Request, carryOut func() *httptest.ResponseRecorder) {
		carryOut()
		panic(http.ErrAbortHandler)
	}}
}

// Hang is a fault that never answers.
func Hang() *Fault {
	return &Fault{Do: func(_ http.ResponseWriter, r *http.Request, _ func() *httptest.ResponseRecorder) {
		io.Copy(io.Discard, r.Body) // or the end of the connection would not be noticed
		<-r.Context().Done()
	}}
}

// HalfAnswer is a fault that carries out what was asked for, and sends half of the answer: then it ends, or hangs.
func HalfAnswer(hangs bool) *Fault {
	return &Fault{Do: func(w http.ResponseWriter, r *http.Request, carryOut func() *httptest.ResponseRecorder) {
		body := carryOut().Body.Bytes()
		w.Header().Set("Content-Length", fmt.Sprint(max(len(body), 2)))
		w.Write(append(body, '{')[:max(len(body)/2, 1)])
		w.(http.Flusher).Flush()
		if hangs {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}}
}

// Slow is a fault that answers late.
func Slow(by time.Duration) *Fault {
	return &Fault{Do: func(w http.ResponseWriter, r *http.Request, carryOut func() *httptest.ResponseRecorder) {
		time.Sleep(by)
		pass(w, carryOut())
	}}
}

// Redirect is a fault that sends elsewhere.
func Redirect(status int, to string) *Fault {
	return &Fault{Do: func(w http.ResponseWriter, r *http.Request, _ func() *httptest.ResponseRecorder) {
		http.Redirect(w, r, to, status)
	}}
}

func pass(w http.ResponseWriter, rec *httptest.ResponseRecorder) {
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// Of restricts a fault to requests of a kind.
func (f *Fault) Of(op Op) *Fault { f.Op = op; return f }

// Once restricts a fault to one request.
func (f *Fault) Once() *Fault { f.Most = 1; return f }

// After restricts a fault to what comes after so many requests.
func (f *Fault) After(n int) *Fault { f.Skip = n; return f }

// Only restricts all faults to requests of a kind, while something is done.
func (s *Server) Only(op Op, do func() error) error {
	s.mu.Lock()
	for _, f := range s.faults {
		f.Op = op
	}
	s.mu.Unlock()
	return do()
}

// Drain reads a request's body, so that it can be carried out when its connection has ended.
func Drain(r *http.Request) {
	text, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(text)))
}
