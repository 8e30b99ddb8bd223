// Package httpstore keeps states with a server that speaks the protocol of Terraform's http backend, as GitLab and Gitea do.
//
// The protocol has no compare-and-swap. The server's lock is what keeps two runs apart, and it lasts until it is released or
// removed by somebody. So a lease makes sure of what can be made sure of: before each write it asks whether the lock is still
// its own, and reads back what is stored; it sends the lock's ID with the write, by which the server can refuse it; and of a
// write without an answer it reads what became of it.
//
// Nor can one ask who holds the lock. Whoever wants to know asks for it, under another ID: the refusal has the holder's.
package httpstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kplan.dev/kplan/state"
)

// Options are where the state is and how to reach it. The names are those of Terraform's http backend.
type Options struct {
	Address, LockAddress, UnlockAddress    string // http or https
	UpdateMethod, LockMethod, UnlockMethod string // default POST, LOCK and UNLOCK
	Username, Password                     string // where Address has none
	SkipCertVerification                   bool
	ClientCACertificatePEM                 string
	ClientCertificatePEM                   string
	ClientPrivateKeyPEM                    string
	// RetryMax is how often a request is tried again that got no answer, or one that promises a better one later.
	RetryMax                   int
	RetryWaitMin, RetryWaitMax time.Duration // between two tries; default 1s and 30s
	UserAgent                  string
	// Log is where requests are logged; nil for nowhere.
	Log *slog.Logger
}

// Timing is how long a store waits for what.
type Timing struct {
	Check    time.Duration // between two questions whether the lock is still held
	Unsure   time.Duration // after the last answer to that, until Lost asks by itself
	Stall    time.Duration // for the next byte of a request or an answer
	Attempt  time.Duration // for one request
	Lock     time.Duration // for one request about the lock
	Patience time.Duration // at least, for a write to a server that does not answer
	Unlock   time.Duration // at most, to release the lock
}

var defaultTiming = Timing{
	Check: 10 * time.Second, Unsure: 15 * time.Second, Stall: 30 * time.Second, Attempt: 5 * time.Minute, Lock: 20 * time.Second,
	Patience: 30 * time.Second, Unlock: 15 * time.Second,
}

// Store is the state at an address.
type Store struct {
	client              *client
	state, lock, unlock endpoint
	reader              bool
	name                string
	codec               state.Codec
}

// endpoint is a method at an address.
type endpoint struct {
	method string
	url    *url.URL
}

// Open returns the store at an address, where nothing need be yet. Nothing is sent.
func Open(o Options) (*Store, error) {
	s := &Store{}
	for _, e := range []struct {
		target           *endpoint
		method, standard string
		setting, address string
	}{
		{&s.state, o.UpdateMethod, http.MethodPost, "address", o.Address},
		{&s.lock, o.LockMethod, "LOCK", "lock_address", o.LockAddress},
		{&s.unlock, o.UnlockMethod, "UNLOCK", "unlock_address", o.UnlockAddress},
	} {
		u, err := parseAddress(e.address)
		if err != nil {
			return nil, fmt.Errorf("%s %w", e.setting, err)
		}
		if e.method == "" {
			e.method = e.standard
		}
		if !isMethod.MatchString(e.method) {
			return nil, fmt.Errorf("%q is no method of HTTP, such as %s", e.method, e.standard)
		}
		*e.target = endpoint{e.method, u}
	}
	s.name = nameOf(s.state.url)
	var err error
	s.client, err = newClient(o, s.state.url.User)
	s.state.url.User, s.lock.url.User, s.unlock.url.User = nil, nil, nil
	return s, err
}

var isMethod = regexp.MustCompile(`^[A-Za-z]+$`)

func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil: // the error has the address in it, and so its password
		return nil, errors.New("is not a valid URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must begin with https:// or http://")
	case u.Host == "":
		return nil, errors.New("has no host in it")
	}
	u.Fragment = ""
	return u, nil
}

