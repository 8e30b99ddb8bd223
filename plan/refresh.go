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

// A refresh-only plan tells what became of kplan's objects since it applied them
// last. What the configuration wants by now is not its subject: the configuration
// only says what was applied, where the state's digest shows that it is still the
// one that was.

// refresh looks at one object of the state, at the address it has there.
func (p *planner) refresh(ctx context.Context, d *hclspec.Desired) (hclspec.Seen, *Change, error) {
	entry, recorded := p.owned[d.Object.Identity()]
	if !recorded {
		return hclspec.Seen{}, nil, nil
	}
	live, err := p.look(ctx, d)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	recordedAs := *d
	recordedAs.Addr = entry.Addr
	c := p.newChange(&recordedAs)
	c.Certainty = Compared
	if live == nil || string(live.GetUID()) != entry.UID {
		c.Action, c.Reason = Forget, BecauseGone
		return hclspec.Seen{}, c, nil
	}
	if managingStack(live, p.state.StackID()) != "" {
		c.Action, c.Reason = Forget, BecauseOtherStack
		return hclspec.Seen{Object: WithoutOwn(live.Object)}, c, nil
	}
	c.Action = NoOp
	if err := p.found(c, live); err != nil {
		return hclspec.Seen{}, nil, err
	}
	c.After = c.Before
	seen := hclspec.Seen{Object: WithoutOwn(live.Object)}
	c.Drift, c.doubtful = driftSince(c, live, entry.Digest == p.state.Digest(DesiredFields(&recordedAs, p.state.StackID())))
	if len(c.Drift) == 0 {
		return seen, c, nil
	}
	if c.AcknowledgedDrift = p.state.Digest(drifted(c)); c.AcknowledgedDrift == entry.AcknowledgedDrift {
		c.Drift, c.AcknowledgedDrift = nil, ""
		return seen, c, nil
	}
	if !c.doubtful {
		c.Before, err = asApplied(c, live)
	}
	return seen, c, err
}

// driftSince is what others changed of what kplan applied last. The server has
// recorded it: who changes a field owns it, and kplan no longer does. That the
// wish is the one that was applied last makes it certain. Otherwise a field of
// another manager counts if that has been at work since, and one that nobody owns
// is either new in the configuration or was taken away; result is then doubtful.
func driftSince(c *Change, live *unstructured.Unstructured, desiredIsLast bool) (drift []Drift, doubtful bool) {
	ours, own := c.managers.Ours(), c.managers.Own()
	for _, path := range sortedPaths(differences(c.Kind.Root, wanted(c, live.Object), c.DesiredFields)) {
		if ownership.Owns(ours, path) {
			continue
		}
		doubtful = !desiredIsLast
		switch m := c.managers.Other(path); {
		case m != nil && (desiredIsLast || own == nil || !m.Time.Before(own.Time)):
			drift = append(drift, Drift{path, m.Manager, m.Time})
		case m == nil && desiredIsLast:
			drift = append(drift, Drift{Path: path})
		}
	}
	return drift, doubtful
}

// drifted is what the drifted places hold now, by their paths.
func drifted(c *Change) map[string]any {
	values := map[string]any{}
	for _, d := range c.Drift {
		values[d.Path.String()], _ = ValueAt(c.After, d.Path)
	}
	return values
}

// asApplied is the live object with the drifted values as kplan applied them.
// Where admission made something else of a value it applied, nothing has drifted.
func asApplied(c *Change, live *unstructured.Unstructured) (map[string]any, error) {
	before, err := kube.Predict(c.Kind, live, c.DesiredFields)
	if err != nil {
		return nil, err
	}
	var drifted []addrs.Path
	for _, d := range c.Drift {
		drifted = append(drifted, d.Path)
	}
	for path, d := range differences(c.Kind.Root, visible(before), visible(live.Object)) {
		if !coveredBy(drifted, path) {
			before, _ = path.ReplaceIn(before, d.After).(map[string]any)
		}
	}
	return before, nil
}

// forgetLost adds what the state holds, the configuration does not, and the
// cluster no longer has.
func (p *planner) forgetLost(ctx context.Context, plan *Plan, outcome hclspec.Outcome[*Change]) hcl.Diagnostics {
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
			p.heed(err)
			diags = append(diags, diag.FromKube(err, nil, o.Addr.String())...)
		case c.Action == Forget:
			plan.Changes = append(plan.Changes, c)
		}
	}
	return diags
}

// doubts says for which objects a refresh-only plan can't tell it all.
func doubts(plan *Plan) hcl.Diagnostics {
	var addresses []string
	for _, c := range plan.Changes {
		if c.doubtful {
			addresses = append(addresses, c.Addr.String())
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  "Not all that changed outside can be told",
		Detail: fmt.Sprintf("The configuration of these objects was edited since kplan last applied it: %s. The state does not hold what was applied, so "+
			"of them it shows which fields others have set since, not what these were before, and not what others have taken away.", strings.Join(addresses, ", ")),
	}}
}
