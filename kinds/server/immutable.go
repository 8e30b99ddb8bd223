package server

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// ForbidsChange reports whether the server refuses to change the field at path from its
// value in live to its value in planned, so that only a new object can have the
// planned value. It adds to Field.Immutable what depends on the
// object: a ConfigMap may be immutable as a whole, the template of a suspended
// Job is not. The rules are those of the API server's validation of updates
// (pkg/apis/*/validation of the Kubernetes sources).
func ForbidsChange(k *kinds.Kind, live, planned map[string]any, path addrs.Path) bool {
	f := k.At(path)
	if f == nil {
		return false
	}
	if custom := immutableIn[k.GroupKind()]; custom != nil {
		return custom(change{live, planned, path, f.Immutable})
	}
	if f.ImmutableByCEL {
		ruled := ruledPath(k, path)
		return valueAt(live, ruled) != nil && valueAt(planned, ruled) != nil
	}
	return f.Immutable
}

// ruledPath is the path around a field whose rule makes it immutable.
func ruledPath(k *kinds.Kind, path addrs.Path) addrs.Path {
	var around addrs.Path
	for _, step := range path.Steps() {
		around = around.Append(step)
		if k.At(around).ImmutableByCEL {
			break
		}
	}
	return around
}

// change is a field that is to change.
type change struct {
	live, planned map[string]any
	path          addrs.Path
	immutable     bool // Field.Immutable of the path
}

// within reports whether the change is at or below one of these field paths.
func (c change) within(fields ...string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		p, err := addrs.ParsePath(field)
		if err != nil {
			panic("kinds: " + err.Error())
		}
		return p.Contains(c.path)
	})
}

var immutableIn = map[addrs.GroupKind]func(change) bool{
	kinds.Pod:                      immutablePod,
	kinds.ConfigMap:                immutableData,
	kinds.Secret:                   immutableData,
	kinds.Service:                  immutableService,
	kinds.PersistentVolumeClaim:    immutableClaim,
	kinds.PersistentVolume:         immutableVolume,
	{Kind: "Node"}:                 immutableOnceSet,
	kinds.CustomResourceDefinition: immutableDefinition,
	{Group: "batch", Kind: "Job"}:  immutableJob,
}

// immutablePod: a deadline can be shortened, tolerations can be added and
// scheduling gates removed. While there is a gate, the nodes to which the pod can
// be scheduled can be narrowed.
func immutablePod(c change) bool {
	switch {
	case c.within("spec.activeDeadlineSeconds"):
		had, err := quantityAt(c.live, c.path)
		gets, err2 := quantityAt(c.planned, c.path)
		return err == nil && (err2 != nil || gets.Cmp(had) > 0)
	case c.within("spec.tolerations"):
		return !allTolerated(manifest.List(manifest.Object(c.live, "spec"), "tolerations"),
			manifest.List(manifest.Object(c.planned, "spec"), "tolerations"))
	case c.within("spec.schedulingGates"):
		return valueAt(c.live, c.path) == nil
	case len(manifest.List(manifest.Object(c.live, "spec"), "schedulingGates")) == 0:
	case c.within("spec.nodeSelector"):
		return !hasAll(manifest.Object(manifest.Object(c.planned, "spec"), "nodeSelector"),
			manifest.Object(manifest.Object(c.live, "spec"), "nodeSelector"))
	case c.within("spec.affinity.nodeAffinity"):
		return valueAt(c.live, requiredNodes) != nil && requiredNodes.Contains(c.path)
	}
	return c.immutable
}

var requiredNodes = addrs.NewPath("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")

// allTolerated reports whether each of the tolerations is still there, perhaps with
// other tolerationSeconds.
func allTolerated(live, planned []any) bool {
	untimed := func(toleration any) map[string]any {
		m, _ := toleration.(map[string]any)
		m = maps.Clone(m)
		delete(m, "tolerationSeconds")
		return m
	}
	return !slices.ContainsFunc(live, func(had any) bool {
		return !slices.ContainsFunc(planned, func(gets any) bool { return reflect.DeepEqual(untimed(had), untimed(gets)) })
	})
}

// hasAll reports whether a map has all entries of another.
func hasAll(m, entries map[string]any) bool {
	for name, v := range entries {
		if m[name] != v {
			return false
		}
	}
	return true
}

// immutableData: once immutable is true, neither it nor the data can change.
func immutableData(c change) bool {
	locked, _ := valueAt(c.live, addrs.NewPath("immutable")).(bool)
	return c.immutable || locked && c.within("immutable", "data", "binaryData", "stringData")
}

// immutableService: a clusterIP cannot change while the service has one before and
// after. A headless service cannot get a type that needs node ports. The class of
// a load balancer cannot change while the service is one.
func immutableService(c change) bool {
	before, after := serviceType(c.live), serviceType(c.planned)
	had, _ := valueAt(c.live, addrs.NewPath("spec", "clusterIP")).(string)
	switch {
	case c.within("spec.clusterIP"):
		return had != "" && before != "ExternalName" && after != "ExternalName"
	case c.within("spec.type"):
		return had == "None" && hasNodePorts(after)
	case c.within("spec.loadBalancerClass"):
		return before == "LoadBalancer" && after == "LoadBalancer"
	}
	return c.immutable
}

