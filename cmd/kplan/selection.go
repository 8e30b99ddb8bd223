package main

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// selection says which objects a plan is about, and what it may do to some.
type selection struct {
	destroy, refreshOnly                             bool
	targets, excludes, replace, adopt, allowDataLoss addresses
	targetFiles, excludeFiles                        paths                        // of which read takes more targets and excludes
	written                                          map[addrs.Instance]hcl.Range // by an address in such a file, where it stands
}

// limitFlags are those that a plan to destroy takes as well.
func (o *selection) limitFlags() []cli.Flag {
	return []cli.Flag{
		value("target", &o.targets, "Limit the plan to the object at `ADDRESS` and what it needs. May be repeated."),
		value("exclude", &o.excludes, "Leave out the object at `ADDRESS` and what needs it. May be repeated."),
		value("target-file", &o.targetFiles, "Limit the plan to the objects whose addresses `FILE` holds, one a line, and what they need. Lines that begin with # are comments. May be repeated."),
		value("exclude-file", &o.excludeFiles, "Leave out the objects whose addresses `FILE` holds, and what needs them. May be repeated."),
		value("allow-data-loss", &o.allowDataLoss, "Let the deletion of the object at `ADDRESS` take along what this stack does not manage. May be repeated."),
	}
}

func (o *selection) flags() []cli.Flag {
	return append([]cli.Flag{
		on("destroy", &o.destroy, "Plan the deletion of every object that the state holds, instead of what the configuration wants."),
		on("refresh-only", &o.refreshOnly, "Show what was changed outside of kplan since it last applied, and change nothing in the cluster. Applied, it is taken as known."),
		value("replace", &o.replace, "Delete the object at `ADDRESS` and make it anew. May be repeated."),
		value("adopt", &o.adopt, "Take over the object that the resource at `ADDRESS` names, though kplan did not make it. May be repeated."),
	}, o.limitFlags()...)
}

func (o *selection) mode() plan.Mode {
	switch {
	case o.destroy:
		return plan.Destroy
	case o.refreshOnly:
		return plan.RefreshOnly
	}
	return plan.Normal
}

// check refuses options that contradict one another.
func (o *selection) check() error {
	switch {
	case len(o.targets)+len(o.targetFiles) > 0 && len(o.excludes)+len(o.excludeFiles) > 0:
		return &usageError{summary: "Invalid combination of arguments", detail: "-target and -exclude, or files of theirs, can't be used together: one says what to plan, the other what not to."}
	case o.destroy && o.refreshOnly:
		return &usageError{summary: "Incompatible plan mode options", detail: "-destroy deletes everything and -refresh-only changes nothing: give one of them."}
	case (o.destroy || o.refreshOnly) && len(o.replace)+len(o.adopt) > 0:
		return &usageError{summary: "Incompatible plan mode options", detail: "-replace and -adopt are for a plan that makes objects, not for -destroy or -refresh-only."}
	case o.refreshOnly && len(o.allowDataLoss) > 0:
		return &usageError{summary: "Incompatible plan mode options", detail: "-refresh-only deletes nothing, so that -allow-data-loss has nothing to allow."}
	}
	return nil
}

// isGiven says whether any of the options is.
func (o *selection) isGiven() bool {
	return o.destroy || o.refreshOnly || len(o.targetFiles)+len(o.excludeFiles) > 0 ||
		len(o.targets)+len(o.excludes)+len(o.replace)+len(o.adopt)+len(o.allowDataLoss) > 0
}

// selected is the selection that a saved plan was made with, so that it can be
// made anew. What it allowed to be lost is allowed again: that nothing else is
// lost now is verified.
func selected(p *plan.Plan) selection {
	return selection{
		destroy:       p.Mode == plan.Destroy,
		refreshOnly:   p.Mode == plan.RefreshOnly,
		targets:       p.Targets,
		excludes:      p.Excludes,
		replace:       p.Replace,
		adopt:         p.Adopt,
		allowDataLoss: p.AllowDataLoss,
	}
}

// addresses are those that a repeated flag names.
type addresses []addrs.Instance

func (a *addresses) Set(text string) error {
	addr, err := addrs.ParseInstance(text)
	if err != nil {
		return err
	}
	*a = append(*a, addr)
	return nil
}

func (a *addresses) String() string { return strings.Join(texts(*a), ", ") }
