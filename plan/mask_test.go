package plan

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan/diff"
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
	if got, want := Masked("is hunter2.", []string{"hunter", "hunter2"}), "is "+diff.Mask+"."; got != want {
		t.Errorf("got %q, want %q: the longer goes first", got, want)
	}
}

// TestRefusalTellsNoLiveSecret has a webhook repeat what the object holds so far,
// which the configuration does not have any more.
func TestRefusalTellsNoLiveSecret(t *testing.T) {
	c := &Change{
		Kind:      kindNamed(t, "Secret"),
		Before:    map[string]any{"data": map[string]any{"a": "b2xkIGNhbmFyeQ=="}, "pin": int64(471100)},
		Sensitive: addrs.NewPathSet(addrs.NewPath("data", "a"), addrs.NewPath("data", "gone"), addrs.NewPath("pin")),
	}
	words := "denied: it was b2xkIGNhbmFyeQ==, that is old canary with 471100"
	const want = "denied: it was (sensitive value), that is (sensitive value) with (sensitive value)"
	refusal := &kube.Error{Reason: kube.Denied, Message: words, Fields: []kube.FieldError{{Detail: words}}}
	var said *kube.Error
	if err := c.discreet(fmt.Errorf("asked: %w", refusal)); !errors.As(err, &said) || said.Message != want || said.Fields[0].Detail != want || said.Reason != kube.Denied {
		t.Errorf("got %+v", said)
	}
	if refusal.Message != words || refusal.Fields[0].Detail != words {
		t.Errorf("the error itself was changed: %+v", refusal)
	}
	diags := MaskSecrets(hcl.Diagnostics{{Detail: words}}, &Change{}, c)
	if diags[0].Detail != want {
		t.Errorf("got %s", diags[0].Detail)
	}
	if err := c.discreet(nil); err != nil {
		t.Errorf("got %v", err)
	}
}
