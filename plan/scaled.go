package plan

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/plan/autoscale"
)

// replicasBesideScalers are warnings about replicas that the configuration sets beside
// an autoscaler of the same object, or no longer sets, so that they fall to the default.
func replicasBesideScalers(ctx context.Context, p *planner, outcome hclspec.Outcome[decided]) hcl.Diagnostics {
	var scalers []autoscale.Scaler
	for _, v := range outcome.Visited {
		if s, ok := autoscale.Of(v.Desired.Object, v.Desired.Fields); ok {
			scalers = append(scalers, s)
		}
	}
	var diags hcl.Diagnostics
	for _, v := range outcome.Visited {
		if v.Result.change != nil && p.Mode == Normal {
			diags = append(diags, aboutReplicas(ctx, p, v.Result.change, scalers)...)
		}
	}
	return diags
}

func aboutReplicas(ctx context.Context, p *planner, c *Change, scalers []autoscale.Scaler) hcl.Diagnostics {
	if coveredBy(c.Desired.Lifecycle.IgnoreChanges, autoscale.Replicas) {
		return nil
	}
	if _, sets := ValueAt(c.DesiredFields, autoscale.Replicas); sets {
		for _, s := range scalers {
			if s.Scales(c.Object) {
				return replicasWarning(c, "Replicas set beside an autoscaler", fmt.Sprintf("%s sets the replicas of %s, and so does "+
					"the configuration: each would undo what the other does. Leave them to the autoscaler with "+
					"lifecycle { ignore_changes = [spec.replicas] }.", s, c.Addr))
			}
		}
		return nil
	}
	before, had := ValueAt(c.Before, autoscale.Replicas)
	after, _ := ValueAt(c.After, autoscale.Replicas)
	if c.Action != Update || !had || after == nil || before == after {
		return nil
	}
	hint := "To keep the number, set it."
	if by := autoscalerOf(ctx, p, c.Object); by != "" {
		hint = by + " sets them."
	}
	return replicasWarning(c, "Replicas no longer set", fmt.Sprintf("The configuration no longer sets spec.replicas of %s, "+
		"so that %v becomes the default, %v. %s To leave them to an autoscaler, set them and add "+
		"lifecycle { ignore_changes = [spec.replicas] }: then they stay as they are.", c.Addr, before, after, hint))
}

func replicasWarning(c *Change, summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: detail, Subject: c.Desired.RangeOf(autoscale.Replicas).Ptr()}}
}
