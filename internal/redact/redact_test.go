package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMasker draws texts that spell a secret in all the ways that are known.
func TestMasker(t *testing.T) {
	const secret = "c4n4ry\"\nof <two> lines"
	spelled, _ := json.Marshal(secret)
	texts := []string{
		secret, string(spelled), strconv.Quote(secret), hex.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("x" + secret + "yz")),
		base64.URLEncoding.EncodeToString([]byte("xy" + secret + "z")),
		"│ of <two> lines",
	}
	rapid.Check(t, func(r *rapid.T) {
		out := New(secret, "an").Hide(strings.Join(rapid.SliceOf(rapid.SampledFrom(texts)).Draw(r, "texts"), " and "))
		for _, piece := range []string{"c4n4ry", "of <two> lines", hex.EncodeToString([]byte("4n4r")),
			base64.StdEncoding.EncodeToString([]byte("c4n4ry"))} {
			if strings.Contains(out, piece) {
				r.Fatalf("%q is in %q", piece, out)
			}
		}
	})
	for _, test := range []struct {
		secrets    []string
		text, want string
	}{
		{[]string{"an"}, "a hunter and an ant", "a hunter and an ant"}, // too short
		{[]string{"ant"}, "a hunter and an ant", "a hunter and an " + Mask},
		{[]string{"app"}, "the app is applied: app-1, mapp, app", "the " + Mask + " is applied: " + Mask + "-1, mapp, " + Mask}, // a short word
		{[]string{"p4ssw0rds"}, "xp4ssw0rdsx", "x" + Mask + "x"},
		{[]string{"p@s"}, "xp@sx", "x" + Mask + "x"},
		{[]string{"a b/c"}, "at a+b%2Fc and a%20b%2Fc", "at " + Mask + " and " + Mask}, // in addresses
		{[]string{"sensitive", "value"}, "a sensitive value", "a " + Mask + " " + Mask},
		{[]string{"hunter", "hunter2"}, "is hunter2.", "is " + Mask + "."}, // the longer goes first
	} {
		if got := New(test.secrets...).Hide(test.text); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	if got := (Masker{}).Hide("a text"); got != "a text" {
		t.Errorf("the zero Masker makes %q", got)
	}
}

func TestTexts(t *testing.T) {
	got := Texts(map[string]any{"list": []any{"aHVudGVyMg==", int64(4711)}, "plain": "not base64", "none": nil, "flag": true})
	slices.Sort(got)
	if diff := cmp.Diff([]string{"4711", "aHVudGVyMg==", "hunter2", "not base64"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestEchoes(t *testing.T) {
	for text, want := range map[string]string{
		`data[a]: Invalid value: "x \"y\"": must be`: `data[a]: Invalid value: ` + Mask + `: must be`,
		"Unsupported value: abc: supported":          "Unsupported value: " + Mask + ": supported",
		"expected string, got 7\nnext":               "expected string, got " + Mask + "\nnext",
		"no value at all":                            "no value at all",
	} {
		if got := Echoes(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := Tokens("Bearer abc.def and eyJhbGciOiJ9.eyJ.x, that is it"); got != Mask+" and "+Mask+", that is it" {
		t.Errorf("got %q", got)
	}
}
