// Package diag turns the cluster's errors into diagnostics that point at the
// user's own lines. The words for an error of the cluster are here and nowhere
// else: a summary for each kube.Reason, and what to do about it.
package diag

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
)

// FromKube turns an error of package kube into diagnostics: one for each field
// that the server complains about, at the range that where returns for its path,
// or one for the whole object. Where may be nil, for an object that is in no
// file: the diagnostics then have no range. Addr is the object's address in the
// configuration, "" when it has none. For a nil error there are no diagnostics.
func FromKube(err error, where func(addrs.Path) hcl.Range, addr string) hcl.Diagnostics {
	if err == nil {
		return nil
	}
	var e *kube.Error
	if !errors.As(err, &e) {
		return hcl.Diagnostics{other(err, where, addr)}
	}
	if errors.Is(e.Err, context.Canceled) && e.Reason == kube.Other {
		return hcl.Diagnostics{other(context.Canceled, where, addr)}
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
		d.Detail += fmt.Sprintf(" To choose a kubeconfig for this run, add %s=FILE.", option.Kubeconfig)
	case kube.UntrustedConfiguration:
		d.Detail += fmt.Sprintf(" If you trust it, add %s.", option.AllowExecPlugins)
	}
	return hcl.Diagnostics{d}
}

// Interrupted is the summary of what ended because kplan was interrupted.
const Interrupted = "Interrupted"

// other describes an error that does not come from the cluster.
func other(err error, where func(addrs.Path) hcl.Range, addr string) *hcl.Diagnostic {
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
	kube.Other:                  "Request refused by the cluster",
	kube.NotFound:               "Object not found",
	kube.AlreadyExists:          "Object already exists",
	kube.ResourceVersionChanged: "Object changed since it was read",
	kube.ReplacedOutside:        "Object replaced outside kplan",
	kube.Terminating:            "Object is being deleted",
	kube.FieldConflict:          "Field managed by another manager",
	kube.Invalid:                "Invalid value",
	kube.Immutable:              "Immutable field",
	kube.SchemaRejected:         "Object does not match its schema",
	kube.LiveUnfit:              "Live object does not match its schema",
	kube.TooLarge:               "Object is too large",
	kube.Denied:                 "Denied by admission control",
	kube.QuotaExceeded:          "Quota exceeded",
	kube.QuotaUncounted:         "Quota not counted yet",
	kube.NamespaceMissing:       "Namespace not found",
	kube.NamespaceTerminating:   "Namespace is being deleted",
	kube.Forbidden:              "Forbidden",
	kube.Escalation:             "RBAC permissions not held",
	kube.Unauthorized:           "Credentials not accepted",
	kube.DryRunUnsupported:      "Dry-run not supported",
	kube.WebhookFailed:          "Webhook failed",
	kube.NotServed:              "Kind not served by the cluster",
	kube.Unavailable:            "Cluster unavailable",
	kube.OutcomeUnknown:         "Outcome unknown",
	kube.Timeout:                "Request timed out",
	kube.NoConfiguration:        "No cluster configured",
	kube.BadConfiguration:       "Invalid cluster configuration",
	kube.UntrustedConfiguration: "Cluster configuration not trusted",
	kube.Unreachable:            "Cluster unreachable",
	kube.TLSFailed:              "TLS connection failed",
	kube.PluginFailed:           "Credential plugin failed",
	kube.NotKubernetes:          "Not a Kubernetes API server",
}

// advice is what to do about an error that brings no advice of its own.
var advice = map[kube.Reason]string{
	kube.NotFound:               "It was deleted outside kplan. Make a new plan.",
	kube.AlreadyExists:          "It was left as it is. Give this resource another name, or adopt the object with an import block.",
	kube.ResourceVersionChanged: "Someone or something changed it at the same time. Make a new plan.",
	kube.ReplacedOutside:        "The object in the state was deleted; another one has its name now. It was left as it is. Make a new plan.",
	kube.Terminating:            "Wait until it is gone, then make a new plan.",
	kube.Immutable:              "Only a new object can have another value: to have it replaced, list the field in lifecycle.replace_on.",
	kube.Denied:                 "A policy or an admission webhook of this cluster forbids it. The cluster's administrators know which.",
	kube.QuotaExceeded:          "Request less, or ask for a larger quota.",
	kube.QuotaUncounted: "The cluster counts by itself, which takes it a minute or more for a kind that is new. Run kplan again then. " +
		"kubectl describe quota shows what is counted.",
	kube.NamespaceMissing:     "Declare the namespace in this configuration and refer to it, or create it first.",
	kube.NamespaceTerminating: "Wait until it is gone, then create it again.",
	kube.Forbidden:            "The user that kplan runs as needs an RBAC role that allows it.",
	kube.WebhookFailed: "A webhook that the cluster calls for each such object did not answer. " +
		"The cluster's administrators can repair it.",
	kube.OutcomeUnknown: "Run kplan again: it first determines the outcome.",
	kube.LiveUnfit: "The object in the cluster does not fit the definition of its kind, as that is now or as this plan makes it, so " +
		"that nothing can be applied to it. Have it deleted and recreated, with " + string(option.Replace) + " and its address, " +
		"or correct it with kubectl replace.",
	kube.TooLarge: "Kubernetes allows 1 MiB of data in a ConfigMap or Secret, 256 KiB of annotations, and by default 1.5 MiB for any object.",
}

