package faulttest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// Call is one request of kplan, as far as faults select requests.
type Call struct {
	// N counts all calls of one run, from 1.
	N int `json:"n"`
	// Verb is what kplan means by it: get, list, watch, create, update, transfer (of
	// field ownership), delete, dry-run, or discover where it is not about an object.
	Verb      string `json:"verb"`
	Resource  string `json:"resource,omitempty"` // plural
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	// Rev is the annotation rev of the object that is sent, if it is one.
	Rev string `json:"rev,omitempty"`
}

// Mutates reports whether carrying the call out changes something.
func (c Call) Mutates() bool {
	switch c.Verb {
	case "create", "update", "transfer", "delete":
		return true
	}
	return false
}

// classify reads a request.
func classify(r *http.Request, body []byte) Call {
	c := pathOf(r.URL.Path)
	query := r.URL.Query()
	switch {
	case c.Resource == "":
		c.Verb = "discover"
	case isDryRun(query, body):
		c.Verb = "dry-run"
	case r.Method == http.MethodPost:
		c.Verb = "create"
	case r.Method == http.MethodPatch:
		c.Verb, c.Rev = patchVerb(r.Header.Get("Content-Type"), body)
	case r.Method == http.MethodPut:
		c.Verb = "update"
	case r.Method == http.MethodDelete:
		c.Verb = "delete"
	case query.Get("watch") == "true":
		c.Verb = "watch"
	case c.Name == "":
		c.Verb = "list"
	default:
		c.Verb = "get"
	}
	return c
}

// pathOf reads /api/v1/namespaces/N/PLURAL/NAME and the like.
func pathOf(path string) Call {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) >= 2 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) >= 3 && parts[0] == "apis":
		parts = parts[3:]
	default:
		return Call{}
	}
	var c Call
	if len(parts) >= 3 && parts[0] == "namespaces" {
		c.Namespace, parts = parts[1], parts[2:]
	}
	if len(parts) > 0 {
		c.Resource = parts[0]
	}
	if len(parts) > 1 {
		c.Name = parts[1]
	}
	return c
}

func isDryRun(query url.Values, body []byte) bool {
	return query.Get("dryRun") == "All" || strings.Contains(string(body), `"dryRun":["All"]`)
}

// patchVerb is what a patch is for. kplan creates by applying with the
// resource version that no object has.
func patchVerb(contentType string, body []byte) (verb, rev string) {
	if strings.HasPrefix(contentType, "application/json-patch") {
		return "transfer", ""
	}
	var o struct {
		Metadata struct {
			UID, ResourceVersion string
			Annotations          struct{ Rev string }
		}
	}
	if json.Unmarshal(body, &o) == nil && o.Metadata.UID == "" && o.Metadata.ResourceVersion == "1" {
		return "create", o.Metadata.Annotations.Rev
	}
	return "update", o.Metadata.Annotations.Rev
}
