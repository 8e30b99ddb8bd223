package kube

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// masked stands where a Secret's value stood. Its length says nothing.
const masked = "(sensitive)"

var (
	echoedValue = regexp.MustCompile(`((?:Invalid|Unsupported|Duplicate) value: )(?:"(?:[^"\\]|\\.)*"|[^":\s][^:]*)`)
	goEcho      = regexp.MustCompile(`Value:("(?:[^"\\]|\\.)*"|[^}]*)\}`)
)

// masker returns what takes values of Secrets out of the server's words. The
// server echoes refused values, and how it does so is not fixed, so known
// values are looked for as well as known places.
func (r *request) masker() func(string) string {
	if r.object.Kind != "Secret" || r.object.Group != "" {
		return func(s string) string { return s }
	}
	values := secretValues(r.sent)
	return func(s string) string {
		for _, v := range values {
			s = strings.ReplaceAll(s, v, masked)
		}
		s = echoedValue.ReplaceAllString(s, "${1}"+masked)
		return goEcho.ReplaceAllString(s, "Value:"+masked+"}")
	}
}

// secretValues lists a Secret's values, encoded and plain, the longest first
// so that none is cut up by a shorter one within it.
func secretValues(object map[string]any) []string {
	var out []string
	add := func(s string) {
		if len(s) >= 3 {
			out = append(out, s)
		}
	}
	for _, part := range []string{"data", "stringData"} {
		m, _ := object[part].(map[string]any)
		for _, v := range m {
			s, _ := v.(string)
			add(s)
			if plain, err := base64.StdEncoding.DecodeString(s); err == nil && part == "data" {
				add(string(plain))
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}
