package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
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
func (p *planner) guardKept(plan *Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, c := range plan.Changes {
		if c.Action != Delete && c.Action != Replace {
			continue
		}
		if kept := p.keptWithin(plan, c); len(kept) > 0 {
			c.Blocked = true
			diags = append(diags, takesKept(c, kept))
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

func (p *planner) keptWithin(plan *Plan, toDelete *Change) []within {
	var kept []within
	planned := map[addrs.Object]bool{}
	for _, c := range plan.Changes {
		planned[c.Object.Identity()] = true
		if toDelete.Holds(c.Object) && c.staysAfter(toDelete) {
			kept = append(kept, within{c.Addr, c.Object, c})
		}
	}
	for _, o := range p.state.Objects {
		if toDelete.Holds(o.Object) && !planned[o.Object.Identity()] && !p.scope.has(o.Addr) {
			kept = append(kept, within{o.Addr, o.Object, nil})
		}
	}
	return kept
}

// Holds says whether an object can't be without the one that c changes.
func (c *Change) Holds(o addrs.Object) bool {
	switch c.Object.GroupKind() {
	case kinds.Namespace:
		return o.Namespace == c.Object.Name
	case kinds.CustomResourceDefinition:
		return c.Before != nil && o.GroupKind() == definedKind(c.Before)
	}
	return false
}

// CascadesTo says whether the object is deleted with what holds it, which the plan
// replaces.
func (p *Plan) CascadesTo(o addrs.Object) bool {
	return slices.ContainsFunc(p.Changes, func(c *Change) bool { return c.Action == Replace && c.Holds(o) })
}

// staysAfter says whether an object is meant to be there when doomed is gone.
func (c *Change) staysAfter(toDelete *Change) bool {
	switch c.Action {
	case Delete:
		return false
	case Forget:
		return c.Reason == BecauseRemoved
	case Create, Replace: // it is made in what takes the place of doomed
		return toDelete.Action == Delete
	}
	return true
}

func takesKept(c *Change, kept []within) *hcl.Diagnostic {
	first := kept[0]
	what := fmt.Sprintf("%s (%s)", first.addr, first.object)
	if more := len(kept) - 1; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Deletion would take along what stays"}
	if i := slices.IndexFunc(kept, func(w within) bool { return w.change != nil && w.change.Desired != nil }); i >= 0 {
		d.Subject = kept[i].change.Range.Ptr()
	}
	if c.Action == Replace {
		d.Detail = fmt.Sprintf("Replacing %s (%s) deletes %s as well, which this plan keeps. To have all of them made anew, add -replace='%s' and so on.", c.Addr, c.Object, what, first.addr)
		return d
	}
	d.Detail = fmt.Sprintf("Deleting %s (%s) deletes %s as well, which this plan keeps. Keep both, or delete both; "+
		"to leave %s in the cluster without kplan, add a removed block for it that sets destroy = false.", c.Addr, c.Object, what, c.Addr.Resource)
	return d
}
