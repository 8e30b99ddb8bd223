package readiness

import (
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/apply/informers"
)

// TestLasting: how long a reason lasts is counted from when it was first met, and
// from zero again when another one was met in between.
func TestLasting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clocks{}
		for i, step := range []struct {
			reason string
			want   time.Duration
		}{{"paused", 0}, {"paused", time.Minute}, {"paused", 2 * time.Minute}, {"", 0}, {"paused", 0}, {"paused", time.Minute}} {
			if got := c.lasting(step.reason, time.Time{}); got != step.want {
				t.Errorf("step %d: %q lasts %v, not %v", i, step.reason, got, step.want)
			}
			time.Sleep(time.Minute)
		}
	})
}

// pods in the states that a kubelet goes through while it tries again and again.
func retried(t *testing.T, uid, state string) *unstructured.Unstructured {
	states := map[string]string{
		"creating":  "{phase: Pending, containerStatuses: [{name: c, state: {waiting: {reason: ContainerCreating}}}]}",
		"pulling":   "{phase: Pending, containerStatuses: [{name: c, state: {waiting: {reason: ErrImagePull}}}]}",
		"not yet":   "{phase: Pending, containerStatuses: [{name: c, state: {waiting: {reason: ImagePullBackOff}}}]}",
		"crashed":   "{phase: Running, containerStatuses: [{name: c, restartCount: 1, state: {terminated: {exitCode: 1}}}]}",
		"back-off":  "{phase: Running, containerStatuses: [{name: c, restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}}]}",
		"no config": "{phase: Pending, containerStatuses: [{name: c, state: {waiting: {reason: CreateContainerConfigError}}}]}",
		"running": "{phase: Running, conditions: [{type: Ready, status: 'False'}], containerStatuses: [{name: c, restartCount: 1, state: " +
			"{running: {}}}]}",
		"ready": "{phase: Running, conditions: [{type: Ready, status: 'True'}], " +
			"containerStatuses: [{name: c, ready: true, state: {running: {}}}]}",
		"after an hour": "{phase: Running, containerStatuses: [{name: c, restartCount: 2, state: {waiting: {reason: " +
			"CrashLoopBackOff}}, lastState: " +
			"{terminated: {exitCode: 1, startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T01:00:00Z'}}}]}",
	}
	return object(t, "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, uid: "+uid+", resourceVersion: '2'}, spec: "+
		"{restartPolicy: Always}, status: "+states[state]+"}")
}

// TestStuck follows a pod through what a kubelet reports, and says after which of
// the states it is stuck, each twenty seconds after the one before.
func TestStuck(t *testing.T) {
	cases := []struct {
		name    string
		states  []string
		stuck   int // the state from which on waiting is pointless; -1 for none
		changed int // the state before which the run changes something that the pod may need
	}{
		{"a crash, and then it is ready", []string{"creating", "crashed", "back-off", "ready"}, -1, -1},
		{"a pull that fails, and then it is ready", []string{"pulling", "not yet", "ready"}, -1, -1},
		{"one crash after the other", []string{"crashed", "back-off", "running", "back-off", "running", "back-off"}, 3, -1},
		{"while it runs it may become ready", []string{"crashed", "back-off", "running", "running", "running"}, -1, -1},
		{"one pull after the other", []string{"pulling", "not yet", "pulling", "not yet"}, 3, -1},
		{"a Secret that does not come", []string{"no config", "no config", "no config", "no config"}, 3, -1},
		{"a Secret that the run makes meanwhile", []string{"no config", "no config", "no config", "no config", "no config"}, -1, 2},
		{"another failure has its own time", []string{"pulling", "not yet", "crashed", "back-off", "back-off", "back-off"}, 5, -1},
		{"crashes an hour apart", []string{"crashed", "back-off", "after an hour", "after an hour"}, -1, -1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var changed time.Time
				check := &Check{Diagnoser: &Diagnoser{}, Applied: retried(t, "u", "creating"), Changed: true, Start: time.Now(),
					LastChange: func() time.Time { return changed }}
				got := -1
				for i, name := range c.states {
					if i == c.changed {
						changed = time.Now()
					}
					state, seen, err := check.Next(t.Context(), informers.View{Live: retried(t, "u", name)}, State{})
					if err != nil || !seen || state.Terminal || state.Ready != (name == "ready") {
						t.Fatalf("%s: got %+v, %v, %v", name, state, seen, err)
					}
					if state.Stuck && got < 0 {
						got = i
					}
					time.Sleep(20 * time.Second)
				}
				if got != c.stuck {
					t.Errorf("stuck from state %d on, want %d", got, c.stuck)
				}
			})
		})
	}
}

// TestWorstOfMany: of several pods that fail alike, the one that has failed for the
// longest time counts.
func TestWorstOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clocks
		c.worst(podFailures([]*unstructured.Unstructured{retried(t, "b", "pulling")}), time.Time{})
		time.Sleep(time.Minute)
		both := []*unstructured.Unstructured{retried(t, "a", "pulling"), retried(t, "b", "not yet")}
		worst, lasting := c.worst(podFailures(both), time.Time{})
		if worst.pod.UID != "b" || lasting != time.Minute {
			t.Errorf("got %s, failing for %v", worst.pod.UID, lasting)
		}
	})
}

// TestRefusals: a refusal counts that was met after the last change, by a condition
// that is new or an event that is.
func TestRefusals(t *testing.T) {
	event := func(version string) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{object(t, "{apiVersion: v1, kind: Event, metadata: {name: e, uid: e, "+
			"resourceVersion: '"+version+"'}}")}
	}
	refused := map[string]any{"type": "ReplicaFailure", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}
	type look struct {
		changed   int
		condition map[string]any
		events    []*unstructured.Unstructured
		want      bool
	}
	start := time.Now()
	cases := []struct {
		name   string
		before map[string]any
		looks  []look
	}{
		{"a new condition", nil, []look{{1, refused, nil, true}}},
		{"the condition of before", refused, []look{{1, refused, nil, false}, {1, refused, event("5"), true}}},
		{"the event of before", nil, []look{{1, nil, event("5"), false}, {1, nil, event("5"), false}, {1, nil, event("6"), true}}},
		{"a change in between", nil, []look{{1, refused, event("5"), true}, {2, refused, event("5"), false}, {2, refused, event("6"), true}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var r refusals
			for i, l := range c.looks {
				if got := r.since(start.Add(time.Duration(l.changed)), c.before, l.condition, l.events); got != l.want {
					t.Errorf("look %d: got %v", i, got)
				}
			}
		})
	}
}

// TestReportsOn: the events of a Deployment are those of its ReplicaSets.
func TestReportsOn(t *testing.T) {
	event := func(kind, name, uid string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: Event, metadata: {name: e}, involvedObject: {kind: "+kind+", name: "+name+", uid: "+uid+"}}")
	}
	web := object(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, uid: u}}")
	set := object(t, "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web, uid: u}}")
	for _, c := range []struct {
		name        string
		event, live *unstructured.Unstructured
		want        bool
	}{
		{"its own", event("StatefulSet", "web", "u"), set, true},
		{"another's", event("StatefulSet", "web", "v"), set, false},
		{"its ReplicaSet's", event("ReplicaSet", "web-5d9f", "r"), web, true},
		{"that of a Deployment with a longer name", event("ReplicaSet", "web-api-5d9f", "r"), web, false},
		{"a ReplicaSet's, for what is no Deployment", event("ReplicaSet", "web-5d9f", "r"), set, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := reportsOn(c.event, c.live); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
