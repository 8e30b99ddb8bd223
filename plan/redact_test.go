package plan

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
)

// TestRefusalShowsNoLiveSecret has a webhook repeat what the live object holds,
// which the configuration does not have any more.
func TestRefusalShowsNoLiveSecret(t *testing.T) {
	c := &Change{
		Kind:      kindNamed(t, "Secret"),
		Before:    map[string]any{"data": map[string]any{"a": "b2xkIGNhbmFyeQ=="}, "pin": int64(471100)},
		Sensitive: addrs.NewPathSet(addrs.NewPath("data", "a"), addrs.NewPath("data", "gone"), addrs.NewPath("pin")),
	}
	words := "denied: it was b2xkIGNhbmFyeQ==, that is old canary with 471100"
	const want = "denied: it was (sensitive value), that is (sensitive value) with (sensitive value)"
	refusal := &kube.Error{Reason: kube.Denied, Message: words, Fields: []kube.FieldError{{Detail: words}}}
	var said *kube.Error
	if err := discreet(fmt.Errorf("asked: %w", refusal), Masker(c)); !errors.As(err, &said) || said.Message != want ||
		said.Fields[0].Detail != want || said.Reason != kube.Denied {
		t.Errorf("got %+v", said)
	}
	if refusal.Message != words || refusal.Fields[0].Detail != words {
		t.Errorf("the error itself was changed: %+v", refusal)
	}
	diags := MaskSecrets(hcl.Diagnostics{{Detail: words}}, &Change{}, c)
	if diags[0].Detail != want {
		t.Errorf("got %s", diags[0].Detail)
	}
	if err := discreet(nil, Masker(c)); err != nil {
		t.Errorf("got %v", err)
	}
}
