package plan

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan/diff"
)

// shortestSecret is the length below which a secret is not looked for in a
// message: it would be found in innocent words.
const shortestSecret = 4

// MaskSecrets takes the sensitive values of these objects, those to come and
// those that are there, out of what the server said: a refusal repeats the value
// that it refuses, and a webhook may tell both.
func MaskSecrets(diags hcl.Diagnostics, changes ...*Change) hcl.Diagnostics {
	if len(diags) == 0 {
		return diags
	}
	masker := Masker(changes...)
	for _, diagnostic := range diags {
		diagnostic.Detail = masker.Replace(diagnostic.Detail)
	}
	return diags
}

// Masker is what MaskSecrets does with a text. To make one costs much more than to
// use it.
func Masker(changes ...*Change) *strings.Replacer {
	var secrets []string
	for _, c := range changes {
		secrets = append(secrets, c.secrets()...)
	}
	return masker(secrets)
}

// discreet is what the server said about an object without what is secret in the
// one that is there.
func (c *Change) discreet(err error) error {
	var said *kube.Error
	if !errors.As(err, &said) {
		return err
	}
	told, masker := *said, Masker(c)
	told.Message, told.Fields = masker.Replace(said.Message), slices.Clone(said.Fields)
	for i, f := range told.Fields {
		told.Fields[i].Detail = masker.Replace(f.Detail)
	}
	return &told
}

// Masked is a text without these secrets, in whatever spelling it holds them.
// Those of less than four characters are left: they are in other words by
// chance.
func Masked(text string, secrets []string) string { return masker(secrets).Replace(text) }

func masker(secrets []string) *strings.Replacer {
	var all []string
	for _, secret := range secrets {
		all = append(all, spellings(secret)...)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, spelling := range all {
		pairs = append(pairs, spelling, diff.Mask)
	}
	return strings.NewReplacer(pairs...)
}

// spellings are the texts by which a secret would be known: itself, each of its
// lines, in quotes of Go, JSON and the configuration, in hex, and in base64 on
// its own or in the midst of something else.
func spellings(secret string) []string {
	if len(secret) < shortestSecret {
		return nil
	}
	all := []string{secret, unquoted(strconv.Quote(secret)), hex.EncodeToString([]byte(secret))}
	if text, err := json.Marshal(secret); err == nil {
		inHTML := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")
		all = append(all, unquoted(string(text)), unquoted(inHTML.Replace(string(text))))
	}
	for line := range strings.Lines(secret) {
		if line = strings.TrimSpace(line); len(line) >= 2*shortestSecret {
			all = append(all, line)
		}
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			all = append(all, inBase64(enc, secret, before))
		}
	}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < shortestSecret })
}

func unquoted(quoted string) string { return quoted[1 : len(quoted)-1] }

// inBase64 are the characters that the secret alone decides on when it is
// encoded with so many bytes before it and anything behind it.
func inBase64(enc *base64.Encoding, secret string, before int) string {
	text := enc.EncodeToString(append(make([]byte, before), secret...))
	first := (before*8 + 5) / 6
	last := (before + len(secret)) * 8 / 6
	return text[min(first, last):last]
}

// secrets are the sensitive values of the object, as they are and decoded.
func (c *Change) secrets() []string {
	var secrets []string
	if c.Desired != nil {
		secrets = secretsAt(secrets, c.Desired.Fields, c.Desired.Sensitive)
	}
	return secretsAt(secrets, c.Before, c.Sensitive)
}

func secretsAt(secrets []string, object map[string]any, places addrs.PathSet) []string {
	for path := range places {
		if value, ok := ValueAt(object, path); ok {
			secrets = appendTexts(secrets, value)
		}
	}
	return secrets
}

func appendTexts(texts []string, value any) []string {
	switch v := value.(type) {
	case string:
		if len(v) >= shortestSecret {
			texts = append(texts, v)
		}
		if plain, err := base64.StdEncoding.DecodeString(v); err == nil && len(plain) >= shortestSecret {
			texts = append(texts, string(plain))
		}
	case map[string]any:
		for _, inner := range v {
			texts = appendTexts(texts, inner)
		}
	case []any:
		for _, inner := range v {
			texts = appendTexts(texts, inner)
		}
	case int64, float64, json.Number:
		if text, err := json.Marshal(v); err == nil && len(text) >= shortestSecret {
			texts = append(texts, string(text))
		}
	}
	return texts
}
