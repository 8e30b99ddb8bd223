package hclspec

import (
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
)

// related is what the objects of a configuration mean to each other beyond the references
// of its expressions: names that are plain text, what the server judges others by, and
// who answers for a kind.
type related struct {
	objects map[addrs.Object]*instance // by identity
	// governors are what the server judges objects by: by namespace, "" for all.
	governors map[string][]governor
	// operators are who takes care of objects of a custom kind, or answers the webhooks that
	// the server asks about them.
	operators []operator
}

type governor struct {
	*relations.Governor
	addr addrs.Instance
	// answering are the workloads that answer the webhooks.
	answering []*instance
}

// relate finds what the objects of a configuration mean to each other.
func relate(pre *Preview) *related {
	r := &related{objects: map[addrs.Object]*instance{}, governors: map[string][]governor{}}
	for _, i := range pre.instances() {
		if i.identified() {
			r.objects[i.Object.Identity()] = i
		}
	}
	workloads := r.workloads(pre)
	for _, i := range pre.instances() {
		if i.Kind == nil {
			continue
		}
		if g := relations.NewGovernor(i.Kind, i.Fields, r.fieldsOf); g != nil {
			found := governor{Governor: g, addr: i.Addr}
			if g.IsWebhook() {
				found.answering = r.answering(i, workloads)
			}
			r.governors[g.Namespace] = append(r.governors[g.Namespace], found)
		}
	}
	r.operators = r.findOperators(pre, workloads)
	return r
}

// find is the instance of this configuration that a reference means, nil for none.
func (r *related) find(ref relations.Reference) *instance {
	for _, name := range ref.Names() {
		if i := r.objects[name.Identity()]; i != nil {
			return i
		}
	}
	return nil
}

func (r *related) fieldsOf(ref relations.Reference) map[string]any {
	if i := r.find(ref); i != nil {
		return i.Fields
	}
	return nil
}

// names are the instances that an instance refers to by name.
func (r *related) names(i *instance) links {
	var l links
	for _, ref := range relations.References(i.Kind, i.Fields) {
		if to := r.find(ref); to != nil && to.Addr != i.Addr {
			l.needed = append(l.needed, to.Addr)
		}
	}
	return l
}

// answeredBy are the workloads that answer the webhooks of a configuration of them: without
// an answer the server refuses what it has to ask them about.
func (r *related) answeredBy(i *instance) links {
	for _, g := range r.governors[""] {
		if g.addr == i.Addr {
			return links{awaited: addresses(g.answering)}
		}
	}
	return links{}
}

// governedBy are the instances by which the server judges an instance or the pods that it
// makes, and the workloads that it asks about it.
func (r *related) governedBy(i *instance) links {
	var l links
	for _, namespace := range []string{"", i.Object.Namespace} {
		for _, g := range r.governors[namespace] {
			if g.addr != i.Addr && (g.Governs(i.Kind, i.Object.Namespace, i.Fields) || g.GovernsPods(i.Kind, i.Object.Namespace, i.Fields)) {
				l.needed = append(l.needed, g.addr)
				l.awaited = append(l.awaited, addresses(g.answering)...)
			}
		}
		if i.Object.Namespace == "" {
			break
		}
	}
	return l
}

func addresses(instances []*instance) []addrs.Instance {
	var all []addrs.Instance
	for _, i := range instances {
		all = append(all, i.Addr)
	}
	return all
}

// workloads are the instances that are pods or make them.
func (r *related) workloads(pre *Preview) []*instance {
	var all []*instance
	for _, i := range pre.instances() {
		if i.Kind != nil && (i.Kind.GroupKind() == kinds.Pod || i.Kind.Rank() == kinds.Ranks-1) {
			all = append(all, i)
		}
	}
	return all
}

// answering are the workloads whose pods answer at a Service that an instance refers to.
func (r *related) answering(i *instance, workloads []*instance) []*instance {
	var found []*instance
	for _, ref := range relations.References(i.Kind, i.Fields) {
		service := r.find(ref)
		if service == nil || service.Kind.GroupKind() != kinds.Service {
			continue
		}
		for _, selector := range relations.Selectors(service.Kind, service.Fields) {
			for _, w := range workloads {
				if w.Object.Namespace == service.Object.Namespace && selector.Match.Matches(relations.PodOf(w.Kind, w.Fields).Labels) {
					found = append(found, w)
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b *instance) int { return a.Addr.Compare(b.Addr) })
	return slices.Compact(found)
}

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

// own is the instance of this configuration that a data block asks for, nil for any other object.
func (r *related) own(a asked) *instance {
	if a.query.Kind == nil || a.query.List {
		return nil
	}
	return r.objects[a.query.Kind.Object(a.query.Namespace, a.query.Name).Identity()]
}

// linkData has data blocks come after the objects of this configuration that they read, and reports those that
// read what nobody has.
func linkData(pre *Preview) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, b := range pre.program.names.inOrder {
		if _, ok := b.node.(dataNode); !ok || pre.results[b.name] == nil {
			continue
		}
		for _, a := range pre.results[b.name].asked {
			if own := pre.related.own(a); own != nil {
				pre.edges.add(b.name, objectBlock(own.Addr))
				continue
			}
			diags = append(diags, pre.program.located(b, a.missing)...)
		}
	}
	return diags
}
