package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"kplan.dev/kplan/state"
)

// lease is a lock that this run holds. It knows the head, since nobody else may change it.
type lease struct {
	*Store
	info   state.LockInfo
	before *version // the current one when the lock was taken
	found  *version // the same, until it is among the earlier ones
	untidy bool     // a run before may have left parts
	leaves bool     // this one could not delete some

	mu       sync.Mutex // one swap at a time
	head     head
	at       string // the version of the head
	renewed  time.Time
	base     state.Base // what this lease last read or wrote
	unlocked bool
	// unsettled are the parts of writes that failed, but may still come through as long as nothing else was swapped.
	unsettled []string

	lost     chan struct{}
	loseOnce sync.Once
	released chan struct{} // closed to end renew
}

// errOverlaps is the error of a write whose serial a write before took, which seemed to have failed.
var errOverlaps = errors.New("a request that seemed to have failed was carried out later; try again")

func errNotInStep(place Place) error {
	return fmt.Errorf("%s answers with old content: its replicas are not in step", place)
}

// rebases are how often a swap begins again on a head that has changed under the same lock.
const rebases = 5

// swap changes the head. An answer that was lost is asked for again: the head tells whether it was this swap that came
// through. It returns a *state.LostLockError where the lock is somebody else's.
func (l *lease) swap(ctx context.Context, change func(head) (head, error)) error {
	begun := time.Now()
	for rebased := 0; ; rebased++ {
		next, err := change(l.head)
		if err != nil {
			return err
		}
		next.Format, next.Swap = headFormat, uuid.NewString()
		sent, err := l.send(ctx, next, begun)
		if err == nil {
			l.head, l.renewed = next, sent
			return nil
		}
		if !errors.Is(err, ErrChanged) {
			return err
		}
		now, at, err := readHead(ctx, l.place)
		switch {
		case err != nil:
			return err
		case now.Swap == next.Swap:
			l.head, l.at, l.renewed = now, at, sent
			return nil
		case at == l.at: // which it just called another one
			return errNotInStep(l.place)
		case !now.isHeldBy(l.info.ID):
			return &state.LostLockError{Path: l.String(), ID: l.info.ID}
		case rebased == rebases:
			return errNotInStep(l.place)
		}
		l.head, l.at = now, at // an earlier swap of this run came through after all, or the holder renewed the lock that is removed
	}
}

// send has the place replace the head, and asks again where no answer comes. It returns when the request was sent that was
// answered.
func (l *lease) send(ctx context.Context, next head, begun time.Time) (sent time.Time, err error) {
	text := next.encode()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		sent = time.Now()
		at, err := l.place.Swap(ctx, text, l.at)
		if err == nil {
			l.at = at
		}
		if !errors.Is(err, ErrUnanswered) || time.Since(begun) > l.timing.Patience {
			return sent, err
		}
		select {
		case <-ctx.Done():
			return sent, errors.Join(context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}

// renew keeps the lock until it is released or lost.
func (l *lease) renew() {
	tick := time.NewTicker(l.timing.Renew)
	defer tick.Stop()
	for {
		select {
		case <-l.released:
			return
		case <-tick.C:
			if !l.isKept() {
				l.lose()
				return
			}
		}
	}
}

// isKept renews the lock and reports whether this run can still rely on it: that is not so long ago that another run
// takes it.
func (l *lease) isKept() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlocked {
		return true // and has ended
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.timing.Attempt)
	defer cancel()
	err := l.swap(ctx, func(h head) (head, error) {
		h.Lock = &lock{LockInfo: l.info, Renewals: h.Lock.Renewals + 1, Renewed: time.Now().UTC()}
		return h, nil
	})
	return !errors.As(err, new(*state.LostLockError)) && l.age() < l.timing.Unsure
}

// age is how long ago the lock was renewed: by the clock that moves on while the machine sleeps, or the one that nobody
// sets, whichever has moved further.
func (l *lease) age() time.Duration {
	now := time.Now()
	return max(now.Sub(l.renewed), now.Round(0).Sub(l.renewed.Round(0)))
}

func (l *lease) lose() { l.loseOnce.Do(func() { close(l.lost) }) }

// Lost asks again where the last renewal is too long ago to rely on: this process was stopped, or the machine slept.
func (l *lease) Lost() <-chan struct{} {
	l.mu.Lock()
	old := l.age() >= l.timing.Unsure
	l.mu.Unlock()
	if old && !l.isKept() {
		l.lose()
	}
	return l.lost
}

// Read returns the current state of the head that this lease holds.
func (l *lease) Read(ctx context.Context) (*state.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head.Current == nil {
		l.base = state.Base{}
		return nil, state.ErrNotExist
	}
	s, base, err := get(ctx, l.place, l.head.Current, l.codec)
	if err != nil {
		return nil, l.unreadable(err)
	}
	l.base = base
	return s, nil
}

// Write stores s as the version after the one that this lease last read or wrote.
func (l *lease) Write(ctx context.Context, s *state.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	if err := l.base.Check(s, l.String()); err != nil {
		return err
	}
	if before := l.before; before != nil && l.base.IsNone() {
		return &state.StaleError{Path: l.String(), Want: s.Version(), Stored: state.Version{Lineage: before.Lineage, Serial: before.Serial}}
	}
	// A write before may have come through after all, and then something else is stored than the base.
	if current := l.head.Current; current != nil && current.Serial == l.base.Version.Serial && l.base.Has(s) {
		return nil
	}
	return l.store(ctx, s, l.serialAfter(s.Serial))
}

// serialAfter is the serial of the next version, after that of a write that came through though it had failed, too.
func (l *lease) serialAfter(serial uint64) uint64 {
	if l.head.Current != nil {
		serial = max(serial, l.head.Current.Serial)
	}
	return serial + 1
}

// Replace stores s whatever is stored now.
func (l *lease) Replace(ctx context.Context, s *state.State) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.mayWrite(ctx); err != nil {
		return err
	}
	serial := max(1, s.Serial)
	if current := l.head.Current; current != nil && serial <= current.Serial {
		serial = current.Serial + 1
	}
	return l.store(ctx, s, serial)
}

