package kinds

import (
	"maps"

	"kplan.dev/kplan/addrs"
)

// WithoutCeded is a manifest without what is not for it to say. The rules of a
// ClusterRole that aggregates those of others are the control plane's: manifests
// have them as an empty list, by way of a note, and to apply it would be to
// contend with a controller. And a map without data is to a ConfigMap or Secret
// the same as none, but not where it is immutable: there the server would
// refuse it as a change. The object given is not changed.
func (k *Kind) WithoutCeded(obj map[string]any) map[string]any {
	rest := obj
	for _, name := range []string{"rules", "data", "binaryData"} {
		if _, there := obj[name]; there && k.cedes(obj, name) {
			if len(rest) == len(obj) {
				rest = maps.Clone(obj)
			}
			delete(rest, name)
		}
	}
	return rest
}

func (k *Kind) cedes(obj map[string]any, field string) bool {
	switch k.GroupKind() {
	case addrs.GroupKind{Kind: "ConfigMap"}, addrs.GroupKind{Kind: "Secret"}:
		m, ok := obj[field].(map[string]any)
		return ok && len(m) == 0
	}
	return field == "rules" && k.cedesRules(obj)
}

func (k *Kind) cedesRules(obj map[string]any) bool {
	return k.GroupKind() == addrs.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"} && obj["aggregationRule"] != nil
}

// Overwritten says what a manifest sets where the control plane has its way.
func (k *Kind) Overwritten(obj map[string]any) []Problem {
	if !k.cedesRules(obj) || len(list(obj, "rules")) == 0 {
		return nil
	}
	return []Problem{{
		Path: addrs.NewPath("rules"), Kind: BadValue, Summary: "Rules beside an aggregation rule",
		Detail: "A ClusterRole with an aggregationRule gets its rules from the roles that this selects, and the control plane writes them over what stands here. " +
			"Put these rules into a ClusterRole of their own, with the labels that are selected.",
	}}
}
