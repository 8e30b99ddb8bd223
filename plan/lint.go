package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/lint"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kinds/validation"
	"kplan.dev/kplan/plan/dangling"
)

// warnings are about what the server accepts and what will not work: what is wrong between
// the objects of the configuration, and between those that change and the cluster.
func warnings(ctx context.Context, p *planner, plan *Plan, only func(addrs.Resource) bool) hcl.Diagnostics {
	changes := map[addrs.Instance]*Change{}
	creates := map[string]bool{} // namespaces
	deletes := map[addrs.Object]addrs.Instance{}
	preview := p.preview()
	diags := preview.Warnings(only)
	if p.offline() {
		diags = append(diags, preview.Unmatched(only)...)
	} else {
		diags = append(diags, notServedYet(p, preview, only)...)
	}
	for _, c := range plan.Changes {
		if c.Action == Delete {
			deletes[c.Object.Identity()] = c.Addr
			continue
		}
		changes[c.Addr] = c
		if c.Action == Create && c.Object.GroupKind() == kinds.Namespace {
			creates[c.Object.Name] = true
		}
		diags = append(diags, replicasDropped(ctx, p, c)...)
		diags = append(diags, tooLarge(c)...)
	}
	return append(diags, preview.Report(dangling.Find(ctx, p.Cluster, dangling.Plan{
		Configuration: preview.Lint(),
		Changes: func(o *lint.Object) bool {
			c := changes[o.Addr]
			return c != nil && !c.Blocked && c.Action != NoOp
		},
		Creates: func(namespace string) bool { return creates[namespace] },
		Deletes: deletes,
	}), only)...)
}

// notServedYet warns of kinds that the cluster does not serve and that the configuration does
// not define, at the first object of each: apply waits for them.
func notServedYet(p *planner, preview *hclspec.Preview, only func(addrs.Resource) bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, d := range preview.Undefined() {
		if only != nil && !only(d.Addr.Resource) {
			continue
		}
		hint := ""
		var unknown *kinds.UnknownError
		if _, err := p.Cluster.Lookup(d.Kind.Name, d.Kind.APIVersion()); errors.As(err, &unknown) {
			hint = words.DidYouMean(unknown.Nearest)
		}
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Kind not served yet",
			Detail: fmt.Sprintf("The cluster does not serve %s %s, and this configuration does not define it, so its fields can't be checked.%s "+
				"Apply waits until something installs its definition, and fails when the timeout of waiting for the object is over. "+
				"If an object of this stack does, name it in depends_on.", d.Kind.APIVersion(), d.Kind.Name, hint),
			Subject: d.Range.Ptr(),
		})
	}
	return diags
}

// mostStored is what etcd takes of one object by default.
const mostStored = 3 << 19

// tooLarge warns of an object that the cluster will hardly store: a dry-run stores nothing, so it
// does not tell.
func tooLarge(c *Change) hcl.Diagnostics {
	if c.Action == NoOp || c.Desired == nil || atLeast(c.After, mostStored) < mostStored {
		return nil
	}
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Object may be too large",
		Detail: fmt.Sprintf("%s (%s) takes more than 1.5 MiB, which is the most that a cluster stores of one object unless its "+
			"etcd is set up otherwise. The dry-run does not tell. Split it.", c.Addr, c.Object),
		Subject: c.Desired.Range.Ptr(),
	}}
}

// atLeast is a lower bound of the bytes that a value takes in JSON, no more exact than a limit asks for.
func atLeast(value any, limit int) (size int) {
	switch v := value.(type) {
	case string:
		return len(v) + len(`""`)
	case map[string]any:
		for name, field := range v {
			if size += len(name) + len(`"":,`) + atLeast(field, limit-size); size >= limit {
				break
			}
		}
	case []any:
		for _, element := range v {
			if size += len(`,`) + atLeast(element, limit-size); size >= limit {
				break
			}
		}
	}
	return size + len(`{}`)
}

// replicasDropped warns of replicas that the configuration no longer sets, so that they fall
// to the default.
func replicasDropped(ctx context.Context, p *planner, c *Change) hcl.Diagnostics {
	_, sets := ValueAt(c.DesiredFields, relations.Replicas)
	before, had := ValueAt(c.Before, relations.Replicas)
	after, _ := ValueAt(c.After, relations.Replicas)
	if c.Action != Update || sets || !had || after == nil || before == after ||
		coveredBy(c.Desired.Lifecycle.IgnoreChanges, relations.Replicas) {
		return nil
	}
	hint := "To keep the number, set it."
	if by := autoscalerOf(ctx, p, c.Object); by != "" {
		hint = by + " sets them."
	}
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: "Replicas no longer set",
		Detail: fmt.Sprintf("The configuration no longer sets spec.replicas of %s, so that %v becomes the default, %v. %s "+
			"To leave them to an autoscaler, set them and add lifecycle { ignore_changes = [spec.replicas] }: then they stay as they are.",
			c.Addr, before, after, hint),
		Subject: c.Desired.RangeOf(relations.Replicas).Ptr(),
	}}
}

// violations are what the schema of a custom kind does not allow in an object that the
// server was not asked about.
func violations(schemas *validation.Set, d *decision) error {
	if d.certainty != Predicted {
		return nil
	}
	if d.kind.GroupKind() == kinds.CustomResourceDefinition {
		return faults(d)
	}
	v := schemas.Of(d.kind)
	if v == nil {
		return nil
	}
	var found []validation.Violation
	switch unknown := d.desired.Unknown; {
	case d.action == Create, d.action == Replace:
		found = v.Create(d.after, unknown)
	case (d.action == Update || d.action == Adopt) && d.before != nil:
		found = v.Update(d.after, d.before, unknown)
	}
	var diags hcl.Diagnostics
	for _, violation := range found {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: validation.Summary,
			Detail: violation.Detail(d.addr, d.kind), Subject: d.desired.RangeOf(violation.Path).Ptr()})
	}
	if len(diags) == 0 {
		return nil
	}
	d.blocked = true
	return MaskSecrets(diags, d.change())
}

// faults are what does not compile in the schemas of a definition that the server was not
// asked about.
func faults(d *decision) error {
	var diags hcl.Diagnostics
	for _, fault := range validation.Faults(d.fields) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: validation.DefinitionSummary,
			Detail: fault.FaultDetail(d.addr), Subject: d.desired.RangeOf(fault.Path).Ptr()})
	}
	if len(diags) == 0 {
		return nil
	}
	d.blocked = true
	return MaskSecrets(diags, d.change())
}
