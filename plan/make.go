package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// Input is what a plan is made from.
type Input struct {
	Config    *config.Config
	Variables config.Values
	// Cluster is nil to plan offline: without a single request, from the state
	// alone, so that everything is predicted.
	Cluster *kube.Cluster
	// State is what was read; Make leaves it as it is.
	State *state.State
	Mode  Mode // Normal where empty
	// Targets and Excludes limit the plan to some objects; never both.
	Targets, Excludes []addrs.Instance
	// Replace are objects to make anew though they could stay.
	Replace []addrs.Instance
	// Adopt are objects to take over if they exist and are not ours, besides
	// those of the configuration's import blocks.
	Adopt []addrs.Instance
	// AllowDataLoss are deletions that may take along what this stack does not manage.
	AllowDataLoss []addrs.Instance
	// Written is where a file has an address that Targets or Excludes took from it.
	Written map[addrs.Instance]hcl.Range
	// Parallelism bounds the objects under way at once; 0 means no bound. The
	// requests in flight are bounded by the Cluster.
	Parallelism int
}

// options are those of evaluating the configuration for this plan.
func (in Input) options() hclspec.Options {
	options := hclspec.Options{Variables: in.Variables, Kinds: in.Cluster}
	if in.offline() {
		options.Kinds = kinds.OpenSet{Set: kinds.Builtin()}
	}
	return options
}

func (in Input) offline() bool { return in.Cluster == nil }

// Make decides what would change. Problems with single objects leave them out
// or mark them Blocked and are returned as diagnostics with the plan, which is
// then only to be shown. A nil plan means that there was nothing to show.
func Make(ctx context.Context, in Input) (*Plan, hcl.Diagnostics) {
	plan := &Plan{
		Mode:          in.Mode,
		Lineage:       in.State.Lineage,
		Serial:        in.State.Serial,
		Targets:       in.Targets,
		Excludes:      in.Excludes,
		Replace:       in.Replace,
		Adopt:         in.Adopt,
		AllowDataLoss: in.AllowDataLoss,
		Sources:       sourcesOf(in.Config),
		Variables:     variablesOf(in.Variables, in.State),
		Created:       time.Now().UTC().Truncate(time.Second),
	}
	if plan.Mode == "" {
		plan.Mode = Normal
	}
	current, diags := meetCluster(ctx, in, plan)
	if diags.HasErrors() {
		return nil, diags
	}
	var movedAddr map[addrs.Object]addrs.Instance
	if plan.Mode != RefreshOnly { // what the configuration wants is not its subject
		current, movedAddr = applyMoves(in.Config.Moved, current)
	}
	preview := sync.OnceValue(func() *hclspec.Preview {
		preview, _ := hclspec.NewPreview(ctx, in.Config, in.options()) // the walk tells of what is wrong
		return preview
	})
	scope, more := scopeOf(in, current, preview)
	if diags = append(diags, more...); diags.HasErrors() {
		return nil, diags
	}
	p := &planner{
		Input:     in,
		state:     current,
		owned:     current.ByIdentity(),
		movedAddr: movedAddr,
		live:      newInventory(in.Cluster, current),
		preview:   preview,
		scope:     scope,
	}
	diags = append(diags, p.fill(ctx, in, plan)...)
	if plan.Incomplete = diags.HasErrors(); !plan.Incomplete {
		diags = append(diags, p.idle(plan)...)
	}
	return plan, diags
}

// fill decides about all objects. Once the cluster is gone, or the user wants to leave, no
// more is asked, and what was in flight then is no news.
func (p *planner) fill(ctx context.Context, in Input, plan *Plan) hcl.Diagnostics {
	asking, end := context.WithCancel(ctx)
	defer end()
	p.end = end
	if !in.offline() {
		p.live.prefetch(asking)
	}
	var diags hcl.Diagnostics
	if plan.Mode == Destroy {
		diags = p.destroyAll(asking, plan)
	} else {
		diags = p.walk(asking, in, plan)
	}
	if asking.Err() == nil { // of half a plan they would say what is not so
		diags = append(diags, p.guardKept(plan)...)
		diags = append(diags, p.weighDeletions(asking, plan)...)
	}
	switch outage := diag.Outage(diags); {
	case outage != nil:
		return diag.CutShort(diags, outage, in.Cluster.Host(), "The plan is not complete. Nothing was changed.", "")
	case ctx.Err() != nil:
		diags = slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == diag.Interrupted })
		return append(diags, interrupted())
	}
	return diag.Merge(diags)
}

// heed ends the asking when an error is not of one object but of the cluster.
func (p *planner) heed(err error) {
	if kube.OutageOf(err) != nil {
		p.end()
	}
}

// meetCluster makes sure that this is the cluster the state belongs to, and
// finds out what became of an interrupted run. Offline the state is all there
// is.
func meetCluster(ctx context.Context, in Input, plan *Plan) (current *state.State, diags hcl.Diagnostics) {
	if in.offline() {
		return in.State, nil
	}
	if plan.Cluster, diags = checkCluster(ctx, in); diags.HasErrors() {
		return nil, diags
	}
	plan.Host = in.Cluster.Host()
	current, err := Recover(ctx, in.Cluster, in.State)
	return current, diag.FromKube(err, nil, "")
}

