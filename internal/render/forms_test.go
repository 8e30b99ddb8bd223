package render

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/impact"
)

const adoptedFromStack = `
metadata:
  name: c
  namespace: acme
  labels: {kplan.dev/stack: other-stack}
  annotations: {kplan.dev/address: ConfigMap.theirs}
  managedFields:
  - {manager: kplan, operation: Apply, apiVersion: v1, fieldsV1: {"f:metadata": {"f:labels": {"f:kplan.dev/stack": {}}}}}
data: {a: "1"}
`

// TestEveryForm: what a plan remarks about an object stands in the text, in Markdown and in
// JSON.
func TestEveryForm(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	field := addrs.NewPath("data", "a")
	theirs := plan.Drift{Path: field, Manager: "kubectl-patch", Time: at}
	other := addrs.Resource{Type: "ConfigMap", Name: "other"}.Instance(addrs.Key{})
	const live = "metadata: {name: c, namespace: acme}\ndata: {a: \"1\"}\n"
	change := func(action plan.Action, edit func(*plan.Change)) *plan.Plan {
		return planOf(t, changed{addr: "ConfigMap.c", namespace: "acme", name: "c", action: action, before: live, after: live, edit: edit})
	}
	of := func(effect impact.Effect) *plan.Plan {
		return change(plan.Delete, func(c *plan.Change) {
			c.After = nil
			kind, names := addrs.GroupKind{Kind: "Pod"}, []string{"acme/x", "acme/y"}
			c.Consequences = []impact.Consequence{{Effect: effect, Kind: kind, Count: 2, Names: names}}
		})
	}
	for _, test := range []struct {
		name string
		plan *plan.Plan
		text []string // in text and in Markdown
		json []string
	}{
		{"drift", change(plan.Update, func(c *plan.Change) { c.Drift = []plan.Drift{theirs} }),
			[]string{`changed outside of kplan: data.a by "kubectl-patch" on 2026-01-02T03:04:05Z`},
			[]string{`"resource_drift":`, `"drift":[{"path":"data.a","manager":"kubectl-patch","time":"2026-01-02T03:04:05Z"}]`}},
		{"taken", change(plan.Update, func(c *plan.Change) { c.Taken = []plan.Drift{theirs} }),
			[]string{`taken from "kubectl-patch": data.a`}, []string{`"taken":[{"path":"data.a","manager":"kubectl-patch"`}},
		{"unmanaged", change(plan.Update, func(c *plan.Change) { c.Unmanaged = []plan.Drift{theirs} }),
			[]string{"Others have set 1 field in 1 object"}, []string{`"unmanaged":[{"path":"data.a","manager":"kubectl-patch"`, `"value":"1"`}},
		{"read of others", change(plan.Update, func(c *plan.Change) { c.UnmanagedReads = []plan.UnmanagedRead{{Addr: other, Drift: theirs}} }),
			[]string{`reads from ConfigMap.other what "kubectl-patch" has set there on 2026-01-02T03:04:05Z: data.a`},
			[]string{`"unmanaged_reads":[{"address":"ConfigMap.other","path":"data.a","manager":"kubectl-patch"`}},
		{"adopted from a tool", change(plan.Adopt, func(c *plan.Change) { c.AdoptedFrom = []string{"helm"} }),
			[]string{`adopts the fields that "helm" applied`, "will be adopted"}, []string{`"adopted_from":["helm"]`, `"importing":`}},
		{"adopted from a stack", change(plan.Adopt, func(c *plan.Change) { c.Before = object(t, adoptedFromStack) }),
			[]string{"adopted from another kplan stack: ConfigMap.theirs of the stack other-stack"},
			[]string{`"previous_stack":"ConfigMap.theirs of the stack other-stack"`}},
		{"relinquished", change(plan.Update, func(c *plan.Change) { c.Relinquished = []plan.Relinquished{{Path: field, Manager: "hpa"}} }),
			[]string{`no longer managed, and kept: data.a, which "hpa" sets, too`}, []string{`"relinquished":[{"path":"data.a","manager":"hpa"}]`}},
		{"newly managed", change(plan.Update, func(c *plan.Change) { c.NewlyManaged = []addrs.Path{field} }),
			[]string{"newly managed, with its present value: data.a"}, []string{`"newly_managed":["data.a"]`}},
		{"set by admission", change(plan.Update, func(c *plan.Change) { c.Admitted = []plan.Admitted{{Path: field, Overrides: true}} }),
			[]string{"admission in the cluster overrides or removes what is configured: data.a"},
			[]string{`"admitted":[{"path":"data.a","overrides":true}]`}},
		{"predicted", change(plan.Create, func(c *plan.Change) {
			c.Before, c.Certainty, c.Why = nil, plan.Predicted, "today the server refuses it: no; Role.r, which would be created, should cure that"
		}), []string{"predicted: today the server refuses it: no; Role.r, which would be created, should cure that"},
			[]string{`"certainty":"predicted"`, `"certainty_reason":"today the server refuses it: no; Role.r, which`}},
		{"known later", change(plan.Create, func(c *plan.Change) { c.Before, c.Unknown = nil, addrs.NewPathSet(field) }),
			[]string{"(known after apply)"}, []string{`"after_unknown":{"data":{"a":true}}`}},
		{"moved", change(plan.NoOp, func(c *plan.Change) { c.Previous = other }),
			[]string{"has moved from ConfigMap.other"}, []string{`"previous_address":"ConfigMap.other"`}},
		{"why", change(plan.Delete, func(c *plan.Change) { c.After, c.Reason = nil, plan.BecauseNotInConfig }),
			[]string{"is not in configuration"}, []string{`"action_reason":"delete_because_no_resource_config"`}},
		{"replaced for", change(plan.Replace, func(c *plan.Change) { c.ReplacePaths = []addrs.Path{field} }),
			[]string{"must be replaced", "data.a"}, []string{`"replace_paths":[["data","a"]]`}},
		{"refused", change(plan.Update, func(c *plan.Change) { c.Blocked = true }),
			[]string{"refused: see the errors"}, []string{`"blocked":true`}},
		{"held by", of(impact.HeldBy), []string{"waits until 2 Pods that use it are gone: acme/x, acme/y"},
			[]string{`"effect":"held-by"`, `"names":["acme/x","acme/y"]`}},
		{"cascades", of(impact.Cascades), []string{"also deletes 2 Pods: acme/x"}, []string{`"effect":"cascades"`}},
		{"cascades to others", of(impact.CascadesUnmanaged), []string{"also deletes 2 Pods that kplan does not manage: acme/x"},
			[]string{`"effect":"cascades-to-unmanaged"`}},
		{"finalizers", of(impact.MayBlock), []string{"waits until 2 finalizers are removed"}, []string{`"effect":"may-block"`}},
		{"loses data", of(impact.LosesData), []string{"loses the data in 2 Pods"}, []string{`"effect":"loses-data"`}},
		{"leaves claims", of(impact.LeavesClaims), []string{"leaves 2 Pods as they are"}, []string{`"effect":"leaves-claims"`}},
		{"releases a volume", of(impact.ReleasesVolume), []string{"releases 2 Pods"}, []string{`"effect":"releases-volume"`}},
		{"uncounted", of(impact.Uncounted), []string{"objects of 2 kinds that this user may not list"}, []string{`"effect":"uncounted"`}},
	} {
		t.Run(test.name, func(t *testing.T) { inEveryForm(t, test.plan, test.text, test.json) })
	}
}

