package kube

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// statusError turns an answer that is not a success into an Error. What the
// server means shows partly in the code, partly in the reason and causes, and
// partly only in the words; the words here are those of kube-apiserver 1.30 to 1.37.
func statusError(r *request, code int, body []byte) *Error {
	e := &Error{Op: r.op, Object: r.object, Status: code}
	st, ok := parseStatus(body)
	if !ok {
		return foreignAnswer(e, r, code, body)
	}
	mask := r.masker()
	e.fromServer = true
	e.Message = tidy(mask(st.Message))
	e.Fields = fieldErrors(st, mask)
	e.Kind = kindOfStatus(r, e, st)
	switch e.Kind {
	case FieldConflict:
		e.Conflicts = conflicts(st, r.sent)
		e.Fields = nil
	case NamespaceTerminating:
		e.Fields = nil // it names metadata.namespace, which says nothing more
	case Unauthorized:
		e.Advice = "Log in again or renew the token; the credentials in use are not accepted."
	case SchemaRejected, Invalid:
		if len(e.Fields) == 0 {
			e.Fields = fieldsInWords(st.Message, mask)
		}
	}
	return e
}

func parseStatus(body []byte) (*metav1.Status, bool) {
	var st metav1.Status
	if err := json.Unmarshal(body, &st); err != nil || st.Kind != "Status" {
		return nil, false
	}
	if st.Details == nil {
		st.Details = &metav1.StatusDetails{}
	}
	return &st, true
}

// foreignAnswer is an error answer that is no Status: from a proxy, a load
// balancer, something that is not Kubernetes, or the API server's own mux.
func foreignAnswer(e *Error, r *request, code int, body []byte) *Error {
	words := r.masker()(firstLine(body))
	switch {
	case code == http.StatusUnauthorized:
		e.Kind, e.Message = Unauthorized, "the server asks for credentials"
	case code == http.StatusForbidden:
		e.Kind, e.Message = Forbidden, "refused: "+words
	case code == http.StatusNotFound && strings.HasPrefix(words, "404 page not found") && !isEverywhere(r):
		// The API server's mux: this group, version or resource is not there.
		e.Kind, e.Message = NotServed, "the server does not serve "+r.path
	case code == http.StatusRequestEntityTooLarge:
		e.Kind, e.Message = TooLarge, "the object is too large for the server or a proxy before it"
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable,
		code == http.StatusBadGateway, code == http.StatusGatewayTimeout:
		e.Kind, e.Message = Unavailable, fmt.Sprintf("%d %s: %s", code, http.StatusText(code), words)
	case code >= 300 && code < 400:
		e.Kind, e.Message = NotKubernetes, fmt.Sprintf("the server redirects (%d), which the Kubernetes API never does", code)
		e.Advice = "A login page or proxy seems to stand before the cluster. Check the server address."
	case code == http.StatusBadRequest && strings.Contains(words, "HTTP request to an HTTPS server"):
		e.Kind, e.Message = Untrusted, "the server speaks TLS, but the address begins with http://"
		e.Advice = "Write the server address with https://."
	case code >= 500:
		e.Kind, e.Message = Unavailable, fmt.Sprintf("%d %s: %s", code, http.StatusText(code), words)
	default:
		e.Kind, e.Message = NotKubernetes, fmt.Sprintf("the answer (%d) is not one of the Kubernetes API: %s", code, words)
		e.Advice = "Check the server address."
	}
	return e
}

// isEverywhere says whether every Kubernetes API server has what was asked for:
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

func kindOfStatus(r *request, e *Error, st *metav1.Status) ErrorKind {
	says := func(words string) bool { return strings.Contains(st.Message, words) }
	switch e.Status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return kindOfForbidden(st)
	case http.StatusNotFound:
		if st.Details.Kind == "namespaces" && r.object.Kind != "Namespace" {
			return NamespaceMissing
		}
		if st.Details.Name == "" {
			return NotServed
		}
		return NotFound
	case http.StatusConflict:
		return kindOfConflict(r, st)
	case http.StatusUnprocessableEntity:
		return kindOfInvalid(r, e, st)
	case http.StatusBadRequest:
		switch {
		case says("does not support dry run"):
			return DryRunUnsupported
		case says("strict decoding error"), says("cannot be handled as a"):
			return SchemaRejected
		case isDenial(st.Message):
			return Denied
		}
		return Invalid
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway:
		return Unavailable
	case http.StatusGatewayTimeout:
		return Timeout
	case http.StatusInternalServerError:
		switch {
		case says("failed to create typed "), says("unable to convert unstructured object"):
			// Not a failure of the server but of the object: it will never fit.
			return SchemaRejected
		case says("failed to prune fields"):
			// The server compares what it would become with what was applied in an
			// older version, whose definition lacks the field.
			e.Advice = "Kubernetes can't add a field that only the new version has to an object recorded in an older one. Apply the object in the new version first, without the field, and then with it."
			return SchemaRejected
		case says("failed calling webhook"), says("failed calling admission webhook"):
			return WebhookFailed
		}
		return Unavailable
	}
	if isDenial(st.Message) {
		return Denied
	}
	return Other
}

