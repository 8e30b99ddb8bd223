package state

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MigratedError is the error of reading a state that was migrated elsewhere. Who went on with it here would change the
// same objects by two records that no longer agree.
type MigratedError struct {
	Path string // where it was read, "" if unknown
	Version
	To string // the name of the place that has it now: text of whoever wrote it
}

func (e *MigratedError) Error() string {
	what := "the state"
	if e.Path != "" {
		what += " " + e.Path
	}
	return fmt.Sprintf("%s was migrated to %s, and is no longer used here", what, e.To)
}

// ErrSamePlace is the error of a migration between two names of one place.
var ErrSamePlace = errors.New("both are one place")

// Migrated is what a migration found and did.
type Migrated struct {
	Objects int
	// Before means that an earlier migration to the same place had come to its end.
	Before bool
}

// Migrate copies a state to another place, reads the copy again, and only then marks the one that it was copied from as
// migrated, so that whoever still knows the old place is told. Both places are locked meanwhile. Cut off at any point it
// leaves one state to be used, and can be repeated: until the mark, the old one; from then on, the copy.
//
// It returns ErrNotExist where there is nothing to copy, and a *PushError where the other place has the state of another
// stack, or a newer one.
func Migrate(ctx context.Context, from, to *Place, info LockInfo, wait time.Duration) (done Migrated, err error) {
	source, err := Acquire(ctx, from, info, wait)
	if err != nil {
		return Migrated{}, err
	}
	defer func() { err = errors.Join(err, source.Unlock()) }()
	s, err := source.Read(ctx)
	var migrated *MigratedError
	if errors.As(err, &migrated) && migrated.To == to.FullName() {
		return Migrated{Before: true}, holds(ctx, to, migrated.Version)
	}
	if err != nil {
		return Migrated{}, err
	}
	if err := copyTo(ctx, to, s, info, wait); err != nil {
		return Migrated{}, err
	}
	marked := *s
	marked.MigratedTo = to.FullName()
	if err := source.Write(ctx, &marked); err != nil {
		return Migrated{}, fmt.Errorf("%s has a copy, and nothing uses it yet: %w", to.Name, err)
	}
	return Migrated{Objects: len(s.Objects)}, nil
}

// holds makes sure that a place has the state that an earlier migration brought there.
func holds(ctx context.Context, to *Place, of Version) error {
	s, err := to.Read(ctx)
	switch {
	case errors.Is(err, ErrNotExist):
		return fmt.Errorf("the state was migrated to %s, where there is none now", to.Name)
	case err != nil:
		return err
	case s.Lineage != of.Lineage:
		return &PushError{Given: of, Stored: s.Version()}
	case s.Serial+1 < of.Serial: // the mark was one more write
		return fmt.Errorf("the state was migrated to %s, and that has an older one now, serial %d", to.Name, s.Serial)
	}
	return nil
}

// copyTo stores a copy of s at a place that has no state, or an older one of the same stack, and reads it again.
func copyTo(ctx context.Context, to *Place, s *State, info LockInfo, wait time.Duration) (err error) {
	lease, err := Acquire(ctx, to, info, wait)
	var locked *LockedError
	if errors.As(err, &locked) && locked.Info.ID == info.ID { // by the lock of the source
		return ErrSamePlace
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lease.Unlock()) }()
	stored, err := lease.Read(ctx)
	var migrated *MigratedError
	switch {
	case errors.Is(err, ErrNotExist):
	case errors.As(err, &migrated) && migrated.Lineage == s.Lineage: // it comes back
	case err != nil:
		return err
	case stored.IsUnused() && !s.IsUnused():
	case isCopy(stored, s):
		return nil // which an earlier migration made that was cut off
	case stored.Lineage != s.Lineage || stored.Serial >= s.Serial:
		return &PushError{Given: s.Version(), Stored: stored.Version()}
	}
	written := *s
	if err := lease.Replace(ctx, &written); err != nil {
		return err
	}
	again, err := to.Read(ctx)
	if err != nil {
		return fmt.Errorf("reading the copy in %s: %w", to.Name, err)
	}
	if !again.Equal(&written) {
		return fmt.Errorf("the copy in %s is not what was written; nothing uses it", to.Name)
	}
	return nil
}

// isCopy reports whether two states differ in nothing but the serial.
func isCopy(a, b *State) bool {
	same := *a
	same.Serial = b.Serial
	return same.Equal(b)
}
