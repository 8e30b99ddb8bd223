package redact

import "regexp"

var (
	echoedValue = regexp.MustCompile(`((?:Invalid|Unsupported|Duplicate) value: )(?:"(?:[^"\\]|\\.)*"|[^":\s][^:]*)`)
	gotValue    = regexp.MustCompile(`(expected [^,\n]*, got )[^\n]*`)
	tokenLike   = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)+|(?i:bearer)\s+\S+`)
)

// Echoes hides the values that the API server repeats when it refuses them. How it
// does so is not fixed, so known values are to be hidden as well.
func Echoes(text string) string {
	text = echoedValue.ReplaceAllString(text, "${1}"+Mask)
	return gotValue.ReplaceAllString(text, "${1}"+Mask)
}

// Tokens hides what looks like a bearer token or a JSON Web Token.
func Tokens(text string) string { return tokenLike.ReplaceAllString(text, Mask) }
