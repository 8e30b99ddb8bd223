package plan

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/log"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/plan/autoscale"
	"kplan.dev/kplan/state"
)

// Make decides what would change. Problems with single objects leave them out
// or mark them Blocked and are returned as diagnostics with the plan, which is
// then only to be shown. A nil plan means that there was nothing to show.
func Make(ctx context.Context, in Input) (*Plan, hcl.Diagnostics) {
	plan := &Plan{
		Mode:           in.Mode,
		Lineage:        in.State.Lineage,
		Serial:         in.State.Serial,
		Targets:        in.Targets,
		Excludes:       in.Excludes,
		Replace:        in.Replace,
		Adopt:          in.Adopt,
		AllowDataLoss:  in.AllowDataLoss,
		ForceConflicts: in.ForceConflicts,
		RefuseDrift:    in.RefuseDrift,
		Sources:        sourcesOf(in.Config, in.Variables, in.State),
		Variables:      variablesOf(in.Variables, in.State),
		Created:        time.Now().UTC().Truncate(time.Second),
	}
	if plan.Mode == "" {
		plan.Mode = Normal
	}
	in.Log = log.Or(in.Log)
	said := new(heard)
	ctx = said.hear(ctx)
	current, diags := checkClusterAndRecover(ctx, in, plan)
	if diags.HasErrors() {
		return nil, diags
	}
	var movedAddr map[addrs.Object]addrs.Instance
	if plan.Mode != RefreshOnly { // what the configuration wants is not its subject
		current, movedAddr = applyMoves(in.Config.AllMoved(), current)
	}
	preview := sync.OnceValue(func() *hclspec.Preview {
		return in.evaluate(ctx)
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
		scalers:   &autoscale.Finder{Cluster: in.Cluster},
		scope:     scope,
	}
	p.wanted = sync.OnceValue(func() map[addrs.Object]*hclspec.Desired { return wantedIn(p) })
	diags = append(diags, p.fill(ctx, in, plan)...)
	plan.Warnings = append(plan.Warnings, said.sorted()...)
	in.learnSecrets(plan)
	if plan.Incomplete = diags.HasErrors(); !plan.Incomplete {
		diags = append(diags, warnIneffective(in, plan)...)
	}
	return plan, diags
}

// evaluate evaluates the configuration. The walk reports the errors.
func (in Input) evaluate(ctx context.Context) *hclspec.Preview {
	began := time.Now()
	preview, _ := hclspec.NewPreview(ctx, in.Config, in.options())
	if log.Debugs(in.Log) {
		in.Log.Debug("configuration evaluated", "objects", len(preview.Desired()), "took", time.Since(began))
	}
	if log.Traces(in.Log) { // bodies are logged before the plan is made
		LearnSecrets(in.Secrets, preview.Desired()...)
	}
	return preview
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
		diags = append(diags, checkDeletions(asking, p, plan)...)
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

func (p *planner) walk(ctx context.Context, in Input, plan *Plan) hcl.Diagnostics {
	plan.Preview = p.preview()
	moveGenerated(p, plan.Preview)
	options := hclspec.WalkOptions{Parallelism: in.Parallelism}
	if p.scope.limited {
		options.Only = func(r addrs.Resource) bool { return p.scope.any[r] }
	}
	outcome, diags := hclspec.Walk(ctx, plan.Preview, options, func(
		ctx context.Context, d *hclspec.Desired, needs decisions) (hclspec.Observed, decided, error) {
		seen, decided, err := p.visit(ctx, d, needs)
		p.cancelOnOutage(err)
		return seen, decided, err
	})
	if diags.HasErrors() && len(outcome.Visited) == 0 {
		return diags
	}
	var refused []*unmanaged
	for _, v := range outcome.Visited {
		if v.Result.change != nil {
			plan.Changes = append(plan.Changes, v.Result.change)
		}
		if f := (*unmanaged)(nil); errors.As(v.Err, &f) {
			refused = append(refused, f)
		} else {
			diags = append(diags, visitDiagnostics(v)...)
		}
		diags = append(diags, guard(v.Result.change)...)
		plan.Warnings = append(plan.Warnings, v.Result.warnings...)
	}
	diags = append(diags, reportUnmanaged(refused, p.state)...)
	if !p.offline() {
		diags = append(diags, importsOfNothing(p, plan.Changes)...)
	}
	plan.Skipped, plan.Checks = outcome.Skipped, outcome.Checks
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
	diags = append(diags, p.planPruned(ctx, plan, outcome)...)
	if ctx.Err() != nil {
		return diags
	}
	findUnmanagedReads(plan)
	return append(diags, warnings(ctx, p, plan, options.Only)...)
}

// learnSecrets makes the secrets of the plan's objects known, and hides them in what the
// server warned of: about one object it may have repeated what another one holds.
func (in Input) learnSecrets(plan *Plan) {
	for _, c := range plan.Changes {
		in.Secrets.Show(c.Object.Name, c.Object.Namespace, c.Object.Kind, c.Addr.Resource.Name)
		in.Secrets.Add(redact.TextsAt(c.Before, c.Sensitive)...)
		in.Secrets.Add(redact.TextsAt(c.After, c.Sensitive)...)
	}
	if plan.Preview != nil {
		LearnSecrets(in.Secrets, plan.Preview.Desired()...) // also of those whose plan failed
	}
	for _, c := range plan.Checks {
		for i, problem := range c.Problems {
			c.Problems[i] = in.Secrets.Hide(problem)
		}
	}
	for i, w := range plan.Warnings {
		plan.Warnings[i].Text = in.Secrets.Hide(w.Text)
	}
}

// moveGenerated gives objects with generated names the addresses that their blocks have
// now.
func moveGenerated(p *planner, preview *hclspec.Preview) {
	if p.Mode == RefreshOnly {
		return
	}
	moves := recogniseGenerated(preview.Desired(), p.state)
	if len(moves) == 0 {
		return
	}
	p.movedAddr = maps.Clone(p.movedAddr)
	for _, o := range p.state.Objects {
		if _, moved := moves[o.Addr]; !moved {
			continue
		}
		if _, again := p.movedAddr[o.Object.Identity()]; !again {
			p.movedAddr[o.Object.Identity()] = o.Addr
		}
	}
	p.state = p.state.Clone()
	p.state.MoveAll(moves)
	p.owned = p.state.ByIdentity()
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

// compareOutputs compares the outputs of the configuration with those that the
// state remembers. Of a sensitive one the state has a digest only.
func compareOutputs(s *state.State, now []hclspec.OutputValue) []OutputChange {
	var changes []OutputChange
	declared := map[string]bool{}
	for _, o := range now {
		declared[o.Name] = true
		old, existed := s.Outputs[o.Name]
		c := OutputChange{
			Name: o.Name, Action: Update, Before: before(old), After: o.Value, Type: o.Type,
			Unknown: o.Unknown, Sensitive: o.Sensitive || old.Sensitive,
		}
		switch {
		case !existed:
			c.Action, c.Before = Create, nil
		case !o.Unknown && sameOutput(s, old, o):
			c.Action = NoOp
		}
		changes = append(changes, c)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		if old := s.Outputs[name]; !declared[name] {
			changes = append(changes, OutputChange{Name: name, Action: Delete, Before: before(old), Type: old.Type, Sensitive: old.Sensitive})
		}
	}
	return changes
}

// before is what is known of the value an output had: of a sensitive one no
// more than that there was one, and its digest.
func before(old state.Output) any {
	if old.Sensitive {
		return old.Digest
	}
	return old.Value
}

func sameOutput(s *state.State, old state.Output, now hclspec.OutputValue) bool {
	if old.Sensitive != now.Sensitive {
		return false
	}
	if now.Sensitive {
		return old.Digest == s.Digest(now.Value)
	}
	return reflect.DeepEqual(jsonForm(old.Value), jsonForm(now.Value))
}