func (l *lease) mayWrite(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("writing the state: %w", err)
	}
	if l.unlocked {
		return &state.LostLockError{Path: l.String(), ID: l.info.ID}
	}
	return nil
}

// store writes the parts of a version, and then the head that has it.
func (l *lease) store(ctx context.Context, s *state.State, serial uint64) error {
	text, base, err := l.codec.EncodeAs(s, serial)
	if err != nil {
		return err
	}
	l.tidy(ctx)
	v, err := put(ctx, l.place, base.Version, text, l.info.Who)
	if err != nil {
		l.unsettled = append(l.unsettled, v.Parts...)
		return fmt.Errorf("writing the state to %s: %w", l.place, err)
	}
	var before head
	err = l.swap(ctx, func(h head) (head, error) {
		before = h
		if h.Current != nil && h.Current.Serial >= serial {
			return head{}, errOverlaps
		}
		return h.following(v, l.found), nil
	})
	if err != nil {
		l.unsettled = append(l.unsettled, v.Parts...) // the swap may still come through
		if errors.As(err, new(*state.LostLockError)) {
			l.lose()
			return err
		}
		return fmt.Errorf("writing the state to %s: %w", l.place, err)
	}
	s.Serial, l.base = serial, base
	l.found = nil
	l.remove(ctx, slices.Concat(before.parts(), l.unsettled))
	l.unsettled = nil
	return nil
}

// remove deletes those of some parts that the head does not have. Whoever still reads them reads the head again.
func (l *lease) remove(ctx context.Context, parts []string) {
	kept := l.head.parts()
	for _, name := range parts {
		if !slices.Contains(kept, name) {
			err := l.place.Delete(ctx, name) // it is only in the way, and the next run tries again
			l.leaves = l.leaves || err != nil
		}
	}
}

// tidy deletes the parts that a run has left which was killed or lost its lock.
func (l *lease) tidy(ctx context.Context) {
	if !l.untidy {
		return
	}
	names, err := l.place.List(ctx)
	if err != nil {
		return // a later run does it
	}
	l.remove(ctx, slices.DeleteFunc(names, func(name string) bool { return slices.Contains(l.unsettled, name) }))
	l.untidy = false
}

// unlockTime bounds the end of a run at a place that does not answer.
const unlockTime = 15 * time.Second

// Unlock releases the lock.
func (l *lease) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlocked {
		return nil
	}
	l.unlocked = true
	close(l.released)
	ctx, cancel := context.WithTimeout(context.Background(), unlockTime)
	defer cancel()
	err := l.swap(ctx, func(h head) (head, error) {
		h.Lock, h.Untidy = nil, l.untidy || l.leaves || len(l.unsettled) > 0
		return h, nil
	})
	if errors.As(err, new(*state.LostLockError)) {
		l.lose()
		return err
	}
	if err != nil {
		return fmt.Errorf("unlocking the state: %w; a minute after it was last renewed, anybody can take the lock", err)
	}
	return nil
}
