package state

import (
	"errors"
)

// Base is the state that a lease last read or wrote, and that its next write follows. The zero Base is none.
type Base struct {
	Version Version
	content string // the checksum: the same however the state is stored
}

// IsNone reports whether nothing was stored.
func (b Base) IsNone() bool { return b.Version == Version{} }

// Check refuses a state that was not read through the lease, such as one that was read before the lock was taken. path is where
// the state is stored.
func (b Base) Check(s *State, path string) error {
	if b.Version == s.Version() || b.IsNone() && s.Serial == 0 {
		return nil
	}
	return &StaleError{Path: path, Want: s.Version(), Stored: b.Version}
}

// Has reports whether a state has nothing new.
func (b Base) Has(s *State) bool {
	if b.content == "" {
		return false
	}
	text, err := s.canonical()
	return err == nil && b.content == checksum(text)
}

// EncodeAs is the state as it is stored under a serial, and what it is the base of then.
func (c Codec) EncodeAs(s *State, serial uint64) ([]byte, Base, error) {
	next := *s
	next.Serial = serial
	data, content, err := c.encode(&next)
	return data, Base{next.Version(), content}, err
}

// DecodeAt is Decode for what a store has read at a place, which errors then name. restore is what to do there about a state that
// is damaged: put another version in its place.
func (c Codec) DecodeAt(data []byte, place, restore string) (*State, Base, error) {
	s, content, err := c.decode(data)
	if err == nil {
		return s, Base{s.Version(), content}, nil
	}
	var damaged *DecodeError
	if errors.As(err, &damaged) {
		return nil, Base{}, damaged.At(place, restore)
	}
	return nil, Base{}, Locate(err, place)
}
