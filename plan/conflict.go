package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan/autoscale"
)

// rulesFor are the rules for one object.
func rulesFor(ctx context.Context, p *planner, d *decision) rules {
	r := rules{forces: anyMatches(p.ForceConflicts, d.addr), refuseDrift: p.RefuseDrift}
	if d.recorded {
		r.record = &record{d: d, state: p.state}
	}
	r.autoscaler = func() string { return autoscalerOf(ctx, p, d.object) }
	return r
}

// autoscalerOf is what sets the replicas of an object, in the configuration or in
// the cluster, "" for nothing.
func autoscalerOf(ctx context.Context, p *planner, object addrs.Object) string {
	for _, other := range p.preview().Desired() {
		if s, ok := relations.ScalerOf(other.Object, other.Fields); ok && s.Scales(object) {
			return fmt.Sprintf("%s (%s)", s, other.Addr)
		}
	}
	for _, s := range p.scalers.In(ctx, object.Namespace) {
		if s.Scales(object) {
			return s.String()
		}
	}
	return ""
}

// standing is what kplan has to do with a field that another manager owns.
type standing byte

const (
	conflicted standing = iota // kplan never applied it: the plan stops
	forced                     // the configuration, or this run, takes it
	drifted                    // kplan applied it last, and another has changed it: it is put back
	unwanted                   // it has drifted, and the plan is to stop then
	autoscaled                 // an autoscaler sets it, and would again, in every run
)

// standingOf decides what becomes of a field that another manager owns.
func standingOf(d *decision, path addrs.Path) standing {
	switch {
	case d.rules.forces, coveredBy(OwnMarks, path):
		return forced
	case path == relations.Replicas && scaledBy(d) != "":
		return autoscaled
	case coveredBy(d.configured(d.desired.Lifecycle.ForceConflicts), path):
		return forced
	case !hasDrifted(d, path):
		return conflicted
	case d.rules.refuseDrift:
		return unwanted
	}
	return drifted
}

// hasDrifted reports whether kplan applied a field last and no longer owns it: who
// changes a field owns it alone.
func hasDrifted(d *decision, path addrs.Path) bool {
	return d.rules.record != nil && !d.adopts && !ownership.Owns(d.managers.KplanFields(), path) && d.rules.record.has(path)
}

// scaledBy is the autoscaler that sets the replicas of the live object.
func scaledBy(d *decision) string {
	if by := d.rules.autoscaler(); by != "" {
		return by
	}
	if m := d.managers.OtherEntry(relations.Replicas); autoscale.WroteReplicas(m) {
		return fmt.Sprintf("%q", m.Manager)
	}
	return ""
}

// transferred reports whether the ownership of a field is transferred to kplan.
func transferred(d *decision, path addrs.Path) bool {
	standing := standingOf(d, path)
	return standing == forced || standing == drifted
}

// takeable reports whether kplan may take a field of a conflict: what the server
// records as there before anybody applied the object is nobody's.
func takeable(d *decision, f kube.Conflict) bool {
	return f.Manager == ownership.BeforeFirstApply || transferred(d, f.Path)
}

// take notes the fields of a conflict that are taken from other managers, other than
// those that have drifted, which are shown as that.
func take(d *decision, conflicts []kube.Conflict) {
	d.forced = true
	for _, f := range conflicts {
		known := slices.ContainsFunc(d.taken, func(t Drift) bool { return t.Path == f.Path && t.Manager == f.Manager })
		if !known && f.Manager != ownership.BeforeFirstApply && standingOf(d, f.Path) == forced &&
			!hasDrifted(d, f.Path) && !coveredBy(OwnMarks, f.Path) {
			d.taken = append(d.taken, ownedAt(d.managers, f.Path, f.Manager))
		}
	}
}

// mayForce reports whether kplan may take every field of a conflict.
func mayForce(d *decision, err error) bool {
	conflicts := conflictsOf(err)
	for _, f := range conflicts {
		if !takeable(d, f) {
			return false
		}
	}
	return len(conflicts) > 0
}

func conflictsOf(err error) []kube.Conflict {
	var refusal *kube.Error
	if errors.As(err, &refusal) {
		return refusal.Conflicts
	}
	return nil
}

// conflict explains which fields another manager owns, with both values.
func conflict(d *decision, live *unstructured.Unstructured, conflicts []kube.Conflict) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range conflicts {
		if takeable(d, f) {
			continue
		}
		f.Time = managedSince(live, f)
		diags = append(diags, contested(d, live, f))
	}
	return diags
}

// contested is the error about one field that another manager owns.
func contested(d *decision, live *unstructured.Unstructured, f kube.Conflict) *hcl.Diagnostic {
	difference, at := bothSides(d, live, f.Path), d.desired.RangeOf(f.Path).Ptr()
	standing := standingOf(d, f.Path)
	f.Path = withHiddenKeys(d.kind, d.sensitive).Outermost(f.Path)
	switch standing {
	case autoscaled:
		return diag.Autoscaled(f, d.object.String(), scaledBy(d), difference, at)
	case unwanted:
		return diag.Drift(f, d.object.String(), difference, at)
	}
	problem := diag.Conflict(f, d.object.String(), difference, at)
	problem.Detail += " To take ownership in this run alone, add " + option.ForceConflicts.With(d.addr.String()) + "."
	return problem
}

// bothSides is what a field is in the live object and in the configuration.
// What is large, or made up of parts of which some may be secret, is in the plan.
func bothSides(d *decision, live *unstructured.Unstructured, path addrs.Path) string {
	there, here := shown(d, live.Object, path), shown(d, d.fields, path)
	if there == "" || here == "" {
		return "the plan shows both values"
	}
	return fmt.Sprintf("it is %s in the cluster and %s in the configuration", there, here)
}

// managedSince is when the manager last changed the object: what the server's
// refusal names or, where that names none, what the object records.
func managedSince(live *unstructured.Unstructured, f kube.Conflict) string {
	if f.Time != "" {
		return f.Time
	}
	for _, m := range ownership.Of(live.Object) {
		if m.Manager == f.Manager && !m.Time.IsZero() {
			return m.Time.Format(time.RFC3339)
		}
	}
	return ""
}
