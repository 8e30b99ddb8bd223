package hclspec

import (
	"fmt"
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
)

// reporter collects the diagnostics of the instances of a block, each once and for the first
// instance that has it.
type reporter struct {
	diags hcl.Diagnostics
	seen  map[string]struct{}
}

func (r *reporter) report(of addrs.Instance, diags hcl.Diagnostics) {
	for _, d := range diags {
		if r.isNew(d) {
			if d.Extra == nil {
				d.Extra = of
			}
			r.diags = append(r.diags, d)
		}
	}
}

// add collects diagnostics that are not about an instance, or name it already.
func (r *reporter) add(diags hcl.Diagnostics) {
	for _, d := range diags {
		if r.isNew(d) {
			r.diags = append(r.diags, d)
		}
	}
}

func (r *reporter) isNew(d *hcl.Diagnostic) bool {
	key := sameness(d)
	if _, again := r.seen[key]; again {
		return false
	}
	if r.seen == nil {
		r.seen = map[string]struct{}{}
	}
	r.seen[key] = struct{}{}
	return true
}

// sameness is equal for diagnostics that read the same.
func sameness(d *hcl.Diagnostic) string {
	key := d.Summary + "\x00" + d.Detail
	if d.Subject != nil {
		key += fmt.Sprintf("\x00%s:%d:%d", d.Subject.Filename, d.Subject.Start.Byte, d.Subject.End.Byte)
	}
	return key
}

// forDisplay removes the marks for evaluation from the values that diagnostics show. Those of
// secrets stay.
func forDisplay(diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if d.EvalContext != nil && d.Expression != nil {
			d.EvalContext = displayScope(d.EvalContext)
		}
	}
	return diags
}

func displayScope(scope *hcl.EvalContext) *hcl.EvalContext {
	if scope == nil {
		return nil
	}
	var shown *hcl.EvalContext
	if above := displayScope(scope.Parent()); above != nil {
		shown = above.NewChild()
	} else {
		shown = &hcl.EvalContext{}
	}
	shown.Functions = scope.Functions
	shown.Variables = maps.Clone(scope.Variables)
	for name, value := range shown.Variables {
		shown.Variables[name] = withoutOrigins(value)
	}
	return shown
}

func withoutOrigins(value cty.Value) cty.Value {
	plain, err := value.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if mark == funcs.Sensitive {
			return ctymarks.WrangleKeep, nil
		}
		return ctymarks.WrangleDrop, nil
	})
	if err != nil {
		return cty.DynamicVal
	}
	return plain
}
