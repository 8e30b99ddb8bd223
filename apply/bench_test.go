package apply

import (
	"context"
	"fmt"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// BenchmarkJournal10000 is what the creation of 10,000 objects costs in
// bookkeeping, without the writing of files.
func BenchmarkJournal10000(b *testing.B) {
	p := &plan.Plan{Cluster: "cluster"}
	for i := range 10_000 {
		namespace := fmt.Sprintf("t%05d", i*7919%10_000) // an order that is far from sorted
		addr, err := addrs.ParseInstance("Pod." + namespace)
		if err != nil {
			b.Fatal(err)
		}
		p.Changes = append(p.Changes, creationOf(b, state.Object{Addr: addr,
			Object: addrs.Object{Version: "v1", Kind: "Pod", Namespace: namespace, Name: "app"}}))
	}
	ctx := context.Background()
	for b.Loop() {
		j := newJournal(state.New(), func(context.Context, *state.State) error { return nil })
		if err := j.begin(ctx, p); err != nil {
			b.Fatal(err)
		}
		for _, c := range p.Changes {
			j.recordApplied(c, state.Object{Addr: c.Addr, Object: c.Object, UID: "uid"})
		}
		if err := j.end(ctx); err != nil || len(j.state.Pending) > 0 || len(j.state.Objects) != len(p.Changes) {
			b.Fatal("the state is not complete")
		}
	}
}
