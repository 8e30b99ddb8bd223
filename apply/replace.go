package apply

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// replace deletes the object, waits until it is gone and creates it again. What the
// new one is, and what the cluster allows, may be known better now than when it was
// planned: an object whose replacement is refused is not deleted.
func (w *writer) replace(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	_, err := w.whileCured(ctx, c, func() (*unstructured.Unstructured, error) {
		answer, _, err := plan.DryRunReplacement(ctx, w.cluster, c)
		return answer, err
	})
	if err != nil && w.mayExist(ctx, c) {
		w.journal.recordNotAttempted(c.Object)
		return nil, err
	}
	if err := w.deleter.remove(ctx, c, note); err != nil {
		return nil, err
	}
	w.journal.recordReplacing(c)
	return w.create(ctx, c)
}

// mayExist reports whether the object of a change may still exist: its deletion
// cascades from its namespace where that is replaced, too.
func (w *writer) mayExist(ctx context.Context, c *plan.Change) bool {
	live, err := w.cluster.Get(ctx, c.Kind, c.Object.Namespace, c.Object.Name)
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return false
	}
	return err != nil || string(live.GetUID()) == c.UID
}
