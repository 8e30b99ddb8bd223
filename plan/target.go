package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/state"
)

// scope is which objects a plan is about: all of them, or those that -target
// and -exclude leave.
type scope struct {
	limited bool
	in      map[addrs.Instance]bool
	any     map[addrs.Resource]bool // those of which an instance is in scope
}

func (s scope) has(addr addrs.Instance) bool { return !s.limited || s.in[addr] }

// Matches reports whether an address that a user gave means the instance: the
// address of a resource means all its instances, that of a module all in it.
func Matches(given, addr addrs.Instance) bool {
	return given.Means(addr)
}

// anyMatches reports whether one of the addresses that a user gave means the instance.
func anyMatches(given []addrs.Instance, addr addrs.Instance) bool {
	return slices.ContainsFunc(given, func(given addrs.Instance) bool { return Matches(given, addr) })
}

// scopeOf works out what -target and -exclude leave. A target brings along what
// it needs; what is excluded excludes what needs it, too. For objects that are to be
// deleted it is the other way round: what needs them is deleted first, and what stays
// keeps what it needs.
func scopeOf(in Input, s *state.State, preview previewer) (scope, hcl.Diagnostics) {
	options := in.named()
	if len(options) == 0 {
		return scope{}, nil
	}
	needs, diags := needsOf(in, s, preview)
	if diags.HasErrors() {
		return scope{}, diags
	}
	var picked []addrs.Instance
	for _, o := range options {
		meant, err := pick(in, needs, o)
		if err != nil {
			diags = append(diags, err)
		} else if o.limits() {
			picked = append(picked, meant...)
		}
	}
	if diags.HasErrors() || len(in.Targets)+len(in.Excludes) == 0 {
		return scope{}, diags
	}
	selected := scope{limited: true, in: map[addrs.Instance]bool{}, any: map[addrs.Resource]bool{}}
	if len(in.Excludes) > 0 {
		excluded := needs.excludedWith(picked, in.Mode)
		for _, addr := range needs.Nodes() {
			selected.in[addr] = !excluded[addr]
		}
	} else {
		selected.in = needs.targetedWith(picked)
	}
	for addr, in := range selected.in {
		if in {
			selected.any[addr.Resource] = true
		}
	}
	return selected, append(diags, &hcl.Diagnostic{
		Severity: hcl.DiagWarning,
		Summary:  fmt.Sprintf("The plan is limited by %s or %s", option.Target, option.Exclude),
		Detail: "It does not show everything that the configuration asks for. " +
			"These options are for exceptional situations, such as recovering from a mistake. Plan without them afterwards.",
	})
}

// neededBy is which instance needs which, of the configuration and of the state.
type neededBy struct {
	graph.Graph[addrs.Instance]
	declared map[addrs.Instance]bool // those of the configuration, unless all is to be deleted
}

// targetedWith are instances with what is planned together with them.
func (g *neededBy) targetedWith(picked []addrs.Instance) map[addrs.Instance]bool {
	targeted := map[addrs.Instance]bool{}
	for _, addr := range picked {
		if g.declared[addr] {
			addAll(targeted, g.Closure(addr), nil)
		} else {
			addAll(targeted, g.Dependents(addr), g.isDeleted)
		}
	}
	return targeted
}

// excludedWith are instances with what is left out together with them.
func (g *neededBy) excludedWith(picked []addrs.Instance, mode Mode) map[addrs.Instance]bool {
	excluded := map[addrs.Instance]bool{}
	addAll(excluded, picked, nil)
	if mode != Destroy { // whoever destroys all but an object wants what needs it destroyed
		addAll(excluded, g.Dependents(picked...), nil)
	}
	addAll(excluded, g.Closure(slices.DeleteFunc(slices.Collect(maps.Keys(excluded)), g.isDeclared)...), g.isDeleted)
	return excluded
}

func (g *neededBy) isDeclared(addr addrs.Instance) bool { return g.declared[addr] }

func (g *neededBy) isDeleted(addr addrs.Instance) bool { return !g.declared[addr] }

