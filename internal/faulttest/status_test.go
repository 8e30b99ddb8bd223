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

// askedCalls has a call of each verb that an apply sends about objects. Other
// calls of the same verb are answered as ever.
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

// outlook says what should come of an answer that is given once, and of one
// that is given ever after.
type outlook struct {
	passes bool // asking again helps, if the next answer is a good one
	says   string
}

// outlooks are those of faulttest.Answers, in the same order. Whether asking
// again helps depends on the verb where the answer says that something is not
// there, or has changed, which is for the caller to look at.
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
		return outlook{verb == "watch" || verb == "list", "too old|Gone"} // list anew
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

// TestEveryStatus has each kind of answer given to one call of each verb, once
// and ever after: the first must be survived where asking again can help, the
// second must end the run soon, with an error that says what it was.
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

// longestOutage is how long kplan may go on asking a server that gives no good
// answer: longest where the server says that it is too busy, and not for how long.
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
		fault.When = faulttest.After // before, it would be a lie
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
		t.Errorf("kplan does not end like this: %v", run)
	case (!ever || call.fault.Verb == "watch") && want.passes && run.Code != 0: // without streams there are still lists
		t.Errorf("asking again would have helped: %v", run)
	case !want.passes && hits > 6 && call.fault.Verb != "watch":
		t.Errorf("asked %d times though that can't help: %v", hits, run)
	case run.Elapsed > longestOutage:
		t.Errorf("it took %s to give up", run.Elapsed)
	case run.Code != 0 && !saysOneOf(run, want.says):
		t.Errorf("the error does not say what is wrong (%s): %v", want.says, run)
	}
	x.checkNoOrphan()
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
