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

// met is the Extra of diagnostics that FromKube makes: the error, and the address
// of the object that met it.
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

// isShared reports whether an error concerns the cluster rather than one object,
// so that many objects may meet the same.
func isShared(reason kube.Reason) bool {
	switch reason {
	case kube.Unavailable, kube.WebhookFailed, kube.OutcomeUnknown, kube.Timeout,
		kube.Unreachable, kube.TLSFailed, kube.PluginFailed, kube.Unauthorized, kube.NotKubernetes,
		kube.QuotaUncounted:
		return true
	}
	return false
}

const namesShown = 10

// Merge reports once what several objects met and none of them caused, such as a
// webhook that does not answer.
func Merge(diags hcl.Diagnostics) hcl.Diagnostics {
	type same struct {
		reason  kube.Reason
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
		if shown := first[key]; shown != nil {
			others[shown] = append(others[shown], addr)
			continue
		}
		first[key] = d
		merged = append(merged, d)
	}
	for d, addrs := range others {
		d.Detail += "\n\nThe same happened to " + Names(addrs) + "."
	}
	return merged
}

// Names lists names: all of a few, some of many.
func Names(names []string) string {
	if more := len(names) - namesShown; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namesShown], ", "), more)
	}
	return words.And(names)
}

// Outage returns the error of a cluster that stopped answering, or no longer
// accepts the credentials, if there is one among diagnostics, and nil otherwise.
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

// CutShort reports an outage once, instead of for each object that met it: why it
// is one, how the run ended, and what to do then.
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

// outageWords describe an outage, with the server's address.
func outageWords(outage *kube.Error, host string) string {
	said := sentence(message(outage))
	switch {
	case outage.Reason == kube.Unauthorized:
		return fmt.Sprintf("The API server %s no longer accepts the credentials: %s", host, said)
	case strings.HasPrefix(said, host):
		return "The API server " + said
	case strings.Contains(said, host):
		return words.Capital(said)
	}
	return fmt.Sprintf("The API server %s: %s", host, said)
}
