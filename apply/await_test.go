package apply

import (
	"testing"
	"testing/synctest"
	"time"
)

// How long a reason lasts is counted from when it was first met, and anew when
// another one was met in between.
func TestLasting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &waiting{}
		for i, step := range []struct {
			reason string
			want   time.Duration
		}{{"Unschedulable", 0}, {"Unschedulable", time.Minute}, {"Unschedulable", 2 * time.Minute}, {"", 0}, {"Unschedulable", 0}, {"Unschedulable", time.Minute}} {
			if got := w.lasting(step.reason); got != step.want {
				t.Errorf("step %d: %q lasts %v, not %v", i, step.reason, got, step.want)
			}
			time.Sleep(time.Minute)
		}
	})
}
