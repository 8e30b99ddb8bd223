// Package remote is the state.Store for places that several machines reach. A Place keeps small named texts;
// of all that is asked of it, only one must be atomic: to replace the head if nobody else has.
//
// The head is everything that decides, in one text: which version of the state is stored and in which parts,
// and who holds the lock. So whatever a run does, write or renew or unlock, is one comparison and swap of the
// head, and a run whose lock was taken away can't write: the head is no longer the one it knows. The parts of
// a version are written before the head names them and never changed, so no reader sees half a state.
package remote

import (
	"context"
	"errors"
)

// Place is where heads and parts are kept: for each stack one head, and any number of parts. Its methods may be
// called from several goroutines.
type Place interface {
	// String names the place in messages: "Lease state/kplan-acme".
	String() string
	// Head returns the head and its version, which each swap changes. It returns state.ErrNotExist where
	// there is no head.
	Head(ctx context.Context) (head []byte, version string, err error)
	// Swap replaces the head that has the version, "" for none, and returns the new version. It returns ErrChanged if
	// the head has another version, ErrReadOnly if this user may not write, and ErrUnanswered if the head may or
	// may not have been replaced. After any other error it was not.
	Swap(ctx context.Context, head []byte, version string) (string, error)
	// Put stores a part under a new name. To store the same part twice is no error.
	Put(ctx context.Context, name string, part []byte) error
	// Get returns a part, or state.ErrNotExist.
	Get(ctx context.Context, name string) ([]byte, error)
	// List returns the names of all parts.
	List(ctx context.Context) ([]string, error)
	// Delete removes a part, if it is there.
	Delete(ctx context.Context, name string) error
	// MaxPart is the largest part that can be stored, in bytes.
	MaxPart() int
}

var (
	// ErrChanged is the error of swapping a head that somebody else has swapped.
	ErrChanged = errors.New("it was changed by someone else")
	// ErrUnanswered is the error of a request that got no answer, or none that tells what became of it.
	ErrUnanswered = errors.New("there was no answer")
	// ErrReadOnly is the error of swapping by a user who may only read.
	ErrReadOnly = errors.New("it can't be written by this user")
)
