package kube

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	"kplan.dev/kplan/kinds"
)

// masked stands where a Secret's value stood. Its length says nothing.
const masked = "(sensitive value)"

var (
	echoedValue = regexp.MustCompile(`((?:Invalid|Unsupported|Duplicate) value: )(?:"(?:[^"\\]|\\.)*"|[^":\s][^:]*)`)
	gotValue    = regexp.MustCompile(`(expected [^,\n]*, got )[^\n]*`)
)

// masker returns what takes values of Secrets out of the server's words. The
// server echoes refused values, and how it does so is not fixed, so known
// values are looked for as well as known places.
func (r *request) masker() func(string) string {
	if r.object.GroupKind() != kinds.Secret {
		return func(s string) string { return s }
	}
	values := secretValues(r.sent)
	return func(s string) string {
		for _, v := range values {
			s = strings.ReplaceAll(s, v, masked)
		}
		s = echoedValue.ReplaceAllString(s, "${1}"+masked)
		return gotValue.ReplaceAllString(s, "${1}"+masked)
	}
}

// secretValues lists a Secret's values, encoded and plain, the longest first
// so that none is cut up by a shorter one within it.
func secretValues(object map[string]any) []string {
	var out []string
	for _, part := range []string{"data", "stringData"} {
		out = appendTexts(out, object[part])
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// appendTexts adds every text within a value. Those of one or two letters would
// take apart the words around them.
func appendTexts(out []string, value any) []string {
	switch v := value.(type) {
	case map[string]any:
		for _, below := range v {
			out = appendTexts(out, below)
		}
	case []any:
		for _, below := range v {
			out = appendTexts(out, below)
		}
	case string:
		plain, _ := base64.StdEncoding.DecodeString(v)
		for _, text := range []string{v, string(plain)} {
			if len(text) >= 3 {
				out = append(out, text)
			}
		}
	}
	return out
}
