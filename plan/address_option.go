package plan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
)

// addressOption is an option that names objects by an address.
type addressOption struct {
	name string
	addr addrs.Instance
}

// String is the option as it stands on a command line.
func (o addressOption) String() string { return fmt.Sprintf("-%s='%s'", o.name, o.addr) }

// limits says whether the option is about which objects are planned at all.
func (o addressOption) limits() bool { return o.name == "target" || o.name == "exclude" }

// named are the options that name objects.
func (in Input) named() []addressOption {
	var options []addressOption
	for _, given := range []struct {
		name  string
		addrs []addrs.Instance
	}{
		{"target", in.Targets}, {"exclude", in.Excludes}, {"replace", in.Replace}, {"adopt", in.Adopt}, {"allow-data-loss", in.AllowDataLoss},
	} {
		for _, addr := range given.addrs {
			options = append(options, addressOption{given.name, addr})
		}
	}
	return options
}

// idle warns of options that make no difference to the plan: whoever gave them
// expects something else of it.
func (p *planner) idle(plan *Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, o := range p.named() {
		if why := o.idleIn(plan); why != "" {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagWarning,
				Summary:  "Option without effect",
				Detail:   fmt.Sprintf("%s makes no difference: %s.", o, why),
			})
		}
	}
	return diags
}

// idleIn says why the option makes no difference to the plan, "" if it does.
func (o addressOption) idleIn(plan *Plan) string {
	does := map[string]func(*Change) bool{
		"replace":         func(c *Change) bool { return c.Action == Replace },
		"adopt":           func(c *Change) bool { return c.Action == Adopt },
		"allow-data-loss": func(c *Change) bool { return len(c.destructive()) > 0 },
	}[o.name]
	if does == nil {
		return ""
	}
	var meant []*Change
	for _, c := range plan.Changes {
		if Matches(o.addr, c.Addr) {
			meant = append(meant, c)
		}
	}
	switch {
	case slices.ContainsFunc(meant, does):
		return ""
	case len(meant) == 0:
		return "this plan leaves the object out"
	case o.name == "allow-data-loss":
		return fmt.Sprintf("the object would %s, and nothing is lost by that", fates[meant[0].Action])
	case o.name == "adopt" && meant[0].Action != Create && meant[0].Action != Delete:
		return "the object is kplan's already"
	case meant[0].Action == Create:
		return "there is no such object yet, and it would be created"
	}
	return fmt.Sprintf("the object would %s", fates[meant[0].Action])
}
