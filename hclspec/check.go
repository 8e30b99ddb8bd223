package hclspec

import (
	"maps"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
)

// CheckResult is what became of a check block.
type CheckResult struct {
	Module, Name string // as in addrs.Resource
	Status       CheckStatus
	Problems     []string // the messages of the assertions that do not hold
}

// evaluateChecks are the results of the check blocks, with warnings of what is known not to hold.
func evaluateChecks(pre *Preview, results map[Block]*result, complete func(*block) bool) (all []CheckResult, warnings hcl.Diagnostics) {
	p := pre.program
	for _, b := range p.names.inOrder {
		n, ok := b.node.(checkNode)
		if !ok {
			continue
		}
		c := CheckResult{Module: b.name.Module, Name: b.name.Name, Status: CheckUnknown}
		var diags hcl.Diagnostics
		if complete(b) {
			tooMuch := p.spend(b, func() { diags = evaluateCheck(pre, b, n.decl, results, &c) })
			diags = append(diags, tooMuch...)
		}
		for _, d := range diags {
			d.Severity = hcl.DiagWarning
		}
		all, warnings = append(all, c), append(warnings, p.withChain(b, forDisplay(diags))...)
	}
	return all, warnings
}

// evaluateCheck reads the data blocks of a check, and evaluates its assertions.
func evaluateCheck(pre *Preview, b *block, decl *config.CheckBlock, results map[Block]*result, c *CheckResult) hcl.Diagnostics {
	results = maps.Clone(results)
	var diags hcl.Diagnostics
	for _, d := range decl.Data {
		name := Block{Module: b.name.Module, Type: "data." + d.Kind, Name: d.Name}
		if res := results[name]; res != nil {
			read, problems := readForCheck(pre, dataNode{d}, res)
			results[name], diags = read, append(diags, problems...)
		}
	}
	c.Status = CheckPass
	if diags.HasErrors() {
		c.Status = CheckError
	}
	scope := pre.program.scope(b, results)
	for _, assert := range decl.Asserts {
		o := evaluateCondition(assert, scope)
		c.Status = c.Status.Or(o.status)
		if o.status == CheckFail {
			c.Problems = append(c.Problems, o.message)
		}
		diags = append(diags, o.report("Check block assertion failed", assert, scope)...)
	}
	return diags
}

// readForCheck reads what a data block of a check asks for as it is now, other than what the configuration itself makes.
func readForCheck(pre *Preview, n dataNode, res *result) (*result, hcl.Diagnostics) {
	p, now := pre.program, *res
	now.asked = append([]asked(nil), res.asked...)
	var diags hcl.Diagnostics
	for i, a := range now.asked {
		if p.opts.Read == nil || a.query.Kind == nil || pre.related.own(a) != nil {
			continue
		}
		a.query.Fresh = true
		objects, problems := p.opts.Read(p.reading, a.query)
		if diags = append(diags, problems...); problems.HasErrors() {
			continue
		}
		missing := n.missing(a.query, objects)
		if diags = append(diags, missing...); len(missing) == 0 {
			now.asked[i].value = n.value(a.query.Kind, objects).WithMarks(a.value.Marks())
			diags = append(diags, n.postconditions(now.asked[i])...)
		}
	}
	if len(now.asked) > 0 {
		now.value = n.of(now.asked)
	}
	return &now, diags
}
