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

// adopts reports whether the user asked, by name, for the object to be adopted.
func (p *planner) adopts(addr addrs.Instance) bool {
	return slices.ContainsFunc(p.Adopt, func(given addrs.Instance) bool { return Matches(given, addr) }) ||
		slices.ContainsFunc(p.Config.Imports, func(i *config.Import) bool { return Matches(i.To, addr) })
}

// adopt plans to adopt an object that exists and does not belong to this stack: an
// update, whatever it changes. One that would delete the object is refused.
func (p *planner) adopt(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Seen, error) {
	d.adopts = true
	seen, err := p.updateAdopted(ctx, d, live)
	switch d.action {
	case "":
	case Replace:
		d.blocked = true
		return seen, unfitToAdopt(d)
	default:
		d.action, d.drift = Adopt, nil
	}
	return seen, err
}

func (p *planner) updateAdopted(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Seen, error) {
	transferred, err := d.withTransferredFields(live)
	if err != nil {
		return hclspec.Seen{}, err
	}
	if transferred == live || live.GetDeletionTimestamp() != nil || p.replaces(d.addr) {
		return p.update(ctx, d, live)
	}
	if err := p.found(d, live); err != nil {
		return hclspec.Seen{}, err
	}
	if d.redefined {
		return p.predictUpdateAndConflicts(ctx, d, d.asDefined(transferred), d.notDryRunnable)
	}
	if diags := p.adoptionConflicts(ctx, d, live); diags.HasErrors() {
		d.blocked = true
		seen, err := p.predictUpdate(ctx, d, transferred, "another manager owns fields of it")
		if err != nil {
			return seen, err
		}
		return seen, diags
	}
	if unresolved := d.unresolved().Sorted(); len(unresolved) > 0 {
		return p.predictUpdate(ctx, d, transferred, unresolved[0].String()+" is known after apply")
	}
	return p.dryRunUpdate(ctx, d, live)
}

// adoptionConflicts are the fields that others than kubectl's client-side apply
// own; those of kubectl are about to become kplan's.
func (p *planner) adoptionConflicts(ctx context.Context, d *decision, live *unstructured.Unstructured) hcl.Diagnostics {
	_, err := p.Cluster.DryRunApply(ctx, d.kind, d.fields, kube.ApplyOptions{UID: d.uid, ResourceVersion: d.resourceVersion})
	others := slices.DeleteFunc(slices.Clone(conflictsOf(err)), func(f kube.Conflict) bool { return ownership.IsClientApplier(f.Manager) })
	return conflict(d, live, others)
}

// unfitToAdopt refuses an adoption that would delete the very object it is
// about.
func unfitToAdopt(d *decision) hcl.Diagnostics {
	why := "what the configuration wants of it can't be changed on an existing object"
	if len(d.replacePaths) > 0 {
		why += fmt.Sprintf(" (%s)", d.replacePaths[0])
	}
	why += ". Make the configuration agree with the object first, or delete the object yourself."
	if d.reason == BecauseTerminating {
		why = "somebody is deleting it. Make a new plan once it is gone."
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Adoption would replace the object",
		Detail:   fmt.Sprintf("%s can't be taken over as it is: %s", d.object, why),
		Subject:  d.desired.Range.Ptr(),
	}}
}
