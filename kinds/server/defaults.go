// Package server does what the API server does to an object by itself, without asking
// it: it fills in defaults (Complete), allocates values that only it knows
// (KnownAfterApply), keeps or drops what an update leaves out (Updated), refuses to
// change what is immutable (ForbidsChange), and drops what a schema lost (Pruned).
//
// Most of it follows from the descriptions in package kinds; the rest is code, kind by
// kind, after that of the API server, and tests hold it against a real one. What
// admission makes of an object is not in it, except for what no API server is without.
package server

import (
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Complete is the object with what the server fills in when it reads it: the
// defaults of its schema, and those that code of the server derives from other
// fields, such as the target port of a port (pkg/apis/*/*/defaults.go of the
// Kubernetes sources). What admission plugins and webhooks make of it is not in
// it, nor what KnownAfterApply lists. Values are as given, see Canonical. The object
// given is not changed.
func Complete(k *kinds.Kind, obj map[string]any) map[string]any {
	full := runtime.DeepCopyJSON(obj)
	complete(k.Root, full)
	return full
}

func complete(f *kinds.Field, v any) {
	switch v := v.(type) {
	case map[string]any:
		fillIn(f, v)
		for name, inner := range v {
			if child := f.Field(name); child != nil && child.Type != kinds.Any {
				complete(child, inner)
			}
		}
	case []any:
		if f.Type == kinds.List && (f.Elem.Type == kinds.Object || f.Elem.Type == kinds.Map) {
			for _, elem := range v {
				complete(f.Elem, elem)
			}
		}
	}
}

// fillIn sets the absent fields of an object, not those inside its fields.
func fillIn(f *kinds.Field, m map[string]any) {
	for _, child := range f.Fields() {
		v, has := m[child.Name]
		switch {
		case has && v == nil && child.Nullable:
		case v != nil && (child.KeepsEmpty || !child.IsEmpty(v)):
		case child.Default != nil:
			m[child.Name] = runtime.DeepCopyJSONValue(child.Default)
		case child.Type == kinds.Object && !child.KeepsEmpty && !child.Allocated && v == nil:
			// To the server it is there, if empty, and its fields get their defaults.
			inner := map[string]any{}
			complete(child, inner)
			if len(inner) > 0 {
				m[child.Name] = inner
			}
		}
	}
	if derive := derived[f.GoType()]; derive != nil {
		derive(m)
	}
}

// derived are the defaults that depend on other fields, by Go type. Each
// function gets an object whose static defaults are there.
var derived = map[string]func(map[string]any){
	"core/v1.Container":                              deriveContainer,
	"core/v1.EphemeralContainer":                     deriveContainer,
	"core/v1.Volume":                                 deriveVolume,
	"core/v1.PodSpec":                                derivePodSpec,
	"core/v1.Pod":                                    derivePod,
	"core/v1.ServiceSpec":                            deriveService,
	"core/v1.ReplicationController":                  deriveReplicationController,
	"core/v1.Namespace":                              deriveNamespace,
	"core/v1.LimitRangeItem":                         deriveLimitRangeItem,
	"apps/v1.DeploymentStrategy":                     deriveRollingUpdate,
	"apps/v1.DaemonSetUpdateStrategy":                deriveRollingUpdate,
	"batch/v1.Job":                                   deriveJob,
	"autoscaling/v2.HorizontalPodAutoscalerBehavior": deriveBehavior,
	"networking/v1.NetworkPolicySpec":                deriveNetworkPolicy,
	"rbac/v1.Subject":                                deriveSubject,
	"apiextensions/v1.CustomResourceDefinitionNames": deriveNames,
	"resource/v1.ExactDeviceRequest":                 deriveDeviceCount,
	"resource/v1.DeviceSubRequest":                   deriveDeviceCount,
}

// setDefault sets a field that is absent or, as most Go types have it, empty.
func setDefault(m map[string]any, name string, v any) {
	if old := m[name]; old == nil || old == "" {
		m[name] = v
	}
}

// sub is the object in a field, made when it is absent.
func sub(m map[string]any, name string) map[string]any {
	inner, ok := m[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[name] = inner
	}
	return inner
}

func deriveContainer(m map[string]any) {
	setDefault(m, "imagePullPolicy", pullPolicy(manifest.Text(m, "image")))
}

// pullPolicy is Always for an image that may change behind its name.
func pullPolicy(image string) string {
	name, digest, _ := strings.Cut(image, "@")
	_, tag, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ":")
	if tag == "latest" || tag == "" && digest == "" {
		return "Always"
	}
	return "IfNotPresent"
}

// deriveVolume: a volume of no kind is an empty directory.
func deriveVolume(m map[string]any) {
	if image := manifest.Object(m, "image"); image != nil {
		setDefault(image, "pullPolicy", pullPolicy(manifest.Text(image, "reference")))
	}
	for name, v := range m {
		if name != "name" && v != nil {
			return
		}
	}
	m["emptyDir"] = map[string]any{}
}

// derivePodSpec: the service account has two names.
func derivePodSpec(m map[string]any) {
	if account := m["serviceAccount"]; account != nil {
		setDefault(m, "serviceAccountName", account)
	}
	if account := m["serviceAccountName"]; account != nil && account != "" {
		m["serviceAccount"] = account
	}
}

// derivePod: what a container may use is reserved for it, and on the host's
// network its ports are the host's. The account is set by an admission plugin
// that no API server is without.
func derivePod(m map[string]any) {
	spec := sub(m, "spec")
	if spec["serviceAccount"] == nil {
		setDefault(spec, "serviceAccountName", "default")
	}
	for _, field := range []string{"containers", "initContainers"} {
		for _, v := range manifest.List(spec, field) {
			container, ok := v.(map[string]any)
			if !ok {
				continue
			}
			deriveRequests(manifest.Object(container, "resources"))
			if manifest.Flag(spec, "hostNetwork") {
				deriveHostPorts(manifest.List(container, "ports"))
			}
		}
	}
}

