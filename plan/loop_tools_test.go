package plan_test

import (
	"maps"
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// tool is how a tool that deploys leaves an object.
type tool struct {
	name     string
	args     []string // of kubectl, which plays it
	metadata map[string]any
	again    bool // it comes twice, with other values
}

var tools = []tool{
	{name: "kubectl", args: []string{"apply"}, again: true},
	{name: "kubectl, server-side", args: []string{"apply", "--server-side"}, again: true},
	{name: "kubectl create", args: []string{"create"}},
	{name: "Helm 3", args: []string{"create", "--field-manager=helm"}, metadata: map[string]any{
		"labels":      map[string]any{"app.kubernetes.io/managed-by": "Helm"},
		"annotations": map[string]any{"meta.helm.sh/release-name": "shop", "meta.helm.sh/release-namespace": "NS"},
	}},
	{name: "Helm 4", args: []string{"apply", "--server-side", "--field-manager=helm"}, again: true, metadata: map[string]any{
		"labels": map[string]any{"app.kubernetes.io/managed-by": "Helm"},
	}},
	{name: "Terraform", args: []string{"create", "--field-manager=HashiCorp"}},
	{name: "Terraform, kubernetes_manifest", args: []string{"apply", "--server-side", "--field-manager=Terraform", "--force-conflicts"}},
	{name: "Flux", args: []string{"apply", "--server-side", "--field-manager=kustomize-controller"}, again: true, metadata: map[string]any{
		"labels": map[string]any{"kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "NS"},
	}},
	{name: "Argo CD", args: []string{"apply", "--field-manager=argocd-controller"}, again: true, metadata: map[string]any{
		"annotations": map[string]any{"argocd.argoproj.io/tracking-id": "shop:NS/NAME"},
	}},
}

// deploy has a tool make some of the objects before kplan does.
func (r *round) deploy() {
	t := tools[r.IntN(len(tools))]
	r.tell("deployed by %s:", t.name)
	if r.declared {
		r.kubectl("create namespace " + r.namespace)
		r.touched[addrs.Object{Kind: "Namespace", Name: r.namespace}] = true
	}
	r.isThere = true
	for _, m := range r.resources {
		if m.repeated == single && m.rule == nil && !m.Cluster && m.Kind != "Database" && r.IntN(2) == 0 {
			r.deployOne(t, m)
		}
	}
}

// deployOne has a tool make an object, which is not quite what is desired.
func (r *round) deployOne(t tool, m *made) {
	o, theirs := r.objectOf(m), *m
	for range 1 + map[bool]int{true: 1}[t.again] {
		theirs.picks = slices.Clone(m.picks)
		for range r.IntN(3) {
			if len(m.Choices) > 0 {
				i := r.IntN(len(m.Choices))
				theirs.picks[i] = r.pick(len(m.Choices[i]))
			}
		}
		fields := merged(theirs.fields(), map[string]any{"metadata": merged(map[string]any{}, t.metadata)})
		r.tryKubectl(r.whole(o, fields), append(slices.Clone(t.args), "--validate=false", "-f", "-")...)
	}
	r.touched[o.Identity()] = true
}

// acknowledge takes note of what others did, which changes nothing in the cluster, and
// makes sure that it is then no news.
func (r *round) acknowledge() {
	in := plan.Input{Cluster: r.actor(), Mode: plan.RefreshOnly}
	source := r.source()
	p, diags := r.plan(source, in)
	r.tell("acknowledge:\n%s", r.summary(p, diags))
	if diags.HasErrors() {
		r.Fatalf("nothing can be acknowledged: %v", diags)
	}
	r.keepsSecrets(p)
	before := r.traces()
	r.apply(source, in, p)
	for o, trace := range r.traces() {
		if trace != before[o] {
			r.Fatalf("acknowledging has left a trace: %s, before %s", trace, before[o])
		}
	}
	p, diags = r.plan(source, in)
	if diags.HasErrors() || !p.IsEmpty() {
		r.Fatalf("acknowledged, and yet:\n%s\n%v", r.summary(p, diags), diags)
	}
}

// isOwner makes sure that nobody who deploys is left in the record of an adopted object.
func (r *round) isOwner(c *plan.Change) {
	live, ok := r.get(c.Object)
	if !ok {
		return
	}
	for _, m := range live.GetManagedFields() {
		if m.Subresource == "" && slices.Contains(c.AdoptedFrom, m.Manager) {
			r.Fatalf("%s is adopted from %s, which still has %s", c.Addr, m.Manager, m.FieldsV1)
		}
	}
}

// isAlone makes sure that nothing is in the labels that are to be exclusive but what is
// desired.
func (r *round) isAlone(m *made) {
	if m.repeated != single || m.Kind == "Namespace" || m.Kind == "Database" || !slices.Contains(m.excludes, "metadata.labels") {
		return
	}
	live, ok := r.get(r.objectOf(m))
	if !ok { // it is done
		return
	}
	metadata, _ := m.fields()["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	for name := range maps.Keys(live.GetLabels()) {
		if _, desired := labels[name]; !desired && name != addrs.StackLabel {
			r.Fatalf("%s.%s has the label %s, and its labels are exclusive", m.Kind, m.block, name)
		}
	}
}
