package main

import (
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
	if strings.Contains(q.Title, "all") || strings.Contains(q.Text, "all") || !strings.Contains(q.Text, "2 objects shown above, of 30") {
		t.Errorf("targets: %s %s", q.Title, q.Text)
	}
	if q := approvalOf(p, 2); !strings.Contains(q.Title, "all resources") {
		t.Errorf("targets that are everything: %s", q.Title)
	}
}
