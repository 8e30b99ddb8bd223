package plan

import (
	"context"
	"maps"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/plan/autoscale"
)

// Observe evaluates the configuration with the objects as they are: those of the state as the
// cluster has them, the others as the configuration describes them. It decides nothing and makes no
// request that a plan would not make. The scope is nil where nothing could be evaluated.
func Observe(ctx context.Context, in Input) (*hclspec.Scope, hcl.Diagnostics) {
	current, diags := checkClusterAndRecover(ctx, in, &Plan{})
	if diags.HasErrors() {
		return nil, diags
	}
	current, movedAddr := applyMoves(in.Config.AllMoved(), current)
	in.Log = log.Or(in.Log)
	preview := in.evaluate(ctx)
	p := &planner{
		Input:     in,
		state:     current,
		owned:     current.ByIdentity(),
		movedAddr: movedAddr,
		live:      newInventory(in.Cluster, current),
		preview:   func() *hclspec.Preview { return preview },
		scalers:   &autoscale.Finder{Cluster: in.Cluster},
	}
	moveGenerated(p, preview)
	LearnSecrets(in.Secrets, preview.Desired()...)
	asking, end := context.WithCancel(ctx)
	defer end()
	p.end = end
	outcome, diags := hclspec.Walk(asking, preview, hclspec.WalkOptions{Parallelism: in.Parallelism}, func(
		ctx context.Context, d *hclspec.Desired, _ decisions) (hclspec.Observed, decided, error) {
		seen, err := observe(ctx, p, d)
		p.cancelOnOutage(err)
		return seen, decided{}, err
	})
	for _, v := range outcome.Visited {
		diags = append(diags, visitDiagnostics(v)...)
	}
	switch outage := diag.Outage(diags); {
	case outage != nil:
		return nil, diag.CutShort(diags, outage, in.Cluster.Host(), "The objects were not read.", "")
	case ctx.Err() != nil:
		return nil, hcl.Diagnostics{interrupted()}
	}
	return outcome.Scope, diag.Merge(diags)
}

// observe looks at the object as it is, and learns its secrets. References see it without its
// managedFields, in which the keys of a sensitive map would stand.
func observe(ctx context.Context, p *planner, d *hclspec.Desired) (hclspec.Observed, error) {
	seen, err := p.observeUnplanned(ctx, d)
	metadata, ok := seen.Object["metadata"].(map[string]any)
	if err != nil || !ok {
		return seen, err
	}
	p.Secrets.Add(redact.TextsAt(seen.Object, d.Sensitive)...)
	p.Secrets.Add(redact.TextsAt(seen.Object, redact.Paths(d.Kind, seen.Object))...)
	metadata = maps.Clone(metadata)
	delete(metadata, "managedFields")
	seen.Object = maps.Clone(seen.Object)
	seen.Object["metadata"] = metadata
	return seen, nil
}
