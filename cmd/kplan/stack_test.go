package main

import (
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

// TestStateWithoutConfiguration: whoever lost the configuration is told what the state still has.
func TestStateWithoutConfiguration(t *testing.T) {
	opts := stateOptions{path: filepath.Join(t.TempDir(), "s.json")}
	detail := func() string {
		return withStateLeft(t.Context(), source.NoConfiguration(".", nil), opts)[0].Detail
	}
	if got := detail(); strings.Contains(got, "state") {
		t.Errorf("no state: %s", got)
	}
	st := state.New()
	st.Put(storetest.Object(1))
	lease, err := state.Open(opts.path).Lock(t.Context(), state.LockInfo{})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Unlock()
	if err := lease.Write(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	if got := detail(); !strings.Contains(got, "has 1 object, and") || !strings.Contains(got, "main.kplan.hcl, then: kplan destroy") {
		t.Errorf("a state: %s", got)
	}
	if got := withStateLeft(t.Context(), failure("Other", "x"), opts)[0].Detail; got != "x" {
		t.Errorf("another error: %s", got)
	}
}
