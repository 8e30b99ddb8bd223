//go:build unix

package faulttest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kplan.dev/kplan/internal/faulttest"
)

// asked is a call that a status test answers, and where in a run it comes.
type asked struct {
	name  string
	fault faulttest.Fault // which calls
	// before is set up without faults; after, or a plan of it, runs with them.
	before, after faulttest.Stack
}

// askedCalls has a call of each verb that an apply sends about objects. Other calls of the
// same verb are answered as usual.
func askedCalls() []asked {
	one := faulttest.Stack{{Kind: "ConfigMap", Name: "a"}}
	changed := faulttest.Stack{{Kind: "ConfigMap", Name: "a", Rev: 1}}
	pod := faulttest.Stack{{Kind: "Pod", Name: "p"}}
	return []asked{
		{"get", faulttest.Fault{Verb: "get", Resource: "namespaces"}, nil, one},
		{"list", faulttest.Fault{Verb: "list", Resource: "configmaps"}, one, changed},
		{"dry-run", faulttest.Fault{Verb: "dry-run", Resource: "configmaps"}, one, changed},
		{"create", faulttest.Fault{Verb: "create", Resource: "configmaps"}, nil, one},
		{"update", faulttest.Fault{Verb: "update", Resource: "configmaps"}, one, changed},
		{"delete", faulttest.Fault{Verb: "delete", Resource: "configmaps"}, one, nil},
		{"watch", faulttest.Fault{Verb: "watch", Resource: "pods"}, nil, pod},
	}
}

// outlook is what should come of a response that is given once, and of one that is given
// from then on.
type outlook struct {
	passes bool // a retry helps, if the next response is a good one
	says   string
}

// outlooks are those of faulttest.Answers, in the same order. Where a response reports that
// something does not exist or has changed, whether a retry helps depends on the verb.
func outlookOf(a faulttest.Fault, verb string) outlook {
	switch a.Status {
	case 401:
		return outlook{false, "redentials|log in|token|Unauthorized"}
	case 403:
		return outlook{verb == "watch" || verb == "dry-run", "cannot do this|may not|not allowed|Forbidden"}
	case 404:
		return outlook{verb == "delete", "not found|Not Found|no longer|serve|deleted"}
	case 409:
		return outlook{verb == "create" || verb == "update" || verb == "dry-run", "exists|modified|changed"}
	case 410:
		return outlook{verb == "watch" || verb == "list", "too old|Gone"} // list again
	case 413:
		return outlook{false, "large|limit"}
	case 422:
		return outlook{false, "invalid"}
	case 429, 502, 503, 504:
		return outlook{true, "too many|Bad Gateway|502|503|Service Unavailable|shutting down|504|timeout|allotted"}
	case 500:
		if strings.Contains(a.Message, "typed patch object") {
			return outlook{false, "not declared|schema"}
		}
		noWebhook := verb == "watch" && strings.Contains(a.Message, "webhook") // none is called for a watch
		return outlook{!noWebhook, "leader changed|webhook"}
	}
	panic("no outlook for this status")
}

// TestEveryStatus gives each kind of response to one call of each verb, once and from then
// on: the first must be survived where a retry can help, the second must end the run soon,
// with an error that reports what it was.
func TestEveryStatus(t *testing.T) {
	r := newRig(t)
	var report sync.Map
	t.Run("of", func(t *testing.T) {
		for _, call := range askedCalls() {
			for i, answer := range faulttest.Answers {
				if !*torture && i%4 != len(call.name)%4 { // each verb, each answer, not each pair
					continue
				}
				for _, ever := range []bool{false, true} {
					if ever && answer.Status == 429 && !*torture {
						continue // takes minutes
					}
					name := fmt.Sprintf("%s/%d-%d", call.name, answer.Status, i)
					if ever {
						name += "-ever"
					}
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						report.Store(name, r.answered(t, call, answer, ever))
					})
				}
			}
		}
	})
	report.Range(func(name, line any) bool { t.Log(name, line); return true })
}

// longestOutage is how long kplan may retry while no response is a good one: longest where
// the server is too busy, and does not say for how long.
const longestOutage = 3 * time.Minute

func (r *rig) answered(t *testing.T, call asked, answer faulttest.Fault, ever bool) string {
	x := r.newTrial(t)
	if call.before != nil {
		x.write(call.before)
		x.mustApply()
	}
	x.write(call.after)
	fault := call.fault
	fault.Nth, fault.When, fault.Do, fault.Ever = 1, faulttest.Before, faulttest.Answer, ever
	if answer.Status == 404 && fault.Verb == "delete" {
		fault.When = faulttest.After // before, it would be wrong
	}
	fault.Status, fault.Reason, fault.Message, fault.RetryAfter, fault.Plain =
		answer.Status, answer.Reason, answer.Message, answer.RetryAfter, answer.Plain
	x.proxy.Arm(fault)
	run := x.apply()
	hits := len(x.proxy.Hit())
	want := outlookOf(answer, call.fault.Verb)
	switch {
	case hits == 0:
		t.Errorf("the call never came: %v", run)
	case !run.Documented():
		t.Errorf("undocumented end: %v", run)
	case (!ever || call.fault.Verb == "watch") && want.passes && run.Code != 0: // without streams there are still lists
		t.Errorf("a retry would have helped: %v", run)
	case !want.passes && hits > 6 && call.fault.Verb != "watch":
		t.Errorf("retried %d times though that can't help: %v", hits, run)
	case run.Elapsed > longestOutage:
		t.Errorf("it took %s to give up", run.Elapsed)
	case run.Code != 0 && !saysOneOf(run, want.says):
		t.Errorf("the error does not report what is wrong (%s): %v", want.says, run)
	}
	x.checkNoneLost()
	x.checkBystanders()
	if run.Code == 0 {
		x.checkSucceeded()
	}
	x.checkConverges("")
	return fmt.Sprintf("exit %d, %d answers, %s", run.Code, hits, run.Elapsed.Round(100*time.Millisecond))
}

func saysOneOf(run faulttest.Run, words string) bool {
	for _, word := range strings.Split(words, "|") {
		if strings.Contains(strings.Join(strings.Fields(run.Stderr+run.Stdout), " "), word) {
			return true
		}
	}
	return false
}
