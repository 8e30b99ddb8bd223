package plan

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// adopts reports whether the user asked, by name, for the object to be adopted.
func (p *planner) adopts(addr addrs.Instance) bool {
	return anyMatches(p.Adopt, addr) ||
		slices.ContainsFunc(p.Config.Imports, func(i *config.Import) bool { return Matches(i.To, addr) })
}

// managersToAdopt are managers whose fields the adoption of an object takes over,
// besides those of the tools that are known to deploy.
func managersToAdopt(p *planner, addr addrs.Instance) []string {
	for _, i := range p.Config.Imports {
		if Matches(i.To, addr) {
			return i.Managers
		}
	}
	return nil
}

// deployersOf are the managers whose fields an adoption takes over.
func deployersOf(d *decision) []string {
	var managers []string
	for _, e := range d.managers {
		if e.IsDeployed(d.besides...) && !slices.Contains(managers, e.Manager) {
			managers = append(managers, e.Manager)
		}
	}
	return managers
}

// adopt plans to adopt an object that exists and does not belong to this stack: an
// update, whatever it changes. One that would delete the object is refused.
func (p *planner) adopt(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Observed, error) {
	d.adopts, d.besides = true, managersToAdopt(p, d.addr)
	seen, err := p.updateAdopted(ctx, d, live)
	switch d.action {
	case "":
	case Replace:
		d.blocked = true
		return seen, unfitToAdopt(d)
	default:
		d.action, d.drift, d.adoptedFrom = Adopt, nil, deployersOf(d)
	}
	return seen, err
}

func (p *planner) updateAdopted(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Observed, error) {
	transferred, err := d.withTransferredFields(live)
	if err != nil {
		return hclspec.Observed{}, err
	}
	if transferred == live || live.GetDeletionTimestamp() != nil || anyMatches(p.Replace, d.addr) {
		return p.update(ctx, d, live)
	}
	if err := p.found(d, live); err != nil {
		return hclspec.Observed{}, err
	}
	if d.redefined {
		return p.predictUpdateAndConflicts(ctx, d, d.asDefined(transferred), d.notDryRunnable)
	}
	if diags := d.adoptionConflicts(ctx, p.Cluster, live); diags.HasErrors() {
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

// adoptionConflicts are the fields that others own than the tools that deploy; what
// those applied is about to become kplan's.
func (d *decision) adoptionConflicts(ctx context.Context, cluster *kube.Cluster, live *unstructured.Unstructured) hcl.Diagnostics {
	_, err := cluster.DryRunApply(ctx, d.kind, d.fields, kube.ApplyOptions{UID: d.uid, ResourceVersion: d.resourceVersion})
	others := slices.DeleteFunc(slices.Clone(conflictsOf(err)), func(f kube.Conflict) bool {
		return f.Manager == ownership.BeforeFirstApply || ownership.IsDeployTool(f.Manager, d.besides...)
	})
	return conflict(d, live, others)
}

// unfitToAdopt refuses an adoption that would delete the very object it is
// about.
func unfitToAdopt(d *decision) hcl.Diagnostics {
	why := "the configuration changes an immutable field"
	if len(d.replacePaths) > 0 {
		why += fmt.Sprintf(" (%s)", d.replacePaths[0])
	}
	why += ". Adjust the configuration to the object first, or delete the object with kubectl."
	if d.reason == BecauseTerminating {
		why = "it is being deleted. Plan again once it is gone."
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Adoption would replace the object",
		Detail:   fmt.Sprintf("%s can't be adopted in its present form: %s", d.object, why),
		Subject:  d.desired.Range.Ptr(),
	}}
}

// unmanaged is the refusal of an object that exists and is not managed by this stack.
type unmanaged struct {
	desired *hclspec.Desired
	live    *unstructured.Unstructured
	why     string // it is considered unmanaged, where that is not obvious
}

func (f *unmanaged) Error() string { return f.desired.Object.String() + " is not ours" }

// refuseUnmanaged refuses an object that exists and is not managed by this stack.
// What refers to it is planned with the object as it is, so that all objects to
// adopt are reported at once.
func refuseUnmanaged(d *hclspec.Desired, live *unstructured.Unstructured, why string) (hclspec.Observed, error) {
	return hclspec.Observed{Object: WithoutOwn(live.Object)}, &unmanaged{desired: d, live: live, why: why}
}

// fewUnmanaged is up to how many unmanaged objects are reported one by one.
const fewUnmanaged = 3

// reportUnmanaged are the diagnostics about unmanaged objects. Where there are many,
// as when a stack adopts what kubectl made, those of which there is no more to
// say than that share one. So do those that a lost state would explain.
func reportUnmanaged(all []*unmanaged, s *state.State) (diags hcl.Diagnostics) {
	if len(s.Objects) == 0 {
		all, diags = reportLostState(all)
	}
	plain := func(f *unmanaged) bool { return f.why == "" && otherStack(f.live) == "" }
	var many []*unmanaged
	for _, f := range all {
		if plain(f) {
			many = append(many, f)
		}
	}
	if len(many) <= fewUnmanaged {
		many = nil
	}
	for _, f := range all {
		if many == nil || !plain(f) {
			diags = append(diags, f.diagnostic())
		}
	}
	if many != nil {
		diags = append(diags, manyUnmanaged(many))
	}
	return diags
}

// reportLostState reports objects that are managed at the same addresses by a stack other
// than this one, which has no objects: its state is lost or in another place. The others
// are returned.
func reportLostState(all []*unmanaged) (others []*unmanaged, diags hcl.Diagnostics) {
	byStack := map[string][]*unmanaged{}
	for _, f := range all {
		stack := otherStack(f.live)
		if stack == "" || f.live.GetAnnotations()[addrs.AddressAnnotation] != f.desired.Addr.String() {
			others = append(others, f)
			continue
		}
		byStack[stack] = append(byStack[stack], f)
	}
	for _, stack := range slices.Sorted(maps.Keys(byStack)) {
		found := byStack[stack]
		detail := fmt.Sprintf("The state has no objects, but the stack %s manages %s of this configuration in the cluster, such as %s (%s). "+
			"If its state is in another place, name it with %s=PATH. If it is lost, run kplan state rebuild %s=%s. Otherwise rename these "+
			"resources, or adopt the objects with import blocks or %s.",
			stack, words.Count(len(found), "object"), found[0].desired.Addr, found[0].desired.Object,
			option.State, option.Stack, stack, option.Adopt)
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "State may be lost",
			Detail:   detail,
			Subject:  found[0].desired.RangeOf(addrs.NewPath("metadata", "name")).Ptr(),
		})
	}
	return others, diags
}

