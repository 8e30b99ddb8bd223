package hclspec

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
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
