package state

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Local is a Store in one file. Next to it are, with the file's name and a suffix:
// .lock, which is empty unless a run holds the lock, .backup with the state from
// before the last run that wrote, and .tmp-… during a write.
type Local struct {
	path   string
	reader bool // see ForReading
	codec  Codec
}

// Open returns the store in the file at path, which need not exist yet.
func Open(path string) *Local { return &Local{path: path} }

// ForReading is the same store for a run that changes nothing, maybe of a user who
// may not: locking it creates no file. Where there is no lock file, no run has changed
// this state here, and Lock returns ErrNoLock. Creating the file and removing it
// afterwards would be no alternative: it might remove that of another run.
func (l *Local) ForReading() *Local { return &Local{l.path, true, l.codec} }

// ErrNoLock is the error of locking for reading where no run has ever locked.
var ErrNoLock = errors.New("there is no lock file")

// With is the same store, whose states are encrypted.
func (l *Local) With(c Codec) *Local { return &Local{l.path, l.reader, c} }

// Path is the file the state is kept in.
func (l *Local) Path() string { return l.path }

// Read returns the stored state without locking it, or ErrNotExist. Writes replace the
// file as a whole, so what is read is consistent, but not necessarily the latest.
func (l *Local) Read(context.Context) (*State, error) {
	s, _, err := l.read()
	return s, err
}

// stored identifies what is in the file.
type stored struct {
	Base
	file   [sha256.Size]byte // of the bytes
	synced bool              // a power failure can't undo it
}

func (l *Local) read() (*State, stored, error) {
	data, err := readFile(l.path)
	if err != nil {
		return nil, stored{}, fmt.Errorf("reading the state: %w", err)
	}
	if data == nil {
		return nil, stored{}, ErrNotExist
	}
	s, content, err := l.codec.decode(data)
	var bad *DecodeError
	if errors.As(Locate(err, l.path), &bad) {
		l.recommendBackup(bad)
	}
	if err != nil {
		return nil, stored{}, err
	}
	return s, stored{Base{s.Version(), content}, sha256.Sum256(data), true}, nil
}

// recommendBackup makes the advice to restore exact: by whether there is a backup, and an intact one.
func (l *Local) recommendBackup(e *DecodeError) {
	if e.Advice != adviseRestore {
		return
	}
	data, err := readFile(l.backup())
	switch {
	case err != nil:
		return
	case data == nil:
		e.Advice = "there is no backup beside it: " + adviseRebuild
		return
	}
	s, err := l.codec.Decode(data)
	if err != nil {
		e.Advice = fmt.Sprintf("the backup %s can't be used either: %s", l.backup(), adviseRebuild)
		return
	}
	e.Advice = fmt.Sprintf("the backup %s is intact (serial %d): put it in its place", l.backup(), s.Serial)
}

func (l *Local) backup() string   { return l.path + ".backup" }
func (l *Local) lockFile() string { return l.path + ".lock" }
