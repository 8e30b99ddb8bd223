package readiness

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestLasting: how long a reason lasts is counted from when it was first met, and
// from zero again when another one was met in between.
func TestLasting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Check{}
		for i, step := range []struct {
			reason string
			want   time.Duration
		}{
			{"Unschedulable", 0}, {"Unschedulable", time.Minute}, {"Unschedulable", 2 * time.Minute},
			{"", 0}, {"Unschedulable", 0}, {"Unschedulable", time.Minute},
		} {
			if got := c.lasting(step.reason); got != step.want {
				t.Errorf("step %d: %q lasts %v, not %v", i, step.reason, got, step.want)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestIsOlder(t *testing.T) {
	at := func(uid, version string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: '"+uid+"', resourceVersion: '"+version+"'}}")
	}
	cases := []struct {
		name string
		a, b *unstructured.Unstructured
		want bool
	}{
		{"older", at("u", "9"), at("u", "10"), true},
		{"the same", at("u", "10"), at("u", "10"), false},
		{"newer", at("u", "11"), at("u", "10"), false},
		{"another object", at("v", "11"), at("u", "10"), true},
		{"versions that are no numbers", at("u", "a"), at("u", "b"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := isOlder(c.a, c.b); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
