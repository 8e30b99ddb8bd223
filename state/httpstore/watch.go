package httpstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kplan.dev/kplan/state"
)

// watcher knows whether a run still holds its lock.
type watcher struct {
	store  *Store
	info   state.LockInfo // the lock
	asking state.LockInfo // under whose ID the server is asked for it

	mu    sync.Mutex // one question at a time
	stray bool       // a question without an answer may have taken the lock
	ended bool

	times    sync.Mutex
	asked    time.Time // when the last question was answered
	failed   time.Time // when one was not
	lost     chan struct{}
	loseOnce sync.Once
	released chan struct{} // closed to end watch
}

// check reports whether the lock is held: whoever asks for it under another ID is refused, by the one who holds it. If it is
// granted, nobody held it, and it is given back.
func (w *watcher) check(ctx context.Context, patience time.Duration) (held bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || w.isLost() {
		return false, nil
	}
	granted, holder, err := w.store.take(ctx, w.asking, patience)
	if err != nil {
		w.note(&w.failed)
		w.stray = true
		return false, err
	}
	if granted || holder.ID == w.asking.ID {
		_, err = w.store.release(ctx, w.asking, patience)
		w.stray = err != nil
		w.lose()
		return false, nil
	}
	if holder.ID != "" && holder.ID != w.info.ID {
		w.lose()
		return false, nil
	}
	w.note(&w.asked)
	return true, nil
}

func (w *watcher) note(when *time.Time) {
	w.times.Lock()
	defer w.times.Unlock()
	*when = time.Now()
}

// watch asks in a rhythm, until the lock is released or lost. That there is no answer means nothing: the lock does not end
// by itself.
func (w *watcher) watch() {
	tick := time.NewTicker(w.store.client.timing.Check)
	defer tick.Stop()
	for {
		select {
		case <-w.released:
			return
		case <-w.lost:
			return
		case <-tick.C:
			w.ask()
		}
	}
}

// ask asks once.
func (w *watcher) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), w.store.client.timing.Lock)
	defer cancel()
	_, _ = w.check(ctx, 0)
}

// Lost asks where the last answer is too old to rely on.
func (w *watcher) Lost() <-chan struct{} {
	w.times.Lock()
	old := since(w.asked) >= w.store.client.timing.Unsure && since(w.failed) >= w.store.client.timing.Check
	w.times.Unlock()
	if old {
		w.ask()
	}
	return w.lost
}

// since is how long ago something was: by the clock that moves on while the machine sleeps, or the one that nobody sets,
// whichever has moved further.
func since(t time.Time) time.Duration {
	now := time.Now()
	return max(now.Sub(t), now.Round(0).Sub(t.Round(0)))
}

func (w *watcher) lose() { w.loseOnce.Do(func() { close(w.lost) }) }

func (w *watcher) isLost() bool {
	select {
	case <-w.lost:
		return true
	default:
		return false
	}
}

// release gives the lock back, after the last question: one that comes later would take it for nobody.
func (w *watcher) release() error {
	close(w.released)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	lost := &state.LostLockError{Path: w.store.name, ID: w.info.ID}
	if w.isLost() {
		return lost
	}
	most := w.store.client.timing.Unlock
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	released, err := w.store.release(ctx, w.info, most)
	if w.stray {
		_, _ = w.store.release(ctx, w.asking, 0)
	}
	switch {
	case err != nil:
		return fmt.Errorf("unlocking the state: %w. Its lock stays until it is removed: kplan force-unlock %s", err, w.info.ID)
	case !released:
		w.lose()
		return lost
	}
	return nil
}
