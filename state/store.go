package state

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Store keeps the state of one stack.
type Store interface {
	// Read returns the stored state without locking it, or ErrNotExist.
	Read(ctx context.Context) (*State, error)
	// Lock takes the lock if it is free, else it returns a *LockedError at once:
	// Acquire waits, in the same way for all stores.
	Lock(ctx context.Context, info LockInfo) (Lease, error)
	// ForceUnlock removes the lock with that id. Its holder can no longer write.
	ForceUnlock(ctx context.Context, id string) error
}

// Inspector is a Store that tells who holds its lock without taking it.
type Inspector interface {
	Store
	// Locked returns who holds the lock, nil if nobody does.
	Locked(ctx context.Context) (*LockedError, error)
}

// Lease is a store that this run has locked.
type Lease interface {
	// Read returns the stored state, or ErrNotExist: the caller then starts with
	// New.
	Read(ctx context.Context) (*State, error)
	// Write stores what has become of the state that this lease last read or
	// wrote (or of New, if there was none), durably, and raises s.Serial by one.
	// A state with nothing new is not written again. If someone else has written
	// meanwhile it returns a *StaleError, if the lock was lost a *LostLockError;
	// then, as after any other error, the stored state is whole.
	Write(ctx context.Context, s *State) error
	// Replace stores s whatever is stored now, even if that is unreadable: for Push
	// and for rebuilding a lost state. The serial never goes back.
	Replace(ctx context.Context, s *State) error
	// Lost is closed when the store notices that the lock is gone, which it may
	// check when it is asked. Whoever changes the cluster asks before each change,
	// and then starts nothing new. Writes need not ask: they are refused.
	Lost() <-chan struct{}
	// Unlock releases the lock.
	Unlock() error
}

// ErrNotExist is the error of reading where no state has been written yet.
var ErrNotExist = errors.New("there is no state yet")

// StaleError is the error of a write where the stored state is not the one that it
// was to follow.
type StaleError struct {
	Path   string
	Want   Version // the one that was read
	Stored Version // zero if the stored state is gone
}

// Version identifies the content of a state.
type Version struct {
	Lineage string
	Serial  uint64
}

// Version is the lineage and serial of s.
func (s *State) Version() Version { return Version{s.Lineage, s.Serial} }

func (e *StaleError) Error() string {
	const advice = "this run did not overwrite it; plan again"
	switch {
	case e.Stored == Version{}:
		return fmt.Sprintf("the state %s was removed while this run held its lock; %s", e.Path, advice)
	case e.Want == Version{}:
		return fmt.Sprintf("the state %s has appeared (serial %d) since this run found none; %s", e.Path, e.Stored.Serial, advice)
	case e.Stored.Lineage != e.Want.Lineage:
		return fmt.Sprintf("the state %s now belongs to another stack (lineage %s, not %s); %s", e.Path, e.Stored.Lineage, e.Want.Lineage, advice)
	case e.Stored.Serial == e.Want.Serial:
		return fmt.Sprintf("the state %s was edited while this run held its lock; %s", e.Path, advice)
	}
	return fmt.Sprintf("the state %s has changed since this run read it (serial %d, then %d); %s",
		e.Path, e.Want.Serial, e.Stored.Serial, advice)
}

// LostLockError is the error of a write that was refused because this run no longer
// holds the lock.
type LostLockError struct {
	Path string
	ID   string // of the lock that was lost
}

func (e *LostLockError) Error() string {
	return fmt.Sprintf("the lock %s on the state %s is no longer held by this run, which can no longer write", e.ID, e.Path)
}

// LockedError is the error of locking a state that another run holds locked.
type LockedError struct {
	Path string
	Info LockInfo // from the store, so untrusted text: zero if the holder has not written it yet
	// Renewed is when the holder last showed that it lives, zero where locks end with their holders.
	Renewed time.Time
	// Abandoned means that this is long ago. Whoever watches the lock for a while can then take it.
	Abandoned bool
}

func (e *LockedError) Error() string {
	if e.Info.ID == "" {
		return fmt.Sprintf("the state %s is locked by another run that has not yet written who it is", e.Path)
	}
	doing := ""
	if e.Info.Operation != "" {
		doing = e.Info.Operation + ", "
	}
	return fmt.Sprintf("the state %s is locked by %s (%slock ID %s)", e.Path, e.Info.Who, doing, e.Info.ID)
}

// watching is how long Acquire waits at least for a lock that seems abandoned: a store takes it over after a minute.
const watching = 75 * time.Second

// Acquire locks a store, waiting up to wait for whoever holds it. A lock that seems abandoned is worth some more.
func Acquire(ctx context.Context, store Store, info LockInfo, wait time.Duration) (Lease, error) {
	begun := time.Now()
	deadline := begun.Add(wait)
	var locked *LockedError
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		lease, err := store.Lock(ctx, info)
		if locked != nil && err != nil && ctx.Err() != nil { // it was interrupted while it asked again
			return nil, gaveUp(ctx, locked)
		}
		if errors.As(err, &locked) && locked.Abandoned && wait < watching {
			deadline = begun.Add(watching)
		}
		left := time.Until(deadline)
		if !errors.As(err, &locked) || left <= 0 {
			return lease, err
		}
		select {
		case <-ctx.Done():
			return nil, gaveUp(ctx, locked)
		case <-time.After(min(pause, left)):
		}
	}
}

func gaveUp(ctx context.Context, locked *LockedError) error {
	return fmt.Errorf("gave up waiting: %w (%w)", locked, context.Cause(ctx))
}

// PushError is why a state can't replace the stored one.
type PushError struct {
	Given, Stored Version
}

func (e *PushError) Error() string {
	switch {
	case e.Given.Lineage != e.Stored.Lineage:
		return fmt.Sprintf("the given state belongs to another stack (lineage %s) than the stored one (lineage %s)",
			e.Given.Lineage, e.Stored.Lineage)
	case e.Given.Serial < e.Stored.Serial:
		return fmt.Sprintf("the given state (serial %d) is older than the stored one (serial %d)", e.Given.Serial, e.Stored.Serial)
	}
	return fmt.Sprintf("the given state differs from the stored one, yet both have serial %d: one of them is a stray copy", e.Given.Serial)
}

// Push stores a state that comes from elsewhere: an errored state, a backup, another
// store. An empty state that no apply has used makes room for it. Without force it does
// not replace another stack's state, a newer one, another one with the same serial, or
// one that can't be read.
func Push(ctx context.Context, lease Lease, s *State, force bool) error {
	stored, err := lease.Read(ctx)
	switch {
	case errors.Is(err, ErrNotExist), force:
		return lease.Replace(ctx, s)
	case err != nil:
		return err
	case stored.IsUnused():
		return lease.Replace(ctx, s)
	case s.Lineage != stored.Lineage, s.Serial < stored.Serial:
		return &PushError{Given: s.Version(), Stored: stored.Version()}
	case s.Serial > stored.Serial:
		return lease.Replace(ctx, s)
	case !s.Equal(stored):
		return &PushError{Given: s.Version(), Stored: stored.Version()}
	}
	return nil
}
