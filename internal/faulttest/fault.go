package faulttest

import (
	"fmt"
	"net/http"
	"time"
)

// Fault is what happens to the calls that it picks.
type Fault struct {
	// Verb and Resource pick calls; "" picks all but the watch, whose end nobody
	// would notice for minutes.
	Verb     string `json:"verb,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Nth is which of these calls it happens to, from 1, and Times to how many
	// from there on, 0 meaning one. Ever says all from there on.
	Nth   int  `json:"nth"`
	Times int  `json:"times,omitempty"`
	Ever  bool `json:"ever,omitempty"`
	// Rest says that it happens to all calls after the nth as well, whatever their
	// verb, and to watches.
	Rest bool `json:"rest,omitempty"`

	When When `json:"when"`
	Do   Do   `json:"do"`

	Delay time.Duration `json:"delay,omitempty"` // of Delay
	// Status, Reason and Message are the answer of Answer. Plain makes it one of
	// a load balancer's, which knows nothing of Kubernetes.
	Status     int    `json:"status,omitempty"`
	Reason     string `json:"reason,omitempty"`
	Message    string `json:"message,omitempty"`
	RetryAfter string `json:"retryAfter,omitempty"`
	Plain      bool   `json:"plain,omitempty"`
}

// When is the moment of a call at which a fault happens.
type When string

const (
	Before  When = "before"  // the server never sees the call
	After   When = "after"   // the server has carried it out, kplan has no answer yet
	Replied When = "replied" // kplan has its answer
)

// Do is what a fault does.
type Do string

const (
	Cut       Do = "cut"       // end the exchange without an answer
	Hang      Do = "hang up"   // close the connection, with all exchanges on it
	Delay     Do = "delay"     // wait
	Hold      Do = "hold"      // keep it until Release, also when kplan is gone
	Answer    Do = "answer"    // answer with a status of the fault's own
	Truncate  Do = "truncate"  // end the answer in its middle
	Garbage   Do = "garbage"   // answer 200 and something that is not JSON
	Twice     Do = "twice"     // carry the call out twice, answer the second
	Kill      Do = "kill"      // SIGKILL to kplan
	Interrupt Do = "interrupt" // SIGINT to kplan
	Terminate Do = "terminate" // SIGTERM to kplan
	Vanish    Do = "vanish"    // end all connections, and take no more: the server is gone for good
)

func (f Fault) picks(c Call) bool {
	if f.Status == http.StatusNotFound && f.When == Before && c.Verb == "delete" {
		return false // no API server denies what is there, and what would kplan do?
	}
	if f.Verb == "" && c.Verb == "watch" || f.Verb != "" && f.Verb != c.Verb {
		return false
	}
	return f.Resource == "" || f.Resource == c.Resource
}

// hits says whether the fault happens to the nth call it picks.
func (f Fault) hits(nth int) bool {
	return nth >= f.Nth && (f.Ever || nth < f.Nth+max(1, f.Times))
}

// String is the fault in a few words, for the names of tests.
func (f Fault) String() string {
	what := string(f.Do)
	if f.Do == Answer {
		what = fmt.Sprint(f.Status)
	}
	verb := f.Verb
	if verb == "" {
		verb = "call"
	}
	return fmt.Sprintf("%s %s %s %d", what, f.When, verb, f.Nth)
}

// body is the fault's answer to a call, as the API server words one.
func (f Fault) body(c Call) (contentType string, body []byte) {
	message := f.Message
	if message == "" {
		message = "faulttest: " + http.StatusText(f.Status)
	}
	if f.Plain {
		return "text/html", []byte("<html><body><h1>" + message + "</h1></body></html>")
	}
	return "application/json", fmt.Appendf(nil,
		`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":%q,"reason":%q,"code":%d,"details":{"name":%q,"kind":%q}}`,
		message, f.Reason, f.Status, c.Name, c.Resource)
}