func kindOfForbidden(st *metav1.Status) ErrorKind {
	for _, c := range st.Details.Causes {
		if c.Type == "NamespaceTerminating" {
			return NamespaceTerminating
		}
	}
	switch {
	case strings.Contains(st.Message, "exceeded quota"), strings.Contains(st.Message, "for quota:"),
		strings.Contains(st.Message, "failed quota"):
		return QuotaExceeded
	case rbacRefusal.MatchString(st.Message):
		return Forbidden
	}
	return Denied
}

// rbacRefusal is how every authorizer's refusal reads: User "x" cannot patch
// resource "pods" …; admission's refusals have words of their own.
var rbacRefusal = regexp.MustCompile(`User "[^"]*" cannot |attempting to grant RBAC permissions not currently held|forbidden: not allowed`)

func isDenial(message string) bool {
	return strings.Contains(message, "denied the request") || strings.Contains(message, "denied request")
}

func kindOfConflict(r *request, st *metav1.Status) ErrorKind {
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
	return Stale
}

func kindOfInvalid(r *request, e *Error, st *metav1.Status) ErrorKind {
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

// immutableWords are the wordings by which the API server and the usual CEL
// rules say that a field can't change. There is no machine-readable mark
// (measured on 1.37), and rules of custom kinds may say it in any words.
var immutableWords = regexp.MustCompile(`(?i)immutable` +
	`|may not change once set|may not be changed|can ?not be (changed|modified)|can'?t be changed|can ?not change` +
	`|updates to \S+ are forbidden|updates to \S+ spec for fields other than` +
	`|pod updates may not|may not be changed in an update|may not be unset` +
	`|only cpu and memory resources are mutable`)

func fieldErrors(st *metav1.Status, mask func(string) string) []FieldError {
	var out []FieldError
	for _, c := range st.Details.Causes {
		if c.Field == "" && c.Type == "" || isAside(c.Message) && len(st.Details.Causes) > 1 {
			continue
		}
		out = append(out, FieldError{
			Path:      serverPath(c.Field),
			Reason:    string(c.Type),
			Detail:    tidy(mask(c.Message)),
			Immutable: immutableWords.MatchString(c.Message),
		})
	}
	return out
}

// isAside recognises a cause that says nothing of the object: for custom kinds
// it comes with every complaint that kept CEL rules from being looked at.
func isAside(message string) bool {
	return strings.Contains(message, "some validation rules were not checked because the object was invalid")
}

// tidy takes out the difference of whole specs, in Go's spelling, that the
// server appends when a Pod is changed where it can't be. It would show every
// value near the change, those of environment variables too.
func tidy(message string) string {
	short, _, _ := strings.Cut(message, "\n@@ ")
	return tidyTyped(strings.TrimSpace(short))
}

// serverPath reads a path as the server spells it, as far as it can be read:
// the path of "spec.x[<nonsense>].y" is spec.x.
func serverPath(text string) addrs.Path {
	text = strings.TrimSpace(text)
	if text == "<nil>" || text == "[]" { // of rules for a whole object
		return addrs.Path{}
	}
	for text != "" {
		if p, err := addrs.ParsePath(text); err == nil {
			return p
		}
		cut := strings.LastIndexAny(text, ".[")
		if cut < 0 {
			break
		}
		text = text[:cut]
	}
	return addrs.Path{}
}

// pathIn reads a path of an object's field in the spelling of server-side apply,
// which does not quote: .metadata.labels.app.kubernetes.io/name. Only the object
// tells where a name ends.
func pathIn(value any, text string, at addrs.Path) (addrs.Path, bool) {
	if text == "" {
		return at, true
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			rest, ok := strings.CutPrefix(text, "."+name)
			if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			if path, ok := pathIn(value[name], rest, at.Field(name)); ok {
				return path, true
			}
		}
	case []any:
		step, rest, ok := cutElement(text)
		for _, element := range value {
			if ok && isElement(element, step) {
				return pathIn(element, rest, at.Append(step))
			}
		}
	}
	return addrs.Path{}, false
}

// cutElement takes a step such as [name="app"] off the front of a path.
func cutElement(text string) (step addrs.Step, rest string, ok bool) {
	for end := 1; end <= len(text); end++ {
		if text[end-1] != ']' {
			continue
		}
		if path, err := addrs.ParsePath("list" + text[:end]); err == nil && path.Steps()[1].IsKeys() {
			return path.Steps()[1], text[end:], true
		}
	}
	return step, "", false
}

