package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan/impact"
	"kplan.dev/kplan/state"
)

// guard refuses to delete what the configuration protects, and to replace what the cluster
// keeps. The plan shows the
// change all the same.
func guard(c *Change) hcl.Diagnostics {
	if c != nil && c.Action == Replace && kinds.IsKeptByCluster(c.Object, c.Before) {
		c.Blocked = true
		return hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Object is kept by the cluster", Subject: c.Range.Ptr(),
			Detail: fmt.Sprintf("The plan would replace %s (%s), which the cluster itself keeps: it refuses to delete it, or makes it again. "+
				"Keep what can't be changed in place as it is.", c.Addr, c.Object),
		}}
	}
	if c != nil && c.Action == Replace && c.Retained {
		c.Blocked = true
		return hcl.Diagnostics{{
			Severity: hcl.DiagError, Summary: "Object is not to be deleted", Subject: lifecycleRange(c),
			Detail: fmt.Sprintf("The plan would replace %s (%s), whose lifecycle block sets destroy = false: it is never deleted, and two objects "+
				"can't have the same name. Remove the argument, give the new object another name, or keep the object as it is.", c.Addr, c.Object),
		}}
	}
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
	d.Subject = lifecycleRange(c)
	return hcl.Diagnostics{d}
}

// lifecycleRange is where the lifecycle block is, else the block of the resource, nil where there is none.
func lifecycleRange(c *Change) *hcl.Range {
	switch {
	case c.Desired == nil:
		return nil
	case c.Desired.Lifecycle.Range.Filename != "":
		return c.Desired.Lifecycle.Range.Ptr()
	}
	return c.Range.Ptr()
}

// guardKept refuses to delete or replace what objects that the plan keeps can't be
// without: a namespace takes all in it along, a definition all of its kind, an owner
// what names it as such.
func guardKept(ctx context.Context, p *planner, plan *Plan, impacts map[*Change]impact.Impact) hcl.Diagnostics {
	var diags hcl.Diagnostics
	cascades := cascades{p, plan, map[addrs.Object]*Change{}, map[string]bool{}}
	for _, c := range plan.Changes {
		cascades.planned[c.Object.Identity()] = c
		if c.Action == Delete || c.Action == Replace {
			cascades.gone[c.UID] = true
		}
	}
	for _, c := range plan.Changes {
		if c.Action != Delete && c.Action != Replace {
			continue
		}
		if kept := cascades.kept(ctx, c, impacts[c].Cascaded); len(kept) > 0 {
			c.Blocked = true
			diags = append(diags, cascadesToKept(c, kept))
		}
	}
	return diags
}

// cascades finds the objects of the stack that deletions cascade to.
type cascades struct {
	*planner
	plan    *Plan
	planned map[addrs.Object]*Change // by identity
	gone    map[string]bool          // uids of what the plan deletes
}

// within is an object that can't be without another that is to go.
type within struct {
	addr   addrs.Instance
	object addrs.Object
	change *Change // nil where the plan leaves the object out
	owned  bool    // by what is to go
}

// kept are the objects that the plan keeps and that the cluster deletes with another. The
// garbage collector is known to reach those collected.
func (s cascades) kept(ctx context.Context, toDelete *Change, collected []addrs.Object) []within {
	var kept []within
	for _, c := range s.plan.Changes {
		held, owned := toDelete.Holds(c.Object), s.owns(toDelete, c) || !s.names(toDelete, c.Before) && isAmong(collected, c.Object)
		if (held || owned) && c != toDelete && c.staysAfter(toDelete) {
			kept = append(kept, within{c.Addr, c.Object, c, owned && !held})
		}
	}
	for _, o := range s.state.Objects {
		if s.planned[o.Object.Identity()] != nil || s.scope.has(o.Addr) {
			continue
		}
		held := toDelete.Holds(o.Object)
		if held || isAmong(collected, o.Object) || s.ownsUnplanned(ctx, toDelete, o) {
			kept = append(kept, within{o.Addr, o.Object, nil, !held})
		}
	}
	return kept
}

func isAmong(objects []addrs.Object, o addrs.Object) bool {
	return slices.ContainsFunc(objects, func(other addrs.Object) bool { return other.Identity() == o.Identity() })
}

// owns reports whether the garbage collector deletes the object of a change after the one
// that is to go. A deletion comes after all updates, so there what counts is what the
// object has become by then.
func (s cascades) owns(toDelete, c *Change) bool {
	if toDelete.Action == Delete && c.After != nil {
		return s.collects(toDelete, c.After)
	}
	return s.collects(toDelete, c.Before)
}

// collects reports whether an object has the one that is to go as an owner, and no other
// that stays.
func (s cascades) collects(toDelete *Change, object map[string]any) bool {
	if !s.names(toDelete, object) {
		return false
	}
	owners := (&unstructured.Unstructured{Object: object}).GetOwnerReferences()
	return !slices.ContainsFunc(owners, func(owner metav1.OwnerReference) bool { return !s.gone[string(owner.UID)] })
}

