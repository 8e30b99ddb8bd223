// Package autoscale finds what sets the replicas of an object: autoscalers that
// name it as their target, in the configuration and in the cluster.
package autoscale

import (
	"context"
	"strings"
	"sync"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
)

// WroteReplicas reports whether a manager wrote as an autoscaler does: the
// controllers of the cluster scale through the subresource of that name.
func WroteReplicas(m *ownership.Entry) bool {
	return m != nil && (m.Manager == "kube-controller-manager" && m.Subresource == "scale" || strings.Contains(m.Manager, "keda"))
}

// scalerKinds are the kinds of autoscalers to look for in a cluster.
var scalerKinds = []struct{ kind, apiVersion string }{
	{"HorizontalPodAutoscaler", "autoscaling/v2"},
	{"ScaledObject", "keda.sh/v1alpha1"},
}

// Finder finds the autoscalers of a cluster, those of a namespace when they are
// first asked for.
type Finder struct {
	Cluster *kube.Cluster

	mu    sync.Mutex
	found map[string][]relations.Scaler // by namespace
}

// In are the autoscalers of a namespace, as far as this user may see them.
func (f *Finder) In(ctx context.Context, namespace string) []relations.Scaler {
	f.mu.Lock()
	defer f.mu.Unlock()
	if all, known := f.found[namespace]; known {
		return all
	}
	var all []relations.Scaler
	for _, k := range scalerKinds {
		if kind, err := f.Cluster.Lookup(k.kind, k.apiVersion); err == nil {
			all = append(all, f.list(ctx, kind, namespace)...)
		}
	}
	if f.found == nil {
		f.found = map[string][]relations.Scaler{}
	}
	f.found[namespace] = all
	return all
}

func (f *Finder) list(ctx context.Context, kind *kinds.Kind, namespace string) []relations.Scaler {
	var all []relations.Scaler
	objects, _ := f.Cluster.List(ctx, kind, kube.ListOptions{Namespace: namespace}) // what may not be seen is not known
	for _, o := range objects {
		if s, ok := relations.ScalerOf(kind.Object(o.GetNamespace(), o.GetName()), o.Object); ok {
			all = append(all, s)
		}
	}
	return all
}
