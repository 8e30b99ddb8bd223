package state

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Local is a Store in one file. Beside it stand, with the file's name and a
// suffix: .lock, which is empty unless a run holds the lock, .backup with the
// state from before the last run that wrote, and .tmp-… for the instant of a
// write.
type Local struct {
	path   string
	reader bool // see ForReading
}

// Open returns the store in the file at path, which need not exist yet.
func Open(path string) *Local { return &Local{path: path} }

// ForReading is the same store for a run that changes nothing, maybe of a user
// who may not: locking it makes no file. Where there is no lock file, no run has
// changed this state here, and Lock returns ErrNoLock. The file is not removed
// afterwards instead: who looks whether it is his own before he removes it may
// still remove that of another, who has come in between.
func (l *Local) ForReading() *Local { return &Local{l.path, true} }

// ErrNoLock is the error of locking for reading where no run has ever locked.
var ErrNoLock = errors.New("there is no lock file")

// Path is the file the state is kept in.
func (l *Local) Path() string { return l.path }

// Read returns the stored state without locking it, or ErrNotExist. Writes
// replace the file as a whole, so what is read is whole, if perhaps not the
// latest.
func (l *Local) Read(context.Context) (*State, error) {
	s, _, err := l.read()
	return s, err
}

// stored is what stands in the file.
type stored struct {
	version Version           // zero: no file
	file    [sha256.Size]byte // of the bytes
	content string            // the state's checksum
	synced  bool              // a power failure can't undo it
}

func (l *Local) read() (*State, stored, error) {
	data, err := readFile(l.path)
	if err != nil {
		return nil, stored{}, fmt.Errorf("reading the state: %w", err)
	}
	if data == nil {
		return nil, stored{}, ErrNotExist
	}
	s, content, err := decode(data)
	var bad *DecodeError
	if errors.As(err, &bad) {
		bad.Path = l.path
		l.recommendBackup(bad)
	}
	if err != nil {
		return nil, stored{}, err
	}
	return s, stored{s.Version(), sha256.Sum256(data), content, true}, nil
}

// recommendBackup makes the advice exact where the backup is whole.
func (l *Local) recommendBackup(e *DecodeError) {
	data, err := readFile(l.backup())
	if e.Advice != adviseRestore || err != nil || data == nil {
		return
	}
	if s, err := Decode(data); err == nil {
		e.Advice = fmt.Sprintf("the backup %s is whole (serial %d): put it in its place", l.backup(), s.Serial)
	}
}

func (l *Local) backup() string   { return l.path + ".backup" }
func (l *Local) lockFile() string { return l.path + ".lock" }

// localLease is a Local whose lock file this process holds open and locked.
//
// Two things make a write safe that comes after the lock was broken, even if
// this process stood still in the midst of it. The lock file at its path is
// then no longer the one that is held, which is looked at after the temporary
// file has been written; and whoever locks next removes temporary files before
// reading, so that renaming one of them, the last step, fails.
type localLease struct {
	*Local
	info       LockInfo
	leftBehind LockInfo
	lock       *os.File
	silent     bool // the lock file does not say whose it is, who may not write

	mu       sync.Mutex // Write and Unlock may come from different goroutines
	unlocked bool
	base     stored // what this lease last read or wrote
	backedUp bool

	lost     chan struct{}
	loseOnce sync.Once
	watched  chan struct{} // closed to end the watch
}