// names reports whether an object has the one that is to go as an owner.
func (cascades) names(toDelete *Change, object map[string]any) bool {
	if object == nil || toDelete.UID == "" {
		return false
	}
	owners := (&unstructured.Unstructured{Object: object}).GetOwnerReferences()
	return slices.ContainsFunc(owners, func(owner metav1.OwnerReference) bool { return string(owner.UID) == toDelete.UID })
}

// ownsUnplanned is owns for an object that the plan leaves out.
func (s cascades) ownsUnplanned(ctx context.Context, toDelete *Change, o state.Object) bool {
	if s.offline() || toDelete.Object.Namespace != "" && toDelete.Object.Namespace != o.Object.Namespace {
		return false
	}
	kind, err := s.kindOf(o)
	if err != nil {
		return false
	}
	live, err := s.live.find(ctx, kind, o.Object)
	return err == nil && live != nil && s.collects(toDelete, live.Object)
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
		return c.Reason == BecauseRemoved || c.Reason == BecauseRetained
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
	} else if first.owned {
		what += ", of which it is an owner,"
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

// checkDeletions finds out what goes with deletions, and what keeps their objects. It
// refuses those that could not be completed, and those that are too destructive to be
// made without an option.
func checkDeletions(ctx context.Context, p *planner, plan *Plan) hcl.Diagnostics {
	if p.offline() {
		return guardKept(ctx, p, plan, nil)
	}
	impacts, err := addConsequences(ctx, p.Cluster, p.state, plan)
	if err != nil {
		return diag.FromKube(err, nil, "")
	}
	diags := guardKept(ctx, p, plan, impacts)
	for _, c := range plan.Changes {
		diags = append(diags, guardData(c, p.AllowDataLoss)...)
		diags = append(diags, guardHeld(p, plan, c, impacts[c].Holders)...)
		diags = append(diags, warnOfClaims(p, c)...)
	}
	return diags
}

// addConsequences finds out what goes with the plan's deletions and
// replacements.
func addConsequences(ctx context.Context, cluster *kube.Cluster, s *state.State, plan *Plan) (map[*Change]impact.Impact, error) {
	var (
		changes   []*Change
		deletions []impact.Deletion
	)
	for _, c := range plan.Changes {
		if c.Action == Delete || c.Action == Replace {
			changes = append(changes, c)
			deletions = append(deletions, impact.Deletion{Object: c.Object, UID: c.UID, Live: c.Before})
		} else if drops := claimsDropped(c); drops != nil {
			changes = append(changes, c)
			deletions = append(deletions, impact.Deletion{Object: c.Object, UID: c.UID, Drops: drops})
		}
	}
	found, err := impact.Of(ctx, cluster, stackOf(s), deletions)
	impacts := map[*Change]impact.Impact{}
	for i, found := range found {
		changes[i].Consequences = found.Consequences
		impacts[changes[i]] = found
	}
	return impacts, err
}

// claimsDropped reports which claims the change of a StatefulSet has the cluster delete, nil
// where it deletes none.
func claimsDropped(c *Change) func(claim string) bool {
	if c.Object.GroupKind() != kinds.StatefulSet || c.Action != Update && c.Action != Adopt {
		return nil
	}
	return relations.ClaimsDropped(c.Before, c.After)
}

// guardHeld refuses to delete or replace what an object of the stack keeps in the cluster
// that stays. What goes as well goes first.
func guardHeld(p *planner, plan *Plan, c *Change, holders []impact.Holder) hcl.Diagnostics {
	var stay []impact.Holder
	for _, h := range holders {
		user := changeOf(plan, h.Of)
		switch {
		case h.Of == (addrs.Object{}), user == c:
		case user != nil && (user.Action == Delete || user.Action == Replace):
			if !slices.Contains(c.Holders, h.Of.Identity()) {
				c.Holders = append(c.Holders, h.Of.Identity())
			}
		case !h.Active, h.Gone, user != nil && drops(user, c.Object):
		case !slices.ContainsFunc(stay, func(other impact.Holder) bool { return other.Of == h.Of }):
			stay = append(stay, h)
		}
	}
	if len(stay) == 0 {
		return nil
	}
	c.Blocked = true
	return hcl.Diagnostics{inUse(p, c, stay)}
}

func changeOf(plan *Plan, o addrs.Object) *Change {
	i := slices.IndexFunc(plan.Changes, func(c *Change) bool { return c.Object.Identity() == o.Identity() })
	if i < 0 {
		return nil
	}
	return plan.Changes[i]
}

// drops reports whether a change has its object no longer use another.
func drops(c *Change, other addrs.Object) bool {
	if _, makesPods := c.Kind.PodTemplate(); c.Action != Update || !makesPods || relations.ClaimTemplate(c.After, other.Name) {
		return false
	}
	return !slices.ContainsFunc(relations.References(c.Kind, c.After), func(ref relations.Reference) bool {
		return slices.Contains(ref.Names(), other.Identity())
	})
}

// inUse is the error of a deletion that the cluster would not complete.
func inUse(p *planner, c *Change, holders []impact.Holder) *hcl.Diagnostic {
	var uses, options []string
	for _, h := range holders {
		entry := p.owned[h.Of.Identity()]
		text := fmt.Sprintf("%s (%s)", entry.Addr, entry.Object)
		if h.Of.Identity() != h.Object.Identity() {
			text = fmt.Sprintf("%s of %s", h.Object, text)
		}
		uses, options = append(uses, text), append(options, option.Replace.With(entry.Addr.String()))
	}
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Object is in use",
		Detail: fmt.Sprintf("%s (%s) is used by %s, which this plan keeps. The cluster deletes an object of this kind only once nothing uses it.",
			c.Addr, c.Object, words.And(uses)),
	}
	if c.Desired != nil {
		d.Subject = c.Range.Ptr()
	}
	if c.Action == Replace {
		d.Detail += " To replace that, too, add " + words.And(options) + "."
	} else {
		d.Detail += " Delete both, or keep both."
	}
	return d
}

