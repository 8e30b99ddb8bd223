package state_test

import (
	"strings"
	"testing"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

// TestDecodeAt: an error names the place, and says what to do there about damage alone.
func TestDecodeAt(t *testing.T) {
	const place, restore = "at the place", "look into its history"
	for text, want := range map[string]string{
		`{"format": 99}`:    "upgrade kplan",
		`{"format": 2, "li`: restore,
		"":                  restore,
		`{"version": 4, "terraform_version": "1.5.0"}`: "import the objects instead",
	} {
		_, base, err := state.Codec{}.DecodeAt([]byte(text), place, restore)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), place) || !base.IsNone() {
			t.Errorf("%s: %v", text, err)
		}
		if want != restore && strings.Contains(err.Error(), restore) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestBase: what a lease has read is what its write follows, and what is not written again.
func TestBase(t *testing.T) {
	s := state.New()
	if err := (state.Base{}).Check(s, "p"); err != nil || (state.Base{}).Has(s) {
		t.Errorf("a new state: %v", err)
	}
	text, base, err := state.Codec{}.EncodeAs(s, 1)
	if err != nil || s.Serial != 0 || base.Version.Serial != 1 {
		t.Fatalf("%v, %+v", err, base)
	}
	again, read, err := state.Codec{}.DecodeAt(text, "p", "")
	if err != nil || read != base || !base.Has(again) || base.Check(again, "p") != nil {
		t.Errorf("read again: %v, %+v and %+v", err, read, base)
	}
	again.Put(storetest.Object(1))
	if base.Has(again) {
		t.Error("a state with another object has nothing new")
	}
	if base.Check(s, "p") == nil {
		t.Error("another state follows")
	}
}