// isElement says whether an element has these keys. One that it leaves out is
// the server's default, so that it may be the one.
func isElement(element any, step addrs.Step) bool {
	fields, ok := element.(map[string]any)
	for name, want := range step.Keys {
		if have, there := fields[name]; there {
			text, err := json.Marshal(have)
			ok = ok && err == nil && string(text) == want
		}
	}
	return ok
}

var (
	conflictWords = regexp.MustCompile(`^conflict with ("(?:[^"\\]|\\.)*")(?: with subresource ("(?:[^"\\]|\\.)*"))?(?: using (\S+))?(?: at (\S+))?`)
	strictWords   = regexp.MustCompile(`(unknown|duplicate) field "((?:[^"\\]|\\.)*)"`)
	goTypeWords   = regexp.MustCompile(`cannot unmarshal (\S+) into Go struct field [^. ]*\.(\S+) of type (\S+)`)
)

// conflicts are the fields of the object that was sent that others own.
func conflicts(st *metav1.Status, sent map[string]any) []Conflict {
	var out []Conflict
	for _, c := range st.Details.Causes {
		if c.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		path, ok := pathIn(sent, strings.TrimSpace(c.Field), addrs.Path{})
		if !ok {
			path = serverPath(c.Field)
		}
		conflict := Conflict{Path: path, Applied: true}
		if m := conflictWords.FindStringSubmatch(c.Message); m != nil {
			conflict.Manager, _ = strconv.Unquote(m[1])
			conflict.Subresource, _ = strconv.Unquote(m[2])
			conflict.Applied = m[3] == "" // only updates come with a version and a time
			conflict.Time = m[4]
		}
		out = append(out, conflict)
	}
	// The server names them in no order.
	slices.SortFunc(out, func(a, b Conflict) int {
		return cmp.Or(a.Path.Compare(b.Path), cmp.Compare(a.Manager, b.Manager))
	})
	return out
}

// fieldsInWords finds the places in messages that carry no causes.
func fieldsInWords(message string, mask func(string) string) []FieldError {
	var out []FieldError
	for _, m := range strictWords.FindAllStringSubmatch(message, -1) {
		name, err := strconv.Unquote(`"` + m[2] + `"`)
		if err != nil {
			name = m[2]
		}
		out = append(out, FieldError{Path: serverPath(name), Reason: "FieldValueInvalid", Detail: m[1] + " field"})
	}
	for _, m := range goTypeWords.FindAllStringSubmatch(message, -1) {
		out = append(out, FieldError{Path: serverPath(m[2]), Reason: "FieldValueTypeInvalid", Detail: "expected " + m[3] + ", got " + m[1]})
	}
	if _, rest, ok := strings.Cut(message, "failed to create typed patch object"); ok {
		out = append(out, typedFields(rest, mask)...)
	}
	return out
}

// typedFields reads structured merge's complaints, a line each:
// .spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:"x"}
func typedFields(text string, mask func(string) string) []FieldError {
	if _, rest, ok := strings.Cut(text, "): "); ok {
		text = rest
	}
	var out []FieldError
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "errors:")
		line = strings.TrimSpace(line)
		end := pathEnd(line)
		if end < 0 {
			continue
		}
		out = append(out, FieldError{
			Path:   serverPath(line[:end]),
			Reason: "FieldValueInvalid",
			Detail: mask(tidyTyped(strings.TrimSpace(line[end+1:]))),
		})
	}
	slices.SortFunc(out, func(a, b FieldError) int { return a.Path.Compare(b.Path) })
	return out
}

// pathEnd finds the colon after the path that begins a line, -1 when the line
// begins with no path.
func pathEnd(line string) int {
	if !strings.HasPrefix(line, ".") {
		return -1
	}
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			return i
		}
	}
	return -1
}

var (
	goValue  = regexp.MustCompile(`(?m)got &(?:value\.valueUnstructured\{Value:(.*)\}|\{(.*)\})$`)
	goObject = regexp.MustCompile(`(?m)got map\[string\]interface \{\}\{.*\}$`)
	goList   = regexp.MustCompile(`(?m)got \[\]interface \{\}\{.*\}$`)
)

// tidyTyped takes Go's spelling of values out of complaints.
func tidyTyped(text string) string {
	text = goValue.ReplaceAllString(text, "got ${1}${2}")
	text = goObject.ReplaceAllString(text, "got an object")
	return goList.ReplaceAllString(text, "got a list")
}

// isAnonymous says whether RBAC refused a user that sent no credentials at all.
func isAnonymous(message string) bool { return strings.Contains(message, `User "system:anonymous"`) }
