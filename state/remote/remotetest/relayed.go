package remotetest

import (
	"errors"
	"testing"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// Relay is a connection to a real server that can lose answers.
type Relay interface {
	// Lose has it lose the next n answers of the server, which has done what it was asked for.
	Lose(n int)
	// Lost is how many it has lost so far.
	Lost() int
}

// Relayed tests a place that is reached through a relay: whatever answer is lost, a run finds out what became of its
// request. direct is the same place without the relay.
func Relayed(t *testing.T, relayed, direct remote.Place, relay Relay) {
	seed(t, relayed, 2)
	_, at, err := relayed.Head(t.Context())
	must(t, err)
	relay.Lose(1)
	text := []byte(`{"kplan_state_head": 1, "swap": "unanswered", "untidy": true}`)
	if _, err := relayed.Swap(t.Context(), text, at); !errors.Is(err, remote.ErrUnanswered) {
		t.Errorf("a swap whose answer was lost: %v, want ErrUnanswered", err)
	}
	if got, _, err := direct.Head(t.Context()); err != nil || string(got) != string(text) {
		t.Errorf("the swap whose answer was lost was not carried out: %s, %v", got, err)
	}
	if _, err := relayed.Swap(t.Context(), text, at); !errors.Is(err, remote.ErrChanged) {
		t.Errorf("the same swap again: %v, want ErrChanged", err)
	}

	lease := lock(t, store(relayed))
	s, err := lease.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	must(t, err)
	for i := range 12 { // one of them loses each kind of answer: those of the parts, of the swap, of the deletion
		s.Put(storetest.Object(i))
		want := s.Serial + 1
		relay.Lose(i % 4)
		if err := lease.Write(t.Context(), s); err != nil {
			t.Fatalf("with %d answers lost: %v", i%4, err)
		}
		if s.Serial != want {
			t.Errorf("serial %d was written, and should be %d", s.Serial, want)
		}
		if !read(t, direct).Equal(s) {
			t.Errorf("another state is stored than serial %d", s.Serial)
		}
	}
	relay.Lose(1)
	must(t, lease.Unlock())
	relay.Lose(0)
	seedAgain(t, direct)
	noLeftovers(t, direct)
	t.Logf("%d answers were lost", relay.Lost())
}
