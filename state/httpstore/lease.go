package httpstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"kplan.dev/kplan/state"
)

// lease is a lock that this run holds.
type lease struct {
	*Store
	info state.LockInfo
	held *watcher

	mu       sync.Mutex // one write at a time
	unlocked bool
	base     stored // what this lease last read or wrote
	// unsettled are writes without an answer, which may still be carried out.
	unsettled []stored
}

// stored identifies a text.
type stored struct {
	state.Base
	sum [sha256.Size]byte
}

func newLease(s *Store, info state.LockInfo) *lease {
	return &lease{Store: s, info: info, held: newWatcher(s, info)}
}

func (l *lease) check(ctx context.Context) (bool, error) { return l.held.check(ctx, 0) }

func (l *lease) watch() { l.held.watch() }

// Lost asks the server where its last answer is too old to rely on: this process was stopped, or the machine slept.
func (l *lease) Lost() <-chan struct{} { return l.held.Lost() }

// Read returns the stored state.
func (l *lease) Read(ctx context.Context) (*state.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text, err := l.fetch(ctx)
	if err != nil {
		return nil, err
	}
	if text == nil {
		l.base = stored{}
		return nil, state.ErrNotExist
	}
	s, base, err := l.decode(text)
	if err == nil {
		l.base = stored{base, sha256.Sum256(text)}
	}
	return s, err
}

// Write stores s as the version after the one that this lease last read or wrote.
func (l *lease) Write(ctx context.Context, s *state.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	if err := l.base.Check(s, l.name); err != nil {
		return err
	}
	if l.base.Has(s) && len(l.unsettled) == 0 {
		return nil
	}
	current, err := l.current(ctx)
	if err == nil {
		err = l.checkBase(current)
	}
	if err != nil {
		return err
	}
	if late := *s; l.base.Version.Serial > s.Serial { // a write before was carried out, though it seemed to have failed
		late.Serial = l.base.Version.Serial
		if l.base.Has(&late) {
			s.Serial = late.Serial
			return nil
		}
	}
	return l.store(ctx, s, max(s.Serial, l.base.Version.Serial)+1, current)
}

// Replace stores s whatever is stored now.
func (l *lease) Replace(ctx context.Context, s *state.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	current, err := l.current(ctx)
	if err != nil {
		return err
	}
	serial := max(1, s.Serial)
	if old := versionOf(current); old.Serial >= serial {
		serial = old.Serial + 1
	}
	return l.store(ctx, s, serial, current)
}

func (l *lease) mayWrite(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if l.unlocked || l.held.isLost() {
		return l.lostLock()
	}
	return nil
}

func (l *lease) lostLock() error {
	l.held.lose()
	return &state.LostLockError{Path: l.name, ID: l.info.ID}
}

// current returns what is stored, once it is sure that this run still holds the lock.
func (l *lease) current(ctx context.Context) ([]byte, error) {
	held, err := l.held.check(ctx, l.client.timing.Patience)
	switch {
	case err != nil:
		return nil, fmt.Errorf("writing the state: %w", err)
	case !held:
		return nil, l.lostLock()
	}
	begun := time.Now()
	for tries := 0; ; tries++ {
		text, err := l.fetch(ctx)
		if err != nil || !l.isBehind(text) {
			return text, err
		}
		if !l.client.pause(ctx, tries, begun, answer{}) {
			return nil, fmt.Errorf("%s answers with an older state (serial %d) than this run has read or written (serial %d): a cache or "+
				"a replica of it is not in step", l.name, versionOf(text).Serial, l.base.Version.Serial)
		}
	}
}

// isBehind reports whether a text is an older version of the state than this lease knows.
func (l *lease) isBehind(text []byte) bool {
	if sha256.Sum256(text) == l.base.sum {
		return false
	}
	v := versionOf(text)
	return v.Lineage == l.base.Version.Lineage && v.Serial < l.base.Version.Serial
}

// checkBase makes sure that what is stored is what this lease last read or wrote, byte for byte.
func (l *lease) checkBase(current []byte) error {
	switch {
	case current == nil && l.base.IsNone():
		return nil
	case current == nil:
		return &state.StaleError{Path: l.name, Want: l.base.Version}
	}
	sum := sha256.Sum256(current)
	if !l.base.IsNone() && sum == l.base.sum {
		return nil
	}
	for _, late := range l.unsettled {
		if sum == late.sum {
			l.base = late
			return nil
		}
	}
	return l.isOther(current)
}

// isOther is the error of finding something else stored than was there before.
func (l *lease) isOther(current []byte) error {
	if current == nil {
		return &state.StaleError{Path: l.name, Want: l.base.Version}
	}
	s, _, err := l.decode(current)
	if err != nil {
		return fmt.Errorf("the state was damaged while this run held its lock: %w", err)
	}
	return &state.StaleError{Path: l.name, Want: l.base.Version, Stored: s.Version()}
}

// store stores s under a serial, in place of what is stored now.
func (l *lease) store(ctx context.Context, s *state.State, serial uint64, current []byte) error {
	text, base, err := l.codec.EncodeAs(s, serial)
	if err != nil {
		return err
	}
	written := stored{base, sha256.Sum256(text)}
	if err := l.update(ctx, text, current); err != nil {
		l.unsettled = append(l.unsettled, written) // it may still be carried out
		if lost := new(state.LostLockError); errors.As(err, &lost) {
			return lost
		}
		return fmt.Errorf("writing the state to %s: %w", l.name, err)
	}
	s.Serial, l.base, l.unsettled = serial, written, nil
	return nil
}

// update sends a text until it is known to be stored, or not to be.
func (l *lease) update(ctx context.Context, text, before []byte) error {
	to, begun := l.state.withID(l.info.ID), time.Now()
	for tries := 0; ; tries++ {
		a, err := l.client.send(ctx, to, text, l.client.timing.Attempt)
		if err == nil && !a.isPage() {
			switch a.status {
			case http.StatusOK, http.StatusCreated, http.StatusNoContent:
				return nil
			}
		}
		if err == nil {
			err = l.refusal(to, a)
		}
		if !a.isUnsure() {
			return err
		}
		if settled, result := l.outcome(ctx, text, before); settled {
			return result
		}
		if again := a.status == 0 || a.isTemporary(); !again || !l.client.pause(ctx, tries, begun.Add(l.client.timing.Patience), a) {
			return err
		}
	}
}

// outcome finds out what became of a write, if that can be found out: it was carried out, or never can be.
func (l *lease) outcome(ctx context.Context, text, before []byte) (settled bool, result error) {
	now, err := l.fetch(ctx)
	switch {
	case err != nil:
		return false, nil
	case bytes.Equal(now, text):
		return true, nil
	}
	if held, err := l.check(ctx); err == nil && !held {
		return true, l.lostLock()
	}
	if !bytes.Equal(now, before) && !l.isBehind(now) {
		return true, l.isOther(now)
	}
	return false, nil
}

// Unlock releases the lock.
func (l *lease) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlocked {
		return nil
	}
	l.unlocked = true
	return l.held.release()
}
