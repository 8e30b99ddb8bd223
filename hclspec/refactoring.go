package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// checkRefactoring reports import blocks of instances that do not exist, and moved and removed blocks
// of instances that do.
func (pre *Preview) checkRefactoring(c *config.Config) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, i := range c.Imports {
		if res := pre.results[resourceBlock(i.To.Resource)]; !i.To.Key.IsZero() && res != nil && !res.unexpanded && !res.has(i.To) {
			diags = append(diags, source.Problem("Reference to undeclared instance", i.ToRange,
				"There is no instance %s to import into.%s", i.To, words.Suggest(i.To.String(), res.addresses()))...)
		}
	}
	for _, m := range c.Moved {
		isWhole := m.From.Key.IsZero() && m.To.Key.IsZero() // which was checked before
		if res := pre.results[resourceBlock(m.From.Resource)]; !isWhole && res != nil && !res.unexpanded && res.has(m.From) {
			diags = append(diags, source.Problem("Moved object still exists", m.FromRange,
				"The configuration still declares %s. Remove that instance, or delete this block.", m.From)...)
		}
	}
	for _, r := range c.Removed {
		if res := pre.results[resourceBlock(r.From.Resource)]; !r.From.Key.IsZero() && res != nil && !res.unexpanded && res.has(r.From) {
			diags = append(diags, source.Problem("Removed resource still exists", r.FromRange,
				"The configuration still declares %s. Remove that instance, or delete this block.", r.From)...)
		}
	}
	return diags
}

func (r *result) has(addr addrs.Instance) bool {
	for _, i := range r.instances {
		if i.Addr == addr {
			return true
		}
	}
	return false
}

func (r *result) addresses() []string {
	var all []string
	for _, i := range r.instances {
		all = append(all, i.Addr.String())
	}
	return all
}
