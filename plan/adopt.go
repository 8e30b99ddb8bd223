package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kube"
)

// adopts says whether the user asked, by name, for the object to be taken over.
func (p *planner) adopts(addr addrs.Instance) bool {
	return slices.ContainsFunc(p.Adopt, func(given addrs.Instance) bool { return Matches(given, addr) }) ||
		slices.ContainsFunc(p.Config.Imports, func(i *config.Import) bool { return Matches(i.To, addr) })
}

// adopt plans to take over an object that exists and is not ours.
func (p *planner) adopt(ctx context.Context, c *Change, live *unstructured.Unstructured) (hclspec.Seen, *Change, error) {
	c.adopts = true
	taken, err := c.WithTransferredFields(live)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	if taken == live || live.GetDeletionTimestamp() != nil || p.replaces(c.Addr) {
		return p.adopted(p.update(ctx, c, live))
	}
	if err := p.found(c, live); err != nil {
		return hclspec.Seen{}, nil, err
	}
	if c.redefined {
		return p.adopted(p.updateUnasked(ctx, c, c.asDefined(taken), c.notDryRunnable))
	}
	if diags := p.adoptionConflicts(ctx, c, live); diags.HasErrors() {
		c.Blocked = true
		seen, c, err := p.adopted(p.predictUpdate(ctx, c, taken, "another manager owns fields of it"))
		if err != nil {
			return seen, c, err
		}
		return seen, c, diags
	}
	if open := c.open().Sorted(); len(open) > 0 {
		return p.adopted(p.predictUpdate(ctx, c, taken, open[0].String()+" is known after apply"))
	}
	return p.adopted(p.ask(ctx, c, live, dryRunTries))
}

// adoptionConflicts are the fields that others than kubectl's client-side
// apply own; its own are about to become kplan's.
func (p *planner) adoptionConflicts(ctx context.Context, c *Change, live *unstructured.Unstructured) hcl.Diagnostics {
	_, err := p.Cluster.DryRunApply(ctx, c.Kind, c.DesiredFields, kube.ApplyOptions{UID: c.UID, ResourceVersion: c.ResourceVersion})
	others := slices.DeleteFunc(slices.Clone(conflictsOf(err)), func(f kube.Conflict) bool { return ownership.IsClientApplier(f.Manager) })
	return conflict(c, live, others)
}

// adopted makes an adoption of a planned update.
func (p *planner) adopted(seen hclspec.Seen, c *Change, err error) (hclspec.Seen, *Change, error) {
	switch {
	case c == nil:
	case c.Action == Replace:
		c.Blocked = true
		return seen, c, unfitToAdopt(c)
	default:
		c.Action, c.Drift = Adopt, nil
	}
	return seen, c, err
}

// unfitToAdopt refuses an adoption that would delete the very object it is
// about.
func unfitToAdopt(c *Change) hcl.Diagnostics {
	why := "what the configuration wants of it can't be changed on an existing object"
	if len(c.ReplacePaths) > 0 {
		why += fmt.Sprintf(" (%s)", c.ReplacePaths[0])
	}
	why += ". Make the configuration agree with the object first, or delete the object yourself."
	if c.Reason == BecauseTerminating {
		why = "somebody is deleting it. Make a new plan once it is gone."
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Adoption would replace the object",
		Detail:   fmt.Sprintf("%s can't be taken over as it is: %s", c.Object, why),
		Subject:  c.Range.Ptr(),
	}}
}
