package faulttest

import (
	"fmt"
	"net/http"
	"time"
)

// Fault is what happens to the calls that it selects.
type Fault struct {
	// Verb and Resource select calls; "" selects all but the watch, whose end nobody
	// would notice for minutes.
	Verb     string `json:"verb,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Nth is which of these calls it happens to, from 1, and Times to how many
	// from there on, 0 meaning one. Ever means all from there on.
	Nth   int  `json:"nth"`
	Times int  `json:"times,omitempty"`
	Ever  bool `json:"ever,omitempty"`
	// Rest means that it happens to all calls after the nth as well, whatever their verb,
	// and to watches.
	Rest bool `json:"rest,omitempty"`

	When When `json:"when"`
	Do   Do   `json:"do"`

	Delay time.Duration `json:"delay,omitempty"` // of Delay
	// Status, Reason and Message are the response of Answer. Plain makes it one of a load
	// balancer, which knows nothing of Kubernetes.
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
	After   When = "after"   // the server has carried it out, kplan has no response yet
	Replied When = "replied" // kplan has its response
)

// Do is what a fault does.
type Do string

const (
	Cut       Do = "cut"       // end the exchange without a response
	Hang      Do = "hang up"   // close the connection, with all exchanges on it
	Delay     Do = "delay"     // wait
	Hold      Do = "hold"      // keep it until Release, also when kplan is gone
	Answer    Do = "answer"    // respond with a status of the fault's own
	Truncate  Do = "truncate"  // end the response in its middle
	Garbage   Do = "garbage"   // respond with 200 and something that is not JSON
	Twice     Do = "twice"     // carry the call out twice, respond with the second result
	Kill      Do = "kill"      // SIGKILL to kplan
	Interrupt Do = "interrupt" // SIGINT to kplan
	Terminate Do = "terminate" // SIGTERM to kplan
	Vanish    Do = "vanish"    // end all connections, and accept no more: the server is gone for good
)

func (f Fault) selects(c Call) bool {
	if f.Status == http.StatusNotFound && f.When == Before && c.Verb == "delete" {
		return false // no API server returns 404 for an object that exists, and what would kplan do?
	}
	if f.Verb == "" && c.Verb == "watch" || f.Verb != "" && f.Verb != c.Verb {
		return false
	}
	return f.Resource == "" || f.Resource == c.Resource
}

// hits reports whether the fault happens to the nth call that it selects.
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

// body is the fault's response to a call, as the API server would send one.
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