// nameOf is an address in messages: a query may have a token in it.
func nameOf(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// ForReading is the same store for a run that changes nothing, maybe of a user who may not write: then locking it returns
// state.ErrNoLock. Such a user can't see whether another run holds the lock.
func (s *Store) ForReading() *Store {
	reader := *s
	reader.reader = true
	return &reader
}

// With is the same store, whose states are encrypted.
func (s *Store) With(c state.Codec) *Store {
	other := *s
	other.codec = c
	return &other
}

// WithTiming is the same store in another rhythm, for tests.
func (s *Store) WithTiming(t Timing) *Store {
	other := *s
	c := *s.client
	other.client, c.timing = &c, t
	return &other
}

// String is the address, without credentials.
func (s *Store) String() string { return s.name }

// Read returns the stored state without locking it, or state.ErrNotExist.
func (s *Store) Read(ctx context.Context) (*state.State, error) {
	text, err := s.fetch(ctx)
	if err != nil {
		return nil, err
	}
	st, _, err := s.decode(text)
	return st, err
}

// adviseEarlier is what to do about a state that can't be read.
const adviseEarlier = "if the server keeps earlier versions, as GitLab and Gitea do, download one of them and store it with " +
	"kplan state push; without one, recreate the state from the cluster: kplan state rebuild"

// decode reads a stored text, nil where there is none.
func (s *Store) decode(text []byte) (*state.State, state.Base, error) {
	if text == nil {
		return nil, state.Base{}, state.ErrNotExist
	}
	return s.codec.DecodeAt(text, "at "+s.name, adviseEarlier)
}

// fetch returns what is stored, or nil where nothing is.
func (s *Store) fetch(ctx context.Context) ([]byte, error) {
	get := endpoint{http.MethodGet, s.state.url}
	a, err := s.client.retry(ctx, 0, func() (answer, error) { return s.client.send(ctx, get, nil, s.client.timing.Attempt) })
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the state at %s: %w", s.name, err)
	case a.status == http.StatusNotFound, a.status == http.StatusNoContent:
		return nil, nil
	case a.status != http.StatusOK, a.isPage():
		return nil, fmt.Errorf("reading the state at %s: %w", s.name, s.refusal(get, a))
	}
	return a.body, nil // never nil
}

// Lock takes the lock if it is free.
func (s *Store) Lock(ctx context.Context, info state.LockInfo) (state.Lease, error) {
	info.Path = s.name
	granted, holder, err := s.take(ctx, info, 0)
	switch {
	case err != nil && s.isReader(ctx, err):
		return nil, state.ErrNoLock
	case err != nil:
		return nil, fmt.Errorf("locking the state: %w", s.abandon(info, err))
	case !granted:
		return nil, &state.LockedError{Path: s.name, Info: holder}
	}
	l := newLease(s, info)
	switch held, err := l.check(ctx); {
	case err != nil:
		if left := l.held.release(); left != nil {
			err = fmt.Errorf("%w; %w", err, left)
		}
		return nil, fmt.Errorf("locking the state: %w", err)
	case !held:
		return nil, fmt.Errorf("locking the state: %s was granted twice: the server at that address does not lock, or the lock was "+
			"removed as soon as it was taken", s.lockName())
	}
	go l.watch()
	return l, nil
}

func (s *Store) lockName() string { return s.lock.method + " " + nameOf(s.lock.url) }

// isReader reports whether a lock was refused to a user who may read: that is enough for a run that changes nothing.
func (s *Store) isReader(ctx context.Context, refused error) bool {
	if !s.reader || !errors.As(refused, new(*deniedError)) {
		return false
	}
	_, err := s.fetch(ctx)
	return err == nil
}

// abandon releases a lock that may have been taken, since the answer was lost or is no good, and returns the error with what
// is left to do.
func (s *Store) abandon(info state.LockInfo, why error) error {
	var refused *refusedError
	var silent *noAnswerError
	if errors.As(why, new(*deniedError)) || errors.As(why, &refused) && !refused.temporary || errors.As(why, &silent) && !silent.sent {
		return why // nothing was taken
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.client.timing.Lock)
	defer cancel()
	if _, err := s.release(ctx, info, 0); err != nil {
		return fmt.Errorf("%w. The server may have given it the lock all the same: if the next run finds it locked, remove it with "+
			"kplan force-unlock %s", why, info.ID)
	}
	return why
}

// ForceUnlock removes the lock with that id.
func (s *Store) ForceUnlock(ctx context.Context, id string) error {
	asking := state.NewLockInfo("force-unlock", s.client.userAgent)
	asking.Path = s.name
	granted, holder, err := s.take(ctx, asking, 0)
	if err == nil && granted {
		if _, err = s.release(ctx, asking, 0); err == nil {
			return fmt.Errorf("unlocking the state: %s is not locked", s.name)
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("unlocking the state: %w", s.abandon(asking, err))
	case id == "" || holder.ID != "" && holder.ID != id:
		return &state.LockIDError{Given: id, Info: holder}
	}
	released, err := s.release(ctx, state.LockInfo{ID: id, Path: s.name}, 0)
	switch {
	case err != nil:
		return fmt.Errorf("unlocking the state: %w", err)
	case !released:
		return &state.LockIDError{Given: id, Info: holder}
	}
	return nil
}

// versionOf is the lineage and serial of any text that has these, also of one that is no state of kplan.
func versionOf(text []byte) state.Version {
	var head struct {
		Lineage string `json:"lineage"`
		Serial  uint64 `json:"serial"`
	}
	if lenient(text, &head) != nil || strings.TrimSpace(head.Lineage) == "" {
		return state.Version{}
	}
	return state.Version{Lineage: head.Lineage, Serial: head.Serial}
}
