package plan_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/plan"
)

// rule is something that the server judges or completes objects by: see
// testdata/loop/others.yaml.
type rule struct {
	Name    string
	Refuses string
	Late    bool
	Slow    bool
	Mutates bool
	Labels  []map[string]any // of the namespace, alternatives
	Objects []shape
}

// standing is a rule that is in the cluster, or will be.
type standing struct {
	*rule
	made   []*made        // its objects
	labels map[string]any // of the namespace
	others bool           // they have made it, rather than the configuration
	tamed  bool           // it was in the way, and is harmless now
	// tamedAt is the number of the plan that it was in the way of.
	tamedAt int
}

func (s *standing) refuses(text string) bool {
	return s.Refuses != "" && regexp.MustCompile(s.Refuses).MatchString(text)
}

// ruleHere is the rule of that name, if there is one.
func (w *desired) ruleHere(name string) *standing {
	i := slices.IndexFunc(w.rules, func(s *standing) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return w.rules[i]
}

// mutates reports whether anything makes something else of objects.
func (w *desired) mutates() bool {
	return slices.ContainsFunc(w.rules, func(s *standing) bool { return s.Mutates })
}

// enact makes a rule a part of what there is.
func (w *desired) enact(r *rule, others bool) *standing {
	s := &standing{rule: r, others: others}
	if len(r.Labels) > 0 {
		s.labels = r.Labels[w.IntN(len(r.Labels))]
	}
	for _, object := range r.Objects {
		m := &made{shape: object, block: strings.ReplaceAll(r.Name, "-", "_") + "_" + strings.ToLower(object.Kind), name: r.Name,
			style: w.Uint64(), refs: w.Uint64(), forces: true, rule: s}
		if object.Cluster {
			m.name = "NS-" + r.Name
		}
		for _, alternatives := range object.Choices {
			m.picks = append(m.picks, w.pick(len(alternatives)))
		}
		s.made = append(s.made, m)
	}
	w.rules = append(w.rules, s)
	if !others {
		w.resources = append(w.resources, s.made...)
		w.labelNamespace()
	}
	return s
}

// labelNamespace gives the configuration's namespace the labels of its rules.
func (w *desired) labelNamespace() {
	if !w.declared {
		return
	}
	labels := map[string]any{}
	for _, s := range w.rules {
		if !s.others {
			maps.Copy(labels, s.labels)
		}
	}
	w.resources[0].Base = at([]string{"metadata", "labels"}, labels)
}

// tame makes a rule harmless that was in the way.
func (r *round) tame(s *standing) {
	r.tell("no longer in the way: %s", s.Name)
	s.tamed, s.tamedAt = true, r.plans
	r.tamed = append(r.tamed, s)
	if s.others {
		r.repeal(s)
		return
	}
	for _, m := range s.made {
		m.tamed = true
	}
	if s.labels != nil {
		s.labels = map[string]any{"pod-security.kubernetes.io/enforce": "privileged"}
		r.labelNamespace()
	}
}

// repeal takes a rule away again.
func (r *round) repeal(s *standing) {
	r.rules = slices.DeleteFunc(r.rules, func(other *standing) bool { return other == s })
	if !s.others {
		r.resources = slices.DeleteFunc(r.resources, func(m *made) bool { return m.rule == s })
		r.labelNamespace()
		return
	}
	for _, m := range slices.Backward(s.made) {
		r.kubectlOn(r.objectOf(m), nil, "delete", "--ignore-not-found")
	}
	for name := range s.labels {
		r.tryKubectl(nil, "label", "namespace", r.namespace, name+"-")
	}
	r.settle(s)
}

// impose has others make a rule.
func (r *round) impose(s *standing) {
	for _, m := range s.made {
		fields := merged(m.fields(), map[string]any{"metadata": map[string]any{"labels": map[string]any{"situation": "NS"}}})
		if !r.tryKubectl(r.whole(r.objectOf(m), fields), "apply", "-f", "-") {
			r.Fatal("the rule can't be made: " + s.Name)
		}
	}
	for name, value := range s.labels {
		r.tryKubectl(nil, "label", "namespace", r.namespace, fmt.Sprintf("%s=%s", name, value))
	}
	r.settle(s)
}

// settle waits until the server judges by what others have changed.
func (r *round) settle(s *standing) {
	if s.Slow {
		time.Sleep(policyDelay)
	} else {
		time.Sleep(policyDelay / 5)
	}
}

// objectOf is the object of a resource that is not repeated.
func (r *round) objectOf(m *made) addrs.Object {
	k, err := kinds.Builtin().Lookup(m.Kind, m.APIVersion)
	if err != nil {
		r.Fatal(err)
	}
	o := addrs.Object{Group: k.Group, Version: k.Version, Kind: m.Kind, Name: strings.ReplaceAll(m.name, "NS", r.namespace)}
	if !m.Cluster {
		o.Namespace = r.namespace
	}
	return o
}

// changeRules has somebody make, change or take away a rule.
func (r *round) changeRules() string {
	rule := &r.catalogue.Rules[r.IntN(len(r.catalogue.Rules))]
	s := r.ruleHere(rule.Name)
	switch {
	case s == nil && r.IntN(2) == 0 && r.mayDeclare(rule):
		r.enact(rule, false)
		return "enact " + rule.Name
	case s == nil && !r.isThere && rule.needsNamespace():
		return "do nothing about " + rule.Name
	case s == nil:
		r.impose(r.enact(rule, true))
		return "others impose " + rule.Name
	case s.others || r.IntN(2) == 0:
		r.repeal(s)
		return "repeal " + rule.Name
	}
	for _, m := range s.made {
		for i := range m.picks {
			m.picks[i] = r.pick(len(m.Choices[i]))
		}
	}
	return "change " + rule.Name
}

// mayDeclare reports whether the configuration can make a rule.
func (r *round) mayDeclare(rule *rule) bool {
	return !r.limited && (r.declared || len(rule.Labels) == 0)
}

// needsNamespace reports whether a rule is in the namespace.
func (r *rule) needsNamespace() bool {
	return len(r.Labels) > 0 || slices.ContainsFunc(r.Objects, func(s shape) bool { return !s.Cluster })
}

// yields reports whether an error is what a rule refuses, which is then out of the way. One
// plan may have several errors that a rule is the cause of.
func (r *round) yields(text string, c *plan.Change) bool {
	for _, s := range r.tamed {
		if s.refuses(text) && s.tamedAt == r.plans {
			return true
		}
	}
	for _, s := range r.rules {
		if s.refuses(text) && !s.tamed && (s.Late || c == nil || c.Certainty == plan.Predicted) {
			r.tame(s)
			return true
		}
	}
	return false
}

// escalates is what the server says of a user who would give rights that he lacks.
var escalates = regexp.MustCompile(`attempting to grant RBAC permissions not currently held|role(binding)?s?\.rbac.* not found`)

// givesUp reports whether an error is that the user may not give the rights of a role: its
// resource is removed.
func (r *round) givesUp(d *hcl.Diagnostic, source string) bool {
	if !r.limited || d.Subject == nil || !escalates.MatchString(d.Detail) {
		return false
	}
	m := r.resourceAt(source, d.Subject.Start.Line)
	if m == nil {
		return true // of another instance of one that was just removed
	}
	if m.Kind != "Role" && m.Kind != "RoleBinding" {
		return false
	}
	r.tell("remove %s, which would give rights", m.block)
	r.remove(m)
	return true
}

// resourceAt is the resource that a line of the configuration is in, nil for one that was removed.
func (r *round) resourceAt(source string, line int) *made {
	lines := strings.Split(source, "\n")
	for i := min(line, len(lines)) - 1; i >= 0; i-- {
		var kind, block string
		if n, _ := fmt.Sscanf(lines[i], "resource %q %q {", &kind, &block); n == 2 {
			for _, m := range r.resources {
				if m.Kind == kind && m.block == block {
					return m
				}
			}
			return nil
		}
	}
	return nil
}

// carryOut applies a plan and reports whether all of it was done. What was not must be
// because of a rule.
func (r *round) carryOut(source string, in plan.Input, p *plan.Plan) bool {
	diags := r.run(source, in, p)
	r.reported = map[string]string{}
	explained := false
	for _, d := range diags {
		r.tell("apply: %s: %s", d.Summary, d.Detail)
		switch {
		case strings.Contains(d.Detail, "canary"), strings.Contains(d.Detail, "Y2FuYXJ5"):
			r.Fatalf("a secret is shown: %s", d.Detail)
		case d.Summary == "Result differs from the plan":
			if of := r.changeOf(d, p); len(r.rules) == 0 && of != nil && of.Certainty == plan.Computed {
				r.Fatalf("nothing here makes something else of objects: %s", d.Detail)
			}
			addr, detail, _ := strings.Cut(d.Detail, " ")
			r.reported[addr] += detail
		case d.Severity == hcl.DiagError && r.isExplained(d, source, p):
			explained = true
		}
	}
	if diags.HasErrors() && !explained {
		r.Fatalf("apply: %v", diags)
	}
	return !diags.HasErrors()
}

// changeOf is the change that a diagnostic is about, nil where that is not known.
func (r *round) changeOf(d *hcl.Diagnostic, p *plan.Plan) (of *plan.Change) {
	for _, c := range p.Changes {
		if c.Action != plan.NoOp && (strings.Contains(d.Detail, c.Object.String()) || d.Subject != nil && c.Range == *d.Subject) {
			of = c
		}
	}
	return of
}

func (r *round) isExplained(d *hcl.Diagnostic, source string, p *plan.Plan) bool {
	of := r.changeOf(d, p)
	if d.Summary == "Result would differ from the plan" {
		return r.mutates() && of != nil && of.Certainty == plan.Predicted
	}
	return r.yields(d.Detail, of) || r.givesUp(d, source)
}

// unreported leaves out what the apply has reported of an object.
func (r *round) unreported(c *plan.Change, broken []string) []string {
	detail := withoutPositions(r.reported[c.Addr.String()])
	return slices.DeleteFunc(broken, func(line string) bool {
		path, _, _ := strings.Cut(strings.TrimSpace(line), ": ")
		return detail != "" && strings.Contains(detail, " "+withoutPositions(path))
	})
}

var positions = regexp.MustCompile(`\[[^"\]]*("[^"]*")?\]`)

func withoutPositions(text string) string { return positions.ReplaceAllString(text, "") }

// others have a round begin with rules and with objects that a tool has deployed, and be
// played by a user who may not do everything.
func (r *round) others() {
	if r.limited {
		user := "owner-" + r.namespace
		r.kubectl("create rolebinding " + user + " -n " + r.namespace + " --clusterrole=admin --user=" + user)
		r.owner = r.connect(kube.Options{Auth: auth.Options{ConfigPath: r.kubeconfig, ImpersonateUser: user}})
	}
	r.isThere = !r.declared
	if r.IntN(3) == 0 {
		r.deploy()
	}
	for range r.IntN(3) {
		r.changeRules()
	}
}

// actor is the connection that plans and applies.
func (r *round) actor() *kube.Cluster {
	if r.owner != nil {
		return r.owner
	}
	return r.cluster
}
