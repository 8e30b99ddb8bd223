package kube

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
)

// Error is everything this package fails with. It names the operation and the
// object once; layers above pass it on or give it a position in the source.
type Error struct {
	Op     string       // what was asked: get, list, create, dry-run apply, connect
	Object addrs.Object // zero for connect; without a name for list and watch
	Reason Reason
	// Message is the server's, or kplan's where no server answered. Values of
	// Secrets are masked in it.
	Message string
	// Advice is what to do about it, "" where the message suffices.
	Advice string
	// Fields are the fields of the object that the server complained about.
	Fields []FieldError
	// Conflicts are the fields that other managers own: set when Reason is FieldConflict.
	Conflicts []Conflict
	// Status is the HTTP status of the answer, 0 when there was none.
	Status     int
	fromServer bool // the answer was a Status, not words of a proxy
	// Outage means that the server was silent for as long as kplan waits
	// for an answer, also to all other requests: see OutageOf.
	Outage bool
	// Err is the cause where there is one below this package: a transport's
	// error, a context's, a kinds.UnknownError.
	Err error
}

// Reason is what an Error means to the caller. There is one reason for each
// thing that callers do differently, or that is explained to a user differently.
type Reason byte

const (
	// Other is an answer nobody can act on except by reading it.
	Other Reason = iota

	// What is wrong with the object in the cluster.

	NotFound               // there is no such object
	AlreadyExists          // create found an object of that name
	ResourceVersionChanged // it is no longer at the resource version that was given
	ReplacedOutside        // an object of that name exists, but with another uid
	Terminating            // it is being deleted: what is applied to it vanishes with it
	FieldConflict          // other managers own fields that would be set: see Conflicts

	// What is wrong with the object as it was sent.

	Invalid              // the server refuses its content: see Fields
	Immutable            // every complaint is that a field can't be changed: see Fields
	SchemaRejected       // it does not fit the kind's schema: an unknown field, a wrong type
	LiveUnfit            // the object in the cluster does not fit the kind's schema any more, so nothing can be applied to it
	TooLarge             // the request was too large to be read, or to be stored
	Denied               // an admission webhook or policy refuses it
	QuotaExceeded        // a ResourceQuota refuses it
	QuotaUncounted       // a ResourceQuota refuses it until the cluster has counted what it limits
	NamespaceMissing     // its namespace does not exist
	NamespaceTerminating // its namespace is being deleted

	// What this user or server can't do.

	Forbidden         // RBAC does not allow it
	Escalation        // RBAC does not let a user give rights that the user lacks
	Unauthorized      // the credentials are not, or no longer, accepted
	DryRunUnsupported // an admission webhook can't be asked in a dry-run
	WebhookFailed     // an admission webhook could not be called
	NotServed         // the server has no such kind; the objects themselves may exist
	Unavailable       // the server, or the part that serves this kind, does not answer now

	// What is not known.

	OutcomeUnknown // the request was sent and no answer came: it may have been carried out
	Timeout        // a read took too long

	// What keeps kplan from any server.

	NoConfiguration        // no cluster is configured
	BadConfiguration       // the configuration contradicts itself or can't be read
	UntrustedConfiguration // the configuration would run a program or send a file, and may come from a pull request
	Unreachable            // no connection: refused, no such host, no route
	TLSFailed              // TLS failed: wrong authority, name, expiry, or no TLS at all
	PluginFailed           // the credential plugin failed
	NotKubernetes          // something else answered
)

var reasonNames = [...]string{
	Other: "other", NotFound: "not found", AlreadyExists: "already exists", ResourceVersionChanged: "resource version changed",
	ReplacedOutside: "replaced outside kplan", Terminating: "terminating", FieldConflict: "field conflict",
	Invalid: "invalid", Immutable: "immutable", SchemaRejected: "schema rejected", LiveUnfit: "live object unfit", TooLarge: "too large",
	Denied: "denied", QuotaExceeded: "quota exceeded", QuotaUncounted: "quota not counted", NamespaceMissing: "namespace missing",
	NamespaceTerminating: "namespace terminating", Forbidden: "forbidden", Escalation: "escalation", Unauthorized: "unauthorized",
	DryRunUnsupported: "dry-run unsupported", WebhookFailed: "webhook failed", NotServed: "not served",
	Unavailable: "unavailable", OutcomeUnknown: "outcome unknown", Timeout: "timeout",
	NoConfiguration: "no configuration", BadConfiguration: "bad configuration", UntrustedConfiguration: "untrusted configuration",
	Unreachable: "unreachable",
	TLSFailed:   "TLS failed", PluginFailed: "credential plugin failed", NotKubernetes: "not kubernetes",
}