// checkCluster refuses to plan with a state that belongs to another cluster:
// all its objects would seem to be deleted.
func checkCluster(ctx context.Context, in Input) (uid string, diags hcl.Diagnostics) {
	uid, err := in.Cluster.Identity(ctx)
	switch {
	case kube.ReasonOf(err) == kube.Forbidden:
		uid = hostIdentity + in.Cluster.Host()
	case err != nil:
		return "", diag.FromKube(err, nil, "")
	}
	if !sameCluster(in.State.Cluster, uid) {
		return "", hcl.Diagnostics{{
			Severity: hcl.DiagError,
			Summary:  "State belongs to another cluster",
			Detail: fmt.Sprintf("The state was written for the cluster whose kube-system namespace has the uid %s, but %s has the uid %s. "+
				"Choose the right context with -context or in the cluster block, or use another state.", in.State.Cluster, in.Cluster.Host(), uid),
		}}
	}
	return uid, nil
}

// hostIdentity begins the identity of a cluster whose kube-system namespace
// this user may not see: its address stands in then.
const hostIdentity = "host:"

// sameCluster says whether two identities may be of one cluster. Those of
// different sorts can't be compared: the user got or lost a right in between.
func sameCluster(known, now string) bool {
	return known == "" || known == now || !sameSort(known, now)
}

// sameSort says whether two identities are of one sort.
func sameSort(a, b string) bool {
	return strings.HasPrefix(a, hostIdentity) == strings.HasPrefix(b, hostIdentity)
}

// previewer evaluates the configuration when it is first asked.
type previewer func() *hclspec.Preview

// planner holds what all decisions of one plan read. Nothing in it changes
// once the walk has begun, but for what inventory guards itself.
type planner struct {
	Input
	state     *state.State                    // what is true of in.State after an interrupted run
	owned     map[addrs.Object]state.Object   // by identity
	movedAddr map[addrs.Object]addrs.Instance // what moved blocks gave another address had before
	live      *inventory
	preview   previewer
	scope     scope
	end       context.CancelFunc // of all that is asked
}

func (p *planner) walk(ctx context.Context, in Input, plan *Plan) hcl.Diagnostics {
	plan.Preview = p.preview()
	options := hclspec.WalkOptions{Parallelism: in.Parallelism}
	if p.scope.limited {
		options.Only = func(r addrs.Resource) bool { return p.scope.any[r] }
	}
	outcome, diags := hclspec.Walk(ctx, plan.Preview, options, func(ctx context.Context, d *hclspec.Desired, needs decisions) (hclspec.Seen, decided, error) {
		seen, decided, err := p.visit(ctx, d, needs)
		p.heed(err)
		return seen, decided, err
	})
	if diags.HasErrors() && len(outcome.Visited) == 0 {
		return diags
	}
	var refused []*foreign
	for _, v := range outcome.Visited {
		if v.Result.change != nil {
			plan.Changes = append(plan.Changes, v.Result.change)
		}
		if f := (*foreign)(nil); errors.As(v.Err, &f) {
			refused = append(refused, f)
		} else {
			diags = append(diags, visitDiagnostics(v)...)
		}
		diags = append(diags, guard(v.Result.change)...)
	}
	diags = append(diags, reportUnmanaged(refused)...)
	plan.Skipped = outcome.Skipped
	if ctx.Err() != nil {
		return diags
	}
	if plan.Mode == RefreshOnly {
		diags = append(diags, p.forgetLost(ctx, plan, outcome)...)
		return append(diags, doubts(outcome)...)
	}
	plan.Outputs = compareOutputs(p.state, outcome.Outputs)
	plan.Outputs = slices.DeleteFunc(plan.Outputs, func(o OutputChange) bool {
		return o.Action == Delete && isDeclared(in.Config, o.Name) // only its value could not be planned
	})
	return append(diags, p.planPruned(ctx, plan, outcome)...)
}

func isDeclared(c *config.Config, output string) bool {
	return slices.ContainsFunc(c.Outputs, func(o *config.Output) bool { return o.Name == output })
}

// visitDiagnostics turns what a visit failed with into diagnostics that point
// at the configuration.
func visitDiagnostics(v hclspec.Visited[decided]) hcl.Diagnostics {
	if v.Err == nil {
		return nil
	}
	if diags, ok := v.Err.(hcl.Diagnostics); ok {
		return diags
	}
	return MaskSecrets(diag.FromKube(v.Err, v.Desired.RangeOf, v.Desired.Addr.String()), &Change{Desired: v.Desired})
}

func interrupted() *hcl.Diagnostic {
	return &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  diag.Interrupted,
		Detail:   "The plan was interrupted before it was complete. Nothing was changed.",
	}
}