func serviceType(obj map[string]any) string {
	if t, _ := valueAt(obj, addrs.NewPath("spec", "type")).(string); t != "" {
		return t
	}
	return "ClusterIP"
}

// immutableClaim: a bound claim can grow and change its attributes class, an
// unbound one cannot. A volume and a storage class can be set where there is none.
func immutableClaim(c change) bool {
	if c.within("spec.volumeName", "spec.storageClassName") && valueAt(c.live, c.path) == nil {
		return false
	}
	bound := valueAt(c.live, addrs.NewPath("status", "phase")) == "Bound"
	switch {
	case c.within("spec.resources.requests.storage"):
		return !bound || shrinks(c.live, c.planned)
	case c.within("spec.volumeAttributesClassName"):
		return !bound
	}
	return c.immutable
}

// shrinks reports whether a claim is to get smaller than its volume: an expansion that
// has not happened yet can be withdrawn.
func shrinks(live, planned map[string]any) bool {
	request := addrs.NewPath("spec", "resources", "requests", "storage")
	had, err := quantityAt(live, request)
	gets, err2 := quantityAt(planned, request)
	has, err3 := quantityAt(live, addrs.NewPath("status", "capacity", "storage"))
	return err == nil && err2 == nil && gets.Cmp(had) < 0 && (err3 != nil || gets.Cmp(has) <= 0)
}

// immutableVolume: a volume without node affinity, or without a secret for its
// expansion, can get one.
func immutableVolume(c change) bool {
	for _, p := range []addrs.Path{addrs.NewPath("spec", "nodeAffinity"), addrs.NewPath("spec", "csi", "controllerExpandSecretRef")} {
		if p.Contains(c.path) && valueAt(c.live, p) == nil {
			return false
		}
	}
	return c.immutable
}

// immutableOnceSet: what the cluster has assigned to a node cannot change.
func immutableOnceSet(c change) bool { return c.immutable && valueAt(c.live, c.path) != nil }

// immutableDefinition: scope and kind cannot change once the definition is
// established.
func immutableDefinition(c change) bool {
	if !c.within("spec.scope", "spec.names.kind") {
		return c.immutable
	}
	return hasCondition(c.live, "Established")
}

// immutableJob: the scheduling and the resources of a job's pods can change while it
// is suspended and none of them is left, as long as its selector matches them. The
// completions of an indexed job can change with its parallelism.
func immutableJob(c change) bool {
	if c.within("spec.template") && isHalted(c.live) {
		if c.within("spec.template.metadata.labels") {
			return !hasAll(templateLabels(c.planned), manifest.Object(manifest.Object(manifest.Object(c.live, "spec"), "selector"), "matchLabels"))
		}
		return c.immutable && !c.within(
			"spec.template.metadata.annotations",
			"spec.template.spec.affinity.nodeAffinity", "spec.template.spec.nodeSelector",
			"spec.template.spec.tolerations", "spec.template.spec.schedulingGates") && !isResources(c.path)
	}
	planned := manifest.Object(c.planned, "spec")
	if c.within("spec.completions") && planned["completionMode"] == "Indexed" {
		return !reflect.DeepEqual(planned["completions"], planned["parallelism"])
	}
	return c.immutable
}

// isHalted reports whether a job is suspended, and either has not started or has
// stopped all of its pods.
func isHalted(job map[string]any) bool {
	status := manifest.Object(job, "status")
	if !manifest.Flag(manifest.Object(job, "spec"), "suspend") || status["active"] != nil && status["active"] != int64(0) {
		return false
	}
	return status["startTime"] == nil || hasCondition(job, "Suspended")
}

// isResources reports whether a field path is in the resources of a container.
func isResources(path addrs.Path) bool {
	steps := path.Steps()
	return len(steps) > 5 && (steps[3].Field == "containers" || steps[3].Field == "initContainers") && steps[5].Field == "resources"
}

// hasCondition reports whether a condition of the object is True.
func hasCondition(obj map[string]any, typ string) bool {
	return slices.ContainsFunc(manifest.List(manifest.Object(obj, "status"), "conditions"), func(v any) bool {
		condition, _ := v.(map[string]any)
		return manifest.Text(condition, "type") == typ && manifest.Text(condition, "status") == "True"
	})
}

// valueAt is the value at a path, nil where there is none.
func valueAt(obj map[string]any, path addrs.Path) any {
	v, _ := path.ValueIn(obj)
	return v
}

// quantityAt is the quantity or number at a path.
func quantityAt(obj map[string]any, path addrs.Path) (resource.Quantity, error) {
	return resource.ParseQuantity(strings.TrimSpace(fmt.Sprint(valueAt(obj, path))))
}
