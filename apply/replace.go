package apply

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// replace deletes the object, waits until it is gone and creates it again.
func (w *writer) replace(ctx context.Context, c *plan.Change, note func(string)) (*unstructured.Unstructured, error) {
	if err := w.remove(ctx, c, note); err != nil {
		return nil, err
	}
	return w.create(ctx, c, note)
}

// remove deletes the object of a change, once: what it keeps in the cluster may have asked
// for that before its turn. What keeps it goes first.
func (w *writer) remove(ctx context.Context, c *plan.Change, note func(string)) error {
	removal, _ := w.removals.LoadOrStore(c.Object.Identity(), sync.OnceValue(func() error {
		if c.Action == plan.Replace {
			if err := w.confirmReplacement(ctx, c, note); err != nil {
				return err
			}
		}
		for _, holder := range c.Holders {
			h := w.changeOf(holder)
			note(fmt.Sprintf("%s uses it and is deleted first", h.Addr))
			if err := w.remove(ctx, h, note); err != nil {
				return err
			}
		}
		if c.Action == plan.Delete {
			return w.deleter.deleteEarly(ctx, c)
		}
		if err := w.deleter.remove(ctx, c, note); err != nil {
			return err
		}
		w.journal.recordReplacing(c)
		return nil
	}))
	return removal.(func() error)()
}

// confirmReplacement makes sure that the new object is not refused. What it is, and what
// the cluster allows, may be known better now than when it was planned: an object whose
// replacement is refused is not deleted.
func (w *writer) confirmReplacement(ctx context.Context, c *plan.Change, note func(string)) error {
	if len(c.Desired.Unknown) > 0 { // it is deleted before its turn
		return nil
	}
	_, err := w.whileCured(ctx, c, note, func() (*unstructured.Unstructured, error) {
		answer, _, err := plan.DryRunReplacement(ctx, w.cluster, c)
		return answer, err
	})
	if err == nil || !w.mayExist(ctx, c) {
		return nil
	}
	w.journal.recordNotAttempted(c.Object)
	return err
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
