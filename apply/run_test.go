package apply

import "testing"

// TestWhyStopped: a run whose lock was broken was not interrupted by its user.
func TestWhyStopped(t *testing.T) {
	closed := make(chan struct{})
	close(closed)
	open := make(chan struct{})
	for want, in := range map[string]Input{
		"":            {Stop: open, Lost: func() <-chan struct{} { return open }},
		"Interrupted": {Stop: closed},
		"Lock lost":   {Stop: closed, Lost: func() <-chan struct{} { return closed }}, // which stops it, too
	} {
		r := &runner{Input: in}
		if r.stopped() != (want != "") {
			t.Errorf("%s: stopped is %v", want, r.stopped())
		}
		if got := r.interrupted().Summary; want != "" && got != want {
			t.Errorf("it says %s, not %s", got, want)
		}
	}
}