// addAll adds the instances that are wanted, all of them where wanted is nil.
func addAll(to map[addrs.Instance]bool, all []addrs.Instance, wanted func(addrs.Instance) bool) {
	for _, addr := range all {
		if wanted == nil || wanted(addr) {
			to[addr] = true
		}
	}
}

func needsOf(in Input, s *state.State, preview previewer) (*neededBy, hcl.Diagnostics) {
	g := &neededBy{declared: map[addrs.Instance]bool{}}
	if in.Mode != Destroy {
		wanted := preview()
		if diags := wanted.Problems(noResource); diags.HasErrors() {
			return nil, diags
		}
		for _, d := range wanted.Desired() {
			g.Add(d.Addr)
			g.declared[d.Addr] = true
			for _, need := range slices.Concat(d.Dependencies, d.Awaits) {
				g.Connect(d.Addr, need)
			}
		}
	}
	for _, o := range s.Objects {
		if g.declared[o.Addr] {
			continue
		}
		g.Add(o.Addr)
		for _, need := range o.Dependencies {
			g.Connect(o.Addr, need)
		}
	}
	return g, nil
}

// noResource leaves out the outputs that any resource goes into: they may not be in
// the scope, which is not known yet.
func noResource(addrs.Resource) bool { return false }

// wasThere reports whether an address that has no object is none that was misspelled:
// an interrupted run has deleted its object, or what is to be deleted was never made.
func wasThere(in Input, addr addrs.Instance) bool {
	return slices.ContainsFunc(in.State.Pending, func(p state.Pending) bool { return Matches(addr, p.Addr) }) ||
		slices.ContainsFunc(in.State.Objects, func(o state.Object) bool { return Matches(addr, o.Addr) }) ||
		in.Mode == Destroy && in.Config.Resource(addr.Resource) != nil
}

// pick finds the instances that an option means. There are none where what it means is
// gone.
func pick(in Input, g *neededBy, o addressOption) ([]addrs.Instance, *hcl.Diagnostic) {
	var (
		picked []addrs.Instance
		names  []string
	)
	for _, addr := range g.Nodes() {
		names = append(names, addr.String(), addr.Resource.String())
		if Matches(o.addr, addr) {
			picked = append(picked, addr)
		}
	}
	if len(picked) > 0 || wasThere(in, o.addr) {
		return picked, nil
	}
	problem := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "No such address"}
	problem.Detail = fmt.Sprintf("%s is neither in the configuration nor in the state.", o.addr)
	if in.Mode == Destroy {
		problem.Detail = fmt.Sprintf("%s is not in the state, which lists the objects to delete.", o.addr)
	}
	if at, ok := in.Written[o.addr]; ok {
		problem.Subject = &at
	} else {
		problem.Detail = o.String() + ": " + problem.Detail
	}
	problem.Detail += words.Suggest(o.addr.String(), names)
	return nil, problem
}

// addressOption is an option that names objects by an address.
type addressOption struct {
	name string
	addr addrs.Instance
}

// String is the option as written on a command line.
func (o addressOption) String() string { return fmt.Sprintf("-%s='%s'", o.name, o.addr) }

// limits reports whether the option is about which objects are planned at all.
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

// warnIneffective warns of options that make no difference to the plan: whoever gave them
// expects something else of it.
func warnIneffective(in Input, plan *Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, o := range in.named() {
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

// idleIn is why the option makes no difference to the plan, "" if it does.
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
	case len(meant) == 0 && !plan.Limited():
		return "there is no such object any more"
	case len(meant) == 0:
		return "this plan excludes the object"
	case o.name == "allow-data-loss":
		return fmt.Sprintf("the object would %s, which loses no data", actionPhrases[meant[0].Action])
	case o.name == "adopt" && meant[0].Action != Create && meant[0].Action != Delete:
		return "this stack already manages the object"
	case meant[0].Action == Create:
		return "the object does not exist, and would be created"
	}
	return fmt.Sprintf("the object would %s", actionPhrases[meant[0].Action])
}
