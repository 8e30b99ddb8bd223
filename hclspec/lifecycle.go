package hclspec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// checkLifecycle reports field paths in the lifecycle block that the kind does not have.
func checkLifecycle(l *config.Lifecycle, kind *kinds.Kind) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, argument := range []struct {
		name  string
		paths []addrs.Path
	}{
		{"ignore_changes", l.IgnoreChanges}, {"force_conflicts", l.ForceConflicts}, {"exclusive", l.Exclusive}, {"replace_on", l.ReplaceOn},
	} {
		for _, path := range argument.paths {
			if what := missingField(path, kind); what != "" {
				diags = append(diags, source.Problem("Unknown field", l.Ranges[path], "In %s, %s: %s", argument.name, path, what)...)
			}
		}
	}
	return diags
}

// checkWait reports what the wait block expects of an object that the kind does not have.
func checkWait(w *config.Wait, kind *kinds.Kind) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if w.Rollout != nil && (kind.Group != "apps" || !slices.Contains(rolloutKinds, kind.Name)) {
		diags = append(diags, source.Problem("Invalid argument", w.RolloutRange,
			"%s has no rollout: rollout is for Deployments, StatefulSets and DaemonSets.",
			manifest.UpperFirst(manifest.WithArticle(kind.Name)))...)
	}
	for _, f := range w.Fields {
		if what := missingField(f.Path, kind); what != "" {
			diags = append(diags, source.Problem("Unknown field", f.Range, "%s: %s", f.Path, what)...)
			continue
		}
		switch field := kind.At(f.Path); field.Type {
		case kinds.Object, kinds.Map, kinds.List:
			if f.Value != nil || f.Pattern != nil {
				diags = append(diags, source.Problem("Invalid field", f.Range,
					"%s is %s: only single values, such as strings and numbers, can be compared.", f.Path, manifest.Describe(field))...)
			}
		}
	}
	return diags
}

// rolloutKinds are those whose controllers roll out changes gradually.
var rolloutKinds = []string{"Deployment", "StatefulSet", "DaemonSet"}

// missingField describes what is wrong with a field path in an object of the kind, or is "".
func missingField(path addrs.Path, kind *kinds.Kind) string {
	var parent addrs.Path
	for _, step := range path.Steps() {
		owner, at := kind.At(parent), parent
		parent = parent.Append(step)
		if kind.At(parent) != nil {
			continue
		}
		name := kind.Name
		if !at.IsZero() {
			name = at.String()
		}
		if !step.IsField() || owner.Type != kinds.Object {
			return fmt.Sprintf("%s is %s.", name, manifest.Describe(owner))
		}
		var names []string
		for _, f := range owner.Fields() {
			names = append(names, f.Name)
		}
		return fmt.Sprintf("%s has no field %q.%s", name, step.Field, manifest.SuggestField(step.Field, names))
	}
	return ""
}

// evaluateLifecycle evaluates the expressions in the lifecycle block for one instance.
func (p *program) evaluateLifecycle(i *instance, l *config.Lifecycle, scope *hcl.EvalContext) {
	if l.ProtectIf != nil {
		i.protect(l.ProtectIf, scope)
	}
	for _, expr := range l.Triggers {
		i.triggeredBy(expr, scope)
	}
	for _, check := range l.Preconditions {
		i.take(check.Condition, scope)
		i.diags = append(i.diags, condition("Resource precondition failed", check, scope)...)
	}
	if len(l.Postconditions) > 0 {
		i.scope = scope
	}
}

// take adds what an expression is made of to what the instance needs, and returns its value.
func (i *instance) take(expr hcl.Expression, scope *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
	value, diags := funcs.Evaluate(expr, scope)
	plain, marks := value.UnmarkDeep()
	i.origins.Take(marks)
	return plain, diags
}

// protect sets prevent_destroy.
func (i *instance) protect(expr hcl.Expression, scope *hcl.EvalContext) {
	value, diags := i.take(expr, scope)
	i.diags = append(i.diags, diags...)
	on, err := convert.Convert(value, cty.Bool)
	switch {
	case diags.HasErrors():
	case err != nil || on.IsNull():
		i.diags = append(i.diags, source.ProblemIn("Invalid value", expr, scope, "prevent_destroy is true or false, and this is %s.",
			manifest.DescribeValue(value))...)
	default:
		i.Lifecycle.PreventDestroy = !on.IsKnown() || on.True() // better once too often
	}
}

// triggeredBy adds what a reference in replace_triggered_by leads to.
func (i *instance) triggeredBy(expr hcl.Expression, scope *hcl.EvalContext) {
	f := &useFinder{}
	f.expr(expr)
	if len(f.uses) == 0 || len(f.uses[0].steps) == 0 || f.uses[0].at != expr.Range() ||
		!source.IsKindName(f.uses[0].root) && f.uses[0].root != addrs.Manifests {
		i.diags = append(i.diags, source.Problem("Invalid replace_triggered_by", expr.Range(),
			"replace_triggered_by holds references to resources or to values of them, such as ConfigMap.settings or Secret.tls.data.")...)
		return
	}
	value, diags := funcs.Evaluate(expr, scope)
	if diags.HasErrors() {
		i.diags = append(i.diags, diags...)
		return
	}
	_, marks := value.UnmarkDeep()
	var from manifest.Origins
	from.Take(marks)
	i.origins.Add(from)
	steps := f.uses[0].steps[1:]
	if len(steps) > 0 && steps[0].isKey() {
		steps = steps[1:]
	}
	for _, of := range from.Sorted(i.Addr) {
		if of.Resource.Type == f.uses[0].root && of.Resource.Name == f.uses[0].steps[0].name {
			i.Triggers = append(i.Triggers, Trigger{of, pathOf(steps)})
		}
	}
}
