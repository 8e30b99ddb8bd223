package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan/impact"
	"kplan.dev/kplan/state"
)

// guard refuses to delete what the configuration protects. The plan shows the
// change all the same.
func guard(c *Change) hcl.Diagnostics {
	if c == nil || !c.Protected || c.Action != Delete && c.Action != Replace {
		return nil
	}
	c.Blocked = true
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Object is protected from deletion",
		Detail: fmt.Sprintf("The plan would %s %s (%s), whose lifecycle block sets prevent_destroy. "+
			"Set it to false and apply that first, or keep the object as it is.", c.Action, c.Addr, c.Object),
	}
	if c.Desired != nil {
		d.Subject = c.Range.Ptr()
		if c.Desired.Lifecycle.Range.Filename != "" {
			d.Subject = c.Desired.Lifecycle.Range.Ptr()
		}
	}
	return hcl.Diagnostics{d}
}

// guardKept refuses to delete or replace what holds objects that the plan
// keeps: a namespace takes all in it along, a definition all of its kind.
func guardKept(plan *Plan, s *state.State, scope scope) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		if c.Action != Delete && c.Action != Replace {
			continue
		}
		if kept := keptWithin(plan, c, s, scope); len(kept) > 0 {
			c.Blocked = true
			diags = append(diags, cascadesToKept(c, kept))
		}
	}
	return diags
}

// within is an object inside of another that is to go.
type within struct {
	addr   addrs.Instance
	object addrs.Object
	change *Change // nil where the plan leaves the object out
}

func keptWithin(plan *Plan, toDelete *Change, s *state.State, scope scope) []within {
	var kept []within
	planned := map[addrs.Object]bool{}
	for _, c := range plan.Changes {
		planned[c.Object.Identity()] = true
		if toDelete.Holds(c.Object) && c.staysAfter(toDelete) {
			kept = append(kept, within{c.Addr, c.Object, c})
		}
	}
	for _, o := range s.Objects {
		if toDelete.Holds(o.Object) && !planned[o.Object.Identity()] && !scope.has(o.Addr) {
			kept = append(kept, within{o.Addr, o.Object, nil})
		}
	}
	return kept
}

// CascadesTo reports whether the object is deleted with what holds it, which the plan
// replaces.
func (p *Plan) CascadesTo(o addrs.Object) bool {
	return slices.ContainsFunc(p.Changes, func(c *Change) bool { return c.Action == Replace && c.Holds(o) })
}

// staysAfter reports whether an object is meant to be there when toDelete is gone.
func (c *Change) staysAfter(toDelete *Change) bool {
	switch c.Action {
	case Delete:
		return false
	case Forget:
		return c.Reason == BecauseRemoved
	case Create, Replace: // it is created in what replaces toDelete
		return toDelete.Action == Delete
	}
	return true
}

func cascadesToKept(c *Change, kept []within) *hcl.Diagnostic {
	first := kept[0]
	what := fmt.Sprintf("%s (%s)", first.addr, first.object)
	if more := len(kept) - 1; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Deletion would cascade to managed objects"}
	if i := slices.IndexFunc(kept, func(w within) bool { return w.change != nil && w.change.Desired != nil }); i >= 0 {
		d.Subject = kept[i].change.Range.Ptr()
	}
	if c.Action == Replace {
		d.Detail = fmt.Sprintf("Replacing %s (%s) deletes %s as well, which this plan keeps. To recreate all of them, "+
			"add %s and so on.", c.Addr, c.Object, what, option.Replace.With(first.addr.String()))
		return d
	}
	d.Detail = fmt.Sprintf("Deleting %s (%s) deletes %s as well, which this plan keeps. Keep both, or delete both; "+
		"to leave %s in the cluster without kplan, add a removed block for it that sets destroy = false.", c.Addr, c.Object, what,
		c.Addr.Resource)
	return d
}

// checkDeletions finds out what goes with deletions and refuses those that are
// too destructive to be made without an option.
func checkDeletions(ctx context.Context, in Input, s *state.State, plan *Plan) hcl.Diagnostics {
	if in.offline() {
		return nil
	}
	if err := addConsequences(ctx, in.Cluster, s, plan); err != nil {
		return diag.FromKube(err, nil, "")
	}
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		diags = append(diags, guardData(c, in.AllowDataLoss)...)
	}
	return diags
}

// addConsequences finds out what goes with the plan's deletions and
// replacements.
func addConsequences(ctx context.Context, cluster *kube.Cluster, s *state.State, plan *Plan) error {
	var (
		changes   []*Change
		deletions []impact.Deletion
	)
	for _, c := range plan.Changes {
		if c.Action == Delete || c.Action == Replace {
			changes = append(changes, c)
			deletions = append(deletions, impact.Deletion{Object: c.Object, UID: c.UID, Live: c.Before})
		}
	}
	found, err := impact.Of(ctx, cluster, stackOf(s), deletions)
	for i, consequences := range found {
		changes[i].Consequences = consequences
	}
	return err
}

func stackOf(s *state.State) impact.Stack {
	uids := make(map[addrs.Object]string, len(s.Objects))
	for _, o := range s.Objects {
		uids[o.Object.Identity()] = o.UID
	}
	return impact.Stack{
		UIDs:  uids,
		Other: func(live *unstructured.Unstructured) string { return managingStack(live, s.StackID()) },
	}
}

// guardData refuses deletions that cascade to unmanaged objects or
// lose data, unless the user allowed them by name.
func guardData(c *Change, allowed []addrs.Instance) hcl.Diagnostics {
	destructive := c.destructive()
	if len(destructive) == 0 || anyMatches(allowed, c.Addr) {
		return nil
	}
	c.Blocked = true
	var lines []string
	for _, q := range destructive {
		lines = append(lines, q.String())
	}
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Deletion would cascade to unmanaged objects or data",
		Detail: fmt.Sprintf("%s %s (%s) %s. If that is intended, add the option %s.",
			map[Action]string{Delete: "Deleting", Replace: "Replacing"}[c.Action], c.Addr, c.Object, strings.Join(lines, "; "),
			option.AllowDataLoss.With(c.Addr.String())),
	}
	if c.Desired != nil {
		d.Subject = c.Range.Ptr()
	}
	return hcl.Diagnostics{d}
}
