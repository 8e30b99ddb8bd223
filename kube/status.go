package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
)

// statusError turns an answer that is not a success into an Error. What the
// server means shows partly in the code, partly in the reason and causes, and
// partly only in the words; the words here are those of kube-apiserver 1.30 to 1.37.
func statusError(r *request, code int, body []byte) *Error {
	st, ok := parseStatus(body)
	if !ok {
		return nonStatusError(r, code, body)
	}
	return refusal(r, code, st)
}

// refusal is the Error of a Status that reports a failure.
func refusal(r *request, code int, st *metav1.Status) *Error {
	if st.Details == nil {
		st.Details = &metav1.StatusDetails{}
	}
	e := &Error{Op: r.op, Object: r.object, Status: code}
	mask := r.masker()
	e.fromServer = true
	e.Message = tidy(mask(st.Message))
	e.Fields = fieldErrors(st, r.sent, mask)
	e.Reason = reasonOfStatus(r, e, st)
	switch e.Reason {
	case FieldConflict:
		e.Conflicts = conflicts(st, r.sent)
		e.Fields = nil
	case NamespaceTerminating:
		e.Fields = nil // it names metadata.namespace, which adds nothing
	case Escalation:
		e.Advice = escalationAdvice(r)
	case Unauthorized:
		e.Advice = "Log in again or renew the token; the credentials in use are not accepted."
	case SchemaRejected, Invalid:
		if len(e.Fields) == 0 {
			e.Fields = fieldsInWords(st.Message, r.sent, mask)
		}
	}
	return e
}

// masker returns what hides the values of Secrets in the server's words. The server
// repeats refused values, and how it does so is not fixed, so known values are looked
// for as well as known places.
func (r *request) masker() func(string) string {
	if r.object.GroupKind() != kinds.Secret {
		return func(text string) string { return text }
	}
	secrets := redact.New(append(redact.Texts(r.sent["data"]), redact.Texts(r.sent["stringData"])...)...)
	return func(text string) string { return redact.Echoes(secrets.Hide(text)) }
}

func parseStatus(body []byte) (*metav1.Status, bool) {
	var st metav1.Status
	if err := json.Unmarshal(body, &st); err != nil || st.Kind != "Status" {
		return nil, false
	}
	return &st, true
}

// nonStatusError is an error answer that is no Status: from a proxy, a load
// balancer, something that is not Kubernetes, or the API server's own mux.
func nonStatusError(r *request, code int, body []byte) *Error {
	e := &Error{Op: r.op, Object: r.object, Status: code}
	words := r.masker()(firstLine(body))
	switch {
	case code == http.StatusUnauthorized:
		e.Reason, e.Message = Unauthorized, "the server asks for credentials"
	case code == http.StatusForbidden:
		e.Reason, e.Message = Forbidden, "refused: "+words
	case code == http.StatusNotFound && strings.HasPrefix(words, "404 page not found") && !isEverywhere(r):
		// The API server's mux: this group, version or resource is not there.
		e.Reason, e.Message = NotServed, "the server does not serve "+r.path
	case code == http.StatusRequestEntityTooLarge:
		e.Reason, e.Message = TooLarge, "the object is too large for the server or a proxy in front of it"
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable,
		code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		e.Reason, e.Message = Unavailable, fmt.Sprintf("%d %s: %s", code, http.StatusText(code), words)
	case code >= 300 && code < 400:
		e.Reason, e.Message = NotKubernetes, fmt.Sprintf("the server redirects (%d), which the Kubernetes API never does", code)
		e.Advice = "There seems to be a login page or a proxy in front of the cluster. Check the server address."
	case code == http.StatusBadRequest && strings.Contains(words, "HTTP request to an HTTPS server"):
		e.Reason, e.Message = TLSFailed, "the server speaks TLS, but the address begins with http://"
		e.Advice = "Write the server address with https://."
	case code >= 500:
		e.Reason, e.Message = Unavailable, fmt.Sprintf("%d %s: %s", code, http.StatusText(code), words)
	default:
		e.Reason, e.Message = NotKubernetes, fmt.Sprintf("the answer (%d) is not one of the Kubernetes API: %s", code, words)
		e.Advice = "Check the server address."
	}
	return e
}

// isEverywhere reports whether every Kubernetes API server has what was asked for:
// the list of what it serves, and namespaces.
func isEverywhere(r *request) bool {
	return r.path == "/api" || r.path == "/apis" || r.path == "/version" ||
		r.object.GroupKind() == kinds.Namespace
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body[:min(len(body), 2000)])), "\n")
	if len(line) > 200 {
		line = line[:200] + "…"
	}
	return strings.ToValidUTF8(line, "\uFFFD")
}

func reasonOfStatus(r *request, e *Error, st *metav1.Status) Reason {
	switch e.Status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return reasonOfForbidden(e, st)
	case http.StatusNotFound:
		if st.Details.Kind == "namespaces" && r.object.Kind != "Namespace" {
			return NamespaceMissing
		}
		if st.Details.Name == "" {
			return NotServed
		}
		return NotFound
	case http.StatusConflict:
		return reasonOfConflict(r, st)
	case http.StatusUnprocessableEntity:
		return reasonOfInvalid(e, st)
	case http.StatusBadRequest:
		return reasonOfBadRequest(st.Message)
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway:
		return Unavailable
	case http.StatusGatewayTimeout:
		return Timeout
	case http.StatusInternalServerError:
		return reasonOfServerError(e, st.Message)
	}
	if isDenial(st.Message) {
		return Denied
	}
	return Other
}

