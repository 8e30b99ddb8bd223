package diag

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
)

// met is the Extra of diagnostics that FromKube makes: which error it was, and
// who met it.
type met struct {
	err  *kube.Error
	addr string
}

// metBy is what a diagnostic was made from, if that was an error of the cluster.
// Package hclspec, which knows of no cluster, hands on errors as they are.
func metBy(d *hcl.Diagnostic) (e *kube.Error, addr string) {
	if m, ok := hcl.DiagnosticExtra[met](d); ok {
		return m.err, m.addr
	}
	if err, ok := hcl.DiagnosticExtra[error](d); ok {
		errors.As(err, &e)
	}
	return e, ""
}

// isShared says whether an error is of the cluster rather than of one object, so
// that many objects may meet the same.
func isShared(kind kube.Reason) bool {
	switch kind {
	case kube.Unavailable, kube.WebhookFailed, kube.OutcomeUnknown, kube.Timeout,
		kube.Unreachable, kube.Untrusted, kube.PluginFailed, kube.Unauthorized, kube.NotKubernetes:
		return true
	}
	return false
}

const namesShown = 10

// Merge tells once what several objects have met that is not of their own making,
// such as a webhook that does not answer.
func Merge(diags hcl.Diagnostics) hcl.Diagnostics {
	type same struct {
		kind    kube.Reason
		message string
	}
	var merged hcl.Diagnostics
	first := map[same]*hcl.Diagnostic{}
	others := map[*hcl.Diagnostic][]string{}
	for _, d := range diags {
		e, addr := metBy(d)
		if e == nil || addr == "" || !isShared(e.Reason) {
			merged = append(merged, d)
			continue
		}
		key := same{e.Reason, message(e)}
		if told := first[key]; told != nil {
			others[told] = append(others[told], addr)
			continue
		}
		first[key] = d
		merged = append(merged, d)
	}
	for d, addrs := range others {
		d.Detail += "\n\nThe same was met with " + Names(addrs) + "."
	}
	return merged
}

// Names lists some of many names.
func Names(names []string) string {
	if more := len(names) - namesShown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namesShown], ", "), more)
	}
	return words.And(names)
}

// Outage is the error of a cluster that went away in the middle, or let this run
// in no longer, if that is among what was met; nil otherwise.
func Outage(diags hcl.Diagnostics) *kube.Error {
	for _, d := range diags {
		if e, _ := metBy(d); e != nil {
			if outage := kube.OutageOf(e); outage != nil {
				return outage
			}
		}
	}
	return nil
}

// CutShort tells of an outage once, instead of for each object that met it: why,
// how the run ended, and what to do then.
func CutShort(diags hcl.Diagnostics, outage *kube.Error, host, how, then string) hcl.Diagnostics {
	diags = slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		e, _ := metBy(d)
		return d.Summary == Interrupted || e != nil && kube.Unanswered(e)
	})
	detail := strings.Join([]string{outageWords(outage, host), how, adviceFor(outage), then}, " ")
	return append(diags, &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summaries[outage.Reason],
		Detail:   strings.Join(strings.Fields(detail), " "),
	})
}

// outageWords are what was met, with the server's address.
func outageWords(outage *kube.Error, host string) string {
	said := sentence(message(outage))
	switch {
	case outage.Reason == kube.Unauthorized:
		return fmt.Sprintf("The API server %s does not accept the credentials any more: %s", host, said)
	case strings.HasPrefix(said, host):
		return "The API server " + said
	case strings.Contains(said, host):
		return strings.ToUpper(said[:1]) + said[1:]
	}
	return fmt.Sprintf("The API server %s: %s", host, said)
}
