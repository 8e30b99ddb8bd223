// Package redact keeps secrets out of what is shown and saved.
//
// It knows which fields of an object are secret (Paths), masks any text that may
// repeat such a value in whatever encoding (Masker), and replaces the values in a
// structured object (Object). What is secret is said by whoever asks: the kind, and
// the configuration by way of paths. Secrets are all that a run has come to know; they
// stand before everything that it says. One mask stands for all secrets, and a value is
// looked for in texts from three characters on; a shorter one would be found in
// innocent words.
package redact

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kplan.dev/kplan/addrs"
)

// Mask stands for a secret value. Its length reveals nothing.
const Mask = "(sensitive value)"

const (
	shortest         = 3            // of a value that is looked for in texts
	shortestAnywhere = 8            // of a word that is looked for within other words
	shortestPart     = 4            // of a part of its base64 form
	shortestLine     = 2 * shortest // of one of its lines
)

// Masker hides secrets in texts. The zero Masker hides nothing.
type Masker struct{ spellings []spelling } // the longest first, so that none is cut up by one within it

// spelling is a text by which a secret would be known. That of a short word is one only
// between other characters than those of words.
type spelling struct {
	text     string
	word     bool
	squeezed string // as it is looked for in squeezed texts, "" if it is not
}

// New is a Masker of these secrets, whatever their spelling in a text.
func New(secrets ...string) Masker {
	var all []spelling
	for _, secret := range secrets {
		all = append(all, spellings(secret)...)
	}
	all = sorted(all)
	for i := range all {
		all[i].squeezed = squeezedText(all[i].text)
	}
	return Masker{all}
}

func sorted(all []spelling) []spelling {
	slices.SortFunc(all, func(a, b spelling) int {
		return cmp.Or(len(b.text)-len(a.text), strings.Compare(a.text, b.text))
	})
	return slices.CompactFunc(all, func(a, b spelling) bool { return a.text == b.text })
}

// Hide returns the text with Mask in the place of each secret.
func (m Masker) Hide(text string) string { return masked(text, m.Find(text)) }

// HideExcerpt is Hide for a text that is cut out of a longer one, as the last lines of a log are: it may begin with
// the end of a secret, and end with the beginning of one.
func (m Masker) HideExcerpt(text string) string {
	if m.spellings == nil {
		return text
	}
	return masked(text, merged(append(m.Find(text), m.findCut(squeeze(text))...)))
}

func masked(text string, secrets []Span) string {
	var hidden strings.Builder
	done := 0
	for _, found := range secrets {
		hidden.WriteString(text[done:found.From] + Mask)
		done = found.To
	}
	if done == 0 {
		return text
	}
	return hidden.String() + text[done:]
}

// Span is a part of a text, in bytes.
type Span struct{ From, To int }

// Find returns where the text has secrets, from its beginning to its end.
func (m Masker) Find(text string) []Span {
	found := m.findWhole(text)
	if m.spellings == nil || !isBroken(text) {
		return found
	}
	return merged(append(found, m.findBroken(squeeze(text))...))
}

func (m Masker) findWhole(text string) []Span {
	var present []spelling
	for _, s := range m.spellings {
		if strings.Contains(text, s.text) {
			present = append(present, s)
		}
	}
	var found []Span
	for at := 0; at < len(text) && present != nil; {
		i := slices.IndexFunc(present, func(s spelling) bool { return s.isAt(text, at) })
		if i < 0 {
			at++
			continue
		}
		found = append(found, Span{at, at + len(present[i].text)})
		at += len(present[i].text)
	}
	return found
}

func (s spelling) isAt(text string, at int) bool {
	end := at + len(s.text)
	return strings.HasPrefix(text[at:], s.text) &&
		(!s.word || (at == 0 || !isWordByte(text[at-1])) && (end == len(text) || !isWordByte(text[end])))
}

func isWordByte(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// isShortWord reports whether a secret is likely to be a part of innocent words.
func isShortWord(secret string) bool {
	return len(secret) < shortestAnywhere && !slices.ContainsFunc([]byte(secret), func(b byte) bool { return !isWordByte(b) })
}

// spellings are the texts by which a secret would be known: itself, each of its
// lines, in quotes of Go, JSON and the configuration, in hex, and in base64 on its
// own or in the midst of something else.
func spellings(secret string) []spelling {
	if len(secret) < shortest {
		return nil
	}
	all := []spelling{{text: secret, word: isShortWord(secret)}}
	for _, text := range encodings(secret) {
		if text != secret {
			all = append(all, spelling{text: text})
		}
	}
	return all
}

func encodings(secret string) []string {
	all := []string{unquoted(strconv.Quote(secret)), hex.EncodeToString([]byte(secret)), url.QueryEscape(secret), url.PathEscape(secret)}
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
