package state_test

import (
	"slices"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

// handover is one of the first objects of a state with n, which depend on one another, to addresses of the name "there".
func handover(n, moved int) (state.Handover, []state.Object) {
	h := state.Handover{From: state.New(), To: state.New(), Moves: map[addrs.Instance]addrs.Instance{}}
	h.From.Cluster = "c"
	objects := storetest.Objects(n)
	for i := range objects {
		objects[i].Dependencies = nil
		if i > 0 {
			objects[i].Dependencies = []addrs.Instance{objects[i-1].Addr}
		}
		objects[i].Digest, objects[i].AcknowledgedDrift = "d", "a"
	}
	h.From.Put(objects...)
	for _, o := range objects[:moved] {
		h.Moves[o.Addr] = addrs.Resource{Type: o.Addr.Resource.Type, Name: "there_" + o.Addr.Resource.Name}.Instance(o.Addr.Key)
	}
	return h, objects
}

// TestHandover: at each step every object is in one of the states, and the whole can be repeated.
func TestHandover(t *testing.T) {
	h, objects := handover(4, 2)
	for range 2 { // the second time as after a kill
		if err := h.Check(); err != nil {
			t.Fatal(err)
		}
		h.Enter(func(state.Object) []addrs.Path { return nil })
		if len(h.To.Objects) != 2 || len(h.From.Objects) != 4 || h.To.Cluster != "c" {
			t.Fatalf("%+v", h.To)
		}
	}
	second, ok := h.To.Find(h.Moves[objects[1].Addr])
	if !ok || second.UID != objects[1].UID || second.Digest != "" || second.AcknowledgedDrift != "" {
		t.Errorf("%+v", second)
	}
	if want := []addrs.Instance{h.Moves[objects[0].Addr]}; !slices.Equal(second.Dependencies, want) {
		t.Errorf("dependencies %v, want %v", second.Dependencies, want)
	}
	h.Leave()
	if left := h.From.Objects; len(left) != 2 || !slices.Equal(left[0].Dependencies, []addrs.Instance{objects[1].Addr}) {
		t.Errorf("left: %+v", left)
	}
	for _, s := range []*state.State{h.From, h.To} {
		if _, err := s.Encode(); err != nil {
			t.Error(err)
		}
	}
}

// TestHandoverOfSensitiveNames: digests of names are made again, under the key of the other state.
func TestHandoverOfSensitiveNames(t *testing.T) {
	h, objects := handover(1, 1)
	data := addrs.NewPath("data")
	o := objects[0]
	o.Sensitive = []addrs.Path{data}
	plain, secret := addrs.NewPath("metadata", "labels", "app"), data.Field("canary")
	o.Applied = addrs.NewPathSet(plain, h.From.MaskPath(secret, addrs.NewPathSet(data)),
		h.From.MaskPath(data.Field("gone"), addrs.NewPathSet(data))).Sorted()
	h.From.Put(o)
	h.Enter(func(state.Object) []addrs.Path { return []addrs.Path{plain, secret, addrs.NewPath("data", "other")} })
	got, _ := h.To.Find(h.Moves[o.Addr])
	want := addrs.NewPathSet(plain, h.To.MaskPath(secret, addrs.NewPathSet(data))).Sorted()
	if !slices.Equal(got.Applied, want) || strings.Contains(got.Applied[0].String()+got.Applied[1].String(), "canary") {
		t.Errorf("%v, want %v", got.Applied, want)
	}
}

// TestHandoverRefused: what the other state has already, or a run did not get to record, is in the way.
func TestHandoverRefused(t *testing.T) {
	for want, change := range map[string]func(h state.Handover, o state.Object){
		"at this address": func(h state.Handover, o state.Object) {
			other := storetest.Object(7)
			other.Addr = h.Moves[o.Addr]
			h.To.Put(other)
		},
		"and the other state has that at": func(h state.Handover, o state.Object) { h.To.Put(o) },
		"has a delete that a run began": func(h state.Handover, o state.Object) {
			h.From.Pending = []state.Pending{{Addr: o.Addr, Object: o.Object, Action: state.PendingDelete, UID: o.UID}}
		},
		"Apply that stack first": func(h state.Handover, o state.Object) {
			h.To.Pending = []state.Pending{{Addr: h.Moves[o.Addr], Object: o.Object, Action: state.PendingCreate}}
		},
	} {
		h, objects := handover(2, 1)
		change(h, objects[0])
		if err := h.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
