// Package autoscale finds what sets the replicas of an object: autoscalers that
// name it as their target, in the configuration and in the cluster.
package autoscale

import (
	"context"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// Replicas is the field that autoscalers set.
var Replicas = addrs.NewPath("spec", "replicas")

// Scaler is an autoscaler and what it scales.
type Scaler struct {
	Object addrs.Object
	target target
}

// target is what an autoscaler names.
type target struct {
	group, kind, namespace, name string
}

// Scales reports whether the object is what the autoscaler sets the replicas of.
func (s Scaler) Scales(o addrs.Object) bool {
	return s.target == target{o.Group, o.Kind, o.Namespace, o.Name}
}

// String names the autoscaler.
func (s Scaler) String() string { return s.Object.Kind + " " + s.Object.QualifiedName() }

// Of is the autoscaler that an object is, if it is one. All of them have the same
// field, those of KEDA too, which leave out that they scale a Deployment.
func Of(o addrs.Object, object map[string]any) (Scaler, bool) {
	ref, ok, _ := unstructured.NestedMap(object, "spec", "scaleTargetRef")
	name, _ := ref["name"].(string)
	if !ok || name == "" {
		return Scaler{}, false
	}
	kind, apiVersion := "Deployment", "apps/v1"
	if text, ok := ref["kind"].(string); ok && text != "" {
		kind = text
	}
	if text, ok := ref["apiVersion"].(string); ok && text != "" {
		apiVersion = text
	}
	group, _, err := addrs.SplitAPIVersion(apiVersion)
	return Scaler{o, target{group, kind, o.Namespace, name}}, err == nil
}

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
	found map[string][]Scaler // by namespace
}

// In are the autoscalers of a namespace, as far as this user may see them.
func (f *Finder) In(ctx context.Context, namespace string) []Scaler {
	f.mu.Lock()
	defer f.mu.Unlock()
	if all, known := f.found[namespace]; known {
		return all
	}
	var all []Scaler
	for _, k := range scalerKinds {
		if kind, err := f.Cluster.Lookup(k.kind, k.apiVersion); err == nil {
			all = append(all, f.list(ctx, kind, namespace)...)
		}
	}
	if f.found == nil {
		f.found = map[string][]Scaler{}
	}
	f.found[namespace] = all
	return all
}

func (f *Finder) list(ctx context.Context, kind *kinds.Kind, namespace string) []Scaler {
	var all []Scaler
	objects, _ := f.Cluster.List(ctx, kind, kube.ListOptions{Namespace: namespace}) // what may not be seen is not known
	for _, o := range objects {
		if s, ok := Of(kind.Object(o.GetNamespace(), o.GetName()), o.Object); ok {
			all = append(all, s)
		}
	}
	return all
}
