package httpstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

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
	life     context.Context
	end      context.CancelFunc // of questions without an answer
}

func newWatcher(s *Store, info state.LockInfo) *watcher {
	w := &watcher{store: s, info: info, asking: info, lost: make(chan struct{}), released: make(chan struct{})}
	w.asking.ID = uuid.NewString()
	w.asking.Operation = "asking who holds the lock, for " + info.Operation
	w.life, w.end = context.WithCancel(context.Background())
	return w
}

// check reports whether the lock is held: whoever asks for it under another ID is refused, by the one who holds it. If it is
// granted, nobody held it, and it is given back.
func (w *watcher) check(ctx context.Context, patience time.Duration) (held bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.question(ctx, patience)
}

// question is check for whoever has mu.
func (w *watcher) question(ctx context.Context, patience time.Duration) (held bool, err error) {
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
			w.ask(w.store.client.timing.Check / 2)
		}
	}
}

// ask asks, unless others have, and not so long ago.
func (w *watcher) ask(age time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.isOlder(age) {
		return
	}
	ctx, cancel := context.WithTimeout(w.life, w.store.client.timing.Lock)
	defer cancel()
	_, _ = w.question(ctx, 0)
}

// isOlder reports whether there is no answer that is younger, and no try that was in vain just now.
func (w *watcher) isOlder(age time.Duration) bool {
	w.times.Lock()
	defer w.times.Unlock()
	return since(w.asked) >= age && since(w.failed) >= w.store.client.timing.Check/2
}

// Lost asks where the last answer is too old to rely on.
func (w *watcher) Lost() <-chan struct{} {
	if unsure := w.store.client.timing.Unsure; w.isOlder(unsure) {
		w.ask(unsure)
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

// lastQuestion is how long a question that is on its way may take when the lock is given back.
const lastQuestion = 2 * time.Second

// release gives the lock back, after the last question: one that comes later would take it for nobody.
func (w *watcher) release() error {
	close(w.released)
	defer w.end()
	defer time.AfterFunc(lastQuestion, w.end).Stop()
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
