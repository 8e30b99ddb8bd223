package apply

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// staleTries is how often an object that others change at the same time is looked
// at again.
const staleTries = 5

// update changes an object in place. When it was changed since the plan, the server
// is asked again what would become of it, and it is changed only if that is what
// was approved.
func (w *writer) update(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	options := kube.ApplyOptions{UID: c.UID, ResourceVersion: c.ResourceVersion, Force: c.Force}
	if version, ok := w.yielded.Load(c.Object.Identity()); ok {
		options.ResourceVersion = version.(string)
	}
	var last error
	for range staleTries {
		live, err := w.whileCured(ctx, c, note, func() (*unstructured.Unstructured, error) { return w.send(ctx, c, &options) })
		if err == nil {
			return live, nil
		}
		if version := kube.UnservedVersion(err); version != "" && !slices.Contains(c.DeadVersions, version) {
			alive := *c // by a definition that this run has changed
			alive.DeadVersions = append(slices.Clip(c.DeadVersions), version)
			return w.transferAndUpdate(ctx, &alive, note)
		}
		if !isRetriable(err) {
			return nil, err
		}
		last = err
		if options.ResourceVersion, err = w.approvedVersion(ctx, c, options.Force); kube.Unanswered(err) {
			return nil, kube.Unresolved(last, err)
		} else if err != nil {
			return nil, err
		}
		if w.shutdown.begun() {
			break
		}
	}
	return nil, last
}

// send applies the desired fields. What the server chose once and keeps, though it fits no
// longer, is applied with them first, and then left to it again.
func (w *writer) send(ctx context.Context, c *plan.Change, options *kube.ApplyOptions) (*unstructured.Unstructured, error) {
	if len(c.Resets) > 0 {
		live, err := w.cluster.Apply(ctx, c.Kind, plan.Sent(c), *options)
		if err != nil {
			return nil, err
		}
		options.ResourceVersion = live.GetResourceVersion()
	}
	return w.cluster.Apply(ctx, c.Kind, c.DesiredFields, *options)
}

// isRetriable reports whether a write failed because of the version that it was
// meant for, or may have.
func isRetriable(err error) bool {
	reason := kube.ReasonOf(err)
	return reason == kube.ResourceVersionChanged || reason == kube.OutcomeUnknown
}

// transferAndUpdate changes an object of which kplan has to own more fields first:
// those that kubectl applied from the client side and nobody else would ever
// remove, or that the server filled in and does not accept any more.
func (w *writer) transferAndUpdate(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	var last error
	for n := range staleTries {
		live, err := w.cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
		if err != nil {
			return nil, err
		}
		transferred, err := w.withTransferredFields(ctx, c, live)
		if err != nil {
			return nil, err
		}
		if transferred == live {
			return w.update(ctx, c, note)
		}
		if live, err = w.cluster.TransferFields(ctx, c.Kind, transferred); err == nil {
			changed := *c
			changed.ResourceVersion = live.GetResourceVersion()
			return w.update(ctx, &changed, note)
		}
		if !isRetriable(err) {
			return nil, err
		}
		last = err
		if !w.shutdown.sleep(ctx, backoff(n)) {
			break
		}
	}
	return nil, last
}

// backoff gives whoever else changes an object time, twice as much each time.
func backoff(n int) time.Duration { return 20 * time.Millisecond << n }

// withTransferredFields is the live object with the fields transferred, live itself
// where there are none to transfer. It makes sure that the result is still what was
// approved.
func (w *writer) withTransferredFields(ctx context.Context, c *plan.Change, live *unstructured.Unstructured) (
	*unstructured.Unstructured, error,
) {
	if string(live.GetUID()) != c.UID {
		return live, nil // the update reports that
	}
	transferred, err := c.WithTransferredFields(live)
	if err != nil || transferred == live || live.GetResourceVersion() == c.ResourceVersion {
		return transferred, err
	}
	answer, err := w.cluster.DryRunAfterTransfer(ctx, c.Kind, transferred, c.DesiredFields)
	if err != nil {
		return nil, err
	}
	if differences := c.Disagreements(live, answer); len(differences) > 0 {
		return nil, stalePlan(c, live, differences)
	}
	return transferred, nil
}

// approvedVersion looks at an object that changed since the plan and returns the
// version of it for which the result is still the approved one.
func (w *writer) approvedVersion(ctx context.Context, c *plan.Change, force bool) (resourceVersion string, err error) {
	live, answer, err := w.dryRunAgain(ctx, c, force)
	if err != nil {
		return "", err
	}
	if differences := c.Disagreements(live, answer); len(differences) > 0 {
		return "", stalePlan(c, live, differences)
	}
	return live.GetResourceVersion(), nil
}

// dryRunAgain looks at an object and asks what would become of it, until it does
// not change in between.
func (w *writer) dryRunAgain(ctx context.Context, c *plan.Change, force bool) (live, answer *unstructured.Unstructured, err error) {
	for range staleTries {
		if live, err = w.cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name); err != nil {
			return nil, nil, err
		}
		options := kube.ApplyOptions{UID: c.UID, ResourceVersion: live.GetResourceVersion(), Force: force}
		if answer, err = w.cluster.DryRunApply(ctx, c.Kind, plan.Sent(c), options); kube.ReasonOf(err) != kube.ResourceVersionChanged {
			break
		}
	}
	return live, answer, err
}

func stalePlan(c *plan.Change, live *unstructured.Unstructured, differences []addrs.Path) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Plan is stale",
		Detail: fmt.Sprintf("%s: after the plan %s, and applying the plan now would not give the approved value of %s. "+
			"The object was left unchanged. Plan again.",
			c.Object, cmp.Or(c.ChangedSince(live), "it was changed"), joinPaths(differences)),
		Subject: c.Range.Ptr(),
	}}
}

func joinPaths(paths []addrs.Path) string {
	const shown = 3
	var texts []string
	for i, p := range paths {
		if i == shown {
			texts = append(texts, fmt.Sprintf("and %d more", len(paths)-shown))
			break
		}
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}
