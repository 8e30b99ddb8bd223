package plan

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// DryRunReplacement asks the server what it would make of a replacement's new object. It
// is what stands between a mistake in the configuration and the loss of the old
// object: once that is gone it is too late to learn that the new one is refused.
//
// The error is a refusal, or that there is no answer. Where the server can't be
// asked about this object, or its answer says nothing, why says so.
func DryRunReplacement(ctx context.Context, cluster *kube.Cluster, c *Change) (answer *unstructured.Unstructured, why string, err error) {
	asked, withheld := withoutHeld(c.Object.GroupKind(), c.DesiredFields, c.Before)
	answer, err = cluster.DryRunReplacement(ctx, c.Kind, asked)
	switch kube.ReasonOf(err) {
	case kube.Forbidden:
		return nil, "this user may not ask the server: " + forbiddenVerb("create", c), nil
	case kube.DryRunUnsupported:
		return nil, "an admission webhook does not support dry-run", nil
	case kube.QuotaExceeded: // which is what the server looks at last
		return nil, "whether the quota has room for it shows once the old object is gone", nil
	case kube.Invalid, kube.Immutable, kube.SchemaRejected, kube.Denied:
		if refusesOld(ctx, cluster, c, err) {
			return nil, "asked under another name, the server refuses the old object in the same words: " + wordsOf(err, c), nil
		}
	}
	if err == nil && withheld {
		return nil, "the old object holds addresses or ports that the new one asks for", nil
	}
	return answer, "", err
}

// refusesOld says whether what the old object has at the same places would be
// refused in the same words. Then it is not the new object that is at fault: its
// name may be the only one that the cluster allows, or what must be unique the
// old object's own.
func refusesOld(ctx context.Context, cluster *kube.Cluster, c *Change, refusal error) bool {
	old, _ := withoutHeld(c.Object.GroupKind(), wanted(c, c.Before), c.Before)
	_, err := cluster.DryRunReplacement(ctx, c.Kind, old)
	return err != nil && err.Error() == refusal.Error()
}

// withoutHeld is an object without the addresses and ports that the old one
// holds: a Service's are nobody else's until it is gone, and its own thereafter.
func withoutHeld(kind addrs.GroupKind, object, old map[string]any) (rest map[string]any, withheld bool) {
	spec, ok := object["spec"].(map[string]any)
	held, _ := old["spec"].(map[string]any)
	if kind != kinds.Service || !ok {
		return object, false
	}
	spec = maps.Clone(spec)
	drop := func(from map[string]any, name string, isHeld bool) {
		if _, there := from[name]; there && isHeld {
			delete(from, name)
			withheld = true
		}
	}
	if address := held["clusterIP"]; address != nil && address != corev1.ClusterIPNone && spec["clusterIP"] == address {
		drop(spec, "clusterIP", true)
		drop(spec, "clusterIPs", true)
	}
	drop(spec, "healthCheckNodePort", reflect.DeepEqual(jsonForm(spec["healthCheckNodePort"]), jsonForm(held["healthCheckNodePort"])))
	if ports, ok := spec["ports"].([]any); ok {
		ports = slices.Clone(ports)
		for i, port := range ports {
			open := cloneMap(port)
			drop(open, "nodePort", holdsNodePort(held, open["nodePort"]))
			ports[i] = open
		}
		spec["ports"] = ports
	}
	if !withheld {
		return object, false
	}
	rest = maps.Clone(object)
	rest["spec"] = spec
	return rest, true
}

func holdsNodePort(service map[string]any, number any) bool {
	ports, _ := service["ports"].([]any)
	return slices.ContainsFunc(ports, func(port any) bool {
		fields, _ := port.(map[string]any)
		return reflect.DeepEqual(jsonForm(fields["nodePort"]), jsonForm(number))
	})
}

// wordsOf is a refusal in the server's words, without secrets.
func wordsOf(refusal error, c *Change) string {
	var e *kube.Error
	if !errors.As(refusal, &e) {
		return refusal.Error()
	}
	return Masker(c).Hide(e.Message)
}
