package kinds

import (
	"slices"

	"kplan.dev/kplan/addrs"
)

// Frozen says whether the server refuses to change the place of that path from
// what it is in live to what it is in planned, so that only a new object can
// have the planned value. It adds to Field.Immutable what depends on the
// object: a ConfigMap may be immutable as a whole, the template of a suspended
// Job is not. The rules are those of the API server's validation of updates
// (pkg/apis/*/validation of the Kubernetes sources).
func (k *Kind) Frozen(live, planned map[string]any, path addrs.Path) bool {
	f := k.At(path)
	if f == nil {
		return false
	}
	if custom := frozenIn[k.GroupKind()]; custom != nil {
		return custom(change{live, planned, path, f.Immutable})
	}
	if f.byRule {
		ruled := k.ruledPlace(path)
		return valueAt(live, ruled) != nil && valueAt(planned, ruled) != nil
	}
	return f.Immutable
}

// ruledPlace is the place on the way to path whose rule makes it immutable.
func (k *Kind) ruledPlace(path addrs.Path) addrs.Path {
	var place addrs.Path
	for _, step := range path.Steps() {
		place = place.Append(step)
		if k.At(place).byRule {
			break
		}
	}
	return place
}

// change is one place that is to change.
type change struct {
	live, planned map[string]any
	path          addrs.Path
	immutable     bool // what the kind's description says of the place
}

// within says whether the change is at or below one of these places.
func (c change) within(fields ...string) bool {
	return slices.ContainsFunc(fields, func(field string) bool {
		p, err := addrs.ParsePath(field)
		if err != nil {
			panic("kinds: " + err.Error())
		}
		return p.Contains(c.path)
	})
}

var frozenIn = map[addrs.GroupKind]func(change) bool{
	{Kind: "ConfigMap"}:             frozenData,
	{Kind: "Secret"}:                frozenData,
	{Kind: "Service"}:               frozenService,
	{Kind: "PersistentVolumeClaim"}: frozenClaim,
	{Kind: "PersistentVolume"}:      frozenVolume,
	{Kind: "Node"}:                  frozenOnceSet,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: frozenDefinition,
	{Group: "batch", Kind: "Job"}:                                     frozenJob,
}

// frozenData: once immutable is true, neither it nor the data change.
func frozenData(c change) bool {
	locked, _ := valueAt(c.live, addrs.NewPath("immutable")).(bool)
	return c.immutable || locked && c.within("immutable", "data", "binaryData", "stringData")
}

// frozenService: an address stays while the service has one before and after;
// that of a balancer's class while the service is one.
func frozenService(c change) bool {
	before, after := serviceType(c.live), serviceType(c.planned)
	switch {
	case c.within("spec.clusterIP"):
		had, _ := valueAt(c.live, addrs.NewPath("spec", "clusterIP")).(string)
		return had != "" && before != "ExternalName" && after != "ExternalName"
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

// frozenClaim: a bound claim may grow and change its attributes class, an
// unbound one nothing. A volume and a class may be set where there is none.
func frozenClaim(c change) bool {
	if c.within("spec.volumeName", "spec.storageClassName") && valueAt(c.live, c.path) == nil {
		return false
	}
	phase, _ := valueAt(c.live, addrs.NewPath("status", "phase")).(string)
	if c.within("spec.resources.requests.storage", "spec.volumeAttributesClassName") {
		return phase != "Bound"
	}
	return c.immutable
}

// frozenVolume: what has no affinity, or no secret for growing, may get one.
func frozenVolume(c change) bool {
	for _, p := range []addrs.Path{addrs.NewPath("spec", "nodeAffinity"), addrs.NewPath("spec", "csi", "controllerExpandSecretRef")} {
		if p.Contains(c.path) && valueAt(c.live, p) == nil {
			return false
		}
	}
	return c.immutable
}

// frozenOnceSet: what the cluster has given a node stays.
func frozenOnceSet(c change) bool { return c.immutable && valueAt(c.live, c.path) != nil }

// frozenDefinition: scope and kind stay once objects of the kind can be made.
func frozenDefinition(c change) bool {
	if !c.within("spec.scope", "spec.names.kind") {
		return c.immutable
	}
	for _, v := range list(object(c.live, "status"), "conditions") {
		if condition, _ := v.(map[string]any); text(condition, "type") == "Established" {
			return text(condition, "status") == "True"
		}
	}
	return false
}

// frozenJob: where the pods of a job go may change while it is suspended and
// has not begun; how many an indexed job completes may change with its
// parallelism.
func frozenJob(c change) bool {
	suspended, _ := valueAt(c.live, addrs.NewPath("spec", "suspend")).(bool)
	started := valueAt(c.live, addrs.NewPath("status", "startTime")) != nil
	if suspended && !started && c.within(
		"spec.template.metadata.labels", "spec.template.metadata.annotations",
		"spec.template.spec.affinity.nodeAffinity", "spec.template.spec.nodeSelector",
		"spec.template.spec.tolerations", "spec.template.spec.schedulingGates") {
		return false
	}
	mode, _ := valueAt(c.planned, addrs.NewPath("spec", "completionMode")).(string)
	if c.within("spec.completions") && mode == "Indexed" {
		return false
	}
	return c.immutable
}

// valueAt is the value at a path of fields and positions, nil when it is not
// there. An element picked by its keys is looked for by them.
func valueAt(obj map[string]any, path addrs.Path) any {
	var v any = obj
	if path.IsZero() {
		return v
	}
	for _, step := range path.Steps() {
		switch inside := v.(type) {
		case map[string]any:
			v = inside[step.Field]
			if !step.IsField() {
				return nil
			}
		case []any:
			v = elementAt(inside, step)
		default:
			return nil
		}
	}
	return v
}

func elementAt(elems []any, step addrs.Step) any {
	switch {
	case step.IsIndex() && step.Index < len(elems):
		return elems[step.Index]
	case step.IsKeys():
		for _, elem := range elems {
			if m, ok := elem.(map[string]any); ok && hasKeys(m, step) {
				return m
			}
		}
	}
	return nil
}

func hasKeys(m map[string]any, step addrs.Step) bool {
	for name, want := range step.Keys {
		if jsonText(m[name]) != want {
			return false
		}
	}
	return true
}