func (f *unmanaged) diagnostic() *hcl.Diagnostic {
	detail := fmt.Sprintf("%s already exists in the cluster and %s. ", f.desired.Object, madeBy(f.live))
	if f.why != "" {
		detail += f.why + " "
	}
	detail += fmt.Sprintf("It was left unchanged. To adopt it, add an import block or the option %s; "+
		"otherwise rename this resource.", option.Adopt.With(f.desired.Addr.String()))
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Object already exists",
		Detail:   detail,
		Subject:  f.desired.RangeOf(addrs.NewPath("metadata", "name")).Ptr(),
	}
}

func manyUnmanaged(all []*unmanaged) *hcl.Diagnostic {
	var (
		makers  = map[string]int{}
		options strings.Builder
	)
	for _, f := range all {
		makers[oldestManager(f.live)]++
		options.WriteString("\n    " + option.Adopt.With(f.desired.Addr.String()))
	}
	var told []string
	for _, maker := range slices.SortedFunc(maps.Keys(makers), func(a, b string) int {
		return cmp.Or(makers[b]-makers[a], strings.Compare(a, b))
	}) {
		if maker != "" {
			told = append(told, fmt.Sprintf("%d by %q", makers[maker], maker))
		}
	}
	by := ""
	if len(told) > 0 {
		by = fmt.Sprintf(" (%s)", strings.Join(told, ", "))
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Objects already exist",
		Detail: fmt.Sprintf("%d objects already exist in the cluster and were not created by kplan%s. They were left unchanged. "+
			"To adopt them, add import blocks or these options; otherwise rename these resources.\n%s", len(all), by,
			options.String()),
		Subject: all[0].desired.RangeOf(addrs.NewPath("metadata", "name")).Ptr(),
	}
}

// refuseOtherStack refuses an object that another stack adopted from this one.
func refuseOtherStack(d *hclspec.Desired, live *unstructured.Unstructured) hcl.Diagnostics {
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Object adopted by another stack",
		Detail: fmt.Sprintf("%s is now managed by another kplan stack: by %s of the stack %s. It was left unchanged. "+
			"To leave it there, remove this resource from the configuration; to take it back, add the option %s.",
			d.Object, live.GetAnnotations()[addrs.AddressAnnotation], live.GetLabels()[addrs.StackLabel],
			option.Adopt.With(d.Addr.String())),
		Subject: d.RangeOf(addrs.NewPath("metadata", "name")).Ptr(),
	}}
}

// PreviousStack is which resource of which other stack an adopted object comes
// from, "" where it is nobody's.
func (p *Plan) PreviousStack(c *Change) string {
	if c.Action != Adopt || c.Before == nil {
		return ""
	}
	live := &unstructured.Unstructured{Object: c.Before}
	stack := ManagingStack(live, p.Lineage)
	if stack == "" {
		return ""
	}
	return fmt.Sprintf("%s of the stack %s", live.GetAnnotations()[addrs.AddressAnnotation], stack)
}

// madeBy is who made an object that is not managed, as far as it shows.
func madeBy(live *unstructured.Unstructured) string {
	since := live.GetCreationTimestamp().UTC().Format(time.RFC3339)
	stack := otherStack(live)
	switch maker := oldestManager(live); {
	case stack != "":
		return fmt.Sprintf("is managed by another kplan stack: by %s of the stack %s, since %s",
			live.GetAnnotations()[addrs.AddressAnnotation], stack, since)
	case maker != "":
		return fmt.Sprintf("was not created by kplan (created by %q on %s)", maker, since)
	}
	return "was not created by kplan"
}

// otherStack is the id of the stack that made an object this stack does not manage, or "".
func otherStack(live *unstructured.Unstructured) string {
	if stack := live.GetLabels()[addrs.StackLabel]; stack != "" && MadeBy(live, stack) {
		return stack
	}
	return ""
}

// oldestManager is who wrote into an object first, other than its status.
func oldestManager(live *unstructured.Unstructured) string {
	first := ownership.Of(live.Object).First()
	if first == nil {
		return ""
	}
	return first.Manager
}
