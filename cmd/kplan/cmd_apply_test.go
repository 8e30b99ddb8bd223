package main

import (
	"errors"
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// TestDestroyQuestion: the question says how much of the stack would be destroyed.
func TestDestroyQuestion(t *testing.T) {
	p := &plan.Plan{Mode: plan.Destroy, Changes: []*plan.Change{{Action: plan.Delete}, {Action: plan.Delete}}}
	if q := approvalOf(p, 2); !strings.Contains(q.Title, "all resources") {
		t.Errorf("everything: %s", q.Title)
	}
	p.Targets = []addrs.Instance{{Resource: addrs.Resource{Type: "Pod", Name: "web"}}}
	q := approvalOf(p, 30)
	isAll := strings.Contains(q.Title, "all resources") || strings.Contains(q.Text, "all your")
	if isAll || !strings.Contains(q.Text, "2 objects shown above, of 30") {
		t.Errorf("targets: %s %s", q.Title, q.Text)
	}
	if q := approvalOf(p, 2); !strings.Contains(q.Title, "all resources") {
		t.Errorf("targets that are everything: %s", q.Title)
	}
}

// TestCapital: the name of a file keeps its letters.
func TestCapital(t *testing.T) {
	for text, want := range map[string]string{
		"the state is damaged":    "The state is damaged",
		"main.hcl is not":         "main.hcl is not",
		"tenants/acme: not found": "tenants/acme: not found",
		"open: denied":            "Open: denied",
		"no. It was not":          "No. It was not",
	} {
		if got := capital(errors.New(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
