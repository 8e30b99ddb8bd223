package apply

import (
	"context"
	"math/rand/v2"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// yield has the Services that hold ports or addresses of a change give them up before it
// gets them. One change at a time does so: two that swap what they have would else take it
// from each other for ever.
func (w *writer) yield(ctx context.Context, c *plan.Change) (done func(), err error) {
	if len(c.Yields) == 0 {
		return func() {}, nil
	}
	w.yielding.Lock()
	for _, holder := range c.Yields {
		if err := w.giveUp(ctx, c, w.changeOf(holder)); err != nil {
			w.yielding.Unlock()
			return nil, err
		}
	}
	return w.yielding.Unlock, nil
}

func (w *writer) changeOf(o addrs.Object) *plan.Change {
	for _, c := range w.deleter.plan.Changes {
		if c.Object.Identity() == o {
			return c
		}
	}
	return nil
}

// giveUp deletes the holder, or changes it as the plan has it. Where that is refused since
// it gets a port that is not free yet, it has any other port until then.
func (w *writer) giveUp(ctx context.Context, to, holder *plan.Change) error {
	if holder == nil {
		return nil
	}
	if holder.Action == plan.Delete {
		return w.deleter.deleteEarly(ctx, holder)
	}
	live, err := w.cluster.Get(ctx, holder.Kind, holder.Object.Namespace, holder.Object.Name)
	switch {
	case kube.ReasonOf(err) == kube.NotFound:
		return nil
	case err != nil:
		return err
	case string(live.GetUID()) != holder.UID, !plan.SharesClaims(live.Object, to.DesiredFields):
		return nil // it has done so already
	}
	options := kube.ApplyOptions{UID: holder.UID, ResourceVersion: live.GetResourceVersion(), Force: holder.Force}
	fields := holder.DesiredFields
	for range yieldTries {
		if live, err = w.cluster.Apply(ctx, holder.Kind, fields, options); err == nil {
			w.yielded.Store(holder.Object.Identity(), live.GetResourceVersion())
			return nil
		}
		if kube.ReasonOf(err) != kube.Invalid {
			return err
		}
		fields = withOtherPorts(holder.DesiredFields)
	}
	return err
}

// yieldTries is how many ports are tried. Most of them are free in any cluster.
const yieldTries = 20

// withOtherPorts is a Service with node ports that are drawn at random.
func withOtherPorts(service map[string]any) map[string]any {
	const first, all = 30000, 2768 // as the API server has them by default
	service = runtime.DeepCopyJSON(service)
	ports, _, _ := unstructured.NestedSlice(service, "spec", "ports")
	for _, port := range ports {
		if fields, ok := port.(map[string]any); ok && fields["nodePort"] != nil {
			fields["nodePort"] = int64(first + rand.IntN(all))
		}
	}
	_ = unstructured.SetNestedSlice(service, ports, "spec", "ports") // that is where they were
	return service
}
