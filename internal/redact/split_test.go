package redact

import (
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHideBroken(t *testing.T) {
	const secret = "a certain p4ssphrase of many words"
	inBase64 := base64.StdEncoding.EncodeToString([]byte("key=" + secret))
	for _, test := range []struct{ secret, text, want string }{
		{secret, "it is a certain\n  p4ssphrase of\r\n\tmany words.", "it is " + Mask + "."},
		{secret, `it is a certain\n p4ssphrase of many words.`, "it is " + Mask + "."},
		{secret, "a certain p4ss\nphrase of many words\nand a certain p4ssphrase of many words", Mask + "\nand " + Mask},
		{secret, inBase64[:20] + "\n" + inBase64[20:40] + "\n" + inBase64[40:], inBase64[:6] + Mask + inBase64[len(inBase64)-2:]},
		{"hunter2", "hunt\ner2", "hunt\ner2"}, // too short: "er2" may be the end of anything
		{`say "p4ss"`, `{"msg": "{\"x\": \"say \\\"p4ss\\\"\"}"}`, `{"msg": "{\"x\": \"` + Mask + `\"}"}`}, // quoted three times
		{`<p4ss> & more`, `"{\"x\": \"\\u003cp4ss\\u003e \\u0026 more\"}"`, `"{\"x\": \"\\` + Mask + `\"}"`},
		{"p4ssw0rds", "is \x1b[1mp4ss\x1b[0;31mw0rds\x1b[0m", "is \x1b[1m" + Mask + "\x1b[0m"},
		{"\x1b[31mp4ssw0rds", "p4ss\nw0rds \x1b[2Jp4ssw0rds", Mask + " \x1b[2Jp4ssw0rds"},
		{"p4ssw0rds", "p4 ssw0rds\nno more", "p4 ssw0rds\nno more"},      // not broken
		{"p4ssw0rds", "first\np4ssw0rds", "first\n" + Mask},              // nor this
		{"p4ssw0rds", `C:\new p4ssw\nords`, `C:\new p4ssw\nords`},        // another word
		{"first\nsecond line", "x first\n  log: y", "x first\n  log: y"}, // only a beginning
	} {
		if got := New(test.secret).Hide(test.text); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestHideExcerpt(t *testing.T) {
	const secret = "0123456789abcdef"
	for text, want := range map[string]string{
		"56789abcdef and more":       Mask + " and more",
		"it is 0123456789":           "it is " + Mask,
		"789abc\ndef, 01234\n56789":  Mask + ", " + Mask,
		"it is 0123456":              "it is 0123456", // too short to tell
		"it is 0123456789abcdef, 01": "it is " + Mask + ", 01",
		"123456789abcde":             Mask, // all of it is the midst of one
		"":                           "",
	} {
		if got := New(secret, "other secret").HideExcerpt(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := (Masker{}).HideExcerpt("a text"); got != "a text" {
		t.Errorf("the zero Masker makes %q", got)
	}
}

// TestOverlap compares with the plain way to find it.
func TestOverlap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text, other := rapid.StringMatching("[ab]{0,12}").Draw(r, "text"), rapid.StringMatching("[ab]{0,12}").Draw(r, "other")
		want := min(len(text), len(other))
		for !strings.HasSuffix(other, text[:want]) {
			want--
		}
		if text == "" {
			return
		}
		if got := newOverlap(text).with(other); got != want {
			r.Fatalf("%q begins with %d of the end of %q, not %d", text, want, other, got)
		}
	})
}