// Lock takes the lock if it is free: an exclusive lock of the operating system
// on the lock file, so that it ends with its holder, however that ends.
func (l *Local) Lock(ctx context.Context, info LockInfo) (Lease, error) {
	// A folder that is not there is more likely a slip than a wish.
	if _, err := os.Stat(filepath.Dir(l.path)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the state is to be kept in the folder %s, which is not there; make it, or correct the path", filepath.Dir(l.path))
	}
	if _, err := statFile(l.path); err != nil { // better now than when there is something to save
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	f, mine, err := l.takeLock(ctx)
	if err != nil {
		return nil, err
	}
	info.Path = l.path
	lease := &localLease{Local: l, info: info, lock: f, silent: !mine,
		lost: make(chan struct{}), watched: make(chan struct{})}
	if mine {
		lease.leftBehind, err = introduce(f, info)
		if err == nil {
			err = l.settle()
		}
	}
	if err != nil && !l.reader { // the lock holds all the same; what can't be written now is better known before a change
		lease.release()
		return nil, fmt.Errorf("locking the state: %w", err)
	}
	go lease.watch()
	return lease, nil
}

// settle ends what a run before this one may have begun: a write that is not
// complete never will be, one that is will stay, even if power fails.
func (l *Local) settle() error {
	removeTemps(l.path)
	removeTemps(l.backup())
	return syncFolder(filepath.Dir(l.path))
}

// takeLock returns the lock file, locked, and whether this run may write into it.
func (l *Local) takeLock(ctx context.Context) (f *os.File, mine bool, err error) {
	for ctx.Err() == nil {
		f, mine, err := l.openLock()
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
			return f, mine, nil
		}
		f.Close() // its holder's lock was broken between our open and our lock
	}
	return nil, false, ctx.Err()
}

func (l *Local) openLock() (f *os.File, mine bool, err error) {
	flags := os.O_RDWR | os.O_CREATE
	if l.reader {
		flags = os.O_RDWR
	}
	f, err = os.OpenFile(l.lockFile(), flags|noFollow, 0o600)
	mine = err == nil
	if l.reader && (errors.Is(err, fs.ErrPermission) || isReadOnly(err)) {
		f, err = os.OpenFile(l.lockFile(), os.O_RDONLY|noFollow, 0)
	}
	switch {
	case l.reader && errors.Is(err, fs.ErrNotExist):
		return nil, false, ErrNoLock
	case err != nil:
		return nil, false, fmt.Errorf("locking the state: %w", err)
	}
	return f, mine, nil
}

// introduce writes into the lock file who holds it, and returns who did before
// and was killed: a run that ends well empties the file.
func introduce(f *os.File, info LockInfo) (leftBehind LockInfo, err error) {
	leftBehind = readInfo(f)
	if err := failpoint("locked"); err != nil {
		return LockInfo{}, err
	}
	if err := f.Truncate(0); err != nil {
		return LockInfo{}, err
	}
	if _, err := f.WriteAt(info.Encode(), 0); err != nil {
		return LockInfo{}, err
	}
	return leftBehind, failpoint("introduced")
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

// isAt says whether the open file is the one that a path leads to.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(open, there)
}

// ForceUnlock breaks the lock with that id by removing its file. A run that
// still lives keeps a lock on a file that no longer counts.
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
		return fmt.Errorf("unlocking the state: %s: %w; if no run of kplan is under way, remove that file", l.lockFile(), err)
	}
	if id == "" || info.ID != id {
		return &LockIDError{Given: id, Info: info}
	}
	if err := os.Remove(l.lockFile()); err != nil {
		return fmt.Errorf("unlocking the state: %w; end process %d of %s, which ends the lock", err, info.PID, info.Who)
	}
	return nil
}

// LockIDError says that the lock to be broken is another one.
type LockIDError struct {
	Given string
	Info  LockInfo // untrusted text
}

func (e *LockIDError) Error() string {
	return fmt.Sprintf("the lock ID %q does not match that of the lock, %q, held by %s; nothing was unlocked", e.Given, e.Info.ID, e.Info.Who)
}

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
	if err := l.checkFollows(s); err != nil {
		return err
	}
	current, err := l.readForWrite(ctx)
	if err != nil {
		return err
	}
	if err := l.checkBase(current); err != nil {
		return err
	}
	if text, err := s.canonical(); err == nil && l.base.synced && l.base.content == checksum(text) {
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
	if old, err := Decode(current); err == nil {
		serial = max(serial, old.Serial+1)
	} else if backup, err = l.damaged(current); err != nil {
		return l.explain("backing up", err)
	}
	if err := l.backUp(current, backup); err != nil {
		return err
	}
	return l.commit(s, serial)
}

