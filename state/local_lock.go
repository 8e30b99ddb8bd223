package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// localLease is a Local whose lock file this process holds open and locked.
//
// Two things make a write safe that comes after a force-unlock, even if this process
// was stopped in the middle of it. The lock file at its path is then no longer the one
// that is held, which is checked after the temporary file has been written; and
// whoever locks next removes temporary files before reading, so that renaming one of
// them, the last step, fails.
type localLease struct {
	*Local
	info     LockInfo
	lock     *os.File
	readOnly bool // this run may not write into the lock file who holds it

	mu       sync.Mutex // Write and Unlock may come from different goroutines
	unlocked bool
	base     stored // what this lease last read or wrote
	backedUp bool

	lost     chan struct{}
	loseOnce sync.Once
	watched  chan struct{} // closed to end watch
}

// Lock takes the lock if it is free: an exclusive lock of the operating system
// on the lock file, so that it ends with its holder, however that ends.
func (l *Local) Lock(ctx context.Context, info LockInfo) (Lease, error) {
	// A directory that does not exist is more likely a typing mistake than meant.
	if _, err := os.Stat(filepath.Dir(l.path)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the directory of the state, %s, does not exist; create it, or correct the path", filepath.Dir(l.path))
	}
	if _, err := statFile(l.path); err != nil { // better now than when there is something to save
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	f, writable, err := l.takeLock(ctx)
	if err != nil {
		return nil, err
	}
	info.Path = l.path
	lease := &localLease{Local: l, info: info, lock: f, readOnly: !writable,
		lost: make(chan struct{}), watched: make(chan struct{})}
	if writable {
		if err = writeInfo(f, info); err == nil {
			err = l.cleanUp()
		}
	}
	if err != nil && !l.reader { // the lock holds all the same, but a later write would fail after the change
		lease.release()
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	go lease.watch()
	return lease, nil
}

// Locked finds out by trying, so that another run which tries at the same moment has to ask again.
func (l *Local) Locked(ctx context.Context) (*LockedError, error) {
	f, _, err := l.ForReading().takeLock(ctx)
	var locked *LockedError
	switch {
	case errors.As(err, &locked):
		return locked, nil
	case errors.Is(err, ErrNoLock):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return nil, f.Close()
}

// cleanUp removes what a killed run may have left: a write that is not complete never
// will be, one that is stays, even after a power failure.
func (l *Local) cleanUp() error {
	removeTemps(l.path)
	removeTemps(l.backup())
	return syncDirectory(filepath.Dir(l.path))
}

// takeLock returns the lock file, locked, and whether this run may write into it.
func (l *Local) takeLock(ctx context.Context) (f *os.File, writable bool, err error) {
	for ctx.Err() == nil {
		f, writable, err := l.openLock()
		if err != nil {
			return nil, false, err
		}
		free, err := tryLock(f)
		if err != nil {
			f.Close()
			return nil, false, fmt.Errorf("locking the state: %s: %w", f.Name(), err)
		}
		if !free {
			info := readInfo(f)
			f.Close()
			return nil, false, &LockedError{Path: l.path, Info: info}
		}
		if isAt(f, l.lockFile()) {
			return f, writable, nil
		}
		f.Close() // it was removed by a force-unlock after it was opened here
	}
	return nil, false, ctx.Err()
}

func (l *Local) openLock() (f *os.File, writable bool, err error) {
	if info, err := os.Lstat(l.lockFile()); err == nil && !info.Mode().IsRegular() {
		return nil, false, fmt.Errorf("locking the state: %s is not a regular file, which the lock has to be; remove it", l.lockFile())
	}
	flags := os.O_RDWR | os.O_CREATE
	if l.reader {
		flags = os.O_RDWR
	}
	f, err = os.OpenFile(l.lockFile(), flags|noFollow, 0o600)
	writable = err == nil
	if l.reader && (errors.Is(err, fs.ErrPermission) || isReadOnly(err)) {
		f, err = os.OpenFile(l.lockFile(), os.O_RDONLY|noFollow, 0)
	}
	switch {
	case l.reader && errors.Is(err, fs.ErrNotExist):
		return nil, false, ErrNoLock
	case err != nil:
		return nil, false, fmt.Errorf("locking the state: %w", err)
	}
	return f, writable, nil
}

// writeInfo writes into the lock file who holds it.
func writeInfo(f *os.File, info LockInfo) error {
	if err := failpoint("locked"); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt(info.Encode(), 0); err != nil {
		return err
	}
	return failpoint("info-written")
}

// readInfo returns the zero LockInfo for one that can't be read: the lock holds
// without it.
func readInfo(f *os.File) LockInfo {
	text := make([]byte, 64<<10)
	n, _ := f.ReadAt(text, 0)
	info, err := DecodeLockInfo(text[:n])
	if err != nil {
		return LockInfo{}
	}
	return info
}

// isAt reports whether the open file is the one that a path leads to.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(open, there)
}

// ForceUnlock removes the lock file with that id. A run that is still alive keeps a
// lock on a file that no longer counts.
func (l *Local) ForceUnlock(_ context.Context, id string) error {
	data, err := readFile(l.lockFile())
	if err != nil {
		return fmt.Errorf("unlocking the state: %w", err)
	}
	if len(data) == 0 {
		return fmt.Errorf("unlocking the state: %s is not locked", l.path)
	}
	info, err := DecodeLockInfo(data)
	if err != nil {
		return fmt.Errorf("unlocking the state: %s: %w; if no run of kplan is in progress, remove that file", l.lockFile(), err)
	}
	if id == "" || info.ID != id {
		return &LockIDError{Given: id, Info: info}
	}
	if err := os.Remove(l.lockFile()); err != nil {
		return fmt.Errorf("unlocking the state: %w; end process %d of %s, which ends the lock", err, info.PID, info.Who)
	}
	return nil
}

func (l *localLease) checkHeld() error {
	if l.unlocked || !isAt(l.lock, l.lockFile()) {
		l.lose()
		return &LostLockError{Path: l.path, ID: l.info.ID}
	}
	return nil
}

func (l *localLease) lose() { l.loseOnce.Do(func() { close(l.lost) }) }

// watchEvery is short, so that a run that lost its lock has not sent much more by the
// time the next one begins to change things.
const watchEvery = 50 * time.Millisecond

// watch notices between writes that the lock was lost.
func (l *localLease) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.watched:
			return
		case <-tick.C:
			if !isAt(l.lock, l.lockFile()) {
				l.lose()
				return
			}
		}
	}
}

// Lost also checks the lock, for whoever asks right before a change: a process that
// was stopped for long may ask before watch has run again.
func (l *localLease) Lost() <-chan struct{} {
	if !isAt(l.lock, l.lockFile()) {
		l.lose()
	}
	return l.lost
}

func (l *localLease) Unlock() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unlocked {
		return nil
	}
	lost := l.checkHeld()
	l.unlocked = true
	close(l.watched)
	if err := l.release(); err != nil {
		return fmt.Errorf("unlocking the state: %w; its lock file still names this run, but the lock itself is free", err)
	}
	return lost
}

// release empties the lock file, so that it names no holder, and closes it, also
// where the first fails. It is not removed: by now the file at its path may be
// another run's.
func (l *localLease) release() error {
	if l.readOnly {
		return l.lock.Close()
	}
	return errors.Join(failpoint("unlock"), l.lock.Truncate(0), l.lock.Close())
}
