package lint

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
)

// selectorErrors reports a workload whose selector does not match its own pods.
func selectorErrors(o *Object) []Finding {
	pod := o.pod
	if pod == nil || o.Kind.GroupKind() == kinds.Pod {
		return nil
	}
	var found []Finding
	for _, s := range relations.Selectors(o.Kind, o.Fields) {
		if s.Match.Matches(pod.Labels) || o.isOpen(s.Path) || o.isOpen(pod.LabelsPath()) {
			continue
		}
		found = append(found, Finding{Of: o, Path: s.Path, Error: true,
			Summary: "Selector does not match template labels",
			Detail: fmt.Sprintf("%s of %s selects pods with %s, and the pods of its template have %s. The API server refuses that: "+
				"give both the same labels.", s.Path, o.Addr, s.Match, describeLabels(pod.Labels)),
		})
	}
	return found
}

func describeLabels(set labels.Set) string {
	if len(set) == 0 {
		return "no labels"
	}
	return set.String()
}

// Unmatched is a selector that matches no pod of the configuration.
type Unmatched struct {
	Of       *Object
	Selector relations.Selector
	// Beside are the workloads of the configuration in the same namespace.
	Beside []addrs.Instance
	// Elsewhere reports whether something else may make the pods: a custom resource, or what
	// is not known yet.
	Elsewhere bool
}

// Unmatched are the selectors of Services, disruption budgets and network policies that
// match no pod of the configuration.
func (c *Configuration) Unmatched() []Unmatched {
	var all []Unmatched
	for _, o := range c.objects {
		if _, makes := o.Kind.PodTemplate(); makes || o.Unknown.Touches(namespacePath) {
			continue
		}
		for _, s := range relations.Selectors(o.Kind, o.Fields) {
			if u := (Unmatched{Of: o, Selector: s}); !o.isOpen(s.Path) && c.fill(&u) {
				all = append(all, u)
			}
		}
	}
	return all
}

var namespacePath = addrs.NewPath("metadata", "namespace")

// fill looks for pods that a selector matches, and reports whether there are none.
func (c *Configuration) fill(u *Unmatched) bool {
	namespace := u.Of.Object.Namespace
	if len(c.selected(namespace, u.Selector)) > 0 {
		return false
	}
	for _, w := range c.pods[namespace] {
		u.Beside = append(u.Beside, w.Addr)
		u.Elsewhere = u.Elsewhere || w.isOpen(w.pod.LabelsPath())
	}
	u.Elsewhere = u.Elsewhere || c.made().in[namespace] || c.mayHaveMorePods()
	return true
}

func (c *Configuration) mayHaveMorePods() bool {
	for kind := range c.open {
		switch {
		case kind == addrs.GroupKind{}, kind == kinds.Pod, kind == kinds.ReplicationController, kind.Group == "apps", kind.Group == "batch":
			return true
		}
	}
	return slices.ContainsFunc(c.objects, func(o *Object) bool {
		if !o.Unknown.Touches(namespacePath) { // of most objects
			return false
		}
		_, makes := o.Kind.PodTemplate()
		return makes
	})
}

// IsCertain reports whether the configuration alone tells that the selector is wrong: it
// has the pods of the namespace, and the selector means none of them. A network policy and
// a budget may be there for those that others will make.
func (u Unmatched) IsCertain() bool {
	return len(u.Beside) > 0 && !u.Elsewhere && u.Of.Kind.GroupKind() == kinds.Service
}

// IsWorthSaying reports whether it is likely a mistake that the selector matches nothing,
// in a cluster that has other pods in the namespace. Where there are none, they may come
// later; and a network policy may be there for those that others will make.
func (u Unmatched) IsWorthSaying(otherPods int) bool {
	return len(u.Beside) > 0 || otherPods > 0 && u.Of.Kind.Name != "NetworkPolicy"
}

// Finding is the selector as something that is wrong.
func (u Unmatched) Finding() Finding {
	detail := fmt.Sprintf("%s of %s selects pods with %s", u.Selector.Path, u.Of.Addr, u.Selector.Match)
	if len(u.Beside) > 0 {
		detail += fmt.Sprintf(". Those of %s have other labels", words.And(firstOf(u.Beside)))
	} else {
		detail += fmt.Sprintf(". No pod in namespace %s has them", u.Of.Object.Namespace)
	}
	return Finding{Of: u.Of, Path: u.Selector.Path, Summary: "Selector matches no pods", Detail: detail + "."}
}

// mostNamed is how many objects a message names.
const mostNamed = 3

func firstOf(all []addrs.Instance) []string {
	var names []string
	for _, addr := range all[:min(mostNamed, len(all))] {
		names = append(names, addr.String())
	}
	if more := len(all) - mostNamed; more > 0 {
		names = append(names, words.Count(more, "other workload"))
	}
	return names
}
