package apply

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// TestTally: whatever becomes of a change, it is counted once.
func TestTally(t *testing.T) {
	refused := hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "refused"}}
	unknown := &kube.Error{Reason: kube.OutcomeUnknown}
	done := &applied{}
	type outcome struct {
		action  plan.Action
		moved   bool
		visited bool
		result  *applied
		err     error // of the visit or the deletion
		tried   bool  // of a deletion
		want    string
	}
	cases := map[string]outcome{
		"made":                              {action: plan.Create, visited: true, result: done, want: "done"},
		"refused":                           {action: plan.Create, visited: true, err: refused, want: "failed"},
		"made, not ready":                   {action: plan.Create, visited: true, result: done, err: refused, want: "done, not ready"},
		"made, interrupted before ready":    {action: plan.Create, visited: true, result: done, err: errNotStarted, want: "done, not ready"},
		"interrupted before it":             {action: plan.Update, visited: true, err: errNotStarted, want: "skipped"},
		"skipped":                           {action: plan.Replace, want: "skipped"},
		"unchanged, skipped":                {action: plan.NoOp, want: "done"},
		"moved, skipped":                    {action: plan.NoOp, moved: true, want: "skipped"},
		"unchanged, not ready":              {action: plan.NoOp, visited: true, result: done, err: refused, want: "done, not ready"},
		"unchanged, not what was planned":   {action: plan.NoOp, visited: true, err: refused, want: "failed"},
		"deleted":                           {action: plan.Delete, tried: true, want: "done"},
		"deletion refused":                  {action: plan.Delete, tried: true, err: refused, want: "failed"},
		"deletion not begun":                {action: plan.Delete, want: "skipped"},
		"deletion interrupted":              {action: plan.Delete, tried: true, err: errNotStarted, want: "skipped"},
		"deletion interrupted, from above":  {action: plan.Delete, tried: true, err: context.Canceled, want: "skipped"},
		"deletion behind one that failed":   {action: plan.Delete, tried: true, err: graph.Skipped[*plan.Change]{}, want: "skipped"},
		"forgotten":                         {action: plan.Forget, tried: true, want: "done"},
		"forgetting not begun":              {action: plan.Forget, want: "skipped"},
		"made or not":                       {action: plan.Create, visited: true, err: unknown, want: "unknown"},
		"gone or not":                       {action: plan.Delete, tried: true, err: unknown, want: "unknown"},
		"deletion failed for other reasons": {action: plan.Delete, tried: true, err: errors.New("x"), want: "failed"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			addr := addrs.Resource{Type: "ConfigMap", Name: "a"}.Instance(addrs.Key{})
			change := &plan.Change{Addr: addr, Action: c.action}
			if c.moved {
				change.Previous = addrs.Resource{Type: "ConfigMap", Name: "b"}.Instance(addrs.Key{})
			}
			var visited []hclspec.Visited[*applied]
			if c.visited {
				visited = append(visited, hclspec.Visited[*applied]{Desired: &hclspec.Desired{Addr: addr}, Result: c.result, Err: c.err})
			}
			deletions := map[*plan.Change]error{}
			if c.tried {
				deletions[change] = c.err
			}
			var s Summary
			s.tally(&plan.Plan{Mode: plan.Normal, Changes: []*plan.Change{change}}, visited, deletions)
			want := map[string]string{"done": "0 0 0 0", "done, not ready": "0 0 1 0", "failed": "1 0 0 0", "skipped": "0 1 0 0",
				"unknown": "0 0 0 1"}[c.want]
			if diff := cmp.Diff(want, fmt.Sprint(len(s.Failed), len(s.Skipped), len(s.NotReady), len(s.Unknown))); diff != "" {
				t.Errorf("failed, skipped, not ready, unknown (-want +got):\n%s", diff)
			}
		})
	}
}
