//go:build unix

package faulttest_test

import (
	"strings"
	"syscall"
	"testing"

	"kplan.dev/kplan/internal/faulttest"
)

// deed is a change of one object.
type deed struct {
	name          string
	before, after faulttest.Stack
	verb          string // of the call that matters
}

func deeds() []deed {
	one := func(rev int, immutableChanges bool) faulttest.Stack {
		return faulttest.Stack{{Kind: "ConfigMap", Name: "a", Rev: rev, Immutable: immutableChanges}}
	}
	return []deed{
		{"create", nil, one(0, false), "create"},
		{"create unnamed", nil, faulttest.Stack{{Kind: "ConfigMap", Name: "a", Unnamed: true}}, "create"},
		{"update", one(0, false), one(1, false), "update"},
		{"replace, delete", one(0, true), one(1, true), "delete"},
		{"replace, create", one(0, true), one(1, true), "create"},
		{"delete", one(0, false), nil, "delete"},
	}
}

func (x *trial) setUp(d deed) {
	if d.before != nil {
		x.write(d.before)
		x.mustApply()
	}
	x.write(d.after)
}

// TestLostAnswer loses the response to a change that was carried out. The outcome is found
// out by looking: the run succeeds, and reports what it did.
func TestLostAnswer(t *testing.T) {
	r := newRig(t)
	losses := map[string]faulttest.Fault{
		"cut":          {Do: faulttest.Cut},
		"hung up":      {Do: faulttest.Hang},
		"truncated":    {Do: faulttest.Truncate},
		"garbled":      {Do: faulttest.Garbage},
		"bad gateway":  {Do: faulttest.Answer, Status: 502, Plain: true},
		"unavailable":  {Do: faulttest.Answer, Status: 503, Plain: true},
		"timed out":    {Do: faulttest.Answer, Status: 504, Reason: "Timeout", Message: "request did not complete within the allotted timeout"},
		"sent twice":   {Do: faulttest.Twice},
		"cut 3 times":  {Do: faulttest.Cut, Times: 3},
		"leader moved": {Do: faulttest.Answer, Status: 500, Reason: "InternalError", Message: "etcdserver: leader changed"},
	}
	for _, d := range deeds() {
		for name, fault := range losses {
			t.Run(d.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.setUp(d)
				fault.Verb, fault.Nth, fault.When = d.verb, 1, faulttest.After
				x.proxy.Arm(fault)
				run := x.apply()
				if len(x.proxy.Hit()) == 0 {
					t.Errorf("no %s came: %v", d.verb, run)
				}
				if run.Code != 0 || !strings.Contains(run.Stdout, "Apply complete!") {
					t.Errorf("the response was lost, and the change with it: %v", run)
				}
				x.checkSucceeded()
				x.checkConverges("")
			})
		}
	}
}

// TestKilledAtLast kills kplan around the only change of a plan: the next run finds that
// nothing is left to do, and must still record what was done.
func TestKilledAtLast(t *testing.T) {
	r := newRig(t)
	for _, d := range deeds() {
		for _, when := range []faulttest.When{faulttest.Before, faulttest.After, faulttest.Replied} {
			t.Run(d.name+"/"+string(when), func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.setUp(d)
				x.proxy.Arm(faulttest.Fault{Verb: d.verb, Nth: 1, When: when, Do: faulttest.Kill})
				if run := x.apply(); run.Signal != syscall.SIGKILL && when != faulttest.Replied {
					t.Fatalf("not killed: %v", run)
				}
				x.checkNoneLost()
				x.checkBystanders()
				x.checkConverges("")
			})
		}
	}
}