// TestEveryFormOfPlan: the same of what a plan remarks about itself.
func TestEveryFormOfPlan(t *testing.T) {
	skipped := planOf(t)
	skipped.Incomplete = true
	a, b := addrs.Resource{Type: "Pod", Name: "a"}.Instance(addrs.Key{}), addrs.Resource{Type: "Pod", Name: "b"}.Instance(addrs.Key{})
	skipped.Skipped = []hclspec.Skipped{{Addr: a, By: b}}
	warned := planOf(t)
	warned.Warnings = []plan.Warning{{Addr: a, Text: "existing pods violate it"}}
	output := planOf(t)
	output.Outputs = []plan.OutputChange{{Name: "o", Action: plan.Update, Before: "a", After: "b",
		UnmanagedReads: []plan.UnmanagedRead{{Addr: a, Drift: plan.Drift{Path: addrs.NewPath("data", "a"), Manager: "m"}}}}}
	for _, test := range []struct {
		name       string
		plan       *plan.Plan
		text, json []string
	}{
		{"skipped", skipped, []string{"Pod.a (needs Pod.b)"},
			[]string{`"skipped":[{"address":"Pod.a","failed_dependency":"Pod.b"}]`, `"applyable":false`, `"complete":false`, `"errored":true`}},
		{"warned", warned, []string{"Pod.a: existing pods violate it"}, []string{`"severity":"warning"`, "existing pods violate it"}},
		{"output", output, []string{`(o reads from Pod.a what "m" has set there: data.a)`},
			[]string{`"unmanaged_reads":[{"address":"Pod.a","path":"data.a","manager":"m"}]`, `"applyable":true`}},
	} {
		t.Run(test.name, func(t *testing.T) { inEveryForm(t, test.plan, test.text, test.json) })
	}
}

func inEveryForm(t *testing.T, pl *plan.Plan, text, machine []string) {
	t.Helper()
	var plain, markdown, shown, compact bytes.Buffer
	Plan(&plain, pl, Options{})
	Markdown(&markdown, pl, MarkdownOptions{})
	if err := JSON(&shown, pl, "0"); err != nil {
		t.Fatal(err)
	}
	if err := json.Compact(&compact, shown.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, form := range []struct {
		name, has string
		wants     []string
	}{{"text", plain.String(), text}, {"Markdown", markdown.String(), text}, {"JSON", compact.String(), machine}} {
		for _, want := range form.wants {
			if !strings.Contains(form.has, want) {
				t.Errorf("%s lacks %s:\n%s", form.name, want, form.has)
			}
		}
	}
}
