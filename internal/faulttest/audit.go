package faulttest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// auditEvent is a line of the API server's audit log.
type auditEvent struct {
	Stage          string
	Verb           string
	RequestURI     string
	UserAgent      string
	ObjectRef      struct{ Namespace, Resource, Name string }
	ResponseStatus struct{ Code int }
	RequestObject  json.RawMessage
}

// Audit counts what kplan has sent to a set of namespaces, from the audit log.
type Audit struct {
	Mutations int // carried out
	Unmanaged int // carried out on an object that kplan does not manage: must be 0
	Unguarded []string
}

// ReadAudit reads a log from an offset on, for namespaces that begin with a
// prefix.
func ReadAudit(path string, from int64, prefix string) (Audit, error) {
	file, err := os.Open(path)
	if err != nil {
		return Audit{}, err
	}
	defer file.Close()
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return Audit{}, err
	}
	var a Audit
	lines := bufio.NewReaderSize(file, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil { // the last line may not be complete yet
			return a, nil
		}
		var e auditEvent
		if err := json.Unmarshal(line, &e); err != nil {
			return a, err
		}
		if strings.HasPrefix(e.UserAgent, "kplan/") && strings.HasPrefix(e.ObjectRef.Namespace, prefix) {
			a.add(e)
		}
	}
}

func (a *Audit) add(e auditEvent) {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
	default:
		return
	}
	if e.Stage != "ResponseComplete" || strings.Contains(e.RequestURI, "dryRun=All") {
		return
	}
	// The server does not even read the body of a request that RBAC denies.
	if guard := e.unguarded(); guard != "" && e.ResponseStatus.Code != http.StatusForbidden {
		a.Unguarded = append(a.Unguarded, fmt.Sprintf("%s %s: %s", e.Verb, e.RequestURI, guard))
	}
	if e.ResponseStatus.Code < 300 {
		a.Mutations++
		if e.ObjectRef.Name == Bystander {
			a.Unmanaged++
		}
	}
}

// unguarded is which precondition a request lacks that keeps it from changing an object
// that it is not meant for, "" if it lacks none.
func (e auditEvent) unguarded() string {
	switch e.Verb {
	case "create":
		return "" // is rejected where the object exists
	case "patch":
		var ops []struct{ Op, Path string }
		if json.Unmarshal(e.RequestObject, &ops) == nil {
			for _, op := range ops {
				if op.Op == "test" && op.Path == "/metadata/uid" {
					return ""
				}
			}
			return "no test of the uid"
		}
		var o struct {
			Metadata struct {
				UID             types.UID
				ResourceVersion string
			}
		}
		if err := json.Unmarshal(e.RequestObject, &o); err != nil {
			return "the body can't be read: " + err.Error()
		}
		if o.Metadata.UID == "" && o.Metadata.ResourceVersion != "1" {
			return "neither a uid nor the version of an exclusive creation"
		}
		return ""
	case "delete":
		var o struct{ Preconditions struct{ UID types.UID } }
		if json.Unmarshal(e.RequestObject, &o) == nil && o.Preconditions.UID != "" {
			return ""
		}
		return "no uid as a precondition"
	}
	return "kplan never sends this"
}
