package hclspec

import (
	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds/relations"
)

// operator is a workload of the configuration that takes care of custom resources: its
// account may change them, or the server has it convert them.
type operator struct {
	workload *instance
	// rules are those of the roles of its account, and rights the instances that give them.
	rules  []any
	rights []addrs.Instance
	// converts is the definition of the kind that it converts.
	converts *addrs.Instance
}

// findOperators finds the operators among the workloads of a configuration.
func (r *related) findOperators(pre *Preview, workloads []*instance) []operator {
	if len(workloads) == 0 || len(pre.program.kinds.by) == 0 {
		return nil // no custom kind is defined here
	}
	var found []operator
	accounts := map[addrs.Object][]*instance{} // the workloads of each
	for _, w := range workloads {
		for _, ref := range relations.References(w.Kind, w.Fields) {
			if ref.To.Kind == "ServiceAccount" && ref.To.Group == "" {
				accounts[ref.To] = append(accounts[ref.To], w)
			}
		}
	}
	for _, i := range pre.instances() {
		switch {
		case i.Kind == nil:
		case i.Kind.Name == "RoleBinding" || i.Kind.Name == "ClusterRoleBinding":
			found = append(found, r.bound(i, accounts)...)
		case i.Kind.Name == "CustomResourceDefinition":
			for _, w := range r.answering(i, workloads) {
				found = append(found, operator{workload: w, converts: &i.Addr})
			}
		}
	}
	return found
}

// bound are the workloads that get rights from a binding.
func (r *related) bound(binding *instance, accounts map[addrs.Object][]*instance) []operator {
	var (
		rules   []any
		rights  = []addrs.Instance{binding.Addr}
		holders []*instance
	)
	for _, ref := range relations.References(binding.Kind, binding.Fields) {
		holders = append(holders, accounts[ref.To]...)
		if role := r.find(ref); role != nil && (role.Kind.Name == "Role" || role.Kind.Name == "ClusterRole") {
			given, _ := role.Fields["rules"].([]any)
			rules, rights = append(rules, given...), append(rights, role.Addr)
		}
	}
	var found []operator
	for _, w := range holders {
		found = append(found, operator{workload: w, rules: rules, rights: rights})
	}
	return found
}

// operatedBy are the instances that take care of a custom resource: it comes after them
// and is gone before they go. The server asks those awaited about it.
func (r *related) operatedBy(i *instance, definition addrs.Instance) links {
	var l links
	for _, o := range r.operators {
		switch {
		case o.converts != nil && *o.converts == definition:
			l.awaited = append(l.awaited, o.workload.Addr)
		case o.converts == nil && relations.Answers(o.rules, i.Kind):
			l.needed = append(append(l.needed, o.workload.Addr), o.rights...)
		}
	}
	return l
}
