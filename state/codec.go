package state

import (
	"errors"
	"fmt"

	"kplan.dev/kplan/internal/encryption"
)

// A Codec is how states are stored: in the clear, or encrypted. The zero Codec encrypts nothing, and reads nothing that
// is encrypted.
type Codec struct{ Keys *encryption.Keys }

// Encrypts reports whether the same state is stored as other bytes each time.
func (c Codec) Encrypts() bool { return c.Keys.Encrypts() }

// whatState is what an encrypted state says that it is.
const whatState = "state"

// Encode is the state as it is stored.
func (c Codec) Encode(s *State) ([]byte, error) {
	data, _, err := c.encode(s)
	return data, err
}

func (c Codec) encode(s *State) (data []byte, sum string, err error) {
	data, sum, err = s.encode()
	if err != nil || !c.Encrypts() {
		return data, sum, err
	}
	data, err = c.Keys.Seal(encryption.Header{What: whatState, Lineage: s.Lineage, Serial: s.Serial}, data)
	return data, sum, err
}

// Decode reads what Encode writes, and what is stored in the clear. It returns a *DecodeError, a *MigratedError, or a
// *KeyError.
func (c Codec) Decode(data []byte) (*State, error) {
	s, _, err := c.decode(data)
	return s, err
}

func (c Codec) decode(data []byte) (s *State, sum string, err error) {
	s, sum, err = c.decodeMarked(data)
	if err == nil && s.MigratedTo != "" {
		return nil, "", &MigratedError{Version: s.Version(), To: s.MigratedTo}
	}
	return s, sum, err
}

// decodeMarked reads a state that was migrated, too.
func (c Codec) decodeMarked(data []byte) (s *State, sum string, err error) {
	if encryption.WhatIs(data) == "" {
		return decode(data)
	}
	text, h, err := c.Keys.Open(data, MaxSize)
	if errors.Is(err, encryption.ErrNoKey) {
		return nil, "", &KeyError{}
	}
	bad := func(problem string) (*State, string, error) {
		return nil, "", &DecodeError{Problem: problem, Advice: adviseRestore}
	}
	if err != nil {
		return bad("can't be decrypted: " + err.Error())
	}
	s, sum, err = decode(text)
	if err == nil && (h.What != whatState || h.Lineage != s.Lineage || h.Serial != s.Serial) {
		return bad(fmt.Sprintf("was changed after kplan wrote it: it says that it is serial %d of the stack %s, and is serial %d of %s",
			h.Serial, h.Lineage, s.Serial, s.Lineage))
	}
	return s, sum, err
}

// KeyError is the error of a state that is encrypted for other keys than those that were given.
type KeyError struct {
	Path string // where it was read, "" if unknown
}

func (e *KeyError) Error() string {
	what := "the state"
	if e.Path != "" {
		what += " " + e.Path
	}
	return what + " is encrypted, and none of the keys that kplan was given opens it; name its passphrase or your secret key " +
		"in the encryption block of the kplan block, or the key in the environment"
}

// Locate adds to the error of a state that can't be used where it was read, and returns it.
func Locate(err error, path string) error {
	var damaged *DecodeError
	var migrated *MigratedError
	var locked *KeyError
	switch {
	case errors.As(err, &damaged):
		damaged.Path = path
	case errors.As(err, &migrated):
		migrated.Path = path
	case errors.As(err, &locked):
		locked.Path = path
	}
	return err
}
