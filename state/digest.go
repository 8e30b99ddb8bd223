package state

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

const (
	keySize    = 32
	digestSize = 16 // 128 bits: no two values of a stack collide by chance
)

// Digest is a keyed digest (HMAC) of a JSON value under this stack's key: equal for
// equal values, and by itself no help in finding the value. Whoever has the key can
// still test guesses, so a state deserves the care of the secrets themselves.
//
// Numbers should be int64 or float64, as Kubernetes decodes JSON; a value that has no
// JSON form is a bug of the caller and panics.
func (s *State) Digest(value any) string {
	if len(s.Key) != keySize {
		panic("state: a digest needs the stack's key; make states with New or Decode")
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("state: a digest of a value without JSON form: %v", err))
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write([]byte("kplan.dev/state/digest/v1\x00")) // the key may one day serve another purpose
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil)[:digestSize])
}