func reasonOfBadRequest(message string) Reason {
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case says("does not support dry run"):
		return DryRunUnsupported
	case says("strict decoding error"), says("cannot be handled as a"):
		return SchemaRejected
	case isDenial(message):
		return Denied
	}
	return Invalid
}

// reasonOfServerError tells failures of the server from those of the object, or of a webhook.
func reasonOfServerError(e *Error, message string) Reason {
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case says("failed to create typed live object"):
		return LiveUnfit
	case says("failed to create typed "), says("unable to convert unstructured object"):
		// Not a failure of the server but of the object: it will never fit.
		return SchemaRejected
	case says("failed to prune fields"):
		// The server compares what it would become with what was applied in an
		// older version, whose definition lacks the field.
		e.Advice = "Kubernetes can't add a field that only the new version has to an object recorded in an older one. " +
			"Apply the object in the new version first, without the field, and then with it."
		return SchemaRejected
	case says("duplicate nodePort"): // what validation says of it when the object is created
		return Invalid
	case says("etcdserver: request is too large"):
		return TooLarge
	case says("failed calling webhook"), says("failed calling admission webhook"):
		return WebhookFailed
	case says("conversion webhook for "):
		e.Advice = "The definition of the kind names a webhook that converts its objects between versions, and it did not answer. " +
			"It is often part of the operator that takes care of the kind: repair that, or wait until it is ready."
		return WebhookFailed
	}
	return Unavailable
}

func reasonOfForbidden(e *Error, st *metav1.Status) Reason {
	for _, c := range st.Details.Causes {
		if c.Type == "NamespaceTerminating" {
			return NamespaceTerminating
		}
	}
	switch {
	case strings.Contains(st.Message, "exceeded quota"), strings.Contains(st.Message, "for quota:"),
		strings.Contains(st.Message, "failed quota"):
		if _, quota, uncounted := strings.Cut(st.Message, uncounted); uncounted {
			e.Message = "the cluster has not counted yet what a quota limits: " + strings.TrimLeft(quota, ": ") // the same for all objects
			return QuotaUncounted
		}
		return QuotaExceeded
	case strings.Contains(st.Message, "attempting to grant RBAC permissions not currently held"):
		return Escalation
	case rbacRefusal.MatchString(st.Message):
		return Forbidden
	}
	return Denied
}

// escalationAdvice says who has to grant what before a user may write a role, or bind one,
// that has more rights than the user.
func escalationAdvice(r *request) string {
	verb, resource, named := "escalate", "roles", ""
	ref, isBinding := r.sent["roleRef"].(map[string]any)
	if isBinding {
		verb, named = "bind", fmt.Sprintf(" with the name %v", ref["name"])
	}
	if r.object.Kind == "ClusterRole" || ref["kind"] == "ClusterRole" {
		resource = "clusterroles"
	}
	where := " in the whole cluster"
	if r.object.Namespace != "" {
		where = " in namespace " + r.object.Namespace
	}
	return fmt.Sprintf("Kubernetes lets a user give only rights that the user has. A cluster administrator can apply this, or grant this "+
		"user the rules that are listed here, or the verb %s on %s of rbac.authorization.k8s.io%s%s, which allows it for any rules.",
		verb, resource, named, where)
}

// rbacRefusal is how every authorizer's refusal reads: User "x" cannot patch
// resource "pods" …; admission's refusals have words of their own.
var rbacRefusal = regexp.MustCompile(`User "[^"]*" cannot |forbidden: not allowed`)

func isDenial(message string) bool {
	return strings.Contains(message, "denied the request") || strings.Contains(message, "denied request")
}

func reasonOfConflict(r *request, st *metav1.Status) Reason {
	if st.Reason == metav1.StatusReasonAlreadyExists {
		return AlreadyExists
	}
	for _, c := range st.Details.Causes {
		if c.Type == metav1.CauseTypeFieldManagerConflict {
			return FieldConflict
		}
	}
	switch {
	case strings.Contains(st.Message, "no existing object was found"):
		return NotFound // apply with a uid: kube-apiserver 1.37 says 409 "uid mismatch"
	case strings.Contains(st.Message, "UID in the precondition"), strings.Contains(st.Message, "UID in precondition"):
		return ReplacedOutside
	case st.Details.Kind == "resourcequotas" && r.object.Kind != "ResourceQuota":
		return QuotaExceeded // the quota's own count was updated at the same time
	}
	return ResourceVersionChanged
}

func reasonOfInvalid(e *Error, st *metav1.Status) Reason {
	if isDenial(st.Message) {
		return Denied
	}
	immutable := 0
	for _, f := range e.Fields {
		if f.Path == uidPath && f.Immutable {
			return ReplacedOutside
		}
		if f.Immutable {
			immutable++
		}
	}
	if immutable > 0 && immutable == len(e.Fields) {
		return Immutable
	}
	return Invalid
}

var uidPath = addrs.NewPath("metadata", "uid")

// isAnonymous reports whether RBAC refused a user that sent no credentials at all.
func isAnonymous(message string) bool { return strings.Contains(message, `User "system:anonymous"`) }
