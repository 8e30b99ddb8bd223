// Package redact keeps secrets out of what is shown and saved.
//
// It knows which fields of an object are secret (Paths), masks any text that may
// repeat such a value in whatever encoding (Masker), and replaces the values in a
// structured object (Object). What is secret is said by whoever asks: the kind, and
// the configuration by way of paths. One mask stands for all secrets, and a value is
// looked for in texts from three characters on; a shorter one would be found in
// innocent words.
package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"kplan.dev/kplan/addrs"
)

// Mask stands for a secret value. Its length reveals nothing.
const Mask = "(sensitive value)"

const (
	shortest     = 3            // of a value that is looked for in texts
	shortestPart = 4            // of a part of its base64 form
	shortestLine = 2 * shortest // of one of its lines
)

// Masker hides secrets in texts. The zero Masker hides nothing.
type Masker struct{ replacer *strings.Replacer }

// New is a Masker of these secrets, whatever their spelling in a text. To make one
// costs much more than to use it.
func New(secrets ...string) Masker {
	var all []string
	for _, secret := range secrets {
		all = append(all, spellings(secret)...)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // so that none is cut up by one within it
	pairs := make([]string, 0, 2*len(all))
	for _, spelling := range all {
		pairs = append(pairs, spelling, Mask)
	}
	return Masker{strings.NewReplacer(pairs...)}
}

// Hide returns the text with Mask in the place of each secret.
func (m Masker) Hide(text string) string {
	if m.replacer == nil {
		return text
	}
	return m.replacer.Replace(text)
}

// spellings are the texts by which a secret would be known: itself, each of its
// lines, in quotes of Go, JSON and the configuration, in hex, and in base64 on its
// own or in the midst of something else.
func spellings(secret string) []string {
	if len(secret) < shortest {
		return nil
	}
	all := []string{secret, unquoted(strconv.Quote(secret)), hex.EncodeToString([]byte(secret))}
	if text, err := json.Marshal(secret); err == nil {
		inHTML := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")
		all = append(all, unquoted(string(text)), unquoted(inHTML.Replace(string(text))))
	}
	for line := range strings.Lines(secret) {
		if line = strings.TrimSpace(line); len(line) >= shortestLine {
			all = append(all, line)
		}
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			if part := inBase64(enc, secret, before); len(part) >= shortestPart {
				all = append(all, part)
			}
		}
	}
	return all
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

// Texts are the secrets that a value in JSON form holds: every string in it, as it
// is and decoded from base64, and every number.
func Texts(value any) []string { return appendTexts(nil, value) }

// TextsAt are the secrets that an object has at these paths.
func TextsAt(object map[string]any, paths addrs.PathSet) []string {
	var texts []string
	for path := range paths {
		if value, ok := path.ValueIn(object); ok {
			texts = appendTexts(texts, value)
		}
	}
	return texts
}

func appendTexts(texts []string, value any) []string {
	switch v := value.(type) {
	case string:
		texts = append(texts, v)
		if plain, err := base64.StdEncoding.DecodeString(v); err == nil {
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
		if text, err := json.Marshal(v); err == nil {
			texts = append(texts, string(text))
		}
	}
	return texts
}
