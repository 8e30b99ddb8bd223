// Package trace logs what is asked of a cluster and what it answers, without secrets.
package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
)

// Tracer logs requests and answers. Nothing is put together for an entry that is not written.
type Tracer struct {
	Log     *slog.Logger
	Secrets *redact.Secrets // learns those in bodies
	// Sensitive are the fields of an object that are not logged, besides those that its kind has as
	// secrets. Where that is not known, it is nil, and no bodies are logged.
	Sensitive func(addrs.Object) addrs.PathSet
}

// IsOn reports whether anything is logged.
func (t Tracer) IsOn() bool { return log.Debugs(t.Log) }

// Exchange is a request and what came of it.
type Exchange struct {
	Op      string
	Request *http.Request
	Sent    map[string]any // the object in the request, if there is one
	Kind    *kinds.Kind    // of the objects, nil for other things
	IsText  bool           // the answer to a success is a text, which is not shown
	Attempt int            // 1 for the first
	Began   time.Time
	Status  int // 0 for no answer
	Header  http.Header
	Body    []byte
	Err     string              // why there is no whole answer
	Hide    func(string) string // hides what the answer may echo
}

// The bounds of a body in the log.
const (
	longestLogged = 8 << 10 // bytes that are shown
	longestParsed = 4 << 20 // of a body that is looked at
)

// Exchange logs a request and the answer.
func (t Tracer) Exchange(x Exchange) {
	path := x.Request.URL.RequestURI()
	attrs := []slog.Attr{
		slog.String("method", x.Request.Method), slog.String("path", path), slog.String("op", x.Op),
		slog.Int("status", x.Status), slog.Duration("took", time.Since(x.Began).Round(time.Microsecond)), slog.Int("bytes", len(x.Body)),
	}
	if x.Attempt > 1 {
		attrs = append(attrs, slog.Int("attempt", x.Attempt))
	}
	if x.Err != "" {
		attrs = append(attrs, slog.String("error", x.Err))
	}
	t.Log.LogAttrs(context.Background(), slog.LevelDebug, "request", attrs...)
	if !log.Traces(t.Log) {
		return
	}
	t.Log.LogAttrs(context.Background(), log.Trace, "request sent", slog.String("path", path),
		slog.String("headers", headers(x.Request.Header)), slog.String("body", t.object(x.Kind, x.Sent)))
	t.Log.LogAttrs(context.Background(), log.Trace, "answer", slog.String("path", path), slog.Int("status", x.Status),
		slog.String("headers", headers(x.Header)), slog.String("body", t.body(x)))
}

// headers are those that are no credentials, sorted.
func headers(h http.Header) string {
	var shown []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if !isCredential(name) {
			shown = append(shown, name+": "+strings.Join(h[name], ", "))
		}
	}
	return strings.Join(shown, "; ")
}

func isCredential(header string) bool {
	header = strings.ToLower(header)
	return slices.ContainsFunc([]string{"auth", "cookie", "token", "secret", "password", "key"}, func(word string) bool {
		return strings.Contains(header, word)
	})
}

// body is the body of an answer as it is logged. What is no object is shown only where it explains
// a failure: a container's log may hold anything.
func (t Tracer) body(x Exchange) string {
	if t.Sensitive == nil {
		return ""
	}
	var object map[string]any
	succeeded := x.Status >= 200 && x.Status <= 299
	switch {
	case len(x.Body) == 0:
		return ""
	case len(x.Body) > longestParsed, x.IsText && succeeded:
		return fmt.Sprintf("(%d bytes, not shown)", len(x.Body))
	case json.Unmarshal(x.Body, &object) == nil:
		return t.object(x.Kind, object)
	case succeeded:
		return fmt.Sprintf("(%d bytes that are no object, not shown)", len(x.Body))
	}
	return clipped(x.Hide(t.Secrets.Hide(string(x.Body))))
}

// object is an object, or a list of objects of a kind, as it is logged.
func (t Tracer) object(kind *kinds.Kind, object map[string]any) string {
	if object == nil || t.Sensitive == nil {
		return ""
	}
	if items, ok := object["items"].([]any); ok {
		masked := make([]any, 0, len(items))
		for _, item := range items {
			if fields, ok := item.(map[string]any); ok {
				masked = append(masked, t.masked(kind, fields))
			}
		}
		object = maps.Clone(object)
		object["items"] = masked
	} else {
		object = t.masked(kind, object)
	}
	text, err := json.Marshal(t.hidden(object))
	if err != nil {
		return "(not shown: " + err.Error() + ")"
	}
	return clipped(string(text))
}

// masked is an object without its secrets, which are known from then on, and without managedFields, in
// which the keys of a sensitive map would stand.
func (t Tracer) masked(kind *kinds.Kind, object map[string]any) map[string]any {
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		return object
	}
	metadata = maps.Clone(metadata)
	delete(metadata, "managedFields")
	object = maps.Clone(object)
	object["metadata"] = metadata
	if kind == nil || object["kind"] == "Status" {
		return object
	}
	namespace, _ := metadata["namespace"].(string)
	name, _ := metadata["name"].(string)
	paths := redact.Paths(kind, object)
	paths.AddAll(t.Sensitive(kind.Object(namespace, name).Identity()))
	t.Secrets.Add(redact.TextsAt(object, paths)...)
	return redact.Object(kind, withoutCopies(object), paths, func(any) any { return redact.Mask })
}

// withoutCopies is an object without what a controller has copied into it, as a ReplicaSet has the pod
// template of an earlier revision, with a secret in it that nothing knows any more.
func withoutCopies(object map[string]any) map[string]any {
	if owners, _ := object["metadata"].(map[string]any)["ownerReferences"].([]any); len(owners) == 0 {
		return object
	}
	kept := map[string]any{}
	for name, value := range object {
		switch name {
		case "apiVersion", "kind", "metadata", "status":
			kept[name] = value
		default:
			kept[name] = "(not shown: it is a controller's)"
		}
	}
	return kept
}

// hidden is a JSON value without the secrets that are known by now in its texts.
func (t Tracer) hidden(value any) any {
	switch v := value.(type) {
	case string:
		return t.Secrets.Hide(v)
	case []any:
		all := make([]any, len(v))
		for i := range v {
			all[i] = t.hidden(v[i])
		}
		return all
	case map[string]any:
		all := make(map[string]any, len(v))
		for name, inner := range v {
			all[t.Secrets.Hide(name)] = t.hidden(inner)
		}
		return all
	}
	return value
}

func clipped(text string) string {
	if len(text) <= longestLogged {
		return text
	}
	return strings.ToValidUTF8(text[:longestLogged], "") + fmt.Sprintf("… (%d bytes more)", len(text)-longestLogged)
}
