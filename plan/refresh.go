package plan

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// A refresh-only plan shows what became of kplan's objects since it applied them
// last. What the configuration wants by now is not its subject: the configuration
// only shows what was applied, where the state's digest shows that it is still the
// one that was.

// refresh looks at one object of the state, at the address it has there.
func (p *planner) refresh(ctx context.Context, d *decision) (hclspec.Observed, error) {
	if !d.recorded {
		return hclspec.Observed{}, nil
	}
	live, err := p.look(ctx, d.desired)
	if err != nil {
		return hclspec.Observed{}, err
	}
	recordedAs := *d.desired
	recordedAs.Addr = d.entry.Addr
	d.desired, d.addr, d.fields = &recordedAs, recordedAs.Addr, DesiredFields(&recordedAs, p.state.StackID())
	d.certainty = Compared
	if live == nil && isDone(p.state, d) {
		return leaveDone(d), nil
	}
	if live == nil || string(live.GetUID()) != d.entry.UID {
		d.action, d.reason = Forget, BecauseGone
		return hclspec.Observed{}, nil
	}
	if ManagingStack(live, p.state.StackID()) != "" {
		d.action, d.reason = Forget, BecauseOtherStack
		return hclspec.Observed{Object: WithoutOwn(live.Object)}, nil
	}
	if err := p.found(d, live); err != nil {
		return hclspec.Observed{}, err
	}
	seen := d.leave(Compared)
	d.drift, d.doubtful = driftSince(d, live)
	if len(d.drift) == 0 {
		return seen, nil
	}
	if d.acknowledgedDrift = p.state.Digest(driftedValues(d)); d.acknowledgedDrift == d.entry.AcknowledgedDrift {
		d.drift, d.acknowledgedDrift = nil, ""
		return seen, nil
	}
	if !d.doubtful {
		d.before, err = asApplied(d, live)
	}
	return seen, err
}

// driftSince is what others changed of what kplan applied last: the fields that it
// applied and no longer owns, for who changes a field owns it. Where the desired
// object is not the one that was applied last, what it was before is not known, and
// the result is doubtful.
func driftSince(d *decision, live *unstructured.Unstructured) (drift []Drift, doubtful bool) {
	ours, record := d.managers.KplanFields(), d.rules.record
	paths := addrs.PathSet{}
	for _, path := range sortedPaths(differences(d.kind.Root, wanted(d.kind, live.Object, d.fields), d.fields)) {
		if !ownership.Owns(ours, path) {
			doubtful = !record.isLast()
		}
		if hasDrifted(d, path) {
			paths.Add(path)
		}
	}
	if !record.isLast() {
		addNoLongerDesired(d, paths)
	}
	for _, path := range paths.Sorted() {
		drift = append(drift, driftAt(d.managers, path))
	}
	return drift, doubtful
}

// addNoLongerDesired adds the fields that kplan applied last, the configuration no
// longer sets, and another manager owns now.
func addNoLongerDesired(d *decision, paths addrs.PathSet) {
	for _, path := range d.entry.Applied {
		if _, desired := valueIn(d.kind, d.fields, path); !desired && hasDrifted(d, path) && d.managers.OtherEntry(path) != nil {
			paths.Add(path)
		}
	}
}

// driftedValues is what the drifted fields hold now, by their paths.
func driftedValues(d *decision) map[string]any {
	values := map[string]any{}
	for _, drift := range d.drift {
		values[drift.Path.String()], _ = ValueAt(d.after, drift.Path)
	}
	return values
}

// asApplied is the live object with the drifted values as kplan applied them.
// Where admission made something else of a value it applied, nothing has drifted.
func asApplied(d *decision, live *unstructured.Unstructured) (map[string]any, error) {
	before, err := kube.Predict(d.kind, live, d.fields)
	if err != nil {
		return nil, err
	}
	var drifted []addrs.Path
	for _, drift := range d.drift {
		drifted = append(drifted, drift.Path)
	}
	for path, difference := range differences(d.kind.Root, visible(before), visible(live.Object)) {
		if !coveredBy(drifted, path) {
			before, _ = path.ReplaceIn(before, difference.After).(map[string]any)
		}
	}
	return before, nil
}

// forgetLost adds what the state holds, the configuration does not, and the
// cluster no longer has.
func (p *planner) forgetLost(ctx context.Context, plan *Plan, outcome hclspec.Outcome[decided]) hcl.Diagnostics {
	looked := map[addrs.Object]bool{}
	for _, v := range outcome.Visited {
		looked[Named(v.Desired, p.state).Object.Identity()] = true
	}
	var rest []state.Object
	for _, o := range p.state.Objects {
		if !looked[o.Object.Identity()] && p.scope.has(o.Addr) {
			rest = append(rest, o)
		}
	}
	var diags hcl.Diagnostics
	for _, o := range rest {
		c, err := p.deletion(ctx, o, BecauseDestroy)
		switch {
		case err != nil:
			p.cancelOnOutage(err)
			diags = append(diags, diag.FromKube(err, nil, o.Addr.String())...)
		case c.Action == Forget && !LeavesObject(c):
			plan.Changes = append(plan.Changes, c)
		}
	}
	return diags
}

// doubts reports for which objects a refresh-only plan can't show all drift.
func doubts(outcome hclspec.Outcome[decided]) hcl.Diagnostics {
	var addresses []string
	for _, v := range outcome.Visited {
		if v.Result.doubtful {
			addresses = append(addresses, v.Result.change.Addr.String())
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  "Drift only partly known",
		Detail: fmt.Sprintf("The configuration asks for other values of these objects than kplan last applied, by an edit or by what they "+
			"refer to: %s. The state does not hold the applied values, so the plan shows which fields others have set since, "+
			"but neither their previous values nor removed fields.",
			strings.Join(addresses, ", ")),
	}}
}
