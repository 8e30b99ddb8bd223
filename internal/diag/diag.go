// Package diag turns the cluster's errors into diagnostics that point at the
// user's own lines.
package diag

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	options "kplan.dev/kplan/internal/advice"
	"kplan.dev/kplan/kube"
)

// FromKube turns an error of package kube into diagnostics: one for each field
// that the server complains about, at the place where tells for its path, or
// one for the whole object. Where may be nil, for an object that is in no file;
// the diagnostics then have no position. Addr is the object's address in the
// configuration, "" when it has none. A nil error gives none.
func FromKube(err error, where func(addrs.Path) hcl.Range, addr string) hcl.Diagnostics {
	if err == nil {
		return nil
	}
	var e *kube.Error
	if !errors.As(err, &e) {
		return hcl.Diagnostics{foreign(err, where, addr)}
	}
	if errors.Is(e.Err, context.Canceled) && e.Reason == kube.Other {
		return hcl.Diagnostics{foreign(context.Canceled, where, addr)}
	}
	subject := subjectOf(e, addr)
	switch {
	case len(e.Conflicts) > 0:
		return conflicts(e, where, subject)
	case len(e.Fields) > 0:
		return fields(e, where, subject)
	}
	d := whole(e, where, subject)
	d.Extra = met{e, addr}
	switch e.Reason {
	case kube.NoConfiguration:
		options.Add(d, options.ChooseConfig)
	case kube.NotTrusted:
		options.Add(d, options.AllowExecPlugins)
	}
	return hcl.Diagnostics{d}
}

// Interrupted is the summary of what ended because kplan was told to end.
const Interrupted = "Interrupted"

func foreign(err error, where func(addrs.Path) hcl.Range, addr string) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Operation failed", Detail: sentence(err.Error()), Subject: at(where, addrs.Path{})}
	if errors.Is(err, context.Canceled) {
		d.Summary, d.Detail = Interrupted, "The operation was interrupted before it was done."
	}
	if addr != "" {
		d.Detail = addr + ": " + d.Detail
	}
	return d
}

func at(where func(addrs.Path) hcl.Range, path addrs.Path) *hcl.Range {
	if where == nil {
		return nil
	}
	return where(path).Ptr()
}

// subjectOf names the object: v1 Pod acme/web (Pod.web).
func subjectOf(e *kube.Error, addr string) string {
	object := ""
	if e.Object.Kind != "" {
		object = strings.TrimSpace(e.Object.String())
	}
	switch {
	case object == "":
		return addr
	case addr == "":
		return object
	}
	return object + " (" + addr + ")"
}

// summaries are fixed: the same words for the same mistake.
var summaries = map[kube.Reason]string{
	kube.Other:                "Cluster refused the request",
	kube.NotFound:             "Object not found",
	kube.AlreadyExists:        "Object already exists",
	kube.Stale:                "Object changed meanwhile",
	kube.ReplacedOutside:      "Object was replaced outside kplan",
	kube.Terminating:          "Object is being deleted",
	kube.FieldConflict:        "Field owned by another manager",
	kube.Invalid:              "Invalid value",
	kube.Immutable:            "Field can't be changed",
	kube.SchemaRejected:       "Object does not fit its kind",
	kube.TooLarge:             "Object is too large",
	kube.Denied:               "Refused by the cluster's admission",
	kube.QuotaExceeded:        "Quota exceeded",
	kube.NamespaceMissing:     "Namespace does not exist",
	kube.NamespaceTerminating: "Namespace is being deleted",
	kube.Forbidden:            "Not allowed",
	kube.Unauthorized:         "Credentials not accepted",
	kube.DryRunUnsupported:    "Dry-run not supported",
	kube.WebhookFailed:        "Admission webhook failed",
	kube.NotServed:            "Kind not known to the cluster",
	kube.Unavailable:          "Cluster is not available",
	kube.OutcomeUnknown:       "Outcome unknown",
	kube.Timeout:              "Cluster did not answer in time",
	kube.NoConfiguration:      "No cluster configured",
	kube.BadConfiguration:     "Invalid cluster configuration",
	kube.NotTrusted:           "Cluster configuration not trusted",
	kube.Unreachable:          "Cluster can't be reached",
	kube.Untrusted:            "Cluster's identity can't be verified",
	kube.PluginFailed:         "Credential plugin failed",
	kube.NotKubernetes:        "Not a Kubernetes API server",
}

