// Package encryption encrypts what is stored, states and saved plans, with age (age-encryption.org/v1).
//
// An encrypted text is a JSON object with what it is of in the clear, and the text, compressed, as an age file: what
// jq -r .data FILE | age -d -i KEY | gunzip prints. Where there is a passphrase, the text is encrypted for a key that is
// beside it, encrypted with the passphrase. Deriving a key from a passphrase takes a second, which a run pays
// once, however often it writes.
package encryption

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Options are the keys as users write them.
type Options struct {
	Recipients  []string // public keys, age1…, for all of which is encrypted
	Identities  []string // secret keys, AGE-SECRET-KEY-…, each text one or more lines as age-keygen writes them
	Passphrases []string // the first encrypts, all decrypt
}

// Keys encrypt and decrypt. Its methods may be called from several goroutines.
type Keys struct {
	recipients  []age.Recipient
	identities  []age.Identity
	passphrases []string
	quantum     bool // recipients are of the kind that withstands quantum computers, which can't be mixed with the other

	mu  sync.Mutex
	own *ownKey
}

// ownKey is a key that a passphrase opens.
type ownKey struct {
	identity  age.Identity
	recipient age.Recipient
	sealed    string // encrypted with the first passphrase, as stored beside the text
}

// KeyError is why a key can't be used. It does not quote the key.
type KeyError struct {
	What   string // "recipients", "identities" or "passphrases"
	Number int    // of the list, from 0
	Err    error
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s[%d]: %v", e.What, e.Number, e.Err) }

var errRecipient = errors.New("it is not a public key (age1…), such as age-keygen prints")
var errIdentity = errors.New("it is not a secret key (AGE-SECRET-KEY-…), such as age-keygen prints")

// New reads keys. It returns a *KeyError.
func New(o Options) (*Keys, error) {
	k := &Keys{passphrases: o.Passphrases}
	for n, text := range o.Recipients {
		recipient, quantum, err := parseRecipient(strings.TrimSpace(text))
		if err != nil {
			return nil, &KeyError{"recipients", n, err}
		}
		if n > 0 && quantum != k.quantum {
			return nil, &KeyError{"recipients", n, errors.New("keys that begin with age1pq can't be mixed with others")}
		}
		k.recipients, k.quantum = append(k.recipients, recipient), quantum
	}
	for n, text := range o.Identities {
		identities, err := age.ParseIdentities(strings.NewReader(text))
		if err != nil {
			return nil, &KeyError{"identities", n, errIdentity}
		}
		k.identities = append(k.identities, identities...)
	}
	for n, text := range o.Passphrases {
		if text == "" {
			return nil, &KeyError{"passphrases", n, errors.New("it is empty; perhaps an environment variable is not set")}
		}
	}
	return k, nil
}

func parseRecipient(text string) (r age.Recipient, quantum bool, err error) {
	if strings.HasPrefix(text, "age1pq") {
		r, err = age.ParseHybridRecipient(text)
		quantum = true
	} else {
		r, err = age.ParseX25519Recipient(text)
	}
	if err != nil {
		return nil, false, errRecipient
	}
	return r, quantum, nil
}

// Encrypts reports whether there is a key to encrypt with. With others alone texts are read, and stored in the clear.
func (k *Keys) Encrypts() bool { return k != nil && len(k.recipients)+len(k.passphrases) > 0 }

// Header is what an encrypted text says of itself in the clear. Its reader compares it with what is inside.
type Header struct {
	What    string `json:"what"` // "state" or "plan"
	Lineage string `json:"lineage"`
	Serial  uint64 `json:"serial"`
}

// format is the version of the format.
const format = 1

type envelope struct {
	Format int `json:"kplan_encrypted"`
	Header
	Identity string `json:"identity,omitempty"`
	Data     string `json:"data"`
}

// HeadSize is how much of a text tells whether it is encrypted, in bytes.
const HeadSize = 256

// WhatIs is what a text is that Seal returns: the beginning of it will do. It is "" for any other text.
func WhatIs(text []byte) string {
	dec := json.NewDecoder(bytes.NewReader(text[:min(len(text), HeadSize)]))
	for _, want := range []json.Token{json.Delim('{'), "kplan_encrypted", nil, "what"} {
		token, err := dec.Token()
		if err != nil || want != nil && token != want {
			return ""
		}
	}
	token, _ := dec.Token()
	what, _ := token.(string)
	return what
}

// Seal encrypts a text.
func (k *Keys) Seal(h Header, text []byte) ([]byte, error) {
	out := envelope{Format: format, Header: h}
	recipients := k.recipients
	if len(k.passphrases) > 0 {
		own, err := k.ownKey()
		if err != nil {
			return nil, fmt.Errorf("encrypting: %w", err)
		}
		out.Identity = own.sealed
		recipients = append([]age.Recipient{own.recipient}, recipients...)
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, err := zip.Write(text)
	if err = errors.Join(err, zip.Close()); err == nil {
		out.Data, err = encrypt(packed.Bytes(), recipients...)
	}
	if err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	sealed, err := json.MarshalIndent(out, "", "  ")
	return append(sealed, '\n'), err
}

// ownKey is the key that the first passphrase opens, a new one unless a text was read that has one.
func (k *Keys) ownKey() (*ownKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil {
		return k.own, nil
	}
	own := &ownKey{}
	var text string
	if k.quantum {
		identity, err := age.GenerateHybridIdentity()
		if err != nil {
			return nil, err
		}
		own.identity, own.recipient, text = identity, identity.Recipient(), identity.String()
	} else {
		identity, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		own.identity, own.recipient, text = identity, identity.Recipient(), identity.String()
	}
	passphrase, err := age.NewScryptRecipient(k.passphrases[0])
	if err == nil {
		own.sealed, err = encrypt([]byte(text+"\n"), passphrase)
	}
	if err != nil {
		return nil, err
	}
	k.own = own
	return own, nil
}

func encrypt(text []byte, recipients ...age.Recipient) (string, error) {
	var out bytes.Buffer
	lines := armor.NewWriter(&out)
	w, err := age.Encrypt(lines, recipients...)
	if err == nil {
		_, err = w.Write(text)
		err = errors.Join(err, w.Close(), lines.Close())
	}
	return out.String(), err
}

// ErrNoKey is the error of a text that no key opens.
var ErrNoKey = errors.New("it is encrypted, and none of the keys that kplan was given opens it")

// Open decrypts a text of at most limit bytes. It returns ErrNoKey, or an error of a text that is damaged.
func (k *Keys) Open(sealed []byte, limit int64) (text []byte, h Header, err error) {
	var in envelope
	if err := json.Unmarshal(sealed, &in); err != nil {
		return nil, Header{}, fmt.Errorf("it is damaged: %w", err)
	}
	if in.Format != format {
		return nil, in.Header, fmt.Errorf("it is encrypted in format %d, and this kplan knows %d: use a newer kplan", in.Format, format)
	}
	if k == nil {
		return nil, in.Header, ErrNoKey
	}
	packed, err := k.decrypt(in)
	if err != nil {
		return nil, in.Header, err
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(zip, limit+1))
	}
	switch {
	case err != nil:
		return nil, in.Header, fmt.Errorf("it is damaged: %w", err)
	case int64(len(text)) > limit:
		return nil, in.Header, fmt.Errorf("it has more than %d bytes", limit)
	}
	return text, in.Header, nil
}

func (k *Keys) decrypt(in envelope) ([]byte, error) {
	identities := k.identities
	if in.Identity != "" && len(k.passphrases) > 0 {
		own, err := k.unlock(in.Identity)
		if err != nil {
			return nil, err
		}
		if own != nil {
			identities = append([]age.Identity{own}, identities...)
		}
	}
	if len(identities) == 0 {
		return nil, ErrNoKey
	}
	return decrypt(in.Data, identities...)
}

// unlock opens the key beside a text with one of the passphrases, and returns nil if none of them does. One that the first
// opens is used for the texts that are written.
func (k *Keys) unlock(sealed string) (age.Identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.own != nil && k.own.sealed == sealed {
		return k.own.identity, nil
	}
	for n, passphrase := range k.passphrases {
		identity, err := age.NewScryptIdentity(passphrase)
		if err != nil {
			return nil, err
		}
		text, err := decrypt(sealed, identity)
		if errors.Is(err, ErrNoKey) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found, err := age.ParseIdentities(bytes.NewReader(text))
		if err != nil || len(found) != 1 {
			return nil, errors.New("it is damaged: the key that the passphrase opens is none")
		}
		if recipient, quantum := recipientOf(found[0]); n == 0 && recipient != nil && (len(k.recipients) == 0 || quantum == k.quantum) {
			k.own = &ownKey{found[0], recipient, sealed}
		}
		return found[0], nil
	}
	return nil, nil
}

func recipientOf(identity age.Identity) (r age.Recipient, quantum bool) {
	switch i := identity.(type) {
	case *age.X25519Identity:
		return i.Recipient(), false
	case *age.HybridIdentity:
		return i.Recipient(), true
	}
	return nil, false
}

func decrypt(text string, identities ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(text)), identities...)
	if err == nil {
		var out []byte
		if out, err = io.ReadAll(r); err == nil {
			return out, nil
		}
	}
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, ErrNoKey
	}
	return nil, fmt.Errorf("it is damaged: %w", err)
}
