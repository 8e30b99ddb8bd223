package server

import (
	"reflect"
	"slices"
	"strconv"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Updated is what the server makes of live when an apply has made merged of it:
// merged with what Complete fills in, and with what the server adds, keeps or
// drops for what the object was before (pkg/registry/*/*/strategy.go of the
// Kubernetes sources). The objects given are not changed.
func Updated(k *kinds.Kind, live, merged map[string]any) map[string]any {
	full := Complete(k, merged)
	if update := updated[k.GroupKind()]; update != nil {
		update(live, full)
	}
	return full
}

var updated = map[addrs.GroupKind]func(live, full map[string]any){
	kinds.Pod:                            updatePod,
	kinds.Service:                        updateService,
	{Group: "apps", Kind: "DaemonSet"}:   updateDaemonSet,
	{Group: "apps", Kind: "Deployment"}:  updateRollingUpdate("strategy"),
	{Group: "apps", Kind: "StatefulSet"}: updateRollingUpdate("updateStrategy"),
}

// updatePod: an admission plugin makes pods tolerate that a node is not ready
// for a while, also when they are updated, and another keeps their priority.
func updatePod(live, full map[string]any) {
	before, after := manifest.Object(live, "spec"), sub(full, "spec")
	for _, key := range []string{"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"} {
		added := tolerationOf(manifest.List(before, "tolerations"), key)
		if added != nil && tolerationOf(manifest.List(after, "tolerations"), key) == nil {
			after["tolerations"] = append(slices.Clone(manifest.List(after, "tolerations")), added)
		}
	}
	keep(before, after, "priority", "preemptionPolicy")
}

// updateRollingUpdate: what was filled in for one strategy is refused beside
// another, and goes with it.
func updateRollingUpdate(field string) func(live, full map[string]any) {
	return func(live, full map[string]any) {
		before, after := manifest.Object(manifest.Object(live, "spec"), field), manifest.Object(manifest.Object(full, "spec"), field)
		if manifest.Text(after, "type") != "RollingUpdate" {
			drop(before, after, "rollingUpdate")
		}
	}
}

// tolerationOf is the toleration by which a pod stays on a node with the taint.
func tolerationOf(tolerations []any, taint string) any {
	for _, v := range tolerations {
		t, _ := v.(map[string]any)
		key, effect := manifest.Text(t, "key"), manifest.Text(t, "effect")
		if (key == taint || key == "") && (effect == "NoExecute" || effect == "") {
			return v
		}
	}
	return nil
}

// keep copies the live values that are not given any more.
func keep(before, after map[string]any, names ...string) {
	for _, name := range names {
		if after[name] == nil && before[name] != nil {
			after[name] = before[name]
		}
	}
}

// drop takes out what nobody has changed.
func drop(before, after map[string]any, names ...string) {
	for _, name := range names {
		if reflect.DeepEqual(before[name], after[name]) {
			delete(after, name)
		}
	}
}

// first leaves the first of each of those lists that nobody has changed.
func first(before, after map[string]any, names ...string) {
	for _, name := range names {
		if l := manifest.List(after, name); len(l) > 1 && reflect.DeepEqual(before[name], after[name]) {
			after[name] = l[:1]
		}
	}
}

// updateService: what was allocated stays as long as the type has a use for it,
// and goes with the type unless it is set.
func updateService(live, full map[string]any) {
	before, after := manifest.Object(live, "spec"), sub(full, "spec")
	was, is := serviceType(live), serviceType(full)
	switch {
	case was != "ExternalName" && is != "ExternalName":
		keep(before, after, "clusterIP", "clusterIPs")
	case is == "ExternalName":
		drop(before, after, "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")
	}
	if single := "SingleStack"; manifest.Text(before, "ipFamilyPolicy") != single && manifest.Text(after, "ipFamilyPolicy") == single {
		first(before, after, "clusterIPs", "ipFamilies")
	}
	if hasNodePorts(was) {
		updateNodePorts(manifest.List(before, "ports"), manifest.List(after, "ports"), hasNodePorts(is))
	}
	if was == "LoadBalancer" && is != "LoadBalancer" {
		drop(before, after, "allocateLoadBalancerNodePorts", "loadBalancerClass")
	}
	if local(was, before) && !local(is, after) {
		drop(before, after, "healthCheckNodePort")
	}
	if external(was, before) && !external(is, after) {
		drop(before, after, "externalTrafficPolicy")
	}
}

func hasNodePorts(service string) bool { return service == "NodePort" || service == "LoadBalancer" }

func external(service string, spec map[string]any) bool {
	return hasNodePorts(service) || service == "ClusterIP" && len(manifest.List(spec, "externalIPs")) > 0
}

// local reports whether the load balancer checks each node for such a pod.
func local(service string, spec map[string]any) bool {
	return service == "LoadBalancer" && manifest.Text(spec, "externalTrafficPolicy") == "Local"
}

// updateNodePorts: ports keep those that they have, by their names.
func updateNodePorts(before, after []any, stay bool) {
	given := map[string]any{}
	for _, v := range before {
		if port, ok := v.(map[string]any); ok {
			given[manifest.Text(port, "name")] = port["nodePort"]
		}
	}
	for _, v := range after {
		port, ok := v.(map[string]any)
		if !ok {
			continue
		}
		old := given[manifest.Text(port, "name")]
		switch {
		case stay && port["nodePort"] == nil && old != nil:
			port["nodePort"] = old
		case !stay && reflect.DeepEqual(port["nodePort"], old):
			delete(port, "nodePort")
		}
	}
}

// templateGeneration counts the templates that a DaemonSet has had.
const templateGeneration = "deprecated.daemonset.template.generation"

func updateDaemonSet(live, full map[string]any) {
	count, err := strconv.Atoi(manifest.Text(manifest.Object(manifest.Object(live, "metadata"), "annotations"), templateGeneration))
	if err != nil {
		return
	}
	template, before, after := daemonSetTemplate(), manifest.Object(live, "spec")["template"], manifest.Object(full, "spec")["template"]
	if !template.Equal(before, after) || !template.SameOrder(before, after) {
		count++
	}
	sub(sub(full, "metadata"), "annotations")[templateGeneration] = strconv.Itoa(count)
}

func daemonSetTemplate() *kinds.Field {
	k, err := kinds.Builtin().Lookup("DaemonSet", "apps/v1")
	if err != nil {
		panic("kinds: " + err.Error())
	}
	return k.At(addrs.NewPath("spec", "template"))
}
