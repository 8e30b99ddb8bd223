package kube

import "errors"

// OutageOf is the first error in err's chain that whatever else is asked now
// would meet as well: the server is gone, or takes the credentials no longer. It
// is nil where there is none, as when one request of many was not answered.
func OutageOf(err error) *Error {
	for e := (*Error)(nil); errors.As(err, &e); err = e.Err {
		switch e.Reason {
		case Unauthorized, PluginFailed, Untrusted:
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

// Unanswered says whether an error tells nothing of the object that was asked
// about: no answer came, or the server would not hear the question.
func Unanswered(err error) bool {
	switch ReasonOf(err) {
	case Unreachable, Timeout, OutcomeUnknown, Unauthorized, PluginFailed, Untrusted:
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
