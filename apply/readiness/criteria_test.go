package readiness

import (
	"regexp"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
)

func TestCriteria(t *testing.T) {
	on, off := true, false
	condition := func(typ, status string) Criteria {
		return Criteria{Conditions: []Condition{{Type: typ, Status: status}}}
	}
	field := func(value *string, pattern string, path ...string) Criteria {
		f := Field{Path: addrs.NewPath(path...), Value: value}
		if pattern != "" {
			f.Pattern = regexp.MustCompile(pattern)
		}
		return Criteria{Fields: []Field{f}}
	}
	with := func(c Criteria, more func(*Criteria)) Criteria { more(&c); return c }
	text := func(s string) *string { return &s }
	widget := func(status string) string {
		return "{apiVersion: acme.example/v1, kind: Widget, metadata: {name: a, generation: 2}, spec: {token: s3cr3t}, status: {" + status + "}}"
	}
	deployment := func(status string) string {
		return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, generation: 2}, spec: {replicas: 2}, status: {" + status + "}}"
	}
	const (
		rolledOut = "observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, conditions: [{type: " +
			"Available, status: 'True'}]"
		inProgress = "observedGeneration: 2, replicas: 2, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2, conditions: [{type: " +
			"Available, status: 'True'}]"
		late = "observedGeneration: 2, replicas: 2, conditions: [{type: Available, status: 'False', reason: " +
			"MinimumReplicasUnavailable, message: none}, {type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]"
	)
	cases := []struct {
		name, manifest  string
		criteria        Criteria
		ready, terminal bool
		why             string
	}{
		{"condition holds", widget("conditions: [{type: Synced, status: 'True'}]"), condition("Synced", "True"), true, false, ""},
		{"condition is false", widget("conditions: [{type: Synced, status: 'False', reason: Slow, message: " +
			"wait}]"), condition("Synced", "True"), false, false, "condition Synced is False, not True: Slow: wait"},
		{"condition is to be false", widget("conditions: [{type: Synced, status: 'False'}]"), condition("Synced", "False"), true, false, ""},
		{"no condition", widget(""), condition("Synced", "True"), false, false, "it has no condition Synced yet"},
		{"no status", "{apiVersion: acme.example/v1, kind: Widget, metadata: {name: " +
			"a}}", condition("Synced", "True"), false, false, "no condition Synced"},
		{"controller is behind", widget("observedGeneration: 1, conditions: [{type: Synced, status: " +
			"'True'}]"), condition("Synced", "True"), false, false, "has not seen the change"},
		{"condition is behind", widget("conditions: [{type: Synced, status: 'True', observedGeneration: " +
			"1}]"), condition("Synced", "True"), false, false, "before the change"},
		{"all must hold", widget("phase: Up, conditions: [{type: Synced, status: 'True'}]"),
			with(condition("Synced", "True"), func(c *Criteria) {
				c.Fields = field(text("Done"), "", "status",
					"phase").Fields
			}), false, false, `status.phase is "Up", not "Done"`},
		{"own rules override the kind's", widget("phase: Up, conditions: [{type: Ready, status: " +
			"'False'}]"), field(text("Up"), "", "status", "phase"), true, false, ""},
		{"own rules override what the kind takes for a failure", widget("phase: Wait, conditions: [{type: Stalled, status: " +
			"'True'}]"), field(text("Up"), "", "status", "phase"), false, false, "status.phase"},
		{"number", widget("count: 3"), field(text("3"), "", "status", "count"), true, false, ""},
		{"truth", widget("done: false"), field(text("true"), "", "status", "done"), false, false, `status.done is "false", not "true"`},
		{"pattern", widget("ip: 10.0.0.1"), field(nil, `^10\.`, "status", "ip"), true, false, ""},
		{"pattern does not match", widget("ip: 9.0.0.1"), field(nil, `^10\.`, "status", "ip"), false, false, `does not match "^10\\."`},
		{"anything will do", widget("ip: 9.0.0.1"), field(nil, "", "status", "ip"), true, false, ""},
		{"a status that the kind's rule can't read", widget("phase: Up, conditions: [{type: [], status: " +
			"1}]"), field(text("Down"), "", "status", "phase"), false, false, "status.phase"},
		{"not set", widget(""), field(nil, "", "status", "ip"), false, false, "status.ip is not set yet"},
		{"values outside of the status are not shown", widget(""), field(text("x"), "", "spec", "token"), false, false,
			"spec.token is another value"},
		{"rolled out", deployment(rolledOut), Criteria{Rollout: &on}, true, false, ""},
		{"rollout in progress", deployment(inProgress), Criteria{Rollout: &on}, false, false, "Updated: 1/2"},
		{"rollout is not asked for", deployment(inProgress), Criteria{Rollout: &off}, true, false, ""},
		{"rollout is not asked for, but the controller's eye", deployment("observedGeneration: " +
			"1"), Criteria{Rollout: &off}, false, false, "has not seen the change"},
		{"condition alone", deployment(inProgress), condition("Available", "True"), true, false, ""},
		{"condition and rollout", deployment(inProgress), with(condition("Available", "True"), func(c *Criteria) { c.Rollout = &on }),
			false, false, "Updated: 1/2"},
		{"condition that won't come", deployment(late), condition("Available", "True"), false, true, "condition Available is False"},
		{"condition that came in spite of failure", deployment(late), condition("Available", "False"), true, false, ""},
		{"being deleted", "{apiVersion: acme.example/v1, kind: Widget, metadata: {name: a, deletionTimestamp: " +
			"'2026-01-01T00:00:00Z'}}", Criteria{Rollout: &off}, false, true, "being deleted"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := Of(object(t, c.manifest), c.criteria)
			if err != nil {
				t.Fatal(err)
			}
			if got.Ready != c.ready || got.Terminal != c.terminal || !strings.Contains(got.Why, c.why) {
				t.Errorf("got %+v, want ready %v, terminal %v, why with %q", got, c.ready, c.terminal, c.why)
			}
		})
	}
}
