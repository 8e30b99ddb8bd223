package apply

import (
	"context"
	"errors"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// TestDeletionsAfterFullDisk: what was not started since the state could not be
// saved is missing also when it can be saved again, so nothing may be deleted.
func TestDeletionsAfterFullDisk(t *testing.T) {
	for name, halts := range map[string]bool{"something was left out": true, "nothing was": false} {
		t.Run(name, func(t *testing.T) {
			var full error
			ctx := context.Background()
			made := state.Object{
				Addr:   addrs.Resource{Type: "ConfigMap", Name: "a"}.Instance(addrs.Key{}),
				Object: addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "n", Name: "a"}, UID: "uid",
			}
			p := &plan.Plan{Changes: []*plan.Change{{Addr: made.Addr, Object: made.Object, Action: plan.Create}}}
			r := &runner{ending: t.Context(), journal: newJournal(state.New(), func(context.Context, *state.State) error { return full })}
			if err := r.journal.begin(ctx, p); err != nil {
				t.Fatal(err)
			}
			full = errors.New("no space left")
			r.journal.made(p.Changes[0], made)
			r.journal.flush(ctx)
			if halts && r.journal.mayStart(ctx) == nil {
				t.Error("something starts that can't be recorded")
			}
			full = nil
			if err := r.journal.end(ctx); err != nil {
				t.Fatal(err)
			}
			if r.wentWell(nil) == halts {
				t.Errorf("that deletions may follow is %v", !halts)
			}
		})
	}
}
