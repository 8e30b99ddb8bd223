package apply

import (
	"context"
	"testing"
)

// TestWhyStopped: a run whose lock was broken was not interrupted by its user.
func TestWhyStopped(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	open := make(chan struct{})
	ended, end := context.WithCancel(t.Context())
	end()
	for want, r := range map[string]*runner{
		"":            {ending: t.Context(), Input: Input{Lost: func() <-chan struct{} { return open }}},
		"Interrupted": {ending: ended},
		"Lock lost":   {ending: ended, Input: Input{Lost: func() <-chan struct{} { return closed }}}, // which ends it, too
	} {
		if r.stopped() != (want != "") {
			t.Errorf("%s: stopped is %v", want, r.stopped())
		}
		if got := r.interrupted().Summary; want != "" && got != want {
			t.Errorf("it says %s, not %s", got, want)
		}
	}
}
