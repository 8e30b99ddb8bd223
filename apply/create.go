package apply

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// create creates an object that must not exist yet. A lost answer is resolved by
// looking: an object of this stack can only be the one just sent, or one that an
// earlier run sent and that arrived late.
func (w *writer) create(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	live, err := w.whileCured(ctx, c, note, func() (*unstructured.Unstructured, error) {
		return w.cluster.Create(ctx, c.Kind, c.DesiredFields)
	})
	switch reason := kube.ReasonOf(err); {
	case err == nil:
		return live, nil
	case reason == kube.OutcomeUnknown, reason == kube.AlreadyExists:
		return w.retryCreate(ctx, c, err)
	case isRejection(reason):
		w.journal.recordNotAttempted(c.Object)
	}
	return nil, err
}

// isRejection reports whether an error with that reason means that nothing was
// changed.
func isRejection(reason kube.Reason) bool {
	switch reason {
	case kube.Invalid, kube.SchemaRejected, kube.TooLarge, kube.Denied, kube.QuotaExceeded, kube.QuotaUncounted, kube.NamespaceMissing,
		kube.NamespaceTerminating, kube.Forbidden, kube.Escalation, kube.Unauthorized, kube.NotServed, kube.WebhookFailed:
		return true
	}
	return false
}

// createTries is how often a creation whose answer was lost is looked for and
// tried again.
const createTries = 5

// retryCreate goes on after a creation that failed, but may have been carried out.
func (w *writer) retryCreate(ctx context.Context, c *plan.Change, err error) (*unstructured.Unstructured, error) {
	for range createTries {
		last := err
		var live *unstructured.Unstructured
		live, err = w.cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		if err == nil {
			return w.updateCreated(ctx, c, live)
		}
		if kube.ReasonOf(err) != kube.NotFound && kube.ReasonOf(err) != kube.NamespaceMissing {
			return nil, kube.Unresolved(last, err)
		}
		if w.shutdown.begun() {
			return nil, last
		}
		live, err = w.cluster.Create(ctx, c.Kind, c.DesiredFields)
		if err == nil {
			return live, nil
		}
		if reason := kube.ReasonOf(err); reason != kube.OutcomeUnknown && reason != kube.AlreadyExists {
			return nil, err
		}
	}
	return nil, err
}

// updateCreated goes on with an object that exists, if this stack created it, or the
// cluster itself, as it does in each new namespace.
func (w *writer) updateCreated(ctx context.Context, c *plan.Change, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	byCluster := kinds.IsInEveryNamespace(c.Object) && live.GetLabels()[addrs.StackLabel] == ""
	if !byCluster && !plan.MadeBy(live, w.journal.stack()) {
		w.journal.recordNotAttempted(c.Object)
		return nil, createdSince(c)
	}
	return w.cluster.Apply(ctx, c.Kind, c.DesiredFields, kube.ApplyOptions{UID: string(live.GetUID()),
		ResourceVersion: live.GetResourceVersion()})
}

func createdSince(c *plan.Change) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Object already exists",
		Detail:   fmt.Sprintf("%s was created by someone else after the plan. It was left unchanged. Plan again.", c.Object),
		Subject:  c.Range.Ptr(),
	}}
}
