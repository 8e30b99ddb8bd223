package hclspec

import (
	"fmt"
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
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

// located says of what is wrong in a module where that is called. What is wrong with a definition is
// reported once, for the first of its instances that has it.
func (p *program) located(b *block, diags hcl.Diagnostics) hcl.Diagnostics {
	if b.scope.parent == nil {
		return diags
	}
	return p.inModules.located(diags, p.declared.chain(b.scope.declared, b.scope.path))
}

// withChain says of what is wrong in a module where that is called.
func (p *program) withChain(b *block, diags hcl.Diagnostics) hcl.Diagnostics {
	if b.scope.parent != nil {
		for _, d := range diags {
			d.Detail += p.declared.chain(b.scope.declared, b.scope.path)
		}
	}
	return diags
}

// located adds the chain of calls to diagnostics that are new.
func (r *reporter) located(diags hcl.Diagnostics, chain string) hcl.Diagnostics {
	var fresh hcl.Diagnostics
	for _, d := range diags {
		if r.isNew(d) {
			d.Detail += chain
			fresh = append(fresh, d)
		}
	}
	return fresh
}

// chain says where a module is called, for a message about something in it.
func (n *names) chain(declared, path string) string {
	parent, name := cutLastCall(declared)
	at := n.byBlock[Block{Module: parent, Type: "module", Name: name}].at
	text := fmt.Sprintf(" This is in %s, which is called at %s:%d", path, at.Filename, at.Start.Line)
	for parent != "" {
		parent, name = cutLastCall(parent)
		at := n.byBlock[Block{Module: parent, Type: "module", Name: name}].at
		text += fmt.Sprintf(", which is called at %s:%d", at.Filename, at.Start.Line)
	}
	return text + "."
}

// conditionOutcome is what a condition came to.
type conditionOutcome struct {
	status  CheckStatus
	message string // of a condition that is not met
	diags   hcl.Diagnostics
}

func evaluateCondition(check *config.Check, scope *hcl.EvalContext) (o conditionOutcome) {
	var passed, known bool
	passed, known, o.diags = check.Passes(scope)
	switch {
	case o.diags.HasErrors():
		o.status = CheckError
	case !known:
		o.status = CheckUnknown
	case passed:
		o.status = CheckPass
	default:
		var problems hcl.Diagnostics
		o.status = CheckFail
		o.message, problems = check.Message(displayScope(scope))
		o.diags = append(o.diags, problems...)
	}
	return o
}

// report is what is wrong: that the condition is not met, or can't be evaluated.
func (o conditionOutcome) report(summary string, check *config.Check, scope *hcl.EvalContext) hcl.Diagnostics {
	if o.status != CheckFail {
		return o.diags
	}
	return append(o.diags, source.ProblemIn(summary, check.Condition, scope, "%s", o.message)...)
}

func conditions(summary string, checks []*config.Check, scope *hcl.EvalContext) (diags hcl.Diagnostics) {
	for _, check := range checks {
		diags = append(diags, condition(summary, check, scope)...)
	}
	return diags
}

// condition checks a condition as far as it is known.
func condition(summary string, check *config.Check, scope *hcl.EvalContext) hcl.Diagnostics {
	return evaluateCondition(check, scope).report(summary, check, scope)
}