// advice says what to do about an error that brings no advice of its own.
var advice = map[kube.Reason]string{
	kube.NotFound:             "It was deleted outside kplan. Make a new plan.",
	kube.AlreadyExists:        "It was left as it is. Give this resource another name, or take the object over with an import block.",
	kube.Stale:                "Someone or something changed it at the same time. Make a new plan.",
	kube.ReplacedOutside:      "The object that kplan knew was deleted, and another one has taken its name. It was left as it is. Make a new plan.",
	kube.Terminating:          "Wait until it is gone, then make a new plan.",
	kube.Immutable:            "Only a new object can have another value there: list the place in lifecycle.replace_on to have the object replaced.",
	kube.Denied:               "A policy or admission webhook of this cluster does not allow it. Those who run the cluster can say why.",
	kube.QuotaExceeded:        "Ask for less, or for a larger quota.",
	kube.NamespaceMissing:     "Declare the namespace in this configuration and refer to it, or make it first.",
	kube.NamespaceTerminating: "Wait until it is gone, and make it anew.",
	kube.Forbidden:            "The user that kplan runs as needs an RBAC role that allows it.",
	kube.WebhookFailed:        "A webhook that the cluster asks about each such object did not answer. Those who run the cluster can repair it.",
	kube.OutcomeUnknown:       "Run kplan again: it looks at what has become of it first.",
	kube.TooLarge:             "Kubernetes takes 1 MiB of data in a ConfigMap or Secret, and 256 KiB of annotations.",
}

func whole(e *kube.Error, where func(addrs.Path) hcl.Range, subject string) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summaries[e.Reason],
		Detail:   detail(e, subject, message(e)),
		Subject:  at(where, place(e.Reason)),
	}
}

// place is where in the source an error about the whole object belongs.
func place(kind kube.Reason) addrs.Path {
	switch kind {
	case kube.AlreadyExists, kube.NotFound:
		return addrs.NewPath("metadata", "name")
	case kube.NamespaceMissing, kube.NamespaceTerminating:
		return addrs.NewPath("metadata", "namespace")
	}
	return addrs.Path{}
}

func message(e *kube.Error) string {
	if e.Message == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Message
}

// detail says what was tried on what, the server's words, and what to do.
func detail(e *kube.Error, subject, words string) string {
	said := sentence(words)
	if subject != "" && e.Op != "connect" {
		said = fmt.Sprintf("Could not %s %s: %s", e.Op, subject, said)
	}
	if more := adviceFor(e); more != "" {
		said += " " + more
	}
	return said
}

func adviceFor(e *kube.Error) string {
	if e.Advice != "" {
		return sentence(e.Advice)
	}
	return advice[e.Reason]
}

// sentence ends words with a full stop.
func sentence(words string) string {
	words = strings.TrimSpace(words)
	if words == "" || strings.HasSuffix(words, ".") || strings.HasSuffix(words, "?") || strings.HasSuffix(words, "!") {
		return words
	}
	return words + "."
}

func conflicts(e *kube.Error, where func(addrs.Path) hcl.Range, subject string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range e.Conflicts {
		by := fmt.Sprintf("%q", c.Manager)
		if c.Subresource != "" {
			by += " through " + c.Subresource
		}
		if c.Time != "" {
			by += " since " + c.Time
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  summaries[kube.FieldConflict],
			Detail: fmt.Sprintf("%s of %s is managed by %s. Remove it from the configuration to leave it to that manager, or list it in lifecycle.force_conflicts to take it over.",
				c.Path, subject, by),
			Subject: at(where, c.Path),
		})
	}
	return diags
}

func fields(e *kube.Error, where func(addrs.Path) hcl.Range, subject string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range e.Fields {
		words := f.Detail
		if !f.Path.IsZero() {
			words = f.Path.String() + ": " + words
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  fieldSummary(e, f),
			Detail:   detail(e, subject, words),
			Subject:  at(where, f.Path),
		})
	}
	return diags
}

func fieldSummary(e *kube.Error, f kube.FieldError) string {
	switch {
	case f.Immutable:
		return summaries[kube.Immutable]
	case e.Reason != kube.Invalid && e.Reason != kube.SchemaRejected:
		return summaries[e.Reason]
	case f.Reason == "FieldValueRequired":
		return "Missing value"
	case f.Reason == "FieldValueDuplicate", f.Detail == "duplicate field":
		return "Duplicate value"
	case strings.HasPrefix(f.Detail, "unknown field"), strings.HasPrefix(f.Detail, "field not declared in schema"):
		return "Unknown field"
	}
	return summaries[kube.Invalid]
}
