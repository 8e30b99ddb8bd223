package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
)

func (l *localLease) Read(context.Context) (*State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, base, err := l.Local.read()
	if err == nil || errors.Is(err, ErrNotExist) {
		l.base = base
	}
	return s, err
}

func (l *localLease) Write(ctx context.Context, s *State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.base.Check(s, l.path); err != nil {
		return err
	}
	current, err := l.readForWrite(ctx)
	if err != nil {
		return err
	}
	if err := l.checkBase(current); err != nil {
		return err
	}
	if l.base.synced && l.base.Has(s) {
		return nil
	}
	if err := l.backUp(current, l.backup()); err != nil {
		return err
	}
	return l.commit(s, s.Serial+1)
}

func (l *localLease) Replace(ctx context.Context, s *State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	current, err := l.readForWrite(ctx)
	if err != nil {
		return err
	}
	serial := max(1, s.Serial)
	backup := l.backup()
	if old, _, err := l.codec.decodeMarked(current); err == nil {
		serial = max(serial, old.Serial+1)
	} else if backup, err = l.damaged(current); err != nil {
		return l.explain("backing up", err)
	}
	if err := l.backUp(current, backup); err != nil {
		return err
	}
	return l.commit(s, serial)
}

// damaged is the file to keep a damaged state in: one that does not exist yet, or has
// the same content. No good backup is overwritten by it, and none of these by another:
// the one that matters may be the first.
func (l *localLease) damaged(current []byte) (path string, err error) {
	for n := 1; ; n++ {
		path = l.path + ".damaged"
		if n > 1 {
			path = fmt.Sprintf("%s.%d", path, n)
		}
		kept, err := readFile(path)
		if err != nil || kept == nil || bytes.Equal(kept, current) {
			return path, err
		}
	}
}

func (l *localLease) readForWrite(ctx context.Context) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("writing the state: %w", err)
	}
	if err := l.checkHeld(); err != nil {
		return nil, err
	}
	current, err := readFile(l.path)
	return current, l.explain("writing", err)
}

// checkBase makes sure that the file is as this lease last read or wrote it, byte for
// byte: an edit that kept the serial is a change, too.
func (l *localLease) checkBase(current []byte) error {
	switch {
	case current == nil && l.base.IsNone():
		return nil
	case current == nil:
		return &StaleError{Path: l.path, Want: l.base.Version}
	case !l.base.IsNone() && sha256.Sum256(current) == l.base.file:
		return nil
	}
	s, err := l.codec.Decode(current)
	if err != nil {
		return fmt.Errorf("the state %s was damaged while this run held its lock: %w", l.path, err)
	}
	return &StaleError{Path: l.path, Want: l.base.Version, Stored: s.Version()}
}

// commit stores s under a serial.
func (l *localLease) commit(s *State, serial uint64) error {
	data, base, err := l.codec.EncodeAs(s, serial)
	if err != nil {
		return err
	}
	err = writeFile(l.path, data, l.checkHeld)
	// A run that lost its lock right after it had taken it may still remove temporary
	// files, and this run's with them.
	for tries := 0; errors.Is(err, fs.ErrNotExist) && l.checkHeld() == nil && tries < 3; tries++ {
		err = writeFile(l.path, data, l.checkHeld)
	}
	var notSynced *notSyncedError
	if err != nil && !errors.As(err, &notSynced) {
		return l.explain("writing", err)
	}
	s.Serial = serial
	l.base = stored{base, sha256.Sum256(data), err == nil}
	if err != nil {
		return fmt.Errorf("writing the state: it is in place, but a power failure could undo it: %w", err)
	}
	return nil
}

// backUp keeps what this lease found, once: later writes of the same run are steps of
// one change.
func (l *localLease) backUp(current []byte, path string) error {
	if l.backedUp || current == nil {
		return nil
	}
	if err := writeFile(path, current, l.checkHeld); err != nil {
		return l.explain("backing up", err)
	}
	l.backedUp = true
	return failpoint("backed-up")
}

// explain adds what an error was met at, unless the lock was lost: then the next
// holder may have removed the temporary file, and losing the lock is the cause.
func (l *localLease) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	if lost := l.checkHeld(); lost != nil {
		return lost
	}
	return fmt.Errorf("%s the state: %w", doing, err)
}