// damaged is the file to keep a damaged state in: one that is not there yet, or
// has the same content. No good backup is lost for it, and none of these for
// another: the one that matters may be the first.
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

// checkFollows catches a state that this lease never gave out, such as one that
// was read before the lock was taken.
func (l *localLease) checkFollows(s *State) error {
	if l.base.version == s.Version() || l.base.version == (Version{}) && s.Serial == 0 {
		return nil
	}
	return &StaleError{Path: l.path, Want: s.Version(), Stored: l.base.version}
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

// checkBase makes sure that the file is as this lease last read or wrote it, to
// the byte: an edit that kept the serial is a change as well.
func (l *localLease) checkBase(current []byte) error {
	switch {
	case current == nil && l.base.version == Version{}:
		return nil
	case current == nil:
		return &StaleError{Path: l.path, Want: l.base.version}
	case l.base.version != Version{} && sha256.Sum256(current) == l.base.file:
		return nil
	}
	s, err := Decode(current)
	if err != nil {
		return fmt.Errorf("the state %s was damaged while this run held its lock: %w", l.path, err)
	}
	return &StaleError{Path: l.path, Want: l.base.version, Stored: s.Version()}
}

// commit stores s under a serial.
func (l *localLease) commit(s *State, serial uint64) error {
	next := *s
	next.Serial = serial
	data, content, err := next.encode()
	if err != nil {
		return err
	}
	err = writeFile(l.path, data, l.checkHeld)
	// A run whose lock was broken right after it had taken it may still clear
	// away what it takes for leftovers, and this run's temporary file with them.
	for tries := 0; errors.Is(err, fs.ErrNotExist) && l.checkHeld() == nil && tries < 3; tries++ {
		err = writeFile(l.path, data, l.checkHeld)
	}
	var notSynced *notSyncedError
	if err != nil && !errors.As(err, &notSynced) {
		return l.explain("writing", err)
	}
	s.Serial = serial
	l.base = stored{next.Version(), sha256.Sum256(data), content, err == nil}
	if err != nil {
		return fmt.Errorf("writing the state: it is in place, but a power failure could undo it: %w", err)
	}
	return nil
}

// backUp keeps what this lease found, once: later writes of the same run are
// steps of one change.
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

// explain says what an error was met at, unless the lock was lost: then the
// next holder may have removed our temporary file, and that is no news.
func (l *localLease) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	if lost := l.checkHeld(); lost != nil {
		return lost
	}
	return fmt.Errorf("%s the state: %w", doing, err)
}

func (l *localLease) checkHeld() error {
	if l.unlocked || !isAt(l.lock, l.lockFile()) {
		l.lose()
		return &LostLockError{Path: l.path, ID: l.info.ID}
	}
	return nil
}

func (l *localLease) lose() { l.loseOnce.Do(func() { close(l.lost) }) }

// watchEvery is short, so that a run whose lock was broken has not sent much
// more by the time that the next one begins to change things.
const watchEvery = 50 * time.Millisecond

// watch notices a broken lock between writes.
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

// Lost also looks, for whoever asks right before doing something: a process that
// was halted for long may ask before watch has had its turn.
func (l *localLease) Lost() <-chan struct{} {
	if !isAt(l.lock, l.lockFile()) {
		l.lose()
	}
	return l.lost
}

func (l *localLease) LeftBehind() (LockInfo, bool) { return l.leftBehind, l.leftBehind.ID != "" }

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
		return fmt.Errorf("unlocking the state: %w", err)
	}
	return lost
}

// release empties the lock file, so that it tells of no holder, and lets go of
// it, also where the first fails. It is not removed: by now another run's may
// stand at its path.
func (l *localLease) release() error {
	if l.silent {
		return l.lock.Close()
	}
	return errors.Join(failpoint("unlock"), l.lock.Truncate(0), l.lock.Close())
}