func whole(e *kube.Error, where func(addrs.Path) hcl.Range, subject string) *hcl.Diagnostic {
	if missesAnother(e) {
		path, hint := missing(message(e))
		return &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Referenced object not found",
			Detail:   detail(e, subject, message(e)+". "+hint),
			Subject:  at(where, path),
		}
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summaries[e.Reason],
		Detail:   detail(e, subject, message(e)),
		Subject:  at(where, fieldOf(e.Reason)),
	}
}

// missesAnother reports whether the server did not find another object than the one that
// it was to write: the role that a binding names, of which it says that the binding is not found, or
// what a pod names, without which admission forbids it.
func missesAnother(e *kube.Error) bool {
	return e.Reason == kube.Denied && slices.ContainsFunc(admitted, func(m reference) bool { return m.absent.MatchString(e.Message) }) ||
		e.Reason == kube.NotFound &&
			(strings.HasSuffix(e.Op, "create") || e.Message != "" && !strings.Contains(e.Message, strconv.Quote(e.Object.Name)))
}

// reference is an object that a pod names and admission looks up.
type reference struct {
	absent *regexp.Regexp // how admission says that there is none, with its name
	kind   string
	field  addrs.Path // of a Pod
}

var admitted = []reference{
	{regexp.MustCompile(`serviceaccount "([^"]*)" not found`), "ServiceAccount", addrs.NewPath("spec", "serviceAccountName")},
	{regexp.MustCompile(`no PriorityClass with name (\S+) was found`), "PriorityClass", addrs.NewPath("spec", "priorityClassName")},
	{regexp.MustCompile(`RuntimeClass "([^"]*)" not found`), "RuntimeClass", addrs.NewPath("spec", "runtimeClassName")},
}

// missing is the field that names what the server did not find, and what to do about it.
func missing(words string) (addrs.Path, string) {
	for _, m := range admitted {
		found := m.absent.FindStringSubmatch(words)
		switch {
		case found == nil:
		case m.kind == "ServiceAccount" && found[1] == "default":
			return m.field, "Kubernetes creates the ServiceAccount default in each new namespace, after a moment: run kplan again. " +
				"If that does not help, the cluster's controllers do not run"
		default:
			return m.field, fmt.Sprintf("The %s %s does not exist. Declare it in this configuration and refer to it in %s, or create it first",
				m.kind, found[1], m.field)
		}
	}
	return addrs.Path{}, "The object refers to something that does not exist. Create that first, or add it to the configuration"
}

// fieldOf is the field that an error about the whole object points at.
func fieldOf(reason kube.Reason) addrs.Path {
	switch reason {
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

// detail is what was tried on what, the server's words, and what to do.
func detail(e *kube.Error, subject, text string) string {
	said := sentence(text)
	if subject != "" && e.Op != "connect" {
		said = fmt.Sprintf("Could not %s %s: %s", e.Op, subject, said)
	} else {
		said = words.Capital(said)
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
	if missesAnother(e) {
		return ""
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
		diags = append(diags, Conflict(c, subject, "", at(where, c.Path)))
	}
	return diags
}

// Conflict describes a field of an object that another manager manages and that
// kplan has not applied. Difference, if it is not "", is what that manager's value
// and ours are.
func Conflict(c kube.Conflict, object, difference string, at *hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summaries[kube.FieldConflict],
		Detail: fmt.Sprintf("%s of %s is managed by %s Remove it from the configuration to leave it to that manager, "+
			"or list it in lifecycle.force_conflicts to take ownership of it.", c.Path, object, sentence(manager(c, difference))),
		Subject: at,
	}
}

// Drift describes a field that kplan applied and another manager has changed, where
// that is not to be put back.
func Drift(c kube.Conflict, object, difference string, at *hcl.Range) *hcl.Diagnostic {
	what := "was changed by " + manager(c, difference)
	if c.Manager == "" {
		what = "was removed: " + difference
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Field changed outside of kplan",
		Detail: fmt.Sprintf("%s of %s, which kplan had applied, %s %s=refuse stops the plan where there is drift. Plan without it "+
			"to put the field back, change the configuration to keep it, or list it in lifecycle.ignore_changes to leave it to others.",
			c.Path, object, sentence(what), option.Drift),
		Subject: at,
	}
}

// Autoscaled describes a field that an autoscaler sets, and would set again.
func Autoscaled(c kube.Conflict, object, scaler, difference string, at *hcl.Range) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Field set by an autoscaler",
		Detail: fmt.Sprintf("%s of %s is set by %s. It was last changed by %s The two would undo each other's changes for ever: "+
			"leave it to the autoscaler with lifecycle { ignore_changes = [%[1]s] }.", c.Path, object, scaler, sentence(manager(c, difference))),
		Subject: at,
	}
}

// manager is who manages a field, since when, and both values.
func manager(c kube.Conflict, difference string) string {
	by := fmt.Sprintf("%q", c.Manager)
	if c.Subresource != "" {
		by += " through " + c.Subresource
	}
	if c.Time != "" {
		by += " since " + c.Time
	}
	if difference != "" {
		by += ": " + difference
	}
	return by
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