func deriveRequests(resources map[string]any) {
	limits := manifest.Object(resources, "limits")
	if len(limits) == 0 {
		return
	}
	requests := sub(resources, "requests")
	for name, limit := range limits {
		if requests[name] == nil {
			requests[name] = limit
		}
	}
}

func deriveHostPorts(ports []any) {
	for _, v := range ports {
		if port, ok := v.(map[string]any); ok && port["hostPort"] == nil {
			port["hostPort"] = port["containerPort"]
		}
	}
}

func deriveService(spec map[string]any) {
	for _, v := range manifest.List(spec, "ports") {
		if port, ok := v.(map[string]any); ok && (port["targetPort"] == nil || port["targetPort"] == int64(0) || port["targetPort"] == "") {
			port["targetPort"] = port["port"]
		}
	}
	if spec["sessionAffinity"] == "ClientIP" {
		setDefault(sub(sub(spec, "sessionAffinityConfig"), "clientIP"), "timeoutSeconds", int64(10800))
	} else {
		delete(spec, "sessionAffinityConfig")
	}
	switch kind := manifest.Text(spec, "type"); {
	case kind == "ExternalName":
		delete(spec, "internalTrafficPolicy") // the static default, which does not apply here
	case kind == "LoadBalancer":
		setDefault(spec, "allocateLoadBalancerNodePorts", true)
		fallthrough
	case kind == "NodePort", len(manifest.List(spec, "externalIPs")) > 0:
		setDefault(spec, "externalTrafficPolicy", "Cluster")
	}
}

// templateLabels are the labels of the pods that an object makes.
func templateLabels(m map[string]any) map[string]any {
	return manifest.Object(manifest.Object(manifest.Object(manifest.Object(m, "spec"), "template"), "metadata"), "labels")
}

func deriveReplicationController(m map[string]any) {
	labels := templateLabels(m)
	if len(labels) == 0 {
		return
	}
	if spec := sub(m, "spec"); len(manifest.Object(spec, "selector")) == 0 {
		spec["selector"] = maps.Clone(labels)
	}
	if metadata := sub(m, "metadata"); len(manifest.Object(metadata, "labels")) == 0 {
		metadata["labels"] = maps.Clone(labels)
	}
}

func deriveNamespace(m map[string]any) {
	if name := manifest.Text(manifest.Object(m, "metadata"), "name"); name != "" {
		sub(sub(m, "metadata"), "labels")["kubernetes.io/metadata.name"] = name
	}
}

func deriveLimitRangeItem(m map[string]any) {
	if manifest.Text(m, "type") != "Container" {
		return
	}
	for _, pair := range [][2]string{{"max", "default"}, {"default", "defaultRequest"}, {"min", "defaultRequest"}} {
		for name, v := range manifest.Object(m, pair[0]) {
			if to := sub(m, pair[1]); to[name] == nil {
				to[name] = v
			}
		}
	}
}

func deriveRollingUpdate(m map[string]any) {
	if manifest.Text(m, "type") == "RollingUpdate" {
		sub(m, "rollingUpdate")
	}
}

func deriveJob(m map[string]any) {
	spec := sub(m, "spec")
	if spec["completions"] == nil && spec["parallelism"] == nil {
		spec["completions"] = int64(1)
	}
	setDefault(spec, "parallelism", int64(1))
	if spec["backoffLimitPerIndex"] != nil {
		setDefault(spec, "backoffLimit", int64(1<<31-1))
	}
	setDefault(spec, "backoffLimit", int64(6))
	if spec["podFailurePolicy"] != nil {
		setDefault(spec, "podReplacementPolicy", "Failed")
	}
	setDefault(spec, "podReplacementPolicy", "TerminatingOrFailed")
	if labels := templateLabels(m); len(labels) > 0 {
		if metadata := sub(m, "metadata"); len(manifest.Object(metadata, "labels")) == 0 {
			metadata["labels"] = maps.Clone(labels)
		}
	}
}

func deriveBehavior(m map[string]any) {
	up, down := sub(m, "scaleUp"), sub(m, "scaleDown")
	setDefault(up, "stabilizationWindowSeconds", int64(0))
	setDefault(up, "selectPolicy", "Max")
	setDefault(up, "policies", []any{
		map[string]any{"type": "Pods", "value": int64(4), "periodSeconds": int64(15)},
		map[string]any{"type": "Percent", "value": int64(100), "periodSeconds": int64(15)},
	})
	setDefault(down, "selectPolicy", "Max")
	setDefault(down, "policies", []any{
		map[string]any{"type": "Percent", "value": int64(100), "periodSeconds": int64(15)},
	})
}

func deriveNetworkPolicy(m map[string]any) {
	if len(manifest.List(m, "policyTypes")) > 0 {
		return
	}
	policies := []any{"Ingress"}
	if len(manifest.List(m, "egress")) > 0 {
		policies = append(policies, "Egress")
	}
	m["policyTypes"] = policies
}

func deriveSubject(m map[string]any) {
	if kind := manifest.Text(m, "kind"); kind == "User" || kind == "Group" {
		setDefault(m, "apiGroup", "rbac.authorization.k8s.io")
	}
}

func deriveNames(m map[string]any) {
	if kind := manifest.Text(m, "kind"); kind != "" {
		setDefault(m, "singular", strings.ToLower(kind))
		setDefault(m, "listKind", kind+"List")
	}
}

func deriveDeviceCount(m map[string]any) {
	if manifest.Text(m, "allocationMode") == "ExactCount" {
		setDefault(m, "count", int64(1))
	}
}
