package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// Claims are the node ports and cluster IPs that a Service has or asks for: no other may
// have them.
func Claims(service map[string]any) []string {
	spec, _ := service["spec"].(map[string]any)
	var claims []string
	add := func(what string, value any) {
		if value != nil && value != "" && value != corev1.ClusterIPNone {
			claims = append(claims, fmt.Sprintf("%s %v", what, value))
		}
	}
	if spec["type"] != string(corev1.ServiceTypeExternalName) {
		add("address", spec["clusterIP"])
	}
	ports, _ := spec["ports"].([]any)
	for _, port := range ports {
		fields, _ := port.(map[string]any)
		add("port", fields["nodePort"])
	}
	add("port", spec["healthCheckNodePort"])
	return claims
}

// SharesClaims reports whether two Services can't exist beside each other.
func SharesClaims(a, b map[string]any) bool {
	of := Claims(b)
	return slices.ContainsFunc(Claims(a), func(claim string) bool { return slices.Contains(of, claim) })
}

// whyFreed explains a refusal of a Service whose ports or addresses others have that this
// plan takes from them, "" for any other. It records the others, which give them up first.
func (p *planner) whyFreed(ctx context.Context, d *decision, refusal error) string {
	var e *kube.Error
	if d.object.GroupKind() != kinds.Service || !errors.As(refusal, &e) || e.Reason != kube.Invalid ||
		!strings.Contains(e.Message, "already allocated") {
		return ""
	}
	services, err := p.live.of(d.kind)(ctx)
	if err != nil {
		return ""
	}
	var yields []addrs.Object
	var texts []string
	for identity, live := range services {
		if identity == d.object.Identity() || !SharesClaims(live.Object, d.fields) {
			continue
		}
		action := p.givesUp(identity, live.Object, d)
		if action == "" {
			return ""
		}
		yields = append(yields, identity)
		texts = append(texts, fmt.Sprintf("%s, which would %s, gives it up first", p.owned[identity].Addr, actionPhrases[action]))
	}
	slices.SortFunc(yields, addrs.Object.Compare)
	slices.Sort(texts)
	d.yields = yields
	if len(yields) == 0 {
		return ""
	}
	return fmt.Sprintf("today the server refuses it: %s; %s", strings.TrimRight(e.Message, ". "), strings.Join(texts, "; "))
}

// givesUp is what this plan does to a Service so that another gets what it has, "" if it
// keeps that.
func (p *planner) givesUp(identity addrs.Object, live map[string]any, to *decision) Action {
	entry, owned := p.owned[identity]
	if !owned || !p.scope.has(entry.Addr) {
		return ""
	}
	var desired *hclspec.Desired
	for _, d := range p.preview().Desired() {
		if Named(d, p.state).Object.Identity() == identity {
			desired = d
		}
	}
	switch {
	case desired == nil && forgets(p.Config, entry.Addr):
		return ""
	case desired == nil:
		return Delete
	case len(desired.Unknown) > 0 || SharesClaims(desired.Fields, to.fields):
		return ""
	}
	if keepsPorts(live, desired.Fields) {
		return ""
	}
	return Update
}

// keepsPorts reports whether a Service keeps a port or an address that the configuration
// does not speak of.
func keepsPorts(live, desired map[string]any) bool {
	old, _ := live["spec"].(map[string]any)
	spec, _ := desired["spec"].(map[string]any)
	if old["type"] != spec["type"] {
		return false // another type has ports of its own, or none
	}
	ports, _ := spec["ports"].([]any)
	return slices.ContainsFunc(ports, func(port any) bool {
		fields, _ := port.(map[string]any)
		return fields["nodePort"] == nil
	})
}
