package server

import (
	"maps"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Applicable is the manifest as it is to be applied so that the server makes of
// it what it says:
//
//   - The rules of a ClusterRole that aggregates those of others are the control
//     plane's. Manifests have them as an empty list, by way of a note, and to
//     apply it would be to contend with a controller.
//   - A map without data is to a ConfigMap or Secret the same as none, but not
//     where it is immutable: there the server would refuse it as a change.
//
// The object given is not changed.
func Applicable(k *kinds.Kind, obj map[string]any) map[string]any {
	switch k.GroupKind() {
	case clusterRole:
		if aggregatesRules(k, obj) {
			return without(obj, "rules")
		}
	case kinds.ConfigMap, kinds.Secret:
		return withoutEmpty(withoutEmpty(obj, "data"), "binaryData")
	}
	return obj
}

var clusterRole = addrs.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}

func without(obj map[string]any, field string) map[string]any {
	if _, there := obj[field]; !there {
		return obj
	}
	rest := maps.Clone(obj)
	delete(rest, field)
	return rest
}

func withoutEmpty(obj map[string]any, field string) map[string]any {
	if m, ok := obj[field].(map[string]any); ok && len(m) == 0 {
		return without(obj, field)
	}
	return obj
}

func aggregatesRules(k *kinds.Kind, obj map[string]any) bool {
	return k.GroupKind() == clusterRole && obj["aggregationRule"] != nil
}

// ControllerFilled are the field paths that a controller fills again after an update of
// live to planned: the answer of the server still has the former values.
func ControllerFilled(k *kinds.Kind, live, planned map[string]any) []addrs.Path {
	if !aggregatesRules(k, planned) || k.Root.Field("aggregationRule").Equal(live["aggregationRule"], planned["aggregationRule"]) {
		return nil
	}
	return []addrs.Path{addrs.NewPath("rules")}
}

// Overwritten reports what a manifest sets in fields that the control plane
// overwrites.
func Overwritten(k *kinds.Kind, obj map[string]any) []kinds.Problem {
	if !aggregatesRules(k, obj) || len(manifest.List(obj, "rules")) == 0 {
		return nil
	}
	return []kinds.Problem{{
		Path: addrs.NewPath("rules"), Summary: "Rules beside an aggregation rule",
		Detail: "A ClusterRole with an aggregationRule gets its rules from the roles that it selects: " +
			"the control plane overwrites whatever is set here. " +
			"Put these rules into a ClusterRole of their own, with the labels that are selected.",
	}}
}

// ExpiresOnceDone reports whether the cluster deletes the object by itself once it has
// served its purpose: a Job, or a custom resource that is like one, with a time to live
// after it has finished, a certificate signing request, an event, and a bootstrap token
// that expires.
func ExpiresOnceDone(k *kinds.Kind, object map[string]any) bool {
	spec, _ := object["spec"].(map[string]any)
	policy, _ := spec["runPolicy"].(map[string]any)
	const ttl = "ttlSecondsAfterFinished"
	if spec[ttl] != nil || policy[ttl] != nil {
		return true
	}
	switch k.GroupKind() {
	case addrs.GroupKind{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"},
		addrs.GroupKind{Kind: "Event"}, addrs.GroupKind{Group: "events.k8s.io", Kind: "Event"}:
		return true
	case kinds.Secret:
		data, _ := object["data"].(map[string]any)
		return object["type"] == "bootstrap.kubernetes.io/token" && data["expiration"] != nil
	}
	return false
}
