package render

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"kplan.dev/kplan/plan"
)

// shortestSecret is the length of the shortest text that a Redactor looks for.
// A shorter one stands in other texts by chance.
const shortestSecret = 6

// Redactor is a writer that takes secrets out of whatever is written, in any
// spelling that kplan or the API server gives them. It is the last line of
// defence: a server's message can repeat what it was sent.
//
// What could be the beginning of a secret is held back until more is written or
// Flush is called. A Redactor is not safe for use by several goroutines.
type Redactor struct {
	w         io.Writer
	spellings []string // the longest first
	replace   *strings.Replacer
	held      []byte
}

// NewRedactor takes these secrets out of what is written to w. Those of less
// than six characters are ignored.
func NewRedactor(w io.Writer, secrets []string) *Redactor {
	r := &Redactor{w: w}
	for _, secret := range secrets {
		for _, s := range spellings(secret) {
			if len(s) >= shortestSecret {
				r.spellings = append(r.spellings, s)
			}
		}
	}
	slices.SortFunc(r.spellings, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	r.spellings = slices.Compact(r.spellings)
	pairs := make([]string, 0, 2*len(r.spellings))
	for _, s := range r.spellings {
		pairs = append(pairs, s, plan.Mask)
	}
	r.replace = strings.NewReplacer(pairs...)
	return r
}

// spellings are the texts by which a secret would be known: itself, each of its
// lines, in quotes of JSON and of the configuration, in hex, and in base64 on
// its own or in the midst of something else.
func spellings(secret string) []string {
	if len(secret) < shortestSecret {
		return nil
	}
	all := []string{secret, strings.Trim(quote(secret), `"`), hex.EncodeToString([]byte(secret))}
	if text, err := json.Marshal(secret); err == nil {
		all = append(all, strings.Trim(string(text), `"`), strings.Trim(string(escapeJSON(text)), `"`))
	}
	for line := range strings.Lines(secret) {
		all = append(all, strings.TrimSpace(line))
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			all = append(all, inBase64(enc, secret, before))
		}
	}
	return all
}

// inBase64 are the characters that the secret alone decides on when it is
// encoded with so many bytes before it and anything behind it.
func inBase64(enc *base64.Encoding, secret string, before int) string {
	text := enc.EncodeToString(append(make([]byte, before), secret...))
	first := (before*8 + 5) / 6
	last := (before + len(secret)) * 8 / 6
	return text[min(first, last):last]
}

// Write writes what is certain not to be part of a secret.
func (r *Redactor) Write(p []byte) (int, error) {
	if len(r.spellings) == 0 {
		return r.w.Write(p)
	}
	text := r.replace.Replace(string(r.held) + string(p))
	keep := r.beginning(text)
	r.held = []byte(text[len(text)-keep:])
	if _, err := io.WriteString(r.w, text[:len(text)-keep]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what was held back.
func (r *Redactor) Flush() error {
	held := bytes.Clone(r.held)
	r.held = nil
	_, err := r.w.Write(held)
	return err
}

// beginning is how long the longest end of a text is with which a secret
// begins.
func (r *Redactor) beginning(text string) int {
	longest := 0
	for _, s := range r.spellings {
		for n := min(len(s)-1, len(text)); n > longest; n-- {
			if text[len(text)-n] == s[0] && strings.HasSuffix(text, s[:n]) {
				longest = n
			}
		}
	}
	return longest
}
