package hclspec

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds/lint"
)

// Lint is the configuration to look for what is wrong between its objects.
func (pre *Preview) Lint() *lint.Configuration { return pre.linted.configuration }

// linted are the objects of a configuration as they are checked against each other.
type linted struct {
	configuration *lint.Configuration
	desired       map[*lint.Object]*Desired
}

func newLinted(pre *Preview) linted {
	l := linted{desired: map[*lint.Object]*Desired{}}
	open := map[addrs.GroupKind]bool{}
	for _, b := range pre.program.names.inOrder {
		switch res := pre.results[b.name]; {
		case res == nil || !res.unexpanded:
		case res.kind == nil:
			open[addrs.GroupKind{}] = true
		default:
			open[res.kind.GroupKind()] = true
		}
	}
	var objects []*lint.Object
	for _, d := range pre.Desired() {
		o := &lint.Object{Addr: d.Addr, Object: d.Object, Kind: d.Kind, Fields: d.Fields, Unknown: d.Unknown, Sensitive: d.Sensitive,
			Ignored: d.Lifecycle.IgnoreChanges}
		if d.Unknown.Covers(metadataName) { // any of its kind may be this one
			open[d.Kind.GroupKind()] = true
		}
		l.desired[o] = d
		objects = append(objects, o)
	}
	l.configuration = lint.New(objects, open)
	return l
}

// Warnings are what the API server would accept and what can't work, of the resources for
// which only, when set, is true.
func (pre *Preview) Warnings(only func(addrs.Resource) bool) hcl.Diagnostics {
	return pre.Report(pre.linted.configuration.Warnings(), only)
}

// Violations are errors: values that the definition of a custom kind, in this configuration,
// does not allow.
func (pre *Preview) Violations() hcl.Diagnostics {
	return pre.Report(pre.linted.configuration.Violations(), nil)
}

// Unmatched are warnings of selectors that match no pod, as far as that can be told without
// a cluster.
func (pre *Preview) Unmatched(only func(addrs.Resource) bool) hcl.Diagnostics {
	var found []lint.Finding
	for _, u := range pre.linted.configuration.Unmatched() {
		if u.IsCertain() {
			found = append(found, u.Finding())
		}
	}
	return pre.Report(found, only)
}

// Report makes diagnostics of findings, one for all instances of a resource, without
// the resources for which only, when set, is false.
func (pre *Preview) Report(findings []lint.Finding, only func(addrs.Resource) bool) hcl.Diagnostics {
	type place struct {
		of            addrs.Resource
		path, summary string
	}
	first, others := map[place]*hcl.Diagnostic{}, map[place]int{}
	var diags hcl.Diagnostics
	for _, f := range findings {
		at := place{f.Of.Addr.Resource, f.Path.String(), f.Summary}
		switch {
		case only != nil && !only(at.of):
		case first[at] != nil:
			others[at]++
		default:
			first[at] = pre.report(f)
			diags = append(diags, first[at])
		}
	}
	for at, n := range others {
		first[at].Detail += fmt.Sprintf(" The same is true of %s of %s.", words.Count(n, "other instance"), at.of)
	}
	source.SortDiagnostics(diags)
	return diags
}

func (pre *Preview) report(f lint.Finding) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: f.Summary, Detail: f.Detail, Extra: f.Of.Addr,
		Subject: pre.linted.desired[f.Of].RangeOf(f.Path).Ptr()}
	if f.Error {
		d.Severity = hcl.DiagError
	}
	return d
}
