package main

import (
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

// TestMoveToRefused: what the states say is in the way, before the cluster is asked.
func TestMoveToRefused(t *testing.T) {
	dir := t.TempDir()
	locked := func(name string) *lockedState {
		st := state.New()
		st.Serial, st.Cluster = 3, "one"
		return &lockedState{opts: stateOptions{at: state.InFile(filepath.Join(dir, name), state.Codec{})}, state: st}
	}
	addr := storetest.Object(1).Addr.String()
	check := func(change func(h *handover)) string {
		h := &handover{from: locked("from.json"), to: locked("to.json")}
		h.from.state.Put(storetest.Object(1))
		change(h)
		if diags := h.check(t.Context(), addr, addr); diags.HasErrors() {
			return diags[0].Summary + ": " + diags[0].Detail
		}
		return ""
	}
	if got := check(func(*handover) {}); got != "" {
		t.Errorf("nothing is in the way: %s", got)
	}
	for want, change := range map[string]func(h *handover){
		"Another cluster: The objects of the stack in ": func(h *handover) { h.to.state.Cluster = "two" },
		"Can't move the objects": func(h *handover) {
			h.from.state.Pending = []state.Pending{{Addr: storetest.Object(1).Addr, Object: storetest.Object(1).Object, Action: state.PendingCreate}}
		},
		"it may have been moved before": func(h *handover) {
			h.to.state.Put(storetest.Object(1))
			h.from.state.Remove(storetest.Object(1).Object)
		},
		"The state is in another file: ": func(h *handover) {
			if _, err := state.WriteErrored(dir, h.to.state, state.Codec{}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		if got := check(change); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
