package kinds

import (
	"maps"

	"kplan.dev/kplan/addrs"
)

// WithoutCeded is a manifest without what the control plane writes in such an
// object whatever is applied: the rules of a ClusterRole that aggregates those
// of others. Manifests have them as an empty list, by way of a note, and to
// apply it would be to contend with a controller. The object given is not
// changed.
func (k *Kind) WithoutCeded(obj map[string]any) map[string]any {
	if _, there := obj["rules"]; !there || !k.cedesRules(obj) {
		return obj
	}
	rest := maps.Clone(obj)
	delete(rest, "rules")
	return rest
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
