package render

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kplan.dev/kplan/plan"
)

func TestRedactor(t *testing.T) {
	const secret = "c4n4ry\"\nof <two> lines"
	spelled, _ := json.Marshal(secret)
	texts := []string{
		secret, string(spelled), quote(secret), hex.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte(secret)),
		base64.StdEncoding.EncodeToString([]byte("x" + secret + "yz")),
		base64.URLEncoding.EncodeToString([]byte("xy" + secret + "z")),
		"│ c4n4ry\"\n│ of <two> lines",
	}
	rapid.Check(t, func(r *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(texts)).Draw(r, "texts"), " and ")
		var out bytes.Buffer
		w := NewRedactor(&out, []string{secret, "short"})
		for text != "" {
			n := rapid.IntRange(1, len(text)).Draw(r, "n")
			if _, err := w.Write([]byte(text[:n])); err != nil {
				r.Fatal(err)
			}
			text = text[n:]
		}
		if err := w.Flush(); err != nil {
			r.Fatal(err)
		}
		for _, piece := range []string{"c4n4ry", "of <two> lines", hex.EncodeToString([]byte("4n4r")), base64.StdEncoding.EncodeToString([]byte("c4n4ry"))} {
			if strings.Contains(out.String(), piece) {
				r.Fatalf("%q is in %q", piece, out.String())
			}
		}
	})
}

func TestRedactorLeavesTheRest(t *testing.T) {
	var out bytes.Buffer
	w := NewRedactor(&out, []string{"hunter2"})
	for _, s := range []string{"Enter a value: ", "hun", "t a hunter", "2", "hunter", "\n"} {
		if _, err := w.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
		if s == "Enter a value: " && out.String() != s {
			t.Error("a prompt is held back")
		}
	}
	if want := "Enter a value: hunt a " + plan.Mask + "hunter\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
