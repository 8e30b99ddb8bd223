package state

import (
	"context"
	"fmt"
	"os"
	"time"
)

// Stored is a version of the state that a store has.
type Stored struct {
	Version
	Written time.Time
	By      string // user@host, untrusted text; "" where it is not known
	Current bool
}

// Historian is a Store that keeps earlier versions of the state.
type Historian interface {
	Store
	// History lists the versions, the current one first.
	History(ctx context.Context) ([]Stored, error)
	// ReadSerial returns the version of that serial, or ErrNotExist.
	ReadSerial(ctx context.Context, serial uint64) (*State, error)
}

// History lists the file and its backup.
func (l *Local) History(ctx context.Context) ([]Stored, error) {
	var all []Stored
	for _, path := range []string{l.path, l.backup()} {
		s, err := Open(path).With(l.codec).Read(ctx)
		if err != nil {
			if path == l.path {
				return nil, err
			}
			continue // a backup that can't be used is none
		}
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("reading the state: %w", err)
		}
		all = append(all, Stored{Version: s.Version(), Written: info.ModTime().UTC(), Current: path == l.path})
	}
	return all, nil
}

// ReadSerial reads the file, or its backup.
func (l *Local) ReadSerial(ctx context.Context, serial uint64) (*State, error) {
	for _, path := range []string{l.path, l.backup()} {
		s, err := Open(path).With(l.codec).Read(ctx)
		if err == nil && s.Serial == serial {
			return s, nil
		}
		if err != nil && path == l.path {
			return nil, err
		}
	}
	return nil, ErrNotExist
}
