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
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// adopts reports whether the user asked, by name, for the object to be adopted.
func (p *planner) adopts(addr addrs.Instance) bool {
	return anyMatches(p.Adopt, addr) ||
		slices.ContainsFunc(p.preview().Imports(), func(i *config.Import) bool { return Matches(i.To, addr) })
}

// importsOfNothing are the import blocks of objects that are not in the cluster. One that was carried
// out may stay, whatever becomes of its object: the state has the address then.
func importsOfNothing(p *planner, changes []*Change) (diags hcl.Diagnostics) {
	for _, i := range p.preview().Imports() {
		var missing []string
		for _, c := range changes {
			_, known := p.state.Find(c.Addr)
			if c.Action == Create && Matches(i.To, c.Addr) && !known && !kinds.IsInEveryNamespace(c.Object) {
				missing = append(missing, fmt.Sprintf("%s (%s)", c.Addr, strings.TrimSpace(c.Object.String())))
			}
		}
		if len(missing) == 0 {
			continue
		}
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Object to import not found",
			Detail: fmt.Sprintf("The cluster does not have what is to be imported: %s. Correct the name or the namespace, or remove the "+
				"import block to have it created.", diag.Names(missing)),
			Subject: i.ToRange.Ptr(),
		})
	}
	return diags
}

// managersToAdopt are managers whose fields the adoption of an object takes over,
// besides those of the tools that are known to deploy.
func managersToAdopt(p *planner, addr addrs.Instance) []string {
	for _, i := range p.preview().Imports() {
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
// What refers to it sees no more than the desired fields: whether it is to be adopted or
// renamed is not decided yet, and what others have put into it is not for this stack to copy.
func refuseUnmanaged(d *hclspec.Desired, live *unstructured.Unstructured, why string) (hclspec.Observed, error) {
	return hclspec.Observed{Presumed: true}, &unmanaged{desired: d, live: live, why: why}
}

// fewUnmanaged is up to how many unmanaged objects are reported one by one.
const fewUnmanaged = 3

// reportUnmanaged are the diagnostics about unmanaged objects. Many that have one cause share
// one: a state that is behind or another stack's, or a stack that adopts what kubectl made.
func reportUnmanaged(all []*unmanaged, s *state.State) (diags hcl.Diagnostics) {
	byStack := map[string][]*unmanaged{}
	for _, f := range all {
		stack := otherStack(f.live)
		byStack[stack] = append(byStack[stack], f)
	}
	for _, stack := range slices.Sorted(maps.Keys(byStack)) {
		found := byStack[stack]
		switch {
		case stack == "":
			diags = append(diags, reportUnmade(found)...)
		case stack == s.StackID():
			diags = append(diags, behind(found, s))
		case len(s.Objects) == 0:
			diags = append(diags, ofLostState(found, stack, s)...)
		case len(found) > fewUnmanaged:
			diags = append(diags, anotherStacks(found, stack, s))
		default:
			diags = append(diags, oneByOne(found)...)
		}
	}
	return diags
}

func oneByOne(all []*unmanaged) (diags hcl.Diagnostics) {
	for _, f := range all {
		diags = append(diags, f.diagnostic())
	}
	return diags
}

// reportUnmade reports objects that no stack made.
func reportUnmade(all []*unmanaged) hcl.Diagnostics {
	var plain, others []*unmanaged
	for _, f := range all {
		if f.why == "" {
			plain = append(plain, f)
		} else {
			others = append(others, f)
		}
	}
	if len(plain) <= fewUnmanaged {
		return oneByOne(all)
	}
	return append(oneByOne(others), manyUnmanaged(plain))
}

// ofLostState reports objects of another stack where this one has none: those at the same addresses as there
// may be its own.
func ofLostState(found []*unmanaged, stack string, s *state.State) (diags hcl.Diagnostics) {
	var same, others []*unmanaged
	for _, f := range found {
		if f.live.GetAnnotations()[addrs.AddressAnnotation] == f.desired.Addr.String() {
			same = append(same, f)
		} else {
			others = append(others, f)
		}
	}
	if len(same) > 0 {
		diags = append(diags, lostState(same, stack))
	}
	if len(others) > fewUnmanaged {
		return append(diags, anotherStacks(others, stack, s))
	}
	return append(diags, oneByOne(others)...)
}

// unmanagedProblem is an error about several unmanaged objects.
func unmanagedProblem(all []*unmanaged, summary, format string, args ...any) *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(format, args...),
		Subject:  all[0].desired.RangeOf(addrs.NewPath("metadata", "name")).Ptr(),
	}
}

const hereabouts = " of this configuration in the cluster"

// someOf says how many objects there are, where, and names one of them.
func someOf(all []*unmanaged, where string) string {
	return fmt.Sprintf("%s%s, such as %s (%s)", words.Count(len(all), "object"), where, all[0].desired.Addr, all[0].desired.Object)
}

// behind reports objects that this very stack made after the state was written.
func behind(found []*unmanaged, s *state.State) *hcl.Diagnostic {
	return unmanagedProblem(found, "State is behind",
		"This stack has recreated %s since this state (serial %d) was written: it is an old copy. "+
			"Nothing was changed. Use the current state; if that is lost, run kplan state rebuild %s=%s.",
		someOf(found, ""), s.Serial, option.Stack, s.StackID())
}

// lostState reports objects that are managed at the same addresses by a stack other than this one, which has no
// objects: its state is lost or in another place.
func lostState(found []*unmanaged, stack string) *hcl.Diagnostic {
	return unmanagedProblem(found, "State may be lost",
		"The state has no objects, but the stack %s manages %s. "+
			"If its state is in another place, name it with %s=PATH. If it is lost, run kplan state rebuild %s=%s. Otherwise rename these "+
			"resources, or adopt the objects with import blocks or %s.",
		stack, someOf(found, hereabouts), option.State, option.Stack, stack, option.Adopt)
}

// anotherStacks reports many objects of one other stack.
func anotherStacks(found []*unmanaged, stack string, s *state.State) *hcl.Diagnostic {
	return unmanagedProblem(found, "Objects already exist",
		"The stack %s manages %s. This is the state of the stack %s. They were left unchanged. "+
			"If the state or the values of variables are those of another tenant, correct %s=PATH or %s=FILE. Otherwise rename these resources, "+
			"or adopt the objects with import blocks or %s.",
		stack, someOf(found, hereabouts), s.StackID(), option.State, option.VarFile, option.Adopt)
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
