package plan

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMasked(t *testing.T) {
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
		out := Masked(strings.Join(rapid.SliceOf(rapid.SampledFrom(texts)).Draw(r, "texts"), " and "), []string{secret, "and"})
		for _, piece := range []string{"c4n4ry", "of <two> lines", hex.EncodeToString([]byte("4n4r")), base64.StdEncoding.EncodeToString([]byte("c4n4ry"))} {
			if strings.Contains(out, piece) {
				r.Fatalf("%q is in %q", piece, out)
			}
		}
	})
	if got, want := Masked("a hunter and an ant", []string{"ant"}), "a hunter and an ant"; got != want {
		t.Errorf("got %q, want %q: a short secret is left", got, want)
	}
	if got, want := Masked("is hunter2.", []string{"hunter", "hunter2"}), "is "+Mask+"."; got != want {
		t.Errorf("got %q, want %q: the longer goes first", got, want)
	}
}