// warnOfClaims warns of a replacement that does not do to claims and volumes what one may
// expect of it.
func warnOfClaims(p *planner, c *Change) hcl.Diagnostics {
	if c.Action != Replace {
		return nil
	}
	var diags hcl.Diagnostics
	for _, q := range c.Consequences {
		switch {
		case q.Effect == impact.LeavesClaims && changes(c, addrs.NewPath("spec", "volumeClaimTemplates")):
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning, Summary: "Existing claims stay as they are", Subject: c.Range.Ptr(),
				Detail: fmt.Sprintf("%s (%s) is replaced with other volumeClaimTemplates, which are for new claims only. The existing %s %s, "+
					"and the new pods use %s. To enlarge a claim, edit it with kubectl edit pvc, if its class allows that; "+
					"to have it made again, delete it, which loses its data.", c.Addr, c.Object, q.Objects(),
					words.Plural(q.Count, "stays as it is", "stay as they are"), words.Plural(q.Count, "it", "them")),
			})
		case q.Effect == impact.ReleasesVolume:
			diags = append(diags, neverBound(p, c, q.Names[0]))
		}
	}
	return diags
}

// neverBound is the warning about a claim that loses the volume that it has.
func neverBound(p *planner, c *Change, volume string) *hcl.Diagnostic {
	d := &hcl.Diagnostic{
		Severity: hcl.DiagWarning, Summary: "Claim will not be bound to its volume", Subject: c.Range.Ptr(),
		Detail: fmt.Sprintf("%s (%s) is bound to PersistentVolume %s, which keeps its data and the uid of this claim: "+
			"no other claim can be bound to it, nor can the new one.", c.Addr, c.Object, volume),
	}
	if entry, managed := p.owned[addrs.Object{Kind: kinds.PersistentVolume.Kind, Name: volume}]; managed {
		d.Detail += " To replace the volume, too, add " + option.Replace.With(entry.Addr.String()) + "."
		return d
	}
	d.Detail += fmt.Sprintf(" To bind the new claim to it, remove spec.claimRef from it once the old claim is deleted, "+
		`with kubectl patch pv %s --type=json -p='[{"op":"remove","path":"/spec/claimRef"}]'.`, volume)
	return d
}

func changes(c *Change, field addrs.Path) bool {
	before, _ := ValueAt(c.Before, field)
	after, _ := ValueAt(c.After, field)
	return !c.Kind.At(field).Equal(before, after)
}

func stackOf(s *state.State) impact.Stack {
	uids := make(map[addrs.Object]string, len(s.Objects))
	for _, o := range s.Objects {
		uids[o.Object.Identity()] = o.UID
	}
	return impact.Stack{
		UIDs:  uids,
		Other: func(live *unstructured.Unstructured) string { return ManagingStack(live, s.StackID()) },
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
	what := "Scaling down"
	switch c.Action {
	case Delete:
		what = "Deleting"
	case Replace:
		what = "Replacing"
	}
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Deletion would cascade to unmanaged objects or data",
		Detail: fmt.Sprintf("%s %s (%s) %s. If that is intended, add the option %s.",
			what, c.Addr, c.Object, strings.Join(lines, "; "),
			option.AllowDataLoss.With(c.Addr.String())),
	}
	if c.Desired != nil {
		d.Subject = c.Range.Ptr()
	}
	return hcl.Diagnostics{d}
}