// String is the reason in a few words, for logs and tests.
func (r Reason) String() string { return reasonNames[r] }

// unservedVersion is how the server refuses to read a record of managedFields in a
// version of a custom kind that its definition no longer has (measured on 1.37).
var unservedVersion = regexp.MustCompile(`request to convert CR (?:from|to) an invalid group/version: (\S+?)[,;.]?(?:\s|$)`)

// UnservedVersion is the API version, no longer served, in which something is recorded
// in the managedFields of an object that kept a request from being answered, "" for
// any other error.
func UnservedVersion(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	if m := unservedVersion.FindStringSubmatch(e.Message); m != nil {
		return m[1]
	}
	return ""
}

// FieldError is one complaint of the server about one field of an object.
type FieldError struct {
	// Path is the field path as far as the server's spelling could be read, the zero
	// Path when the complaint is about the whole object.
	Path   addrs.Path
	Reason string // the API's word: FieldValueInvalid, FieldValueRequired, FieldManagerConflict
	Detail string // the server's words, Secret values masked
	// Immutable means that the field can't be changed on an
	// existing object.
	Immutable bool
}

// Conflict is a field that another manager owns.
type Conflict struct {
	Path        addrs.Path
	Manager     string
	Subresource string // through which it was set: scale, status; mostly ""
	Applied     bool   // set by server-side apply rather than an update
	// Time is when, RFC 3339 in UTC. Conflicts of API servers of these days
	// leave it out: see In.
	Time string
}

// In is the conflict with the time that the live object's managedFields give.
func (c Conflict) In(live *unstructured.Unstructured) Conflict {
	for _, m := range ownership.Of(live.Object) {
		if c.Time == "" && !m.Time.IsZero() && m.Manager == c.Manager && m.Subresource == c.Subresource && m.Applied == c.Applied {
			c.Time = m.Time.Format(time.RFC3339)
		}
	}
	return c
}

// Error is one line: operation, object, message.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Object.Kind != "" {
		b.WriteByte(' ')
		b.WriteString(strings.TrimSpace(e.Object.String()))
	}
	b.WriteString(": ")
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(e.Err.Error())
	default:
		b.WriteString(e.Reason.String())
	}
	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// ReasonOf is the reason of the first Error in err's chain, Other when there is none.
func ReasonOf(err error) Reason {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e.Reason
	}
	return Other
}

// OutageOf is the first error in err's chain that whatever else is asked now
// would meet as well: the server is gone, or takes the credentials no longer. It
// is nil where there is none, as when one request of many was not answered.
func OutageOf(err error) *Error {
	for e := (*Error)(nil); errors.As(err, &e); err = e.Err {
		switch e.Reason {
		case Unauthorized, PluginFailed, TLSFailed:
			return e
		}
		if e.Outage {
			return e.ofServer()
		}
	}
	return nil
}

// ofServer is an error as one of the server, not of a change that it may or may
// not have carried out.
func (e *Error) ofServer() *Error {
	of := *e
	if of.Reason == OutcomeUnknown {
		of.Reason, of.Advice = Timeout, adviseNetwork
	}
	return &of
}

// Unanswered reports whether an error leaves open the state of the object that was asked
// about: no answer came, or the server would not hear the question.
func Unanswered(err error) bool {
	switch ReasonOf(err) {
	case Unreachable, Timeout, OutcomeUnknown, Unauthorized, PluginFailed, TLSFailed:
		return true
	}
	return false
}

// Unresolved is the error of a change whose outcome is unknown, and remains so
// since looking at what has become of it failed, too. Of a change that has met
// anything else it is what looking met.
func Unresolved(change, looking error) error {
	var e *Error
	if !errors.As(change, &e) || e.Reason != OutcomeUnknown {
		return looking
	}
	unresolved := *e
	unresolved.Err = looking
	return &unresolved
}
