package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"kplan.dev/kplan/state"
)

// Timing is how leases are kept and lost. The holder gives up well before anybody takes over.
type Timing struct {
	Renew    time.Duration // between two renewals
	Attempt  time.Duration // for one renewal
	Unsure   time.Duration // without a renewal until a run starts nothing new
	Stale    time.Duration // without a renewal, by the clock of who watches, until the lock is anybody's
	Patience time.Duration // for a write to a place that does not answer
}

var defaultTiming = Timing{
	Renew: 15 * time.Second, Attempt: 10 * time.Second, Unsure: 45 * time.Second, Stale: 60 * time.Second, Patience: 30 * time.Second,
}

// Store is the state of one stack at a place.
type Store struct {
	place  Place
	reader bool
	timing Timing
	codec  state.Codec

	mu   sync.Mutex
	seen sighting
}

// sighting is when a lock was first seen with as many renewals.
type sighting struct {
	id       string
	renewals uint64
	at       time.Time
}

// Open returns the store at a place, where nothing need be yet.
func Open(place Place) *Store { return &Store{place: place, timing: defaultTiming} }

// ForReading is the same store for a run that changes nothing, maybe of a user who may not write: then locking
// it returns state.ErrNoLock, as long as nobody else holds the lock.
func (s *Store) ForReading() *Store {
	return &Store{place: s.place, reader: true, timing: s.timing, codec: s.codec}
}

// WithTiming is the same store in another rhythm, for tests that can't wait a minute.
func (s *Store) WithTiming(t Timing) *Store {
	return &Store{place: s.place, reader: s.reader, timing: t, codec: s.codec}
}

// With is the same store, whose states are encrypted.
func (s *Store) With(c state.Codec) *Store {
	return &Store{place: s.place, reader: s.reader, timing: s.timing, codec: c}
}

// String names the place.
func (s *Store) String() string { return s.place.String() }

// Read returns the stored state without locking it, or state.ErrNotExist.
func (s *Store) Read(ctx context.Context) (*state.State, error) {
	h, at, err := readHead(ctx, s.place)
	for tries := 0; err == nil; tries++ {
		if h.Current == nil {
			return nil, state.ErrNotExist
		}
		st, _, problem := get(ctx, s.place, h.Current, s.codec)
		if problem == nil {
			return st, nil
		}
		before := at
		if h, at, err = readHead(ctx, s.place); err == nil && (at == before || tries == 5) {
			return nil, s.unreadable(problem)
		} // else the version was replaced, and its parts removed, while they were read
	}
	return nil, err
}

// unreadable is the error of a version that is not there as the head says.
func (s *Store) unreadable(err error) error {
	if isNone(err) {
		return &state.DecodeError{Path: s.String(), Problem: "is not complete: a part of it is gone", Advice: adviseEarlier}
	}
	if errors.As(err, new(*state.DecodeError)) || errors.As(err, new(*state.MigratedError)) || errors.As(err, new(*state.KeyError)) {
		return err
	}
	return fmt.Errorf("reading the state in %s: %w", s.place, err)
}

// Lock takes the lock if it is free, or if its holder has not renewed it for as long as this store has watched.
func (s *Store) Lock(ctx context.Context, info state.LockInfo) (state.Lease, error) {
	h, at, err := readHead(ctx, s.place)
	if err != nil {
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	if h.Lock != nil && !s.isAbandoned(h.Lock) {
		return nil, s.locked(h.Lock)
	}
	info.Path = s.String()
	l := &lease{Store: s, info: info, head: h, at: at, before: h.Current, found: h.Current,
		lost: make(chan struct{}), released: make(chan struct{})}
	l.untidy = h.Untidy
	switch err := l.swap(ctx, func(h head) (head, error) {
		h.Lock, h.Untidy = &lock{LockInfo: info, Renewed: time.Now().UTC()}, true // until it is released
		return h, nil
	}); {
	case errors.Is(err, ErrReadOnly) && s.reader:
		return nil, state.ErrNoLock
	case errors.As(err, new(*state.LostLockError)): // another was faster
		return nil, s.lostRace(ctx)
	case err != nil:
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	go l.renew()
	return l, nil
}

// lostRace is the error of locking when somebody else has just done that.
func (s *Store) lostRace(ctx context.Context) error {
	h, _, err := readHead(ctx, s.place)
	switch {
	case err != nil:
		return fmt.Errorf("locking the state: %w", err)
	case h.Lock != nil:
		return s.locked(h.Lock)
	}
	return &state.LockedError{Path: s.String()} // and released by now
}

// Locked returns who holds the lock, nil if nobody does.
func (s *Store) Locked(ctx context.Context) (*state.LockedError, error) {
	h, _, err := readHead(ctx, s.place)
	if err != nil || h.Lock == nil {
		return nil, err
	}
	return s.locked(h.Lock), nil
}

func (s *Store) locked(l *lock) *state.LockedError {
	return &state.LockedError{Path: s.String(), Info: l.LockInfo, Renewed: l.Renewed, Abandoned: time.Since(l.Renewed) > s.timing.Stale}
}

// isAbandoned reports whether a lock has not been renewed for long enough, watched by this store.
func (s *Store) isAbandoned(l *lock) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen.id != l.ID || s.seen.renewals != l.Renewals {
		s.seen = sighting{l.ID, l.Renewals, time.Now()}
	}
	return time.Since(s.seen.at) >= s.timing.Stale
}

// ForceUnlock removes the lock with that id.
func (s *Store) ForceUnlock(ctx context.Context, id string) error {
	h, at, err := readHead(ctx, s.place)
	switch {
	case err != nil:
		return fmt.Errorf("unlocking the state: %w", err)
	case h.Lock == nil:
		return fmt.Errorf("unlocking the state: %s is not locked", s.place)
	case id == "" || h.Lock.ID != id:
		return &state.LockIDError{Given: id, Info: h.Lock.LockInfo}
	}
	l := &lease{Store: s, info: h.Lock.LockInfo, head: h, at: at}
	err = l.swap(ctx, func(h head) (head, error) {
		h.Lock = nil
		return h, nil
	})
	if err != nil && !errors.As(err, new(*state.LostLockError)) { // which would be released by now
		return fmt.Errorf("unlocking the state: %w", err)
	}
	return nil
}
