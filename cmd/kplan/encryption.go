package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/encryption"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/state"
)

// The environment variables with the secret keys of who runs kplan: as they are, and in files.
const identityEnv, identityFileEnv = "KPLAN_AGE_IDENTITY", "KPLAN_AGE_IDENTITY_FILE"

// codecOf is how the state and saved plans of a definition are stored: as its encryption block says.
func codecOf(s *session, d definition) (state.Codec, hcl.Diagnostics) {
	wanted, diags := d.config.Encryption(d.values)
	if wanted == nil || diags.HasErrors() {
		return state.Codec{}, diags
	}
	s.ui.Secrets.Add(append(wanted.Identities, wanted.Passphrases...)...)
	if len(wanted.Unknown) > 0 {
		return state.Codec{}, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Keys of the state not known",
			Subject: wanted.Range.Ptr(), Detail: fmt.Sprintf("The %s of the encryption block depends on a variable without a value. Give it with "+
				"-var, -var-file or in the environment as KPLAN_VAR_name.", words.And(wanted.Unknown))})
	}
	own, err := ownIdentities(s)
	if err != nil {
		return state.Codec{}, failure("Can't read the key", "%s.", capital(err))
	}
	keys, err := encryption.New(encryption.Options{Recipients: wanted.Recipients, Passphrases: wanted.Passphrases,
		Identities: append(wanted.Identities, own...)})
	if err != nil {
		return state.Codec{}, append(diags, badKey(err, wanted))
	}
	return state.Codec{Keys: keys}, diags
}

// badKeys are the mistakes in an encryption block, apart from keys that only another environment has.
func badKeys(s *session, c *config.Config, values config.Values) hcl.Diagnostics {
	wanted, diags := c.Encryption(values)
	if wanted == nil || diags.HasErrors() || len(wanted.Unknown) > 0 {
		return diags
	}
	s.ui.Secrets.Add(append(wanted.Identities, wanted.Passphrases...)...)
	_, err := encryption.New(encryption.Options{Recipients: wanted.Recipients, Identities: wanted.Identities, Passphrases: wanted.Passphrases})
	if err != nil {
		diags = append(diags, badKey(err, wanted))
	}
	return diags
}

// badKey is the error of a key that is none, at its argument or in the environment.
func badKey(err error, wanted *config.Encryption) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid key", Subject: wanted.Range.Ptr(), Detail: err.Error() + "."}
	var bad *encryption.KeyError
	if !errors.As(err, &bad) {
		return d
	}
	if bad.What == "identities" && bad.Number >= len(wanted.Identities) {
		d.Subject, d.Detail = nil, fmt.Sprintf("%s or %s: %v.", identityEnv, identityFileEnv, bad.Err)
		return d
	}
	at := wanted.Ranges[bad.What]
	d.Subject = &at
	return d
}

// largestKey bounds a file of keys, in bytes.
const largestKey = 1 << 20

// ownIdentities are the secret keys that the environment has.
func ownIdentities(s *session) ([]string, error) {
	var all []string
	if text := s.env(identityEnv); text != "" {
		all = append(all, text)
	}
	for _, path := range filepath.SplitList(s.env(identityFileEnv)) {
		info, err := os.Stat(path)
		if err == nil && (!info.Mode().IsRegular() || info.Size() > largestKey) {
			err = errors.New("it is no file that has keys")
		}
		var text []byte
		if err == nil {
			text, err = os.ReadFile(path)
		}
		if err != nil {
			return nil, fmt.Errorf("%s of %s: %w", path, identityFileEnv, files.Reason(err))
		}
		all = append(all, string(text))
	}
	for _, text := range all {
		s.ui.Secrets.Add(strings.Fields(text)...)
	}
	return all, nil
}
