package encryption_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"kplan.dev/kplan/internal/encryption"
)

const limit = 1 << 20

func keys(t *testing.T, o encryption.Options) *encryption.Keys {
	t.Helper()
	k, err := encryption.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func pair(t *testing.T) (public, secret string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return identity.Recipient().String(), identity.String()
}

// TestRotation: what the old key wrote is read with both, and from then on the old one is not needed.
func TestRotation(t *testing.T) {
	public, secret := pair(t)
	nextPublic, nextSecret := pair(t)
	quantum, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	all := []struct {
		name  string
		write encryption.Options
		reads []encryption.Options
		not   []encryption.Options
	}{
		{"a key", encryption.Options{Recipients: []string{public}},
			[]encryption.Options{{Identities: []string{"# a comment\n" + secret + "\n"}}, {Identities: []string{nextSecret, secret}}},
			[]encryption.Options{{}, {Identities: []string{nextSecret}}, {Passphrases: []string{"x"}}}},
		{"several keys", encryption.Options{Recipients: []string{public, nextPublic}},
			[]encryption.Options{{Identities: []string{secret}}, {Identities: []string{nextSecret}}}, []encryption.Options{{}}},
		{"a passphrase", encryption.Options{Passphrases: []string{"new", "old"}},
			[]encryption.Options{{Passphrases: []string{"new"}}, {Passphrases: []string{"newest", "new"}}},
			[]encryption.Options{{Passphrases: []string{"old"}}, {Identities: []string{secret}}, {}}},
		{"a key and a passphrase", encryption.Options{Recipients: []string{public}, Passphrases: []string{"p"}},
			[]encryption.Options{{Identities: []string{secret}}, {Identities: []string{nextSecret}, Passphrases: []string{"p"}}},
			[]encryption.Options{{Passphrases: []string{"P"}}}},
		{"a post-quantum key", encryption.Options{Recipients: []string{quantum.Recipient().String()}, Passphrases: []string{"p"}},
			[]encryption.Options{{Identities: []string{quantum.String()}}, {Passphrases: []string{"p"}}},
			[]encryption.Options{{Identities: []string{secret}}}},
	}
	text := []byte(strings.Repeat("the canary sings\n", 100))
	header := encryption.Header{What: "state", Lineage: "l", Serial: 7}
	for _, test := range all {
		sealed, err := keys(t, test.write).Seal(header, text)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("canary")) || encryption.WhatIs(sealed) != "state" {
			t.Errorf("%s: it was stored as %s", test.name, sealed)
		}
		for n, o := range test.reads {
			got, h, err := keys(t, o).Open(sealed, limit)
			if err != nil || h != header || !bytes.Equal(got, text) {
				t.Errorf("%s, reader %d: %v %v", test.name, n, h, err)
			}
		}
		for n, o := range test.not {
			if _, _, err := keys(t, o).Open(sealed, limit); !errors.Is(err, encryption.ErrNoKey) {
				t.Errorf("%s, another reader %d: %v, want ErrNoKey", test.name, n, err)
			}
		}
	}
}

// TestPassphraseOnce: a run derives a key from a passphrase once, and what it writes after it has read has the same key.
func TestPassphraseOnce(t *testing.T) {
	identity := func(sealed []byte) (text string) {
		var in struct{ Identity string }
		if err := json.Unmarshal(sealed, &in); err != nil || in.Identity == "" {
			t.Fatalf("%v: %s", err, sealed)
		}
		return in.Identity
	}
	first, err := keys(t, encryption.Options{Passphrases: []string{"p"}}).Seal(encryption.Header{}, []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	next := keys(t, encryption.Options{Passphrases: []string{"p"}})
	if _, _, err := next.Open(first, limit); err != nil {
		t.Fatal(err)
	}
	for range 20 { // which would take 20 seconds
		sealed, err := next.Seal(encryption.Header{}, []byte("2"))
		if err != nil || identity(sealed) != identity(first) {
			t.Fatalf("another key was made: %v", err)
		}
	}
	rotated := keys(t, encryption.Options{Passphrases: []string{"q", "p"}})
	if _, _, err := rotated.Open(first, limit); err != nil {
		t.Fatal(err)
	}
	if sealed, err := rotated.Seal(encryption.Header{}, []byte("3")); err != nil || identity(sealed) == identity(first) {
		t.Errorf("the old passphrase still opens what is written: %v", err)
	}
}

// TestDamaged: whatever becomes of a stored text, the answer is an error.
func TestDamaged(t *testing.T) {
	public, secret := pair(t)
	k := keys(t, encryption.Options{Recipients: []string{public}, Identities: []string{secret}})
	sealed, err := k.Seal(encryption.Header{What: "state"}, []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(sealed); i += 3 {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if text, h, err := k.Open(broken, limit); err == nil && string(text) != "text" {
			t.Errorf("byte %d: %q %v", i, text, h)
		}
		if _, _, err := k.Open(sealed[:i], limit); err == nil {
			t.Errorf("cut at byte %d: no error", i)
		}
	}
	if _, _, err := k.Open(sealed, 3); err == nil {
		t.Error("a text above the limit: no error")
	}
}

// TestKeys: a key that is none is an error that does not quote it.
func TestKeys(t *testing.T) {
	public, secret := pair(t)
	quantum, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []encryption.Options{
		{Recipients: []string{"age1canary"}}, {Recipients: []string{public, secret}}, {Recipients: []string{""}},
		{Recipients: []string{public, quantum.Recipient().String()}},
		{Identities: []string{"canary"}}, {Identities: []string{public}}, {Identities: []string{""}},
		{Recipients: []string{public}, Passphrases: []string{"canary", ""}},
	} {
		var bad *encryption.KeyError
		_, err := encryption.New(o)
		if !errors.As(err, &bad) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), secret) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
